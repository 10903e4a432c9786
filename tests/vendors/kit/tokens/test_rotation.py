"""Refresh tokens that rotate: each is sent once, the next is stored before its access token is used, none is lost."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import requests

from tests.vendors.kit.tokens.grants import BASE, LIFETIME, ROW, URL, Dead, World, hangs
from vendors.kit import BackendError, Credential, Timeout, Unauthorized, VendorError
from vendors.kit.calls.single_use import SINGLE_USE_SECONDS
from vendors.kit.deadline import Deadline
from vendors.kit.errors import Busy
from vendors.kit.tokens.grant_renewal import REFRESH_SECONDS, STORE_PAUSES
from vendors.kit.tokens.memory import MemoryTokenStore
from vendors.kit.tokens.refusals import ConsentLost
from vendors.kit.tokens.renewal import LEASE_SECONDS, MARGIN_SECONDS
from vendors.kit.tokens.source import FUTILE_SECONDS
from vendors.kit.tokens.store import Token


@pytest.fixture
def world(network):
    return World(network)


def test_each_expiry_costs_one_refresh_over_all_processes_and_uses_the_token_of_the_last(world):
    processes = [world.process() for _ in range(3)]
    for process in processes:
        # The clock stands still while they wait for each other, so that no lease ends.
        process.tokens.wait = lambda seconds: None
    for number in range(1, 21):
        world.expire()
        with ThreadPoolExecutor(9) as pool:
            assert set(pool.map(world.get, processes * 3)) == {f"access-{number}"}
    assert world.sent == [f"refresh-{number}" for number in range(20)]


def test_the_new_refresh_token_is_stored_before_the_access_token_is_used(world, network):
    stored = []

    def answer(request):
        stored.append((request.headers["Authorization"], world.store.read(ROW).refresh))
        return 200, {}, "{}"

    network.add_callback("GET", f"{BASE}/sites", answer)
    world.expire()
    world.call()
    assert stored == [("Bearer access-1", "refresh-1")]


def test_an_answer_without_a_refresh_token_leaves_the_old_one(world):
    world.rotates = False
    for number in (1, 2):
        world.expire()
        assert world.get() == f"access-{number}"
    assert (world.sent, world.store.read(ROW).refresh) == (["refresh-0", "refresh-0"], "refresh-0")


def test_a_process_killed_before_it_stores_the_answer_costs_no_grant_where_the_vendor_takes_the_old_token(network):
    world = World(network, is_refresh_reusable=True)
    for number in range(1, 11):
        world.expire()
        with pytest.raises(KeyboardInterrupt):
            world.get(world.process(Dead(world.store)))
        assert world.get() == f"access-{2 * number}"
    assert len(world.sent) == 20
    assert world.store.lost_rows == set()


def test_where_the_vendor_takes_it_once_its_refusal_ends_the_grant(world):
    world.expire()
    with pytest.raises(KeyboardInterrupt):
        world.get(world.process(Dead(world.store)))
    with pytest.raises(ConsentLost) as raised:
        world.get()
    assert (raised.value.code, world.store.lost_rows) == ("needs_consent", {ROW})
    assert sum(world.clock.waits) >= LEASE_SECONDS, "the next attempt waits until the lease of the dead process ends"


@pytest.mark.parametrize("reusable", [True, False])
def test_an_answer_that_did_not_come_is_no_refusal_and_nothing_is_sent_before_the_lease_has_ended(network, reusable):
    world = World(network, is_refresh_reusable=reusable)
    world.expire()
    world.after = hangs
    with pytest.raises(Timeout):
        world.get()
    assert (world.sent, world.store.lost_rows) == (["refresh-0"], set())
    other = world.process()
    with pytest.raises(Timeout):
        world.get(other, seconds=0.2)
    assert world.sent == ["refresh-0"]
    world.clock.now += LEASE_SECONDS
    if reusable:
        assert world.get(other) == "access-2"
    else:
        with pytest.raises(ConsentLost):
            world.get(other)
    assert world.sent == ["refresh-0", "refresh-0"]


@pytest.mark.parametrize(
    "answer",
    [{"status": 503}, {"body": "<html>"}, {"body": requests.exceptions.ChunkedEncodingError("broken")}, {"json": {}}],
)
def test_a_refresh_that_may_have_arrived_is_not_repeated_by_the_call_that_needs_it(world, network, answer):
    network.replace("POST", URL, **answer)
    world.expire()
    with pytest.raises(VendorError) as raised:
        world.call()
    assert raised.value.url == URL
    assert len(network.calls) == 1
    assert not world.store.lease(ROW, "another", 1), "the vendor may still be at work"


def test_a_refusal_that_decides_gives_the_lease_back(world, network):
    network.replace("POST", URL, status=400, json={"error": "invalid_client"})
    world.expire()
    with pytest.raises(Unauthorized):
        world.get()
    assert world.store.lost_rows == set()
    assert world.store.lease(ROW, "another", 1)


def test_the_refresh_outlives_a_request_whose_time_is_up(world):
    may_answer, was_written = threading.Event(), threading.Event()
    write = world.store.write
    world.store.write = lambda *token: (write(*token), was_written.set())[0]
    world.expire()
    world.after = lambda: may_answer.wait(60)
    with pytest.raises(Timeout):
        world.get(seconds=0.05)
    may_answer.set()
    assert was_written.wait(60)
    assert (world.get(world.process()), world.sent) == ("access-1", ["refresh-0"])


def test_while_the_present_token_is_valid_a_slow_refresh_delays_its_request_by_some_seconds_at_most(world):
    may_answer = threading.Event()
    assert world.get() == "access-0"
    world.clock.now += LIFETIME - MARGIN_SECONDS
    world.after = lambda: may_answer.wait(60)
    assert world.get(seconds=0.05) == "access-0"
    may_answer.set()


def test_an_answer_is_stored_even_if_the_store_fails_for_a_moment(world):
    class Failing(MemoryTokenStore):
        def write(self, row, holder, token):
            failures = len(STORE_PAUSES) - 1
            self.tries = getattr(self, "tries", 0) + 1
            if self.tries <= failures:
                raise BackendError(why="no database")
            return world.store.write(row, holder, token)

    failing = Failing(world.clock)
    failing.read, failing.lease, failing.release = world.store.read, world.store.lease, world.store.release
    world.expire()
    assert world.get(world.process(failing)) == "access-1"
    assert world.store.read(ROW).refresh == "refresh-1"


def test_a_refused_token_that_another_process_has_replaced_meanwhile_ends_no_grant(world):
    def overtaken():
        world.clock.now += LEASE_SECONDS
        world.write(Token("access-of-other", LIFETIME, "refresh-of-other"))

    read = world.store.read
    reads = []

    def read_then_lose(row):
        token = read(row)
        reads.append(token)
        if len(reads) == 2:
            overtaken()
        return token

    world.expire()
    world.store.read, world.valid = read_then_lose, ["refresh-of-other"]
    with pytest.raises(Busy):
        world.get()
    assert world.store.lost_rows == set()
    assert world.get() == "access-of-other"


@pytest.mark.parametrize("reusable", [True, False])
def test_the_token_before_is_tried_where_the_vendor_still_takes_it(network, reusable):
    world = World(network, is_refresh_reusable=reusable)
    world.expire()
    assert world.get() == "access-1"
    world.valid = ["refresh-0"]
    world.expire()
    if reusable:
        assert world.get() == "access-2"
        assert world.sent[1:] == ["refresh-1", "refresh-0"]
    else:
        with pytest.raises(ConsentLost):
            world.get()
        assert world.sent[1:] == ["refresh-1"]


def test_a_changed_secret_of_the_application_leaves_the_grant(world):
    assert world.get(secret="new-secret") == "access-1"
    assert world.secrets == ["new-secret"]


@pytest.mark.parametrize(("seconds", "lost"), [(None, set()), (-1.0, {ROW})])
def test_without_a_refresh_token_no_call_is_made(world, seconds, lost):
    """A token that cannot be read, e.g. for want of the key, is no refusal of the vendor."""
    if seconds is None:
        world.store.read = lambda row: None
    else:
        world.write(Token("access-0", seconds))
    with pytest.raises(ConsentLost):
        world.get()
    assert (world.sent, world.store.lost_rows) == ([], lost)


def test_the_owners_revocation_shows_at_the_next_call(world, network):
    network.get(f"{BASE}/sites", status=401)
    world.valid = []
    with pytest.raises(ConsentLost) as raised:
        world.call()
    assert str(raised.value) == f"Unauthorized: {URL} (the owner has to give consent again)"
    assert (world.sent, world.store.lost_rows) == (["refresh-0"], {ROW})


def test_a_call_that_a_new_token_does_not_open_either_costs_one_refresh_an_hour(world, network):
    network.get(f"{BASE}/sites", json={})
    network.get(f"{BASE}/plan", status=401)
    for seconds in (0, 60, FUTILE_SECONDS - 120):
        world.clock.now += seconds
        world.write(replace(world.store.read(ROW), seconds=7200.0))
        with pytest.raises(Unauthorized):
            world.call(path="/plan")
        world.call()
        assert world.sent == ["refresh-0"]
    world.clock.now += 120
    with pytest.raises(Unauthorized):
        world.call(path="/plan")
    assert len(world.sent) == 2


def test_a_refresh_is_sent_only_with_time_left_for_its_answer(world):
    endpoint = world.first.tokens.endpoints["app"]
    with pytest.raises(Timeout) as raised:
        endpoint.token(world.grant(), Deadline(SINGLE_USE_SECONDS - 0.5), Token("", 0, "refresh-0"))
    assert (world.sent, raised.value.is_uncertain) == ([], False)
    assert SINGLE_USE_SECONDS < REFRESH_SECONDS < LEASE_SECONDS


def test_stored_credentials_that_are_no_grant_open_nothing(world):
    (variant,) = world.plugin.variants
    members = {"clientID": "made-up-id", "clientSecret": "made-up-secret"}
    with pytest.raises(Unauthorized, match="needs the owner's authorization"):
        world.first.open(Credential.stored(variant, members), Deadline(5)).client.get("/sites")
    assert not world.network.calls
