"""Orders to batteries that obey and to batteries that do not, in a cloud that lies about it, with `kill -9` in between.

No order is verified that was not carried out, nearly all that were are, and each ends in one final state.
"""

import multiprocessing
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
import requests
from sqlalchemy import func, select, update

import sandbox
from app.auth.clients import Clients
from app.auth.scopes import Scope
from app.config import Settings
from app.storage.control_tables import ControlOrderRow
from app.storage.database import Database
from app.storage.once_tables import ControlLeaseRow
from sandbox.server import running
from tests import ordering
from tests.ordering import STOPPED, Answer, Call
from tests.processes import SECONDS
from tests.services import Played

VENDOR = "enphasevpp"
# The site is enrolled in two.
PROGRAM = "?programID=Peak%20Shaving%2A%20Pilot"
FIRST = datetime(2025, 6, 1, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
# From the vendor's declaration: the time until a command acts, and that until its series is there.
LATENCY, LAG = 5 * MINUTE, 45 * MINUTE
SHARE_FOUND = 0.99
# Less is rest where the rated power is not known, in kW; more than 3 % of any battery of the fleet is none.
REST_KW, NO_REST_KW = 0.05, 0.12

# How the emulator lies: the conditions of the battery, and what happens to it some minutes after the start of an order.
HONEST, IGNORES, CLAMPS, DROPS, LAGS, LATE, OWNER, OUTAGE, LOST = LIES = (
    "it is honest",
    "it accepts and does nothing",
    "it gives less power than it shows",
    "it accepts and keeps no event",
    "it shows events one write late",
    "it begins within the latency",
    "the owner changes the mode meanwhile",
    "the gateway is out meanwhile",
    "its answer is lost",
)
CONDITIONS = {
    IGNORES: {"ignores": True},
    CLAMPS: {"most_kw": 0.4},
    DROPS: {"drops": True},
    LAGS: {"stale_reads": 1},
    LATE: {"delay_seconds": 120},
}
HAPPENINGS = {
    OWNER: {"what": "owner_mode", "mode": "Self Consumption", "seconds": 14_400},
    OUTAGE: {"what": "outage", "seconds": 1800},
}

# Children of a fork server have the modules loaded when they start, and no threads of this process.
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["tests.ordering"])


@dataclass(frozen=True)
class Order:
    """One order, and all that befalls it."""

    lie: str
    start: datetime
    minutes: int
    command: str
    kw: float
    happens_after: int
    stops: dict[str, int]
    """By call, the step at which the service is killed."""

    @property
    def end(self) -> datetime:
        return self.start + self.minutes * MINUTE

    @property
    def interval(self):
        members = {} if self.command == "idle" else {"kw": self.kw}
        return {"command": self.command, "start": self.start.isoformat(), "end": self.end.isoformat(), **members}


def drawn(seed: int) -> Order:
    """The order of a seed, each on its own day."""
    chance = random.Random(seed)
    # Half of them share their bounds with the series.
    is_aligned = chance.random() < 0.5
    minutes = 15 * chance.randint(1, 8) if is_aligned else chance.randint(36, 120)
    start = (
        FIRST + seed * DAY + timedelta(hours=chance.randint(6, 18), minutes=0 if is_aligned else chance.randint(1, 59))
    )
    stops = {chance.choice(["put", "early", "late"]): chance.randint(1, 8)} if chance.random() < 0.3 else {}
    return Order(
        chance.choice([HONEST, HONEST, *LIES]),
        start,
        minutes,
        chance.choice(["charge", "discharge", "discharge", "idle"]),
        chance.choice([0.5, 1.0, 2.0, 2.5]),
        chance.randint(1, max(2, minutes - 2)),
        stops,
    )


@dataclass
class Tally:
    """What came of all orders."""

    states: Counter = field(default_factory=Counter)
    kills: int = 0
    true: int = 0
    found: int = 0
    wrong: list = field(default_factory=list)
    missed: list = field(default_factory=list)

    def check(self) -> None:
        assert self.wrong == []
        assert self.found >= SHARE_FOUND * self.true, self.missed


