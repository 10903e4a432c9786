"""Sessions, as the public API documents them and the public Join script uses them."""

import time

import pytest
import time_machine
from sqlalchemy import text

from app.join import sessions
from tests.app.join.support import Browser, Session, heading

CODE_GRANTS = ("enphase", "tesla", "sma", "smasbox")


@pytest.mark.parametrize("vendor", CODE_GRANTS)
def test_what_an_owner_has_granted_opens_the_owners_sites_and_gives_no_secret_away(company, browser, vendor):
    session = company.start(vendor)
    page = browser.consent(session.endpoint(vendor))
    assert (page.status_code, "connected" in heading(page)) == (200, True)
    assert "failed" not in page.text.lower()
    [grant] = company.grants()
    answer = session.fetch()
    assert answer.json == {
        "vendor": vendor,
        "accessToken": "stored",
        "access_token": "stored",
        "refreshToken": "",
        "expiresIn": "0",
        "grantID": grant["id"],
    }
    listed = company.call("GET", "/sites").json
    assert (len(listed["sites"]), listed["errors"]) == (1, {})


def test_a_session_that_keeps_nothing_gives_the_tokens_out_once(company, browser):
    session = company.start("tesla", stores=False)
    assert browser.consent(session.endpoint("tesla")).status_code == 200
    answer = session.fetch().json
    assert answer["access_token"] == answer["accessToken"] != "stored"
    assert (answer["vendor"], len(answer["refreshToken"]) > 20, int(answer["expiresIn"]) > 60) == ("tesla", True, True)
    again = session.fetch()
    assert (again.status_code, again.json["code"]) == (409, "join_token_fetched")
    assert company.grants() == []
    opened = company.get("/sites", {"X-Authorization-tesla": f"Bearer {answer['accessToken']}"})
    assert len(opened.json["sites"]) == 1


def test_a_request_that_comes_while_the_first_one_is_answered_gets_nothing(company, browser):
    session = company.start("tesla", stores=False)
    browser.consent(session.endpoint("tesla"))
    with company.services.database.session() as opened:
        opened.execute(text("UPDATE join_sessions SET fetched_at = 1"))
    assert (session.fetch().status_code, session.fetch().json["code"]) == (409, "join_token_fetched")


def test_before_the_consent_there_is_nothing_to_fetch(company, browser):
    session = company.start("tesla")
    assert (session.fetch().status_code, session.fetch().json["code"]) == (409, "join_pending")
    browser.open(session.endpoint("tesla"))
    assert session.fetch().json["code"] == "join_pending"


def test_an_owner_who_refuses_may_try_again_in_the_same_session(company, browser):
    session = company.start("tesla")
    page = browser.consent(session.endpoint("tesla"), decision="refuse")
    assert (page.status_code, "refused" in page.text) == (400, True)
    assert session.fetch().json["code"] == "join_pending"
    assert browser.consent(session.endpoint("tesla")).status_code == 200
    assert session.fetch().status_code == 200


def test_a_session_takes_one_consent(company, browser):
    session = company.start("tesla", "sma")
    late = browser.callback(session.endpoint("sma"))
    assert browser.consent(session.endpoint("tesla")).status_code == 200
    assert browser.open(late).status_code == 400
    assert browser.open(session.endpoint("tesla")).status_code == 400
    assert len(company.grants()) == 1


def test_a_session_ends_after_ten_minutes(company, browser):
    with time_machine.travel(time.time(), tick=False) as clock:
        session = company.start("tesla")
        endpoint = session.endpoint("tesla")
        callback = browser.callback(endpoint)
        clock.shift(601)
        assert browser.open(callback).status_code == 400
        assert browser.open(endpoint).status_code == 400
        assert session.get("vendors").status_code == 401
        assert company.grants() == []


