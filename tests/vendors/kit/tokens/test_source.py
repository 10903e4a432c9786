"""Access tokens of stored credentials: kept, renewed in time, replaced after a refusal, one renewal at a time."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.vendors.kit.tokens.clocks import Clock
from vendors.kit import BackendError, ClientCredentials, Credential, Timeout, Variant
from vendors.kit.credentials import StoredRow
from vendors.kit.deadline import Deadline
from vendors.kit.errors import Busy
from vendors.kit.tokens.memory import MemoryTokenStore
from vendors.kit.tokens.renewal import (
    EARLY_SECONDS,
    LEASE_SECONDS,
    MARGIN_SECONDS,
    PAUSE_SECONDS,
    POLL_SECONDS,
    RENEWAL_SECONDS,
)
from vendors.kit.tokens.source import REFUSALS_SECONDS, TokenSource
from vendors.kit.tokens.store import Token
from vendors.kit.variants import OAUTH_CLIENT

LIFETIME = 300.0
URL = "https://auth.example.test/oauth2/token"
APP = Variant("app", OAUTH_CLIENT, ClientCredentials({"example": URL}))
SECRET = b"k" * 32


def credential(row="1", secret="made-up-secret", name="made-up-id"):
    return Credential.stored(APP, {"clientID": name, "clientSecret": secret}, StoredRow("house", row, "roof"))


ROOF = credential()


class Endpoint:
    """A token endpoint that counts; tests make it fail, or do something during its call."""

    url = URL

    def __init__(self):
        self.calls = 0
        self.failure = None
        self.lifetime = LIFETIME
        self.during = lambda: None
        self.bounds = []

    def token(self, credential, deadline):
        self.calls += 1
        self.bounds.append(deadline.left())
        number = self.calls
        self.during()
        if self.failure:
            raise self.failure
        return Token(f"token-{number}", self.lifetime)


class World:
    """Several processes with one store; a process is a token source."""

    def __init__(self):
        self.clock, self.endpoint = Clock(), Endpoint()
        self.store = MemoryTokenStore(self.clock)
        self.source = self.process()

    def process(self, store=None, wait=None, **options):
        return TokenSource(
            {"app": self.endpoint},
            store or self.store,
            SECRET,
            clock=self.clock,
            wait=wait or self.clock.wait,
            **options,
        )

    def get(self, source=None, credential=ROOF, seconds=20.0):
        return (source or self.source).get(credential, Deadline(seconds))

    def replace(self, refused, source=None, credential=ROOF, seconds=20.0):
        return (source or self.source).replace(credential, refused, Deadline(seconds))


@pytest.fixture
def world():
    return World()


def test_a_token_is_kept_until_shortly_before_it_expires(world):
    assert {world.get() for _ in range(3)} == {"token-1"}
    world.clock.now += LIFETIME - MARGIN_SECONDS - 1
    assert world.get() == "token-1"
    world.clock.now += 1
    assert world.get() == "token-2"
    assert world.endpoint.calls == 2


def test_a_kept_token_costs_no_look_at_the_store(world):
    world.get()
    world.source.store = None
    assert world.get() == "token-1"


def test_another_process_uses_the_stored_token_and_sees_its_renewal(world):
    other = world.process()
    assert world.get() == world.get(other) == "token-1"
    world.clock.now += LIFETIME - MARGIN_SECONDS
    assert world.get(other) == world.get() == "token-2"
    assert world.endpoint.calls == 2


def test_a_token_is_stored_before_it_is_used(world):
    class Lost(MemoryTokenStore):
        def write(self, row, holder, token):
            raise BackendError(why="the database does not answer")

    with pytest.raises(BackendError, match="the database does not answer"):
        world.get(world.process(Lost(world.clock)))


def test_a_token_that_lost_its_lease_is_not_used(world):
    def slow():
        world.clock.now += LEASE_SECONDS

    world.endpoint.during = slow
    with pytest.raises(Busy) as raised:
        world.get()
    assert "token-1" not in raised.value.detail
    assert world.store.read("1") is None


def test_each_credential_has_its_own_token(world):
    assert world.get() == "token-1"
    assert world.get(credential=credential(row="2")) == "token-2"
    assert world.get() == "token-1"


def test_changed_secrets_get_a_new_token_in_every_process(world):
    old, new = ROOF, credential(secret="another")
    other = world.process()
    assert world.get() == world.get(other) == "token-1"
    assert world.get(credential=new) == "token-2"
    assert world.get(other, credential=new) == "token-2"
    late = world.process()
    assert world.get(late, credential=old) == "token-3"


def test_a_credential_without_a_row_has_a_token_too(world):
    notebook = Credential.stored(APP, {"clientID": "made-up-id", "clientSecret": "made-up-secret"})
    assert world.get(credential=notebook) == world.get(credential=notebook) == "token-1"


@pytest.mark.parametrize("seconds_left", [MARGIN_SECONDS, 1.0])
def test_while_the_endpoint_is_down_a_token_that_is_still_valid_goes_on_being_used(world, seconds_left):
    world.get()
    world.endpoint.failure = BackendError(URL, "no connection")
    world.clock.now += LIFETIME - seconds_left
    assert world.get() == "token-1"
    assert world.endpoint.bounds[-1] <= min(EARLY_SECONDS, seconds_left)
    assert world.get(world.process()) == "token-1", "a process that has just started"


def test_a_failed_early_renewal_is_tried_again_only_after_a_pause(world):
    world.get()
    world.endpoint.failure = BackendError(URL)
    world.clock.now += LIFETIME - MARGIN_SECONDS
    for _ in range(5):
        world.get()
    assert world.endpoint.calls == 2
    world.clock.now += PAUSE_SECONDS
    world.get()
    assert world.endpoint.calls == 3
    world.endpoint.failure = None
    world.clock.now += PAUSE_SECONDS
    assert world.get() == "token-4"


def test_an_expired_token_is_not_used_while_the_endpoint_is_down(world):
    world.get()
    world.endpoint.failure = BackendError(URL, "no connection")
    world.clock.now += LIFETIME
    with pytest.raises(BackendError) as raised:
        world.get()
    assert raised.value.url == URL
    assert RENEWAL_SECONDS - 1 < world.endpoint.bounds[-1] <= RENEWAL_SECONDS


def test_a_failed_renewal_gives_its_lease_back(world):
    world.endpoint.failure = BackendError(URL)
    with pytest.raises(BackendError):
        world.get()
    assert world.store.lease("1", "next", LEASE_SECONDS)


def test_a_store_that_is_down_keeps_no_valid_token_from_being_used(world):
    class Down(MemoryTokenStore):
        is_down = False

        def read(self, row):
            if self.is_down:
                raise BackendError(why="the database does not answer")
            return super().read(row)

    source = world.process(Down(world.clock))
    world.get(source)
    source.store.is_down = True
    world.clock.now += LIFETIME - 1
    assert world.get(source) == "token-1"
    world.clock.now += 1
    with pytest.raises(BackendError):
        world.get(source)


def test_a_token_that_lives_shorter_than_the_margin_is_not_renewed_with_each_call(world):
    world.endpoint.lifetime = MARGIN_SECONDS - 5
    for _ in range(5):
        world.get()
    assert world.endpoint.calls == 1
    world.clock.now += MARGIN_SECONDS
    assert world.get() == "token-2"


def test_a_refused_token_is_replaced_by_one_renewal(world):
    refused = world.get()
    assert world.replace(refused) is True
    assert world.get() == "token-2"
    world.source.store = None
    assert world.replace(refused) is True, "a call that was signed before, and needs no look at the store"
    assert (world.get(), world.endpoint.calls) == ("token-2", 2)


def test_a_refused_token_that_another_process_has_replaced_is_not_renewed_again(world):
    other = world.process()
    refused = world.get()
    world.get(other)
    world.replace(refused, other)
    assert world.replace(refused) is True
    assert (world.get(), world.endpoint.calls) == ("token-2", 2)


def test_tokens_that_are_refused_however_new_are_not_renewed_in_a_loop(world):
    world.replace(world.get())
    for _ in range(5):
        assert world.replace(world.get()) is False
    assert world.endpoint.calls == 2
    world.clock.now += REFUSALS_SECONDS
    assert world.replace(world.get()) is True
    assert world.endpoint.calls == 3


def test_a_replaced_token_that_has_worked_may_be_replaced_again_at_once(world):
    for number in range(2, 6):
        assert world.replace(world.get()) is True
        assert world.get() == f"token-{number}"
        world.source.accepted(ROOF)
    assert world.endpoint.calls == 5


def test_while_no_renewal_is_due_a_newer_token_of_another_process_is_used(world):
    other = world.process()
    world.replace(world.get())
    refused = world.get(other)
    assert world.replace(refused, other) is True
    assert world.replace(refused) is True
    assert (world.get(), world.endpoint.calls) == ("token-3", 3)


def test_an_endpoint_that_gives_the_refused_token_once_more_leads_to_no_further_attempt(world):
    refused = world.get()
    world.endpoint.calls = 0
    assert world.replace(refused) is False


def test_a_replacement_that_fails_is_the_endpoints_error(world):
    refused = world.get()
    world.endpoint.failure = BackendError(URL)
    with pytest.raises(BackendError):
        world.replace(refused)


def test_equal_calls_of_one_process_share_one_renewal(world):
    begun, may_end = threading.Event(), threading.Event()

    def wait_for_others():
        begun.set()
        assert may_end.wait(60)

    def poll(seconds):
        raise AssertionError("a call waits at the store for a renewal of its own process")

    world.endpoint.during = wait_for_others
    source = world.process(wait=poll)
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(world.get, source)
        assert begun.wait(60)
        others = [pool.submit(world.get, source) for _ in range(8)]
        may_end.set()
        assert {future.result(60) for future in (first, *others)} == {"token-1"}
    assert world.endpoint.calls == 1


def test_a_renewal_that_ended_just_before_the_lease_is_seen(world):
    class Contested(MemoryTokenStore):
        """The first to ask for the lease gets it when another process has just ended its renewal."""

        other = None

        def lease(self, row, holder, seconds):
            other, self.other = self.other, None
            if other:
                world.get(other)
            return super().lease(row, holder, seconds)

    world.store = Contested(world.clock)
    world.store.other = world.process()
    assert (world.get(world.process()), world.endpoint.calls) == ("token-1", 1)


def test_threads_of_many_processes_renew_one_at_a_time_and_lose_no_token(world):
    processes = [world.process(wait=lambda seconds: None) for _ in range(4)]
    expiries = 25
    with ThreadPoolExecutor(16) as pool:
        for number in range(1, expiries + 1):
            tokens = set(pool.map(world.get, processes * 4))
            assert tokens == {f"token-{number}"}
            world.clock.now += LIFETIME
    assert world.endpoint.calls == expiries


def test_a_waiter_takes_over_when_the_process_with_the_lease_has_died(world):
    world.store.lease("1", "a process that was killed", LEASE_SECONDS)
    assert world.get() == "token-1"
    assert sum(world.clock.waits) == LEASE_SECONDS
    assert set(world.clock.waits) == {POLL_SECONDS}


def test_a_waiter_uses_the_token_of_the_other_renewal_as_soon_as_it_is_there(world):
    key = replace(Token("token-of-other", LIFETIME), made_with=ROOF.parts_hash(SECRET).hex())
    world.store.lease("1", "other", LEASE_SECONDS)

    def wait(seconds):
        world.clock.wait(seconds)
        if len(world.clock.waits) == 3:
            world.store.write("1", "other", key)

    assert world.get(world.process(wait=wait)) == "token-of-other"
    assert (len(world.clock.waits), world.endpoint.calls) == (3, 0)


def test_a_waiter_gives_up_at_its_deadline(world):
    world.store.lease("1", "other", LEASE_SECONDS)
    with pytest.raises(Timeout) as raised:
        world.get(seconds=POLL_SECONDS / 2)
    assert (raised.value.url, world.clock.waits) == (URL, [])


def test_a_renewal_under_way_elsewhere_delays_no_call_while_the_token_is_valid(world):
    world.get()
    world.clock.now += LIFETIME - MARGIN_SECONDS
    world.store.lease("1", "other", LEASE_SECONDS)
    assert world.get() == world.get(world.process()) == "token-1"
    assert (world.clock.waits, world.endpoint.calls) == ([], 1)


def test_while_one_thread_renews_early_the_others_go_on_with_the_present_token(world):
    world.get()
    world.clock.now += LIFETIME - MARGIN_SECONDS
    seen = []

    def other_thread():
        world.source.store, store = None, world.source.store
        seen.append(world.get())
        world.source.store = store

    world.endpoint.during = other_thread
    assert (world.get(), seen, world.endpoint.calls) == ("token-2", ["token-1"], 2)


def test_each_token_is_concealed_before_it_is_used(world):
    concealed = []
    source = world.process(conceal=concealed.append)
    world.get(source)
    world.get(source)
    assert set(concealed) == {"token-1"}
