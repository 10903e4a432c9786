"""Trying one credential at its vendor, and the answer in plain words."""

import pytest

from app.fleet.credential_check import Verdict, check
from tests.app.fleet.accounts import APP, NAME, stored
from vendors.kit import Credential
from vendors.kit.deadline import Deadline


@pytest.fixture
def check_account(fleet, accounts):
    def call(credential):
        return check({NAME: fleet.cloud}, NAME, credential, Deadline(20))

    return call


def test_an_accepted_credential_works_and_costs_one_call_each_time(check_account, accounts):
    for _ in range(2):
        result = check_account(stored("a"))
        assert (result.verdict, result.failure) == (Verdict.WORKS, None)
        assert accounts.calls == [("a", "/sites")]
        accounts.called()


@pytest.mark.parametrize(
    ("status", "verdict", "code"),
    [
        (401, Verdict.REFUSED, "unauthorized"),
        (403, Verdict.REFUSED, "forbidden"),
        (404, Verdict.REFUSED, "not_found"),
        (429, Verdict.NOT_YET, "rate_limited"),
        (400, Verdict.NOT_YET, "backend_error"),
        (410, Verdict.NOT_YET, "api_retired"),
        (500, Verdict.VENDOR_DOWN, "backend_error"),
        (503, Verdict.VENDOR_DOWN, "backend_error"),
    ],
)
def test_a_failure_is_told_by_whom_it_concerns(check_account, accounts, status, verdict, code):
    accounts.statuses = {"a": status}
    result = check_account(stored("a"))
    assert (result.verdict, result.failure.code) == (verdict, code)


def test_a_spent_quota_is_reported_with_the_time_to_wait_and_without_a_call(check_account, accounts):
    accounts.statuses, accounts.headers = {"a": 429}, {"a": {"Retry-After": "60"}}
    check_account(stored("a"))
    accounts.called()
    result = check_account(stored("a"))
    assert (result.verdict, accounts.called()) == (Verdict.NOT_YET, [])
    assert 0 < result.failure.retry_after <= 60


def test_an_application_without_consent_needs_it_and_causes_no_call(check_account, accounts):
    result = check_account(Credential.stored(APP, {"clientID": "a"}, stored("a").row))
    assert (result.verdict, result.failure.code) == (Verdict.NEEDS_CONSENT, "unauthorized")
    assert accounts.called() == []