@pytest.mark.parametrize("stores", [True, False])
def test_a_session_that_ends_during_the_exchange_keeps_its_consent(company, browser, stores, monkeypatch):
    with time_machine.travel(time.time(), tick=False) as clock:
        session = company.start("tesla", stores=stores)
        clock.shift(sessions.LIFETIME - 5)
        callback = browser.callback(session.endpoint("tesla"))
        during_exchange(company, monkeypatch, lambda: clock.shift(10))
        assert browser.open(callback).status_code == 200
        assert session.fetch().json["vendor"] == "tesla"


@pytest.mark.parametrize("stores", [True, False])
def test_no_page_says_success_if_the_session_is_gone(company, browser, stores, monkeypatch):
    session = company.start("sma", stores=stores)
    callback = browser.callback(session.endpoint("sma"))
    during_exchange(company, monkeypatch, lambda: change_sessions(company, "DELETE FROM join_sessions"), vendor="sma")
    company.played.calls("sma")
    assert browser.open(callback).status_code == 503
    assert company.played.calls("sma").get("/oauth2/logout", 0) == (0 if stores else 1), "what nothing keeps is ended"
    assert len(company.grants()) == stores


def test_a_session_that_ends_before_its_keys_are_asked_about_takes_none(company, browser, monkeypatch):
    form = browser.open(f"/join/session/{company.start('solis').id}/authorize?vendor=solis")
    consents, look = company.services.join.consents, company.services.join.consents.look

    def look_and_end(*arguments):
        attempt = look(*arguments)
        change_sessions(company, "UPDATE join_sessions SET expires_at = 1")
        return attempt

    monkeypatch.setattr(consents, "look", look_and_end)
    assert browser.answer(form, **company.keys("solis")).status_code == 400
    assert company.grants() == []


def during_exchange(company, monkeypatch, act, vendor="tesla"):
    """Something happens while the vendor exchanges the code."""
    [endpoint] = company.services.clouds[vendor].consents.values()
    exchange = endpoint.exchange

    def exchanged(*arguments):
        granted = exchange(*arguments)
        act()
        return granted

    monkeypatch.setattr(endpoint, "exchange", exchanged)


def change_sessions(company, statement):
    with company.services.database.session() as opened:
        opened.execute(text(f"{statement} WHERE client_id = :id"), {"id": company.id})


def test_the_vendors_of_a_session_are_those_that_were_posted(company):
    session = company.start("tesla", "solis", "enphase")
    tesla, solis, enphase = session.get("vendors").json
    assert [each["id"] for each in (tesla, solis, enphase)] == ["tesla", "solis", "enphase"]
    assert [each["name"] for each in (tesla, solis, enphase)] == ["Tesla", "Solis", "Enphase"]
    assert all(each["base64Logo"].startswith("data:image/svg+xml;base64,") for each in (tesla, solis, enphase))
    assert "oAuthEndpoint" not in solis, "its keys are typed in"
    assert tesla["oAuthEndpoint"].endswith(f"/join/session/{session.id}/authorize?vendor=tesla")


def test_the_session_token_opens_its_session_and_nothing_else(company, browser):
    session, other = company.start("tesla"), company.start("tesla")
    assert session.get("vendors").status_code == 200
    assert other.get("vendors", token=session.token).status_code == 401
    assert Session(company, "x", session.token).get("vendors").status_code == 401
    browser.consent(session.endpoint("tesla"))
    bearer, refused = {"Authorization": f"Bearer {session.token}"}, []
    for rule in company.app.url_map.iter_rules():
        path = rule.rule.replace("<sessionID>", other.id)
        for method in (rule.methods or set()) - {"OPTIONS", "HEAD"}:
            answer = browser.http.open(path, method=method, headers=bearer)
            with_none = browser.http.open(path, method=method)
            if answer.status_code < 400:
                assert with_none.status_code == answer.status_code, f"{method} {path} is open without any token"
            refused.append(answer.status_code == 401)
            answer.close()
            with_none.close()
    assert sum(refused) > 30
    assert session.fetch().status_code == 200


