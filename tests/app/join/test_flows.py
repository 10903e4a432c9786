"""Flows: links of the server, on which any number of owners give consent."""

import re
import time
from html import unescape

import pytest
import time_machine

from app.join import flows
from tests.app.credentials.test_access import stated
from tests.app.join.support import BACK, Browser, heading, query
from tests.app.virtual.operations import FLOWS, requests_with_an_id


def choice(page, vendor):
    """The address of a vendor on the page of choice."""
    [address] = [link for link in re.findall(r'href="(\?[^"]*)"', page.text) if f"vendor={vendor}" in link]
    return unescape(address)


def test_a_flow_is_made_read_listed_and_deleted(company, rival):
    made = company.flow("solis", company.stored("tesla", "app"))
    assert made["link"].endswith(f"/join/flows/{made['id']}/authorize")
    assert made["redirectURI"] == BACK
    assert [each["vendor"] for each in made["vendors"]] == ["solis", "tesla"]
    assert company.get(f"/join/flows/{made['id']}").json == made
    second = company.flow("solis")
    assert company.get("/join/flows").json == {"joinFlows": sorted([made, second], key=lambda flow: flow["id"])}
    page = company.get("/join/flows?pageSize=1").json
    assert len(company.get(f"/join/flows?pageSize=1&pageToken={page['nextPageToken']}").json["joinFlows"]) == 1
    assert rival.get("/join/flows").json == {"joinFlows": []}
    assert company.call("DELETE", f"/join/flows/{made['id']}").status_code == 204
    assert company.get(f"/join/flows/{made['id']}").status_code == 404
    assert Browser(company).open(made["link"]).status_code == 400


def test_secrets_of_a_flow_are_in_no_answer(company):
    made = company.flow("tesla")
    secret = company.accounts["tesla"]["consent"]["clientSecret"]
    for path in ("/join/flows", f"/join/flows/{made['id']}", f"/join/flows/{made['id']}/authorize"):
        assert secret not in company.get(path).text
    assert secret not in str(company.services.join.flows.of_any_client(made["id"]).ciphertext)


def test_another_clients_flow_is_like_an_unknown_one(company, rival):
    made = company.flow("solis")
    for method in ("GET", "DELETE"):
        answers = [rival.call(method, f"/join/flows/{id}") for id in (made["id"], "flow-0000000000000000", "%00")]
        assert {answer.status_code for answer in answers} == {404}
        assert len({re.sub(r'"requestId":"[^"]*"', "", answer.text) for answer in answers}) == 1
    assert company.get(f"/join/flows/{made['id']}").status_code == 200


def test_every_documented_operation_on_a_flow_answers_another_client_as_for_an_unknown_one(company, rival):
    id = company.flow("solis")["id"]
    requests = requests_with_an_id(company.get("/openapi.json").json, [FLOWS])
    assert {request.method for request in requests} == {"GET", "DELETE"}
    for request in requests:
        answers = [request.send(rival, {FLOWS: flow}) for flow in (id, "flow-0000000000000000")]
        assert stated(answers[0]) == stated(answers[1]), request
        assert answers[0].status_code == 404, request
    assert company.get(f"/join/flows/{id}").status_code == 200


def test_owners_give_consent_and_end_at_the_companys_page(company):
    made = company.flow("tesla", "solis")
    for number in (0, 1):
        browser = Browser(company)
        page = browser.open(f"{made['link']}?state=number-{number}")
        assert (page.status_code, heading(page)) == (200, "test asks to read your solar devices")
        answer = browser.consent(made["link"] + choice(page, "tesla"), owner=f"owner-{number}@example.com")
        assert answer.status_code == 302
        assert answer.location.startswith(BACK + "&")
        assert query(answer.location).keys() == {"page", "state", "grantID"}
        assert query(answer.location)["state"] == f"number-{number}"
    assert len(company.grants()) == 2
    assert len(company.get("/sites").json["sites"]) == 2


def test_with_a_vendor_the_link_leads_there_at_once(company, browser):
    made = company.flow("tesla", "solis")
    answer = browser.open(f"{made['link']}?vendor=tesla")
    assert answer.status_code == 302
    assert query(answer.location)["redirect_uri"] == "http://localhost/join/tesla/auth-granted"
    assert len(query(answer.location)["state"]) >= 22, "128 bits"


def test_a_refusal_ends_at_the_companys_page_as_well(company, browser):
    made = company.flow("tesla")
    answer = browser.consent(f"{made['link']}?vendor=tesla&state=s%201%26", decision="refuse")
    assert query(answer.location) == {
        "page": "solar",
        "state": "s 1&",
        "error": "access_denied",
        "error_description": "The owner has refused.",
    }


