"""The company's own page in a browser: cross-origin requests of registered origins, and keys that it sends."""

import pytest
from sqlalchemy.exc import OperationalError

from app.join.attempts import MAX_ATTEMPTS
from app.join.source import SourceKind
from tests.app.join.support import ORIGIN, Session

OTHER = "https://evil.example.org"
ASKED = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}


def granted(company, session, vendor, code, origin=ORIGIN):
    """The request in which the public Join script sends keys: not escaped, the keys at the end."""
    headers = {"Origin": origin} if origin else {}
    path = f"/join/{vendor}/auth-granted?state={session.id}&code={code}"
    return company.app.test_client().get(path, headers=headers)


def joined(keys):
    return ":".join(keys.values()) if len(keys) > 1 else next(iter(keys.values())) + ":"


@pytest.mark.parametrize("path", ["vendors", "fetch-token"])
def test_a_registered_origin_may_read_the_session_and_no_other_may(company, rival, path):
    company.register()
    rival.register(OTHER)
    session = company.start("solis")
    for origin, is_allowed in ((ORIGIN, True), (OTHER, False), ("null", False), (ORIGIN + ".evil.example", False)):
        answer = session.get(path, Origin=origin)
        allowed = answer.headers.get("Access-Control-Allow-Origin")
        assert allowed == (origin if is_allowed else None)
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert "Origin" in answer.headers["Vary"]
    assert "Access-Control-Allow-Origin" not in session.get(path).headers


def test_a_refusal_can_be_read_by_the_page_as_well(company):
    company.register()
    answer = company.start("solis").get("fetch-token", token="join-wrong", Origin=ORIGIN)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (401, ORIGIN)


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_without_a_database_a_page_gets_the_same_answer_as_every_caller(company, monkeypatch, method):
    session = company.start("solis")

    def fail(id):
        raise OperationalError("SELECT", {}, Exception("made up"))

    monkeypatch.setattr(company.services.join.sessions, "find", fail)
    headers = {"Authorization": f"Bearer {session.token}", "Origin": ORIGIN}
    answer = company.app.test_client().open(f"/join/session/{session.id}/vendors", method=method, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (503, "database_unavailable")
    assert answer.headers["X-Request-ID"]
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_preflight_finds_the_client_by_the_session_in_the_path(company):
    company.register()
    session, http = company.start("solis"), company.app.test_client()
    for path in (
        f"session/{session.id}/vendors",
        f"session/{session.id}/fetch-token",
        f"solis/auth-granted?state={session.id}",
    ):
        answer = http.options(f"/join/{path}", headers={"Origin": ORIGIN, **ASKED})
        assert answer.status_code == 204
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert answer.headers["Access-Control-Allow-Methods"] == "GET"
        assert "authorization" in answer.headers["Access-Control-Allow-Headers"].lower()
        refused = http.options(f"/join/{path}", headers={"Origin": OTHER, **ASKED})
        assert not [name for name, _ in refused.headers if name.startswith("Access-Control")]
    unknown = http.options("/join/session/none/vendors", headers={"Origin": ORIGIN, **ASKED})
    assert "Access-Control-Allow-Origin" not in unknown.headers


def test_no_other_route_answers_a_page_of_another_origin(company):
    company.register()
    http = company.app.test_client()
    for path in ("/sites", "/vendor-credentials", "/join/session/start", "/join/flows", "/oauth2/token", "/grants"):
        for answer in (
            http.options(path, headers={"Origin": ORIGIN, **ASKED}),
            http.get(path, headers={"Origin": ORIGIN}),
        ):
            assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("vendor", ["solis", "solaredge"])
def test_keys_that_an_owner_types_into_the_companys_page_are_accepted(company, vendor):
    company.register()
    session = company.start(vendor)
    answer = granted(company, session, vendor, joined(company.keys(vendor)))
    assert (answer.status_code, "failed" in answer.text) == (200, False)
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert session.fetch().json["accessToken"] == "stored"
    assert [grant["vendor"] for grant in company.grants()] == [vendor]


def test_a_session_that_keeps_nothing_gives_the_keys_back_as_the_vendors_header_takes_them(company):
    company.register()
    session = company.start("solis", stores=False)
    assert granted(company, session, "solis", joined(company.keys("solis"))).status_code == 200
    token = session.fetch().json["accessToken"]
    answer = company.get("/sites", {"X-Authorization-solis": f"Basic {token}"})
    assert answer.json["errors"] == {}
    assert company.grants() == []


def test_wrong_keys_are_a_failure_in_the_words_that_the_script_reads(company):
    company.register()
    session = company.start("solis")
    for code in ("1300000000000000001:wrong", "", "x", ":", "%00:%00"):
        answer = granted(company, session, "solis", code)
        assert (answer.status_code, "failed" in answer.text) == (400, True), code
    assert granted(company, session, "solis", joined(company.keys("solis"))).status_code == 200


def test_keys_of_a_page_are_tried_as_often_as_other_attempts_of_a_session(company, browser):
    company.register()
    session, bound = company.start("solis"), MAX_ATTEMPTS[SourceKind.SESSION]
    company.played.calls("solis")
    answers = [granted(company, session, "solis", f"{1300000000000000001}:{'f' * 32}") for _ in range(bound + 1)]
    assert [answer.status_code for answer in answers] == [400] * bound + [429]
    assert answers[-1].text == "failed: There were too many attempts."
    assert sum(company.played.calls("solis").values()) <= bound
    assert granted(company, session, "solis", joined(company.keys("solis"))).status_code == 429, "also for right keys"
    assert browser.open(f"/join/session/{session.id}/authorize?vendor=solis").status_code == 429


@pytest.mark.parametrize("origin", [None, OTHER, "null"])
def test_without_a_registered_origin_no_keys_are_accepted(company, origin):
    company.register()
    session = company.start("solis")
    assert granted(company, session, "solis", joined(company.keys("solis")), origin).status_code == 400
    assert company.grants() == []


def test_keys_are_accepted_for_an_unused_session_and_its_vendors_only(company):
    company.register()
    session, keys = company.start("solis"), joined(company.keys("solis"))
    assert granted(company, session, "solaredge", joined(company.keys("solaredge"))).status_code == 400
    assert granted(company, Session(company, "x", ""), "solis", keys).status_code == 400
    assert granted(company, session, "solis", keys).status_code == 200
    assert granted(company, session, "solis", keys).status_code == 400
    code_grant = company.start("tesla")
    assert granted(company, code_grant, "tesla", "x:y").status_code == 400
    assert len(company.grants()) == 1