def test_another_client_does_not_learn_that_a_session_exists(company, rival, browser):
    session = company.start("tesla")
    browser.consent(session.endpoint("tesla"))
    theirs = rival.headers
    for path in ("vendors", "fetch-token"):
        answer = browser.open(f"/join/session/{session.id}/{path}", headers=theirs)
        unknown = browser.open(f"/join/session/none/{path}", headers=theirs)
        assert answer.status_code == unknown.status_code == 404
        assert {**answer.json, "requestId": ""} == {**unknown.json, "requestId": ""}
    own = browser.open(f"/join/session/{session.id}/fetch-token", headers=company.headers)
    assert own.status_code == 200, "the company's own token opens it"


def test_secrets_of_a_session_are_encrypted_and_end_with_its_consent(company, browser):
    session = company.start("tesla")
    secret = company.accounts["tesla"]["consent"]["clientSecret"]
    services = company.services

    def rows():
        with services.database.session() as opened:
            return [tuple(row) for row in opened.execute(text("SELECT * FROM join_sessions"))]

    assert all(word not in str(rows()) for word in (secret, session.id, session.token))
    held = services.join.sessions.find(session.id)
    assert held.ciphertext
    browser.consent(session.endpoint("tesla"))
    assert services.join.sessions.find(session.id).ciphertext is None


@pytest.mark.parametrize("what", ["a start of any client", "a request about an ended session"])
def test_sessions_that_have_ended_are_deleted_with_their_secrets(company, rival, browser, what):
    with time_machine.travel(time.time(), tick=False) as clock:
        open_to_the_end, granted = company.start("tesla"), company.start("tesla", stores=False)
        browser.consent(granted.endpoint("tesla"))
        browser.open(open_to_the_end.endpoint("tesla"))
        assert len(ciphertexts(company)) == 2
        clock.shift(601)
        if what == "a start of any client":
            rival.start("solis")
        else:
            assert open_to_the_end.get("vendors").status_code == 401
        assert ciphertexts(company) == []


def ciphertexts(company):
    """The secrets and the results of the company's sessions."""
    with company.services.database.session() as opened:
        rows = opened.execute(
            text("SELECT ciphertext, result FROM join_sessions WHERE client_id = :id"), {"id": company.id}
        )
        return [value for row in rows for value in row if value]


def test_the_number_of_open_sessions_has_a_limit(company, monkeypatch):
    monkeypatch.setattr(sessions, "MAX_OPEN", 2)
    company.start("solis")
    company.start("solis")
    body = {"storeCredentials": True, "vendors": [{"vendor": "solis"}]}
    answer = company.call("POST", "/join/session/start", json=body)
    assert (answer.status_code, answer.json["code"], answer.json["limit"]) == (409, "join_sessions_limit_reached", 2)
    with time_machine.travel(4_000_000_000, tick=False):
        company.services.join.sessions.start(company.id, _solis(company), stores=True)


def _solis(company):
    return company.services.join.parser.parse([{"vendor": "solis"}], lambda id: None, stores=True)


def test_an_application_that_was_deleted_since_is_reported_to_the_owner(company, browser):
    entry = company.stored("tesla", "app")
    session = company.start(entry)
    endpoint = session.endpoint("tesla")
    assert company.call("DELETE", f"/vendor-credentials/{entry['credentials']['credentialsID']}").status_code == 204
    page = browser.open(endpoint)
    assert (page.status_code, "set-up" in page.text) == (503, True)


def test_a_consent_of_the_same_browser_in_two_windows_keeps_each_attempt_apart(company):
    browser = Browser(company)
    first, second = company.start("tesla"), company.start("tesla")
    callbacks = [browser.callback(session.endpoint("tesla")) for session in (first, second)]
    assert [browser.open(callback).status_code for callback in callbacks] == [200, 200]
