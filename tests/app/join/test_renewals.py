"""A link with which the owner of a grant gives consent again."""

import pytest
from sqlalchemy import update

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
    late = Browser(company).callback(f"{link}?vendor=tesla")
    assert browser.consent(f"{link}?vendor=tesla").status_code == 200
    assert Browser(company).open(link).status_code == 400
    assert browser.open(late).status_code == 400
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


def test_the_link_is_for_the_vendor_of_its_grant(company, link):
    assert Browser(company).open(f"{link}?vendor=sma").status_code == 400