def test_a_vendor_that_the_flow_does_not_have_is_an_error_at_the_companys_page(company, browser):
    made = company.flow("tesla")
    answer = browser.open(f"{made['link']}?vendor=solis&state=x")
    assert (answer.status_code, query(answer.location)["error"]) == (302, "invalid_request")


@pytest.mark.parametrize("vendor", ["solis", "solaredge"])
def test_keys_are_typed_into_a_form(company, browser, vendor):
    made = company.flow(vendor)
    form = browser.open(f"{made['link']}?vendor={vendor}&state=x")
    assert form.status_code == 200
    answer = browser.answer(form, **company.keys(vendor))
    assert (answer.status_code, query(answer.location)["state"]) == (303, "x")
    [grant] = company.grants()
    assert (grant["vendor"], grant["status"]) == (vendor, "active")
    assert company.get("/sites").json["errors"] == {}


def test_wrong_keys_can_be_corrected(company, browser):
    made = company.flow("solis")
    form = browser.open(f"{made['link']}?vendor=solis")
    again = browser.answer(form, keyID="1300000000000000001", keySecret="f" * 32)
    assert (again.status_code, "does not accept" in again.text) == (400, True)
    assert "f" * 32 not in again.text
    blank = browser.answer(again, keyID=" ", keySecret="x")
    assert (blank.status_code, "Fill in each field" in blank.text) == (400, True)
    assert browser.answer(blank, **company.keys("solis")).status_code == 303
    assert len(company.grants()) == 1


@pytest.mark.parametrize("vendor", ["solis", "sma"])
def test_an_owner_refuses_at_a_form_without_filling_it_in(company, browser, vendor):
    entry = company.stored("sma", "customgrant") if vendor == "sma" else vendor
    form = browser.open(f"{company.flow(entry)['link']}?vendor={vendor}&state=x")
    answer = browser.answer(form, refuse="yes", keyID="", keySecret="")
    back = query(answer.location)
    assert (answer.status_code, back["state"], back["error"]) == (303, "x", "access_denied")
    assert company.grants() == []
    assert browser.answer(form, **company.keys(vendor)).status_code == 400, "the form can still be used"


def test_an_owner_who_refuses_at_the_form_of_a_window_sees_that_nothing_is_connected(company, browser):
    session = company.start(company.stored("sma", "customgrant"))
    page = browser.answer(browser.open(session.endpoint("sma")), refuse="yes")
    assert "You have refused" in page.text


def test_what_one_form_sends_is_used_once(company, browser):
    form = browser.open(f"{company.flow('solis')['link']}?vendor=solis")
    assert browser.answer(form, **company.keys("solis")).status_code == 303
    assert browser.answer(form, **company.keys("solis")).status_code == 400


@pytest.mark.parametrize(
    "uri",
    [
        "http://www.example.org/",
        "javascript:alert(1)",
        "//www.example.org",
        "https://user@www.example.org/",
        "https://www.example.org/#part",
        "https://www.example.org\\@evil.example/",
        "https:///path",
        "https://www.example.org/a b",
        "https://[",
        "https://.",
        "https://www..example.org/",
        "https://www.example.org:/",
        "https://*.example.org/",
        "https://www.example.org;script-src/",
        "https://www.example.org,default-src/",
        "https://-/",
        f"https://{'x' * 64}.example/",
        "x" * 3000,
    ],
)
def test_owners_are_sent_to_https_pages_only(company, uri):
    answer = company.call("POST", "/join/flows", json={"vendors": [{"vendor": "solis"}], "redirectURI": uri})
    assert (answer.status_code, "redirectURI" in answer.json["detail"]) == (400, True)


@pytest.mark.parametrize("host", ["www.example.org", "WWW.example.org:8443", "xn--bcher-kva.example", "[::1]:5000"])
def test_any_host_that_a_browser_opens_will_do(company, host):
    assert company.flow("solis", redirect_uri=f"https://{host}/back")["redirectURI"] == f"https://{host}/back"


def test_on_loopback_a_page_without_https_will_do(company):
    assert company.flow("solis", redirect_uri="http://127.0.0.1:5000/back")["redirectURI"].startswith("http://127")


def test_the_number_of_flows_has_a_limit(company, monkeypatch):
    monkeypatch.setattr(flows, "MAX_FLOWS", 1)
    company.flow("solis")
    answer = company.call("POST", "/join/flows", json={"vendors": [{"vendor": "solis"}], "redirectURI": BACK})
    assert (answer.status_code, answer.json["code"], answer.json["limit"]) == (409, "join_flows_limit_reached", 1)


def test_an_attempt_ends_after_ten_minutes(company, browser):
    with time_machine.travel(time.time(), tick=False) as clock:
        callback = browser.callback(f"{company.flow('tesla')['link']}?vendor=tesla")
        clock.shift(601)
        assert browser.open(callback).status_code == 400
    assert company.grants() == []
