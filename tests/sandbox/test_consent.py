"""The pages of consent, the codes and tokens that follow, and the decisions of owners: equal at all vendors."""

import pytest

from tests.sandbox.callers import Caller
from tests.sandbox.consenting import BACK, FORMS, Application, members

OWNER = "owner-0@example.com"
ACCESS_SECONDS = {"enphase": 86_400, "tesla": 28_800, "sma": 300, "smasbox": 300, "solaredge": 7_200}
DAY = 86_400
REFUSALS = {"tesla": (400, "invalid_auth_code")}
LOST = {"tesla": (401, "login_required")}
INVALID = (400, "invalid_grant")


# Equal to sma but for its name.
MARKS = {"smasbox": [pytest.mark.exhaustive]}
EACH = [pytest.param(vendor, marks=MARKS.get(vendor, [])) for vendor in FORMS]


@pytest.fixture(params=EACH)
def application(caller: Caller, request: pytest.FixtureRequest) -> Application:
    return Application(caller, request.param)


def refused(application: Application, code: str, **changes: str) -> bool:
    answer = application.redeem(code, **changes)
    return (answer.status_code, answer.json["error"]) == REFUSALS.get(application.vendor, INVALID)  # type: ignore[index]


def lost(application: Application, refresh: str) -> bool:
    answer = application.refresh(refresh)
    return answer.status_code != 200 and (answer.status_code, answer.json["error"]) == LOST.get(
        application.vendor, INVALID
    )


def test_the_page_names_who_asks_and_has_a_form_without_a_script(application: Application):
    shown = application.show()
    assert (shown.status_code, shown.mimetype) == (200, "text/html")
    for text in (application.id, OWNER, '<html lang="en">', ">Allow</button>", ">Refuse</button>", 'for="owner"'):
        assert text in shown.text
    assert "<script" not in shown.text
    assert "script-src" not in shown.headers["Content-Security-Policy"]
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]
    assert shown.headers["Cache-Control"] == "no-store"


def test_a_code_leads_to_tokens_that_live_as_long_as_the_vendor_says(application: Application, caller: Caller):
    callback = application.callback()
    assert callback["state"] == "st 1&x"
    answer = application.redeem(callback["code"])
    assert (answer.status_code, answer.json["expires_in"]) == (200, ACCESS_SECONDS[application.vendor])
    access = answer.json["access_token"]
    caller.clocks.wait(ACCESS_SECONDS[application.vendor] - 1)
    assert application.works(access)
    caller.clocks.wait(1)
    assert not application.works(access)
    renewed = application.refresh(answer.json["refresh_token"]).json
    assert application.works(renewed["access_token"])


def test_a_refusal_leads_back_with_an_error_and_the_state(application: Application):
    callback = members(application.decide(decision="refuse"))
    assert (callback["error"], callback["state"]) == ("access_denied", "st 1&x")
    assert "code" not in callback
    assert application.counts() == {"refused": 1}


def test_an_owner_who_decides_later_stays_at_the_vendor(application: Application):
    page = application.decide(decision="later")
    assert page.status_code == 200
    assert "Back to the question" in page.text
    assert application.http.get("/consents/" + application.vendor).json["counts"] == {}


def test_a_form_without_an_owner_or_a_decision_is_refused(application: Application):
    for owner, decision in (("stranger@example.com", "allow"), (OWNER, ""), ("", "allow")):
        assert application.decide(owner, decision).status_code == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "unknown"},
        {"client_id": ""},
        {"redirect_uri": ""},
        {"redirect_uri": "http://elsewhere.example/back"},
        {"redirect_uri": "https://x.example/back#part"},
        {"redirect_uri": "https://user@x.example/back"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "//x.example/back"},
        {"redirect_uri": "https://[x/back"},
    ],
)
def test_an_owner_is_not_sent_to_an_application_or_address_that_is_not_known(caller: Caller, changes: dict):
    application = Application(caller, "tesla")
    for answer in (application.show(**changes), application.decide(**changes)):
        assert (answer.status_code, answer.mimetype) == (400, "text/html")
        assert "Location" not in answer.headers


def test_an_unknown_response_type_is_reported_to_the_application(application: Application):
    callback = members(application.show(response_type="token"))
    assert (callback["error"], callback["state"]) == ("unsupported_response_type", "st 1&x")


def test_members_follow_a_query_that_the_redirect_uri_has(application: Application):
    answer = application.decide(redirect_uri=f"{BACK}?a=1")
    assert members(answer)["a"] == "1"
    assert "code" in members(answer)


def test_text_of_an_application_is_shown_as_text(application: Application):
    hostile = "https://x.example/<script>alert(1)</script>"
    assert "<script" not in application.show(redirect_uri=hostile).text


