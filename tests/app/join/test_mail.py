"""Consent by e-mail, which the owner gives hours later."""

import time
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import update

from app.credentials import grant_limits, grants
from app.credentials.status import Status
from app.join import attempts
from app.join.consent import ANSWER_SECONDS
from app.join.network_limits import MAILS
from app.join.source import SourceKind
from app.storage import retention
from app.storage.grant_table import GrantRow
from app.web import log
from tests.app.join.support import Browser, heading, query

RIGHT, WRONG = "owner-1@example.com", "nobody.at.all@example.org"


@pytest.fixture
def entry(company):
    return company.stored("sma", "customgrant")


def test_the_owner_is_asked_by_e_mail_and_the_grant_waits(company, browser, entry):
    session = company.start(entry)
    form = browser.open(session.endpoint("sma"))
    assert 'type="email"' in form.text
    page = browser.answer(form, address=RIGHT)
    assert (page.status_code, heading(page)) == (200, "SMA asks you by e-mail")
    assert [(grant["vendor"], grant["status"]) for grant in company.grants()] == [("sma", "pending")]
    assert session.fetch().json["accessToken"] == "stored"
    [consent] = [each for each in company.played.get("/consents/sma")["consents"] if each["owner"] == RIGHT]
    assert consent["state"] == "pending"


def test_a_wrong_address_gives_the_same_page_as_a_right_one(company, entry):
    pages = []
    for address in (RIGHT, WRONG):
        browser = Browser(company)
        page = browser.answer(browser.open(company.start(entry).endpoint("sma")), address=address)
        pages.append((page.status_code, page.text))
    assert pages[0] == pages[1]
    assert RIGHT not in pages[0][1]
    assert [grant["status"] for grant in company.grants()] == ["pending", "pending"]


def test_a_wrong_address_takes_as_long_as_a_right_one(company, entry, monkeypatch):
    """Also an address that was asked before, for which the vendor is called twice."""
    consents, pauses = company.services.join.consents, []
    monkeypatch.setattr(consents, "pause", pauses.append)
    for seconds, address in ((0.5, RIGHT), (1.0, RIGHT), (0.25, WRONG), (30.0, WRONG)):
        monkeypatch.setattr(consents, "clock", iter((100.0, 100.0 + seconds)).__next__)
        browser = Browser(company)
        browser.answer(browser.open(company.start(entry).endpoint("sma")), address=address)
    assert pauses == [ANSWER_SECONDS - 0.5, ANSWER_SECONDS - 1.0, ANSWER_SECONDS - 0.25, 0.0]


def test_who_names_an_address_does_not_learn_which_grant_it_has(company, entry):
    """Two strangers may name one address, which either of them knows; only the company reads its grants."""
    flow, session = company.flow(entry), company.start(entry)
    for _ in range(2):
        browser = Browser(company)
        back = browser.answer(browser.open(f"{flow['link']}?vendor=sma&state=x"), address=RIGHT)
        assert query(back.location) == {"page": "solar", "state": "x"}
    browser = Browser(company)
    page = browser.answer(browser.open(session.endpoint("sma")), address=RIGHT)
    [grant] = company.grants()
    assert grant["id"] not in page.text
    assert "grantID" not in session.fetch().json


def test_an_address_that_the_vendor_refuses_gives_the_same_page_as_well(company, entry):
    browser = Browser(company)
    form = browser.open(company.start(entry).endpoint("sma"))
    company.played.put("/faults/sma", {"status": 400, "path": "/oauth2/v2/bc-authorize"})
    try:
        page = browser.answer(form, address="new-one@example.org")
    finally:
        company.played.put("/faults/sma", {})
    assert (page.status_code, heading(page)) == (200, "SMA asks you by e-mail")


def test_the_address_never_stands_in_the_log(company, browser, entry, capsys):
    log.configure("DEBUG")
    try:
        browser.answer(browser.open(company.start(entry).endpoint("sma")), address=RIGHT)
        lines = [line for line in capsys.readouterr().err.splitlines() if '"logger":"sandbox"' not in line]
    finally:
        log.configure("ERROR")
    assert any("/join/sma/answer" in line for line in lines)
    assert not [line for line in lines if RIGHT in line or "owner-1" in line]


@pytest.mark.parametrize("address", ["", "x", "a@b", "a b@example.org", "<a@example.org>", "a@" + "x" * 260 + ".org"])
def test_what_is_no_address_is_asked_for_again_and_the_vendor_is_not(company, browser, entry, address):
    form = browser.open(company.start(entry).endpoint("sma"))
    company.played.calls("sma")
    page = browser.answer(form, address=address)
    assert (page.status_code, "not an e-mail address" in page.text) == (400, True)
    assert company.played.calls("sma") == {}
    assert browser.answer(page, address=RIGHT).status_code == 200


def test_a_session_asks_three_addresses_at_most(company, entry):
    """A vendor that is down leaves the session open, and each address counts."""
    session, statuses = company.start(entry), []
    company.played.put("/faults/sma", {"status": 500, "path": "/oauth2/v2/bc-authorize"})
    try:
        for number in range(4):
            browser = Browser(company)
            form = browser.open(session.endpoint("sma"))
            page = browser.answer(form, address=f"a{number}@example.org")
            statuses.append(page.status_code)
    finally:
        company.played.put("/faults/sma", {})
    assert statuses == [502, 502, 502, 429]


def asked(company, flow, number, network="198.51.100.7"):
    """The error with which the owner of an address ends at the company's page."""
    browser = Browser(company)
    browser.http.environ_base["REMOTE_ADDR"] = network
    form = browser.open(f"{flow['link']}?vendor=sma&state=x")
    return query(browser.answer(form, address=f"a{number}@example.org").location).get("error")


