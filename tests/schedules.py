"""Random sequences of faults at all vendors at once, and what must hold of every answer meanwhile."""

import random
import re
import time
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import pytest

from tests.services import served
from vendors.kit import Stage
from vendors.kit.calls import pipeline
from vendors.kit.calls.breaker import Breaker
from vendors.kit.calls.quota import Quota
from vendors.kit.calls.reply_cache import ReplyCache
from vendors.kit.calls.retry_budget import RetryBudget

# The least deadline; a slow machine gets a longer one.
SECONDS = 0.7
# Allowed after the deadline, on a busy machine; a call without a deadline would wait for ever.
GRACE = 5.0
SITES = 2

DOWN = "Bad Gateway"
LATE = "Gateway Timeout"
# name: (the fault, the reasons that `errors` may give, how often it is chosen)
FAULTS = {
    "hangs": ({"hang": True}, {LATE}, 1),
    "drips headers": ({"drip": {"part": "headers", "every": 0.05}}, {LATE}, 1),
    "drips the body": ({"drip": {"part": "body", "every": 0.05}}, {LATE}, 1),
    "is slow": ({"delay": 0.1}, {LATE}, 4),
    "hangs twice": ({"hang": True, "times": 2}, {LATE}, 1),
    "resets": ({"reset": True}, {DOWN}, 10),
    "resets once": ({"reset": True, "times": 1}, {DOWN}, 10),
    "fails with 500": ({"status": 500}, {DOWN}, 10),
    "fails with 502 once": ({"status": 502, "times": 1}, {DOWN}, 10),
    "fails with 503 in HTML": ({"status": 503, "body": "<html>maintenance</html>"}, {DOWN}, 10),
    "throttles": ({"status": 429, "headers": {"Retry-After": "1"}}, {"Too Many Requests"}, 10),
    "throttles without a hint": ({"status": 429}, {"Too Many Requests"}, 10),
    "throttles for ever": ({"status": 429, "headers": {"Retry-After": "inf"}}, {"Too Many Requests"}, 3),
    "fails with a wait of ages": ({"status": 503, "headers": {"Retry-After": "1e30"}}, {DOWN}, 3),
    "throttles once": ({"status": 429, "times": 1}, {"Too Many Requests"}, 5),
    "says 401": ({"status": 401}, {"Unauthorized", "Forbidden", DOWN}, 10),
    "says 403": ({"status": 403}, {"Forbidden", "Unauthorized", DOWN}, 10),
    "says 404": ({"status": 404}, {"Not Found", "Bad Gateway"}, 10),
    "says 410": ({"status": 410}, {DOWN}, 5),
    "says 421": ({"status": 421}, {DOWN, "Misdirected Request"}, 5),
    "answers HTML": ({"body": "<html>login</html>"}, {DOWN}, 10),
    "answers {}": ({"body": "{}"}, {DOWN}, 10),
    # Not []: for some vendors that is a valid answer, an account without sites.
    "answers [1]": ({"body": "[1]"}, {DOWN}, 10),
    "answers null": ({"body": "null"}, {DOWN}, 10),
    "answers half": ({"body": '{"plants": [{"plantId'}, {DOWN}, 10),
    "answers nothing": ({"body": ""}, {DOWN}, 10),
    # May be late on a busy machine.
    "answers too much": ({"huge": 40_000_000}, {DOWN, LATE}, 1),
    "redirects": ({"redirect": "http://127.0.0.1:9/stolen"}, {DOWN}, 10),
    "redirects to itself": ({"status": 308, "redirect": "/"}, {DOWN}, 5),
}
ENTRY = re.compile(r"([A-Z][A-Za-z ]+): [^?]+?(?: \(incomplete: \d+ of \d+ [a-z ]+\))?")