def test_a_replayed_code_is_refused_and_ends_the_tokens_of_its_first_use(application: Application):
    code = application.callback()["code"]
    issued = application.redeem(code).json
    assert application.works(issued["access_token"])
    assert refused(application, code)
    assert not application.works(issued["access_token"])
    assert lost(application, issued["refresh_token"])
    assert application.counts()["replays"] == 1


def test_a_code_ends_after_ten_minutes_of_real_time(application: Application, caller: Caller):
    code = application.callback()["code"]
    caller.set_clock("2030-01-01T00:00:00Z")
    caller.clocks.wait(600)
    assert refused(application, code)


@pytest.mark.parametrize("vendor", EACH)
def test_a_code_is_bound_to_its_redirect_uri(caller: Caller, vendor: str):
    application = Application(caller, vendor)
    code = application.callback()["code"]
    answer = application.redeem(code, redirect_uri=BACK + "/")
    error = "invalid_redirect_url" if vendor == "tesla" else "invalid_grant"
    assert (answer.status_code, answer.json["error"]) == (400, error)
    assert application.redeem(code).status_code == 200


def test_a_code_and_a_refresh_token_are_bound_to_their_application(caller: Caller):
    first, second = Application(caller, "sma"), Application(caller, "sma")
    second.id, second.secret = "sandbox-client", "sandbox-secret"
    code = first.callback()["code"]
    assert second.redeem(code).json["error"] == "invalid_grant"
    refresh = first.redeem(code).json["refresh_token"]
    assert second.refresh(refresh).json["error"] == "invalid_grant"
    assert first.refresh(refresh).status_code == 200


def test_a_wrong_secret_is_refused(application: Application):
    code = application.callback()["code"]
    application.secret = "wrong"
    assert application.redeem(code).status_code in (400, 401)


def test_of_two_refreshes_with_one_token_the_second_is_refused_until_the_owner_consents_again(
    application: Application, caller: Caller
):
    caller.http.put("/options/tesla", json={"single_use": True})
    before = application.http.get(f"/tokens/{application.vendor}").json
    refresh = application.tokens()["refresh_token"]
    winner = application.refresh(refresh).json
    assert lost(application, refresh)
    assert application.works(winner["access_token"])
    assert application.refresh(winner["refresh_token"]).status_code == 200
    after = application.http.get(f"/tokens/{application.vendor}").json
    assert {name: after[name] - before[name] for name in after} == {"refreshes": 2, "refused_refreshes": 1}
    consents = application.http.get(f"/consents/{application.vendor}").json["consents"]
    assert [consent["refreshes"] for consent in consents if not consent["is_ready"]] == [2]
    assert application.works(application.tokens()["access_token"])


def test_an_owner_takes_the_consent_back_at_the_vendor_now_or_later(application: Application, caller: Caller):
    issued = application.tokens()
    assert application.decides_later("OWNER-0@example.com", "revoked", 3 * DAY).json == {"consents": 1}
    caller.set_clock("2026-06-24T11:59:59Z")
    assert application.works(issued["access_token"])
    caller.set_clock("2026-06-24T12:00:00Z")
    assert not application.works(issued["access_token"])
    assert lost(application, issued["refresh_token"])


def test_one_owner_revokes_and_another_does_not(application: Application):
    first, second = application.tokens(0), application.tokens(1)
    application.decides_later(OWNER, "revoked")
    assert not application.works(first["access_token"])
    assert application.works(second["access_token"], 1)


@pytest.mark.parametrize(
    ("vendor", "body", "status"),
    [
        ("tesla", {"owner": "owner-7@example.com", "state": "revoked"}, 404),
        ("solis", {"owner": OWNER, "state": "revoked"}, 404),
        ("xyz", {"owner": OWNER, "state": "revoked"}, 404),
        ("tesla", {"owner": OWNER, "state": "gone"}, 400),
        ("tesla", {"owner": OWNER}, 400),
        ("tesla", {"state": "revoked"}, 400),
        ("tesla", {"owner": OWNER, "state": "revoked", "after_seconds": -1}, 400),
        ("tesla", None, 400),
    ],
)
def test_a_decision_that_no_owner_can_take_is_refused(caller: Caller, vendor: str, body: dict | None, status: int):
    assert caller.http.put(f"/consents/{vendor}", json=body).status_code == status


def test_the_consents_of_a_vendor_can_be_forgotten(application: Application):
    access = application.tokens()["access_token"]
    assert application.http.delete(f"/consents/{application.vendor}").status_code == 204
    shown = application.http.get(f"/consents/{application.vendor}").json
    assert shown["counts"] == {}
    assert all(consent["is_ready"] for consent in shown["consents"])
    assert application.works(access), "tokens are another matter: DELETE /tokens"