def test_the_addresses_that_a_flow_asks_within_an_hour_have_a_bound(company, entry, monkeypatch):
    monkeypatch.setitem(attempts.MAX_MAILS, SourceKind.FLOW, 3)
    flow = company.flow(entry)
    with time_machine.travel(time.time(), tick=False) as clock:
        reasons = [asked(company, flow, number, f"198.51.100.{number}") for number in range(4)]
        assert reasons == [None] * 3 + ["temporarily_unavailable"]
        clock.shift(3601)
        assert asked(company, flow, 4) is None


def test_a_stranger_does_not_use_up_the_addresses_of_a_flow(company, entry):
    flow, (bound, seconds) = company.flow(entry), MAILS
    with time_machine.travel(86_400 * 30_000 + 3600, tick=False) as clock:
        reasons = [asked(company, flow, number) for number in range(bound + 1)]
        assert reasons == [None] * bound + ["temporarily_unavailable"]
        assert asked(company, flow, bound + 1, "198.51.100.8") is None
        clock.shift(seconds)
        assert asked(company, flow, bound + 2) is None
    assert bound * 5 <= attempts.MAX_MAILS[SourceKind.FLOW]


def test_grants_that_no_owner_has_given_are_bounded_apart_from_the_others(company, browser, entry, monkeypatch):
    monkeypatch.setattr(grant_limits, "MAX_UNGIVEN", 2)
    flow = company.flow(entry, "tesla")
    assert [asked(company, flow, number, f"198.51.100.{number}") for number in range(3)] == [None, None, "server_error"]
    assert asked(company, flow, 1) is None, "the grant of this address exists"
    browser.consent(f"{flow['link']}?vendor=tesla")
    assert sorted(grant["status"] for grant in company.grants()) == ["active", "pending", "pending"]
    end = time.time() - retention.UNGIVEN_SECONDS - 1
    with company.services.database.session() as session:
        session.execute(update(GrantRow).where(GrantRow.status == "pending").values(ends_at=end))
    assert asked(company, flow, 2) is None, "those that are over do not count"


@pytest.mark.parametrize("is_known", [True, False])
def test_a_consent_that_the_owner_does_not_give_ends(company, entry, is_known):
    """Also one of an address that the vendor does not know, which it does not end."""
    browser = Browser(company)
    form = browser.open(company.start(entry).endpoint("sma"))
    company.played.put("/faults/sma", {} if is_known else {"status": 404, "path": "/oauth2/v2/bc-authorize"})
    try:
        browser.answer(form, address="late@example.org" if is_known else "unknown@example.org")
        [grant] = company.grants()
        with company.services.database.session() as session:
            left = session.get_one(GrantRow, grant["id"]).ends_at - time.time()
        assert is_known or left == pytest.approx(grants.PENDING_SECONDS, abs=120)
        assert look_after(company, grant, left - 3600) == "pending"
        assert look_after(company, grant, left + 3600) == "expired"
    finally:
        company.played.put("/faults/sma", {})
    with company.services.database.session() as session:
        assert session.get_one(GrantRow, grant["id"]).ends_at < time.time() + 60, "the time of its end"


def test_a_consent_ends_when_the_vendor_says_that_it_does(company, entry):
    end = datetime.now(UTC) + timedelta(days=3)
    add = {"credentials_id": entry["credentials"]["credentialsID"], "secrets": {"address": WRONG}, "granted": None}
    row = company.services.grants.add(
        company.id, "sma", "customgrant", name=None, status=Status.PENDING, expires_at=end, **add
    )
    assert row.ends_at == end.timestamp()


def look_after(company, grant, seconds):
    """The status of a grant that is listed so long after the consent was asked for."""
    with company.services.database.session() as session:
        session.execute(update(GrantRow).where(GrantRow.id == grant["id"]).values(poll_at=0))
    with time_machine.travel(time.time() + seconds):
        company.services.pending_consents.look(company.id)
    with company.services.database.session() as session:
        return session.get_one(GrantRow, grant["id"]).status


def test_consent_by_e_mail_needs_a_grant_that_is_kept(company, entry):
    answer = company.call("POST", "/join/session/start", json={"storeCredentials": False, "vendors": [entry]})
    assert (answer.status_code, "storeCredentials" in answer.json["detail"]) == (400, True)


def test_an_owner_who_has_agreed_before_is_not_set_back(company, entry):
    flow = company.flow(entry)
    browser = Browser(company)
    browser.answer(browser.open(f"{flow['link']}?vendor=sma"), address=RIGHT)
    company.played.put("/consents/sma", {"owner": RIGHT, "state": "accepted", "after_seconds": 0})
    again = Browser(company)
    again.answer(again.open(f"{flow['link']}?vendor=sma"), address=RIGHT)
    assert [grant["status"] for grant in company.grants()] == ["active"]


@pytest.mark.parametrize("status", [400, 404])
def test_a_stranger_does_not_set_back_an_owner_whom_the_vendor_does_not_name(company, entry, status):
    """The vendor's answer names no state: it may not know the address, or have another fault."""
    flow = company.flow(entry)
    browser, stranger = Browser(company), Browser(company)
    browser.answer(browser.open(f"{flow['link']}?vendor=sma"), address=RIGHT)
    company.played.put("/consents/sma", {"owner": RIGHT, "state": "accepted", "after_seconds": 0})
    browser.answer(browser.open(f"{flow['link']}?vendor=sma"), address=RIGHT)
    [before] = company.grants()
    company.played.put("/faults/sma", {"status": status, "path": "/oauth2/v2/bc-authorize*"})
    try:
        stranger.answer(stranger.open(f"{flow['link']}?vendor=sma"), address=RIGHT)
    finally:
        company.played.put("/faults/sma", {})
    assert before["status"] == "active"
    assert company.grants() == [before]
