"""The access token of a stored credential: kept, renewed in time, replaced after a refusal."""

import pytest

from tests.vendors.kit.tokens.world import APP, LIFETIME, ROOF, URL, World, credential
from vendors.kit import BackendError, Credential
from vendors.kit.tokens.memory import MemoryTokenStore
from vendors.kit.tokens.renewal import (
    EARLY_SECONDS,
    MARGIN_SECONDS,
    PAUSE_SECONDS,
    RENEWAL_SECONDS,
)
from vendors.kit.tokens.source import REFUSALS_SECONDS


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


def test_a_token_is_stored_before_it_is_used(world):
    class Lost(MemoryTokenStore):
        def write(self, row, holder, token):
            raise BackendError(why="the database does not answer")

    with pytest.raises(BackendError, match="the database does not answer"):
        world.get(world.process(Lost(world.clock)))


def test_each_credential_has_its_own_token(world):
    assert world.get() == "token-1"
    assert world.get(credential=credential(row="2")) == "token-2"
    assert world.get() == "token-1"


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


def test_an_endpoint_that_gives_the_refused_token_once_more_leads_to_no_further_attempt(world):
    refused = world.get()
    world.endpoint.calls = 0
    assert world.replace(refused) is False


def test_a_replacement_that_fails_is_the_endpoints_error(world):
    refused = world.get()
    world.endpoint.failure = BackendError(URL)
    with pytest.raises(BackendError):
        world.replace(refused)


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
