"""Calls that change something at a vendor: made once, and a failure says whether the vendor may have acted on them."""

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
import requests

from tests.vendors.support import TRANSPORT
from vendors.kit import BackendError, BadReply, Credential, Freshness, NotFound, Refused, Unauthorized, Vendor
from vendors.kit.calls.cloud import open_cloud
from vendors.kit.calls.dry_run import DryCalls
from vendors.kit.calls.events import CallKind
from vendors.kit.calls.pipeline import NotCached
from vendors.kit.calls.reply_cache import Mode, ReplyCache
from vendors.kit.calls.single_use import SINGLE_USE_SECONDS
from vendors.kit.deadline import Deadline
from vendors.kit.errors import Held, PluginFault, Timeout, VendorDown, VendorError
from vendors.kit.http.adapter import DeadlineAdapter

BASE, OTHER = "https://writes.test", "https://other.writes.test"
EVENTS = BASE + "/sites/7/events"
ENOUGH_SECONDS = 60.0


class Writable(Vendor):
    """Has two regions, and can be told to fail in a hook."""

    hosts = {"writable": {"main": BASE, "other": OTHER}}
    in_hook = staticmethod(lambda: None)

    def failure(self, reply, request):
        return self.in_hook()


class Recorder(list):
    """An observer that keeps what it sees."""

    __call__ = list.append

    def kinds(self):
        return [event.kind for event in self]


@pytest.fixture
def events():
    return Recorder()


@pytest.fixture
def cloud(events):
    cloud = open_cloud("writable", Writable, TRANSPORT, ReplyCache(), observers=(events,))
    cloud.pause = 0.0
    return cloud


def client_of(cloud, mode=Mode.REUSE, seconds=ENOUGH_SECONDS):
    return cloud.open(Credential({"token": "made-up"}), Deadline(seconds), mode).client


def write(cloud, read=lambda reply: reply.json["id"], **options):
    return client_of(cloud, **options).write("POST", "/sites/{}/events", "7", body={"kw": 5}, read=read)


def failure_of(cloud, **options):
    with pytest.raises(VendorError) as raised:
        write(cloud, **options)
    return raised.value


def lost():
    return requests.exceptions.ChunkedEncodingError()


def test_a_write_is_sent_as_compact_json_to_the_quoted_path_and_its_reply_is_read(cloud, network):
    network.post(BASE + "/sites/a%20b/events", json={"id": "e1"})
    client = client_of(cloud)
    assert client.write("POST", "/sites/{}/events", "a b", body={"kw": 5}, read=lambda reply: reply.json["id"]) == "e1"
    assert network.calls[0].request.body == b'{"kw":5}'


def test_a_write_without_a_body_sends_none(cloud, network):
    network.delete(EVENTS + "/e1", body="cancelled")
    said = client_of(cloud).write("DELETE", "/sites/{}/events/{}", "7", "e1", read=lambda reply: reply.text)
    assert (said, network.calls[0].request.body) == ("cancelled", None)


def test_equal_writes_are_all_sent_and_no_reply_is_cached(cloud, network):
    network.post(EVENTS, json={"id": "e1"})
    for _ in range(3):
        write(cloud)
    assert (len(network.calls), cloud.reply_cache.count) == (3, 0)


def test_equal_writes_at_the_same_time_are_all_sent(cloud, network):
    both = threading.Barrier(2, timeout=60)

    def answer(request):
        both.wait()
        return (200, {}, '{"id": "e1"}')

    network.add_callback("POST", EVENTS, callback=answer)
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda _: write(cloud), range(2))) == ["e1", "e1"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"status": 500}, BackendError),
        ({"status": 503, "headers": {"Retry-After": "7"}}, BackendError),
        ({"body": lost()}, BackendError),
        ({"body": requests.ReadTimeout()}, Timeout),
        ({"body": "<html>"}, BadReply),
        ({"json": {}}, BadReply),
    ],
    ids=str,
)
def test_a_write_on_which_the_vendor_may_have_acted_is_uncertain_and_not_repeated(cloud, network, answer, kind):
    network.post(EVENTS, **answer)
    failure = failure_of(cloud, read=lambda reply: reply.record(lambda raw: raw["id"]))
    assert isinstance(failure, kind)
    assert (failure.is_uncertain, failure.retriable, len(network.calls)) == (True, False, 1)


@pytest.mark.parametrize(
    ("status", "kind"), [(400, Refused), (401, Unauthorized), (404, NotFound), (429, VendorError), (302, Refused)]
)
def test_a_write_that_the_vendor_refuses_is_certain_not_to_be_done(cloud, network, status, kind):
    network.post(EVENTS, status=status)
    failure = failure_of(cloud)
    assert isinstance(failure, kind)
    assert (failure.is_uncertain, len(network.calls)) == (False, 1)


@pytest.mark.parametrize("error", [requests.ConnectTimeout(), requests.exceptions.SSLError()], ids=repr)
def test_a_write_without_a_connection_is_certain_not_to_be_done(cloud, monkeypatch, error):
    def send(*arguments, **options):
        raise error

    monkeypatch.setattr(DeadlineAdapter, "send", send)
    assert not failure_of(cloud).is_uncertain


def test_a_fault_of_the_plugin_after_the_answer_leaves_the_write_uncertain(cloud, network, monkeypatch):
    network.post(EVENTS, json={"id": "e1"})

    def fault(*_):
        raise RuntimeError

    assert failure_of(cloud, read=fault).is_uncertain
    monkeypatch.setattr(Writable, "in_hook", staticmethod(fault))
    failure = failure_of(cloud)
    assert (type(failure), failure.is_uncertain) == (PluginFault, True)