class Schedules:
    """A service in front of the vendors' clouds, and the answers it gives while they are healthy."""

    def __init__(self, service, played):
        self.service, self.played = service, played
        clouds = service.app.extensions["services"].clouds
        # The sandbox plays no vendor that the service cannot ask.
        self.clouds = {name: cloud for name, cloud in clouds.items() if cloud.vendor.stage is not Stage.DECLARED}
        self.secrets = set()
        self.renew()
        self.truth, self.paths = {}, {}
        for vendor in self.clouds:
            played.calls(vendor)
            self.truth[vendor] = set(service.inverters(played.headers(vendor))[0])
            self.paths[vendor] = sorted(played.calls(vendor))
        assert all(self.truth.values())
        self.slowest = 0.0
        self.requests = 0

    def renew(self):
        """New credentials: SMA's tokens end after five minutes."""
        self.headers = self.played.headers()
        self.stranger = {name: f"{value[:-6]}strang" for name, value in self.headers.items()}
        self.secrets |= {value.rpartition(" ")[2] for value in self.headers.values()}

    def run(self, seed):
        """Runs one schedule. Raises AssertionError with the first violation."""
        chance = random.Random(seed)
        self.forget()
        self.renew()
        self.deadline = self.service.pace(SECONDS, self.headers)
        self.forget()
        possible = {vendor: set() for vendor in self.clouds}
        for _ in range(chance.randint(2, 4)):
            chosen = {vendor: self._fault(chance, vendor) for vendor in self.clouds}
            for vendor, (name, fault) in chosen.items():
                self.played.put(f"/faults/{vendor}", fault)
                # Later answers may come from the circuit breaker, which reports that the vendor is down.
                possible[vendor] |= FAULTS[name][1] | {DOWN} if name else set()
            self._step(chosen, possible, chance.random() < 0.5)
        self._settle()

    def _fault(self, chance, vendor):
        """The name and the fault of all calls or of calls to one path; often none."""
        if chance.random() < 0.6:
            return "", {}
        (name,) = chance.choices(list(FAULTS), [weight for _, _, weight in FAULTS.values()])
        path = {"path": chance.choice(self.paths[vendor])} if chance.random() < 0.5 else {}
        return name, FAULTS[name][0] | path

    def _step(self, chosen, possible, fresh):
        control = {"Cache-Control": "no-cache"} if fresh else {}
        started = time.monotonic()
        with ThreadPoolExecutor(2) as pool:
            strange = pool.submit(self.service.get, "/solar-inverters?pageSize=1000", self.stranger | control)
            answer = self.service.get("/solar-inverters?pageSize=1000", self.headers | control)
            took = time.monotonic() - started
            strange = strange.result()
        self.requests += 2
        self.slowest = max(self.slowest, took)
        assert took < self.deadline + GRACE, (took, chosen)
        for each in (answer, strange):
            assert each.status_code == 200, (each.status_code, each.text, chosen)
            assert not [secret for secret in self.secrets if secret in each.text]
        assert strange.json["solarInverters"] == [], "another caller's data"
        assert set(strange.json["errors"]) == set(self.clouds), (strange.json["errors"], chosen)
        self._check(answer.json, chosen, possible)

    def _check(self, answer, chosen, possible):
        ids, errors = {item["id"] for item in answer["solarInverters"]}, answer["errors"]
        assert len(ids) == len(answer["solarInverters"])
        assert ids <= set().union(*self.truth.values()), "made up"
        for vendor, truth in self.truth.items():
            entry = errors.get(vendor)
            case = (vendor, chosen[vendor], entry, possible[vendor])
            if entry is None:
                assert ids >= truth, (case, "incomplete without an error")
                continue
            match = ENTRY.fullmatch(entry)
            assert match, case
            assert match[1] in possible[vendor], case
            assert answer["errorDetails"][vendor]["code"], case

    def forget(self):
        """Makes all vendors healthy and forgets their state, but keeps threads and connections."""
        for cloud in self.clouds.values():
            self.played.put(f"/faults/{cloud.name}", {})
            cloud.pause = 0.1
            cloud.breakers = {base: Breaker() for base in cloud.urls.values()}
            cloud.quota = Quota(cloud.name, cloud.vendor.limits.parallel)
            cloud.reply_cache, cloud.retries = ReplyCache(), RetryBudget()

    def _settle(self):
        """Checks that no sweep goes on for long after its request."""
        ends = time.monotonic() + self.deadline + GRACE
        while busy := [cloud.name for cloud in self.clouds.values() if cloud.sweep_slots.taken]:
            assert time.monotonic() < ends, (busy, "still at work")
            time.sleep(0.005)


@pytest.fixture(scope="module")
def schedules(tmp_path_factory):
    with (
        # Retries fit into the short deadline as well.
        mock.patch.object(pipeline, "RETRY_NEEDS_SECONDS", 0.2),
        served(tmp_path_factory.mktemp("schedules"), sites=SITES, seconds=SECONDS) as (service, played),
    ):
        yield Schedules(service, played)
