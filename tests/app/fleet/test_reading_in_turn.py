"""Reads of one device of which it is not known which of several stored credentials shows it."""

import pytest

from app.fleet import fanout
from app.fleet.shown_by import ShownBy
from app.fleet.vendor_access import VendorAccess
from app.fleet.vendor_problems import CredentialFailure
from app.web.problems import Problem
from tests.app.fleet.accounts import APP, NAME, access_with, stored
from vendors.kit import BackendError, SolarInverter
from vendors.kit.calls.reply_cache import Mode
from vendors.kit.calls.signer import ConsentMissing
from vendors.kit.credentials import StoredRow
from vendors.kit.deadline import Deadline


@pytest.fixture
def listed(fleet, accounts):
    """Access with three credentials, the last of which shows inverter 3; the list was read once."""
    accounts.shown = {"a": ["1"], "b": ["2"], "c": ["3"]}
    access = access_with(*map(stored, "abc"))
    fleet.list(access)
    accounts.called()
    return access


def another_process(fleet):
    """The inventory as a process sees it that has made no list."""
    fleet.inventory._shown_by = ShownBy()


def model(result):
    [inverter] = result.records
    return inverter.model


def test_the_credential_that_showed_an_inverter_in_a_list_is_asked_first(fleet, accounts, listed):
    assert model(fleet.read("3", listed)) == "c"
    assert accounts.called() == ["c"]


def test_otherwise_each_is_asked_in_turn_and_then_the_right_one_first(fleet, accounts, listed):
    another_process(fleet)
    result = fleet.read("3", listed)
    assert (model(result), result.failures) == ("c", {})
    assert accounts.called() == ["a", "b", "c"]
    assert model(fleet.read("3", listed, Mode.REFRESH)) == "c"
    assert accounts.called() == ["c"]


def test_an_inverter_that_has_moved_to_another_account_is_found_there(fleet, accounts, listed):
    accounts.shown = {"a": [], "b": ["3"], "c": []}
    assert model(fleet.read("3", listed)) == "b"
    assert accounts.called() == ["c", "a", "b"]
    assert model(fleet.read("3", listed, Mode.REFRESH)) == "b"
    assert accounts.called() == ["b"]


def test_a_search_for_a_lost_id_tells_which_credential_shows_it(fleet, accounts, app):
    accounts.shown = {"a": ["1"], "b": ["2"]}
    access = access_with(stored("a"), stored("b"))
    assert model(fleet.read("2", access)) == "b"
    assert sorted(accounts.called()) == ["a", "b", "b"], "two lists, and one inverter"


def test_what_one_client_has_seen_is_not_remembered_for_another(fleet, accounts, listed):
    others = access_with(*(stored(account, client="other") for account in "abc"))
    assert model(fleet.read("3", others)) == "c"
    assert accounts.called() == ["a", "b", "c"]


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_of_the_credential_that_showed_it_is_no_answer_while_another_has_not_been_asked(
    fleet, accounts, listed, status
):
    accounts.statuses, accounts.shown = {"c": status}, {"a": [], "b": ["3"]}
    result = fleet.read("3", listed)
    assert (model(result), result.failures) == ("b", {})


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500])
def test_no_failure_is_the_answer_while_it_is_unknown_which_credential_shows_it(fleet, accounts, listed, status):
    another_process(fleet)
    accounts.statuses = {"a": status, "b": status}
    result = fleet.read("3", listed)
    assert (model(result), result.failures) == ("c", {})


@pytest.mark.parametrize(("status", "code"), [(429, "rate_limited"), (500, "backend_error")])
def test_while_the_credential_that_showed_it_cannot_answer_the_quota_of_no_other_is_spent(
    fleet, accounts, listed, status, code
):
    accounts.statuses = {"c": status}
    problem = fleet.read("3", listed).problem()
    assert (problem.code, problem.members["credentialsFailed"]) == (code, 1)
    assert set(accounts.called()) == {"c"}


@pytest.mark.parametrize(
    ("statuses", "status", "code", "names"),
    [
        ({}, 404, "not_found", '(credentials "roof a", and 2 more).'),
        ({"b": 401}, 403, "unauthorized", '(credentials "roof b", and 2 more).'),
        ({"a": 403, "b": 429}, 429, "rate_limited", '(credentials "roof b", and 2 more).'),
        ({"c": 500}, 502, "backend_error", '(credentials "roof c", and 2 more).'),
    ],
)
def test_what_no_credential_shows_fails_with_the_most_telling_failure(
    fleet, accounts, listed, statuses, status, code, names
):
    accounts.shown, accounts.statuses = {account: [] for account in "abc"}, statuses
    accounts.headers = {"b": {"Retry-After": "30"} if status == 429 else {}}
    another_process(fleet)
    problem = fleet.read("3", listed).problem()
    assert (problem.status, problem.code) == (status, code)
    assert problem.detail.endswith(names)
    assert problem.members["credentialsFailed"] == 3
    assert {shown["id"] for shown in problem.members["credentials"]} == {"cred-a", "cred-b", "cred-c"}
    assert problem.headers.get("Retry-After") == ("30" if status == 429 else None)
    assert problem.members["url"] == "https://vendor.test"


