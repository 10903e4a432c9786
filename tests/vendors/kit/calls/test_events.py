"""The events of a call: each exchange is reported once, with its meaning, and what replaced an exchange as well."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.vendors.support import TRANSPORT
from vendors.kit import BadReply, Credential, Forbidden, NotFound, RateLimited, Refused, Timeout, Vendor
from vendors.kit.calls.breaker import FAULTS, WITNESSES
from vendors.kit.calls.cloud import open_cloud
from vendors.kit.calls.events import CallKind
from vendors.kit.calls.reply_cache import Mode, ReplyCache
from vendors.kit.deadline import Deadline
from vendors.kit.errors import VendorDown

EUROPE, AMERICA = "https://eu.events.test", "https://na.events.test"


class Eventful(Vendor):
    """Has two regions, and refuses some calls with status 200."""

    hosts = {"eventful": {"eu": EUROPE, "na": AMERICA}}
    follows_308 = True

    def failure(self, reply, request):
        return Forbidden(reply.url) if reply.json_object.get("refused") else None

    def on_unauthorized(self, reply, request):
        self.client.get("/sites")


class Recorder(list):
    """An observer that keeps what it sees."""

    __call__ = list.append

    def of(self, *kinds):
        return [event for event in self if event.kind in kinds]

    def outcomes(self):
        return [(event.base, event.status, event.code) for event in self.of(CallKind.SENT)]


@pytest.fixture
def events():
    return Recorder()


@pytest.fixture
def cloud(events):
    cloud = open_cloud("eventful", Eventful, TRANSPORT, ReplyCache(), observers=(events,))
    cloud.pause = 0.0
    return cloud


def client_of(cloud, mode=Mode.REUSE):
    return cloud.open(Credential({"token": "made-up"}), Deadline(5), mode).client


def test_a_call_is_an_exchange_that_begins_and_ends_and_a_cached_reply_says_its_age(cloud, events, network):
    network.get(f"{EUROPE}/sites/7", json={"id": 7})
    for _ in range(2):
        client_of(cloud).get("/sites/{}", "7")
    sending, sent, cached = events
    assert (sending.kind, sent.kind, cached.kind) == (CallKind.SENDING, CallKind.SENT, CallKind.CACHED)
    assert {event.path for event in events} == {"/sites/{}"}
    assert (sent.vendor, sent.status, sent.code, sent.size, sent.is_renewal) == ("eventful", 200, "ok", 9, False)
    assert sent.seconds > 0
    assert 0 <= cached.seconds < 5


def test_a_success_that_the_plugin_takes_for_a_refusal_is_reported_as_that(cloud, events, network):
    network.get(f"{EUROPE}/sites", json={"refused": True})
    with pytest.raises(Forbidden):
        client_of(cloud).get("/sites")
    assert events.outcomes() == [(EUROPE, 200, "forbidden")]


def test_a_success_whose_reply_cannot_be_read_is_reported_as_unreadable_as_well(cloud, events, network):
    network.get(f"{EUROPE}/sites", body="<html>login</html>")
    with pytest.raises(BadReply):
        client_of(cloud).get("/sites").rows("sites", to=lambda row: row)
    assert [(event.kind, event.code) for event in events[1:]] == [
        (CallKind.SENT, "ok"),
        (CallKind.UNREADABLE, "bad_reply"),
    ]


def test_a_retry_is_another_exchange_with_the_next_number(cloud, events, network):
    network.get(f"{EUROPE}/sites", status=503)
    network.get(f"{EUROPE}/sites", json={})
    client_of(cloud).get("/sites")
    sent = events.of(CallKind.SENT)
    assert [(event.attempt, event.status, event.code) for event in sent] == [(1, 503, "backend_error"), (2, 200, "ok")]


def test_each_region_that_is_asked_is_an_exchange(cloud, events, network):
    network.get(f"{EUROPE}/sites", status=421)
    network.get(f"{AMERICA}/sites", json={})
    client_of(cloud).get("/sites")
    assert sorted(events.outcomes()) == [(EUROPE, 421, "backend_error"), (AMERICA, 200, "ok")]


def test_no_region_that_knows_the_account_loses_no_exchange(cloud, events, network):
    for base in (EUROPE, AMERICA):
        network.get(f"{base}/sites", status=421)
    with pytest.raises(Refused):
        client_of(cloud).get("/sites")
    assert sorted(base for base, _, _ in events.outcomes()) == [EUROPE, AMERICA]


def test_a_redirect_that_is_followed_is_two_exchanges(cloud, events, network):
    network.get(f"{EUROPE}/sites/1", status=308, headers={"Location": f"{EUROPE}/sites/2"})
    network.get(f"{EUROPE}/sites/2", status=404)
    with pytest.raises(NotFound):
        client_of(cloud).get("/sites/1")
    assert [(status, code) for _, status, code in events.outcomes()] == [(308, "backend_error"), (404, "not_found")]


def test_a_call_without_a_reply_has_a_code_and_no_status(cloud, events, network):
    network.get(f"{EUROPE}/sites", body=requests.ReadTimeout("made up"))
    with pytest.raises(Timeout):
        client_of(cloud).get("/sites")
    assert {(event.status, event.code) for event in events.of(CallKind.SENT)} == {(None, "timeout")}


def test_an_exchange_ends_although_the_call_fails_that_was_to_find_out_its_meaning(cloud, events, network):
    network.get(f"{EUROPE}/gated", status=401)
    network.get(f"{EUROPE}/sites", status=403)
    with pytest.raises(Forbidden):
        client_of(cloud).get("/gated")
    assert events.outcomes() == [(EUROPE, 403, "forbidden"), (EUROPE, 401, "unauthorized")]


def test_calls_that_are_not_made_are_reported_as_refused(cloud, events, network):
    network.get(f"{EUROPE}/sites", status=429, headers={"Retry-After": "60"})
    for _ in range(2):
        with pytest.raises(RateLimited):
            client_of(cloud).get("/sites")
    assert [event.code for event in events.of(CallKind.REFUSED)] == ["rate_limited"]
    for number in range(FAULTS):
        cloud.breakers[AMERICA].failed(str(number % WITNESSES).encode())
    cloud.remember_home(Credential({"token": "made-up"}), AMERICA)
    with pytest.raises(VendorDown):
        client_of(cloud).get("/other")
    assert [event.code for event in events.of(CallKind.REFUSED)] == ["rate_limited", VendorDown.code]
    assert len(events.of(CallKind.SENDING)) == 1


def test_a_call_that_waits_for_an_equal_call_is_shared(cloud, events, network):
    began, may_end = threading.Event(), threading.Event()

    def answer(request):
        began.set()
        assert may_end.wait(30)
        return 200, {}, "{}"

    network.add_callback("GET", f"{EUROPE}/sites", answer)
    cloud.observers += (lambda event: may_end.set() if event.kind is CallKind.SHARED else None,)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(client_of(cloud).get, "/sites")
        assert began.wait(30)
        second = pool.submit(client_of(cloud).get, "/sites")
        assert first.result().json == second.result().json == {}
    assert len(events.of(CallKind.SENT)) == len(events.of(CallKind.SHARED)) == 1


def test_an_observer_that_fails_costs_no_call(cloud, events, network, caplog):
    def broken(event):
        raise ValueError("made up")

    cloud.observers = (broken, events)
    network.get(f"{EUROPE}/sites", json={})
    assert client_of(cloud).get("/sites").json == {}
    assert events.outcomes() == [(EUROPE, 200, "ok")]
    assert "observer" in caplog.text