def test_a_fault_of_the_plugin_before_the_call_leaves_no_doubt(cloud, network, monkeypatch):
    monkeypatch.setattr(Writable, "sign", lambda *_: 1 / 0)
    failure = failure_of(cloud)
    assert (type(failure), failure.is_uncertain, len(network.calls)) == (PluginFault, False, 0)


def test_a_write_is_sent_only_with_time_left_for_its_answer(cloud, network):
    failure = failure_of(cloud, seconds=SINGLE_USE_SECONDS - 0.5)
    assert (type(failure), failure.is_uncertain, len(network.calls)) == (Timeout, False, 0)


def test_a_write_is_refused_while_the_quota_is_on_hold_or_the_vendor_down(cloud, network):
    credential = Credential({"token": "made-up"})
    group = credential.group(cloud.secret, cloud.vendor.limits.group).hex()
    cloud.quota.hold(group, 60)
    held = failure_of(cloud)
    for number in range(20):
        cloud.breakers[BASE].failed(str(number % 2).encode())
    down = failure_of(cloud)
    assert [(type(one), one.is_uncertain) for one in (held, down)] == [(Held, False), (VendorDown, False)]


def test_a_429_to_a_write_holds_the_reads_of_its_limit_group(cloud, network):
    network.post(EVENTS, status=429, headers={"Retry-After": "30"})
    failure_of(cloud)
    with pytest.raises(Held):
        client_of(cloud).get("/sites")


def test_a_write_counts_as_one_call_in_the_events_with_its_outcome(cloud, network, events):
    network.post(EVENTS, json={})
    failure_of(cloud, read=lambda reply: reply.record(lambda raw: raw["id"]))
    assert events.kinds() == [CallKind.SENDING, CallKind.SENT, CallKind.UNREADABLE]
    assert {(event.method, event.path) for event in events} == {("POST", "/sites/{}/events")}


def test_a_write_is_not_sent_to_further_regions_after_one_that_may_have_acted(cloud, network):
    cloud.urls = {"main": BASE, "other": OTHER, "third": "https://third.writes.test"}
    cloud.breakers["https://third.writes.test"] = cloud.breakers[OTHER]
    network.post(EVENTS, status=421)
    for answer in ({"body": lost()}, {"status": 500}):
        other = network.post(OTHER + "/sites/7/events", **answer)
        assert failure_of(cloud).is_uncertain
        network.remove(other)


def test_a_write_follows_an_account_to_its_region(cloud, network):
    network.post(EVENTS, status=421)
    network.post(OTHER + "/sites/7/events", json={"id": "e1"})
    assert write(cloud) == "e1"


def test_a_refused_token_is_no_reason_to_doubt_and_the_write_is_sent_with_the_next_one(cloud, network):
    tokens = iter(["first", "second"])
    cloud.tokens = SimpleNamespace(
        get=lambda *_: next(tokens), replace=lambda *_: True, accepted=lambda *_: None, refused_again=lambda *_: None
    )

    class Stored(Credential):
        has_tokens = True

        def with_token(self, token):
            return Credential({"token": token})

    network.post(EVENTS, status=401)
    network.post(EVENTS, json={"id": "e1"})
    client = cloud.open(Stored({"token": "made-up"}), Deadline(ENOUGH_SECONDS)).client
    assert client.write("POST", "/sites/{}/events", "7", body={}, read=lambda reply: reply.json["id"]) == "e1"
    assert [call.request.headers["Authorization"] for call in network.calls] == ["Bearer first", "Bearer second"]


def test_no_write_is_made_where_no_call_is_made(cloud, network):
    with pytest.raises(NotCached):
        write(cloud, mode=Mode.CACHED_ONLY)
    plugin = cloud.vendor(
        Credential({"token": "made-up"}), lambda hooks: DryCalls(cloud, hooks, Deadline(5), Mode.REFRESH)
    )
    with pytest.raises(NotCached):
        plugin.client.write("POST", "/sites", body={}, read=lambda reply: reply.text)
    assert not network.calls


def look(cloud, **options):
    return client_of(cloud, **options).get("/sites/{}/events", "7", freshness=Freshness.UNCACHED).json


def test_an_uncached_read_takes_no_cached_reply_and_leaves_none(cloud, network):
    network.get(EVENTS, json=[1])
    network.get(EVENTS, json=[1, 2])
    assert (look(cloud), look(cloud), cloud.reply_cache.count) == ([1], [1, 2], 0)


def test_an_uncached_read_does_not_take_a_stale_reply_while_the_vendor_fails(cloud, network):
    network.get(EVENTS, json=[1])
    client_of(cloud).get("/sites/{}/events", "7")
    network.replace("GET", EVENTS, status=500)
    with pytest.raises(BackendError):
        look(cloud)


def test_an_uncached_read_does_not_join_an_equal_one_that_began_before(cloud, network):
    began, may_end = threading.Event(), threading.Event()
    answers = iter([(200, {}, "[1]"), (200, {}, "[1, 2]")])

    def answer(request):
        reply = next(answers)
        if not began.is_set():
            began.set()
            assert may_end.wait(60)
        return reply

    network.add_callback("GET", EVENTS, callback=answer)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(look, cloud)
        assert began.wait(60)
        second = look(cloud)
        may_end.set()
        assert (first.result(60), second) == ([1], [1, 2])


def test_an_uncached_read_that_fails_is_made_once_more(cloud, network):
    network.get(EVENTS, status=500)
    network.get(EVENTS, json=[1])
    assert look(cloud) == [1]


def test_an_uncached_read_makes_no_call_where_only_cached_replies_are_used(cloud, network):
    with pytest.raises(NotCached):
        look(cloud, mode=Mode.CACHED_ONLY)