@pytest.mark.parametrize(("failure", "status"), [(BackendError(), 502), (ConsentMissing(APP), 404)])
def test_a_credential_that_cannot_be_used_counts_if_it_may_have_shown_something(
    fleet, accounts, listed, failure, status
):
    accounts.shown = {account: [] for account in "abc"}
    row = StoredRow("client", "cred-app", "our app")
    access = access_with(*map(stored, "abc"), refused=[CredentialFailure(failure, row)])
    problem = fleet.read("3", access).problem()
    assert (problem.status, '"our app"' in problem.detail) == (status, status == 502)
    if status == 404:
        assert fleet.inventory.locate(SolarInverter, "solr-0000000000000000", access, Deadline(20)) is None
        return
    with pytest.raises(Problem) as raised:
        fleet.inventory.locate(SolarInverter, "solr-0000000000000000", access, Deadline(20))
    assert raised.value.status == 502


def test_without_a_usable_credential_the_reason_is_reported(fleet, listed):
    refused = CredentialFailure(ConsentMissing(APP), StoredRow("client", "cred-app", "our app"))
    alone = access_with(refused=[refused])
    with pytest.raises(Problem) as raised:
        fleet.read("3", alone)
    assert raised.value.detail.startswith("These stored credentials open nothing yet: ")
    assert raised.value.detail.endswith('(credentials "our app").')


def test_a_404_is_no_answer_when_the_deadline_leaves_no_time_to_ask_the_others(fleet, accounts, listed):
    accounts.shown, accounts.hangs = {account: [] for account in "abc"}, {"a"}
    problem = fleet.read("3", listed, seconds=0.5).problem()
    accounts.go_on.set()
    assert (problem.status, problem.code) == (504, "timeout")
    assert [shown["id"] for shown in problem.members["credentials"]] == ["cred-a", "cred-b"]


def test_a_404_that_takes_all_the_time_is_no_answer_either(fleet, accounts, listed, monkeypatch):
    accounts.shown = {account: [] for account in "abc"}
    fan_out, deadline = fanout.fan_out, Deadline(20)

    def slow(*arguments):
        results = fan_out(*arguments)
        deadline.at = 0.0
        return results

    monkeypatch.setattr(fanout, "fan_out", slow)
    problem = fleet.read("3", listed, deadline=deadline).problem()
    assert (problem.status, problem.code) == (504, "timeout")
    assert [shown["id"] for shown in problem.members["credentials"]] == ["cred-a", "cred-b"]
    assert accounts.called() == ["c"]


def test_a_vendor_without_a_free_slot_is_busy_and_no_404(fleet, accounts, listed, monkeypatch):
    monkeypatch.setattr(fanout, "SLOT_WAIT_SECONDS", 0.01)
    owners = iter(range(1000))
    while fleet.cloud.sweep_slots.acquire(next(owners)):
        pass
    problem = fleet.read("3", listed).problem()
    assert (problem.status, problem.code, problem.headers["Retry-After"]) == (503, "busy", "5")
    assert accounts.called() == []


def test_a_single_credential_is_asked_once_and_not_remembered(fleet, accounts):
    access = access_with(stored("a"))
    accounts.shown = {"a": ["1"]}
    fleet.list(access)
    accounts.shown = {"a": []}
    accounts.called()
    problem = fleet.read("1", access).problem()
    assert (problem.status, problem.detail.endswith('(credentials "roof a").')) == (404, True)
    assert accounts.called() == ["a"]
    assert len(fleet.inventory._shown_by._rows) == 0


def test_without_any_credential_both_ways_to_bring_one_are_named(fleet, listed):
    with pytest.raises(Problem) as raised:
        fleet.read("3", VendorAccess(addressable={NAME}))
    assert (raised.value.status, raised.value.code) == (403, "vendor_access_missing")
    assert f"X-Authorization-{NAME}" in raised.value.detail
    assert "POST /vendor-credentials" in raised.value.detail


def test_the_memory_of_who_showed_what_is_bounded():
    memory = ShownBy(most=3)
    a, b = stored("a"), stored("b")
    memory.remember(map(str, range(10)), b)
    assert memory.last("9", [a, b]) is b
    assert memory.last("9", [a]) is None, "it was deleted"
    assert memory.last("0", [a, b]) is None


def test_a_lost_id_is_searched_with_each_credential_once_a_minute(fleet, accounts, service_clock):
    accounts.shown = {"a": ["1"], "b": ["2"]}
    accounts.statuses = {"b": 401}
    access = access_with(stored("a"), stored("b"))
    for _ in range(3):
        with pytest.raises(Problem) as raised:
            fleet.inventory.locate(SolarInverter, "solr-0000000000000000", access, Deadline(20))
        assert raised.value.status == 403
        assert raised.value.detail.endswith('(credentials "roof b").')
    assert sorted(accounts.called()) == ["a", "b"]
