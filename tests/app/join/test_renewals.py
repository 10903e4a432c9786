"""A link with which the owner of a grant gives consent again."""

import pytest
from sqlalchemy import update

from app.credentials import grant_limits
from app.storage.grant_table import GrantRow
from tests.app.join.support import Browser, heading


@pytest.fixture(params=[True, False], ids=["stored", "inline"])
def link(request, company, browser):
    """The link of a grant whose application is stored, or came inline."""
    entry = company.stored("tesla", "app") if request.param else "tesla"
    assert browser.consent(company.start(entry).endpoint("tesla")).status_code == 200
    [grant] = company.grants()
    with company.services.database.session() as session:
        session.execute(update(GrantRow).where(GrantRow.id == grant["id"]).values(status="needs_consent"))
    answer = company.call("POST", f"/grants/{grant['id']}/consent-link")
    assert answer.status_code == 201, answer.text
    return answer.json["url"]


def test_the_same_owner_renews_the_grant(company, link):
    [before] = company.grants()
    browser = Browser(company)
    page = browser.open(link)
    assert heading(page) == "test asks to read your solar devices"
    assert browser.consent(f"{link}?vendor=tesla").status_code == 200
    [after] = company.grants()
    assert (before["status"], after["status"], after["id"]) == ("needs_consent", "active", before["id"])
    assert len(company.get("/sites").json["sites"]) == 1


def test_the_link_is_used_once(company, link):
    browser = Browser(company)
    stranger = Browser(company)
    late = stranger.callback(f"{link}?vendor=tesla")
    assert browser.consent(f"{link}?vendor=tesla").status_code == 200
    assert Browser(company).open(link).status_code == 400
    company.played.calls("tesla")
    assert stranger.open(late).status_code == 400
    assert company.played.calls("tesla") == {}, "no code is exchanged for it"
    assert len(company.grants()) == 1


def test_a_refusal_does_not_use_the_link_up(company, link):
    browser = Browser(company)
    assert browser.consent(f"{link}?vendor=tesla", decision="refuse").status_code == 400
    assert browser.consent(f"{link}?vendor=tesla").status_code == 200


def test_another_owner_makes_another_grant_and_the_link_ends(company, link):
    [before] = company.grants()
    browser = Browser(company)
    assert browser.consent(f"{link}?vendor=tesla", owner="owner-2@example.com").status_code == 200
    grants = {grant["id"]: grant["status"] for grant in company.grants()}
    assert (len(grants), grants[before["id"]]) == (2, "needs_consent")
    assert browser.open(link).status_code == 400


def test_the_link_stays_valid_and_the_token_ends_if_the_consent_is_not_kept(company, monkeypatch):
    flow, owner = company.flow(company.stored("sma", "oauthclient")), Browser(company)
    assert owner.consent(f"{flow['link']}?vendor=sma").status_code == 302
    [grant] = company.grants()
    link = company.call("POST", f"/grants/{grant['id']}/consent-link").json["url"]
    monkeypatch.setattr(grant_limits, "MAX_GRANTS", 1)
    company.played.calls("sma")
    browser = Browser(company)
    assert browser.consent(f"{link}?vendor=sma", owner="owner-2@example.com").status_code == 503
    assert company.played.calls("sma")["/oauth2/logout"] == 1, "the new token is ended at the vendor"
    assert browser.consent(f"{link}?vendor=sma").status_code == 200
    assert [each["id"] for each in company.grants()] == [grant["id"]]


def test_a_link_that_is_used_meanwhile_keeps_nothing(company, link, monkeypatch):
    """Two browsers have opened the link, and both codes are exchanged before one of the grants is kept."""
    first, second = Browser(company), Browser(company)
    callbacks = [browser.callback(f"{link}?vendor=tesla", owner=f"owner-{number}@example.com")
                 for number, browser in ((1, first), (2, second))]  # fmt: skip
    endpoint = company.services.clouds["tesla"].consents["app"]
    exchange = endpoint.exchange

    def overtaken(*arguments):
        granted = exchange(*arguments)
        monkeypatch.setattr(endpoint, "exchange", exchange)
        assert second.open(callbacks[1]).status_code == 200
        return granted

    monkeypatch.setattr(endpoint, "exchange", overtaken)
    assert first.open(callbacks[0]).status_code == 400
    assert sorted(grant["status"] for grant in company.grants()) == ["active", "needs_consent"]


def test_the_link_is_for_the_vendor_of_its_grant(company, link):
    assert Browser(company).open(f"{link}?vendor=sma").status_code == 400
