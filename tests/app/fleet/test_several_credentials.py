"""Lists over several stored credentials of one vendor."""

import threading

import pytest

from app.fleet import fanout
from app.fleet.vendor_problems import CredentialFailure
from tests.app.fleet.accounts import APP, NAME, access_with, stored, wait_until
from vendors.kit.calls.quota import Quota
from vendors.kit.calls.reply_cache import Mode
from vendors.kit.calls.signer import ConsentMissing
from vendors.kit.credentials import StoredRow
from vendors.kit.limits import Rate


def test_the_inverters_of_all_credentials_are_in_one_list_and_a_common_one_once(fleet, accounts):
    accounts.shown = {"a": ["1", "2"], "b": ["2", "3"]}
    listing = fleet.list(access_with(stored("a"), stored("b")))
    assert listing.ids == sorted(map(fleet.id_of, ("1", "2", "3")))
    assert listing.failures == {}


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500])
def test_a_credential_that_fails_hides_nothing_that_another_shows(fleet, accounts, status):
    accounts.shown, accounts.statuses = {"b": ["1", "2"]}, {"a": status}
    access = access_with(stored("a"), stored("b"))
    for mode in (Mode.REUSE, Mode.REUSE, Mode.REFRESH):
        listing = fleet.list(access, mode)
        assert listing.ids == sorted(map(fleet.id_of, ("1", "2")))
        assert listing.failures[NAME].text.endswith(' (credentials "roof a")')


def test_the_error_of_a_vendor_is_its_worst_and_ends_with_the_names_of_credentials(fleet, accounts):
    accounts.shown = {"ok": []}
    accounts.statuses = {"down": 500, "bad": 401, "busy": 429}
    accounts.headers = {"busy": {"Retry-After": "30"}}
    failure = fleet.list(access_with(*map(stored, ("down", "ok", "bad", "busy")))).failures[NAME]
    assert failure.text == 'Unauthorized: https://vendor.test/inverters (credentials "roof bad", and 2 more)'
    assert failure.details == {
        "code": "unauthorized",
        "status": 403,
        "detail": "The vendor does not accept the credential.",
        "fault": "caller",
        "action": "Get a new credential from the vendor and store it with PATCH /vendor-credentials/{id}.",
        "url": "https://vendor.test/inverters",
        "credentials": [
            {"id": "cred-bad", "name": "roof bad", "code": "unauthorized", "status": 403},
            {"id": "cred-busy", "name": "roof busy", "code": "rate_limited", "status": 429, "retryAfter": 30},
            {"id": "cred-down", "name": "roof down", "code": "backend_error", "status": 502},
        ],
        "credentialsFailed": 3,
    }


def test_of_equal_failures_the_first_credential_is_named_in_every_list(fleet, accounts):
    names = [f"{number:02}" for number in range(30)]
    accounts.statuses = dict.fromkeys(names, 403)
    for _ in range(3):
        failure = fleet.list(access_with(*map(stored, names))).failures[NAME]
        assert failure.text == 'Forbidden: https://vendor.test/inverters (credentials "roof 00", and 29 more)'
        assert [shown["id"] for shown in failure.details["credentials"]] == [f"cred-{name}" for name in names[:20]]
        assert failure.details["credentialsFailed"] == 30


def test_a_stored_credential_that_cannot_be_used_is_named_like_one_that_the_vendor_refuses(fleet, accounts):
    accounts.shown = {"a": ["1"]}
    row = StoredRow("client", "cred-app", "our app")
    listing = fleet.list(access_with(stored("a"), refused=[CredentialFailure(ConsentMissing(APP), row)]))
    assert listing.ids == [fleet.id_of("1")]
    failure = listing.failures[NAME]
    assert failure.text == f'{ConsentMissing(APP)} (credentials "our app")'
    assert failure.details["action"] == ConsentMissing.stored_advice
    assert [shown["id"] for shown in failure.details["credentials"]] == ["cred-app"]


def test_an_application_that_waits_for_consent_hides_no_failure_of_another_credential(fleet, accounts):
    accounts.statuses, accounts.headers = {"busy": 429}, {"busy": {"Retry-After": "30"}}
    refused = [CredentialFailure(ConsentMissing(APP), StoredRow("client", "cred-app", "our app"))]
    failure = fleet.list(access_with(stored("busy"), refused=refused)).failures[NAME]
    assert failure.text.endswith(' (credentials "roof busy", and 1 more)')
    assert failure.details["retryAfter"] == 30


def test_a_new_access_token_fetches_nothing_again(fleet, accounts):
    accounts.shown = {"a": ["1"]}
    for token in ("first", "second"):
        assert fleet.list(access_with(stored("a").with_token(token))).ids == [fleet.id_of("1")]
        assert fleet.read("1", access_with(stored("a").with_token(token))).failures == {}
    assert accounts.called() == ["a", "a"], "the list and the inverter, once each"