class World:
    """The sandbox, and a client of a service that is killed now and then."""

    def __init__(self, url: str, folder) -> None:
        self.played = Played(url)
        self._database = Database(f"sqlite:///{folder / 'derapi.db'}")
        self._database.upgrade()
        self._auth = Clients(self._database).create("test", "production", "v2024-09-01", tuple(Scope))
        self._settings = Settings(
            secret_key="s" * 32, id_key="i" * 32, database_url=str(self._database.engine.url), embedded=True,
            log_level="CRITICAL", sandbox_url=url, request_deadline=60.0,
        )  # fmt: skip
        view = next(
            view
            for view in self.played.get("/truth")["views"][VENDOR]
            if any(device["kind"] == "battery" for device in view["devices"])
        )
        self.number, self.tally = view["number"], Tally()
        self._headers = self.played.headers(VENDOR)
        self._now = FIRST - DAY
        self._move_to(self._now)
        self._start()
        listed = self._call("GET", f"/sites?vendor={VENDOR}&vendorID={view['site']}", self._now).members["sites"]
        self.path = f"/sites/{listed[0]['id']}/battery-control"
        self.final: dict[str, str] = {}
        self._sent = 0

    def close(self) -> None:
        self._process.kill()
        self._process.join(SECONDS)
        self._database.close()

    def _start(self) -> None:
        self._pipe, end = processes.Pipe()
        arguments = end, self._settings, self._auth, self._headers, self._now
        self._process = processes.Process(target=ordering.serve, args=arguments, daemon=True)
        self._process.start()
        end.close()
        assert self._answer().status == 200

    def _answer(self) -> Answer:
        assert self._pipe.poll(SECONDS), "no answer in time"
        return self._pipe.recv()

    def _call(self, method: str, path: str, now: datetime, body=None, stop_at: int = 0) -> Answer:
        """The answer; a service that is killed at a step is started anew, and asked again a minute later."""
        self._move_to(now)
        self._pipe.send(Call(method, path, now, body, stop_at))
        answer = self._answer()
        if answer != STOPPED:
            return answer
        self._process.kill()
        self._process.join(SECONDS)
        self._pipe.close()
        self.tally.kills += 1
        # The lease of the killed process ends at once.
        with self._database.session() as session:
            session.execute(update(ControlLeaseRow).values(expires_at=0.0))
        self._start()
        return self._call(method, path, now + MINUTE, body)

    def _move_to(self, now: datetime) -> None:
        self._now = now
        self.played.put("/clock", {"now": now.isoformat()})

    def carry_out(self, order: Order) -> None:
        """Sends the order, looks twice, and compares its receipt with the truth."""
        requests.delete(f"{self.played.url}/batteries", timeout=60).raise_for_status()
        self._move_to(order.start - 10 * MINUTE)
        self.played.put("/batteries", {"site": self.number, **CONDITIONS.get(order.lie, {})})
        if order.lie in HAPPENINGS:
            after = (order.start - self._now).total_seconds() + 60 * order.happens_after
            happens = {"site": self.number, "after_seconds": after, **HAPPENINGS[order.lie]}
            requests.post(f"{self.played.url}/batteries", json=happens, timeout=60).raise_for_status()
        if order.lie == LOST:
            lost = {"path": "/api/v2/events", "method": "POST", "reset": True, "after": True, "times": 1}
            self.played.put(f"/faults/{VENDOR}", lost)
        answer = self._call(
            "PUT", self.path + PROGRAM, self._now, {"intervals": [order.interval]}, order.stops.get("put", 0)
        )
        assert answer.status == 200, answer
        self.played.put(f"/faults/{VENDOR}", {})
        early = order.start + min(LATENCY, order.minutes * MINUTE / 2)
        for name, at in (("early", early), ("late", order.end + LAG)):
            answer = self._call("GET", self.path, at, stop_at=order.stops.get(name, 0))
            assert answer.status == 200, answer
        receipt = self._history(self._now)[0]
        if not receipt["isFinal"]:
            # An event that was never shown is given up at the second look without it.
            self._call("GET", self.path, self._now + 10 * MINUTE)
        self._compare(order, self._history(self._now)[0], looks=2 if receipt["isFinal"] else 3)
        self._sent += 1
        with self._database.session() as session:
            assert session.scalar(select(func.count(ControlOrderRow.id))) == self._sent, (
                "none is lost, and none doubled"
            )

    def _history(self, now: datetime):
        answer = self._call("GET", f"{self.path}/history?pageSize=20", now)
        assert answer.status == 200, answer
        receipts = answer.members["orders"]
        for receipt in receipts:
            if receipt["isFinal"]:
                state = self.final.setdefault(receipt["orderID"], receipt["state"])
                assert state == receipt["state"], "an order has one final state"
        return receipts

    def _compare(self, order: Order, receipt, looks: int) -> None:
        state, is_true, is_false = receipt["state"], *self._truth(order)
        # A battery that rests by itself obeys no event that was never kept.
        is_true = is_true and order.lie != DROPS
        tally = self.tally
        tally.states[f"{order.lie}: {state}"] += 1
        assert receipt["isFinal"], receipt
        tally.true += is_true
        is_found = state == "verified" and looks == 2
        tally.found += is_true and is_found
        if state == "verified" and is_false:
            tally.wrong.append((order, receipt))
        if is_true and not is_found:
            tally.missed.append((order, receipt))

    def _truth(self, order: Order) -> tuple[bool, bool]:
        """Whether the battery has done what it was told, and whether it has not; where it began within the latency,
        both may be false."""
        if order.command == "idle":
            settled = order.start + min(LATENCY, order.minutes * MINUTE / 2)
            hours = (order.end - settled) / (60 * MINUTE)
            kw = sum(self._kwh(kind, settled, order.end) for kind in ("charge", "discharge")) / hours
            return kw < REST_KW, kw > NO_REST_KW
        # From the start on, or at the latest once the latency has passed.
        whole, settled = (self._share(order, since) for since in (order.start, order.start + LATENCY))
        return 0.951 <= whole <= 1.049, not (0.949 <= whole <= 1.051 or 0.949 <= settled <= 1.051)

    def _share(self, order: Order, since: datetime) -> float:
        """What has flowed since then, as a share of what was ordered."""
        other = "charge" if order.command == "discharge" else "discharge"
        kwh = self._kwh(order.command, since, order.end) - self._kwh(other, since, order.end)
        return kwh / (order.kw * ((order.end - since) / (60 * MINUTE)))

    def _kwh(self, kind: str, start: datetime, end: datetime) -> float:
        query = {"kind": kind, "site": self.number, "start": start.isoformat(), "end": end.isoformat()}
        return requests.get(f"{self.played.url}/truth/energy", query, timeout=60).json()["wh"] / 1000


def carried_out(folder, seeds) -> Tally:
    with running(sandbox.create_app(3, 1)) as url:
        world = World(url, folder)
        try:
            for seed in seeds:
                world.carry_out(drawn(seed))
        finally:
            world.close()
        return world.tally


@pytest.mark.exhaustive
def test_no_order_is_verified_that_was_not_carried_out_and_nearly_all_that_were_are(tmp_path):
    tally = carried_out(tmp_path, range(50))
    tally.check()
    assert tally.true >= 10, "orders that were carried out"
    assert tally.kills >= 5


@pytest.mark.soak
def test_five_hundred_orders_end_in_one_true_state_each(tmp_path, report):
    tally = carried_out(tmp_path, range(1000, 1500))
    for line, count in sorted(tally.states.items()):
        report(f"{count:4} x {line}")
    report(
        f"500 orders, {tally.kills} kills: {tally.found} of {tally.true} true ones verified, {len(tally.wrong)} false"
    )
    tally.check()