def test_a_changed_secret_is_used_at_once(fleet, accounts):
    accounts.shown = {"wrong customer": ["1"], "customer": ["2"]}
    assert fleet.list(access_with(stored("wrong customer", row="cred-1"))).ids == [fleet.id_of("1")]
    assert fleet.list(access_with(stored("customer", row="cred-1"))).ids == [fleet.id_of("2")]


def test_two_clients_with_the_same_stored_key_get_no_reply_of_each_other(fleet, accounts):
    accounts.shown = {"a": ["1"]}
    assert fleet.list(access_with(stored("a", client="anna"))).ids == [fleet.id_of("1")]
    accounts.shown = {"a": ["2"]}
    assert fleet.list(access_with(stored("a", client="ben"))).ids == [fleet.id_of("2")]
    assert accounts.called() == ["a", "a"]


def test_two_clients_with_the_same_stored_key_share_its_quota(fleet, accounts, service_clock):
    fleet.cloud.quota = Quota(NAME, 4, Rate(3, 3600.0), clock=service_clock, sleep=lambda seconds: None)
    accounts.shown = {"a": ["1"]}
    codes = []
    for _ in range(3):
        for client in ("anna", "ben"):
            failures = fleet.list(access_with(stored("a", client=client)), Mode.REFRESH).failures
            codes.append(failures[NAME].worst.code if failures else None)
    assert codes == [None, None, None, *["rate_limited"] * 3]
    assert accounts.called() == ["a"] * 3


def test_a_hold_outlives_the_renewals_of_a_token(fleet, accounts, service_clock):
    fleet.cloud.quota = Quota(NAME, 4, clock=service_clock)
    accounts.statuses, accounts.headers = {"a": 429}, {"a": {"Retry-After": "3600"}}
    for token in range(12):
        listing = fleet.list(access_with(stored("a").with_token(str(token))))
        assert listing.failures[NAME].worst.code == "rate_limited"
        service_clock.now += 290
    assert accounts.called() == ["a"]
    accounts.statuses, accounts.shown = {}, {"a": ["1"]}
    service_clock.now += 200
    assert fleet.list(access_with(stored("a").with_token("13"))).ids == [fleet.id_of("1")]


def test_200_credentials_are_all_asked_a_few_at_a_time(fleet, accounts, monkeypatch):
    names = [f"{number:03}" for number in range(200)]
    accounts.shown = {name: [name] for name in names}
    most, lock = [0, 0], threading.Lock()
    answer = accounts._inverter

    def counting(account, id):
        with lock:
            most[0] = max(most[0], fleet.cloud.sweep_slots.taken)
        return answer(account, id)

    monkeypatch.setattr(accounts, "_inverter", counting)
    listing = fleet.list(access_with(*map(stored, names)))
    assert (len(listing.ids), listing.failures) == (200, {})
    assert 1 < most[0] <= fanout.MAX_LANES
    assert fleet.list(access_with(*map(stored, names))).ids == listing.ids
    assert len(accounts.called()) == 200, "the second list comes from the cache"


def test_credentials_that_are_not_asked_in_time_are_named(fleet, accounts, monkeypatch):
    monkeypatch.setattr(fanout, "MAX_LANES", 1)
    accounts.shown, accounts.hangs = {"a": ["1"], "b": ["2"]}, {"b"}
    listing = fleet.list(access_with(stored("a"), stored("b"), stored("c")), seconds=0.5)
    accounts.go_on.set()
    assert listing.ids == [fleet.id_of("1")]
    shown = listing.failures[NAME].details["credentials"]
    assert [(each["id"], each["code"]) for each in shown] == [("cred-b", "timeout"), ("cred-c", "timeout")]


def test_one_client_with_many_credentials_leaves_slots_to_others(fleet, accounts):
    names = [f"{number:03}" for number in range(100)]
    accounts.hangs = set(names)
    threads = [
        threading.Thread(target=fleet.list, args=(access_with(*map(stored, part)),), kwargs={"seconds": 5.0})
        for part in (names[:30], names[30:60], names[60:])
    ]
    for thread in threads:
        thread.start()
    wait_until(lambda: fleet.cloud.sweep_slots.taken == 24)
    accounts.shown = {"other": ["1"]}
    assert fleet.list(access_with(stored("other", client="other"))).ids == [fleet.id_of("1")]
    assert fleet.cloud.sweep_slots.taken <= 24
    accounts.statuses = dict.fromkeys(names, 403)
    accounts.go_on.set()
    for thread in threads:
        thread.join()
