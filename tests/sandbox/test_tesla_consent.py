"""Tesla's consent: scopes, proof keys, regions, lost answers, many owners, and the registration of an application."""

from datetime import UTC, datetime

import pytest

from sandbox import create_app
from tests.sandbox.callers import Caller, Clocks
from tests.sandbox.consenting import BACK, Application, challenge, members
from tests.sandbox.tesla import claims, response, site_ids

PRODUCTS = "/api/1/products"
REGION = "/api/1/users/region"
REGISTRATION = "/api/1/partner_accounts"
VERIFIER = "v" * 43
DAY = 86_400


@pytest.fixture
def application(caller: Caller) -> Application:
    return Application(caller, "tesla")


def listed(application: Application, access: str) -> list[str]:
    products = response(application.get(PRODUCTS, access))
    return [str(product["energy_site_id"]) for product in products if "resource_type" in product]


def partner_token(application: Application) -> str:
    answer = application.post(grant_type="client_credentials", audience="http://localhost/tesla")
    assert answer.status_code == 200, answer.text
    assert "refresh_token" not in answer.json
    return str(answer.json["access_token"])


def test_an_owner_sees_the_own_site_and_no_other(application: Application, caller: Caller):
    access = application.tokens(2)["access_token"]
    ids = site_ids(caller)
    assert listed(application, access) == [ids[2]]
    sites = {number: application.get(f"/api/1/energy_sites/{ids[number]}/live_status", access) for number in (2, 3)}
    assert {number: answer.status_code for number, answer in sites.items()} == {2: 200, 3: 404}


@pytest.mark.exhaustive
def test_each_of_500_owners_sees_one_site(clocks: Clocks):
    caller = Caller(create_app(500, 1, real_time=clocks.real_time, ticks=clocks.monotonic).test_client(), clocks)
    application = Application(caller, "tesla")
    tokens = [application.tokens(number) for number in range(500)]
    assert application.counts() == {"allowed": 500, "codes": 500, "redeemed": 500}
    ids = site_ids(caller)
    for number in (0, 123, 499):
        assert listed(application, tokens[number]["access_token"]) == [ids[number]]


@pytest.mark.parametrize("missing", ["scope", "state", "response_type"])
def test_a_parameter_that_tesla_requires_must_be_there(application: Application, missing: str):
    assert members(application.show(**{missing: ""}))["error"] == "invalid_request"


def test_a_scope_that_tesla_does_not_know_is_reported(application: Application):
    assert members(application.show(scope="openid everything"))["error"] == "invalid_scope"


def test_a_token_has_the_scopes_that_were_asked_for_and_a_refresh_token_only_with_offline_access(
    application: Application,
):
    asked = "openid energy_device_data"
    issued = application.tokens(scope=asked)
    assert claims(f"Bearer {issued['access_token']}")["scp"] == asked.split()
    assert "refresh_token" not in issued


def test_an_owner_may_keep_the_energy_data_back(application: Application):
    access = application.tokens("without-scope@example.com")["access_token"]
    answer = application.get(PRODUCTS, access)
    assert (answer.status_code, answer.json["error"]) == (403, "Unauthorized missing scopes")
    assert "energy_device_data" not in claims(f"Bearer {access}")["scp"]


def test_a_token_names_its_owner(application: Application):
    subjects = [claims(f"Bearer {application.tokens(number)['access_token']}")["sub"] for number in (0, 0, 1)]
    assert subjects[0] == subjects[1] != subjects[2]


@pytest.mark.parametrize(
    ("sent", "verifier", "is_taken"),
    [
        (challenge(VERIFIER), VERIFIER, True),
        (challenge(VERIFIER), "w" * 43, False),
        (challenge(VERIFIER), "", False),
        ("", "", True),
        ("", VERIFIER, False),
    ],
)
def test_a_proof_key_is_checked(application: Application, sent: str, verifier: str, is_taken: bool):
    code = application.callback(code_challenge=sent, code_challenge_method="S256" if sent else "")["code"]
    assert (application.redeem(code, code_verifier=verifier).status_code == 200) is is_taken


@pytest.mark.parametrize(
    ("sent", "method"), [(challenge(VERIFIER), "plain"), (challenge(VERIFIER), ""), ("short", "S256")]
)
def test_a_proof_key_of_another_method_or_length_is_refused(application: Application, sent: str, method: str):
    callback = members(application.show(code_challenge=sent, code_challenge_method=method))
    assert callback["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"audience": ""}, "invalid_request"),
        ({"client_secret": "wrong"}, "unauthorized_client"),
        ({"client_id": "wrong"}, "unauthorized_client"),
        ({"code": "wrong"}, "invalid_auth_code"),
        ({"redirect_uri": BACK + "x"}, "invalid_redirect_url"),
    ],
)
def test_the_exchange_of_a_code_is_refused_with_the_error_of_its_cause(
    application: Application, changes: dict, error: str
):
    answer = application.redeem(**{"code": application.callback()["code"], **changes})
    assert (answer.status_code, answer.json["error"]) == (400, error)


def test_the_owner_lives_in_one_region_and_every_region_names_it(application: Application, caller: Caller):
    caller.http.put("/options/tesla", json={"region": "eu"})
    access = application.tokens()["access_token"]
    assert [application.get(PRODUCTS, access, prefix).status_code for prefix in ("", "/eu", "/cn")] == [421, 200, 421]
    assert response(application.get(REGION, access))["fleet_api_base_url"] == "http://localhost/tesla/eu"
    assert claims(f"Bearer {access}")["ou_code"] == "EU"
    european = application.tokens("european@example.com")["access_token"]
    caller.http.put("/options/tesla", json={})
    assert application.get(PRODUCTS, european, "/eu").status_code == 200


def test_a_refresh_token_whose_answer_was_lost_is_taken_again_for_a_day_unless_its_successor_was_used(
    application: Application, caller: Caller
):
    first = application.tokens()["refresh_token"]
    lost_answer = application.refresh(first).json
    caller.clocks.wait(DAY)
    second = application.refresh(first)
    assert second.status_code == 200
    assert application.refresh(lost_answer["refresh_token"]).status_code == 401, "only the newest answer counts"
    third = application.refresh(second.json["refresh_token"])
    assert third.status_code == 200
    assert application.refresh(first).status_code == 401
    caller.clocks.wait(1)
    assert application.refresh(third.json["refresh_token"]).status_code == 200


def test_a_refresh_token_that_was_used_more_than_a_day_ago_is_not_taken_again(application: Application, caller: Caller):
    first = application.tokens()["refresh_token"]
    application.refresh(first)
    caller.clocks.wait(DAY + 1)
    assert application.refresh(first).status_code == 401


def test_access_ends_three_months_after_the_last_refresh_by_the_clock_of_the_data(
    application: Application, caller: Caller
):
    refresh = application.tokens()["refresh_token"]
    caller.set_clock(datetime.fromtimestamp(caller.clocks.now + 90 * DAY - 1, UTC).isoformat())
    renewed = application.refresh(refresh)
    assert renewed.status_code == 200
    caller.set_clock(datetime.fromtimestamp(caller.clocks.now + 180 * DAY - 1, UTC).isoformat())
    answer = application.refresh(renewed.json["refresh_token"])
    assert (answer.status_code, answer.json["error"]) == (401, "login_required")


def test_access_tokens_have_the_lifetime_that_the_test_sets_and_can_be_ended(application: Application, caller: Caller):
    caller.http.put("/tokens/tesla", json={"seconds": 40})
    issued = application.tokens()
    assert issued["expires_in"] == 40
    assert caller.http.delete("/tokens/tesla").status_code == 204
    assert not application.works(issued["access_token"])
    assert application.refresh(issued["refresh_token"]).status_code == 200


def test_an_application_registers_in_each_region_with_its_own_token(application: Application, caller: Caller):
    caller.http.put("/options/tesla", json={"demand_registration": True, "region": "eu"})
    partner, owner = partner_token(application), application.tokens()["access_token"]
    assert application.get(PRODUCTS, owner, "/eu").status_code == 412
    body = {"domain": "solar.example"}
    for prefix in ("", "/eu"):
        url = f"/tesla{prefix}{REGISTRATION}"
        headers = {"Authorization": f"Bearer {partner}"}
        assert application.get(f"{REGISTRATION}/public_key?domain=solar.example", partner, prefix).status_code == 404
        assert response(caller.http.post(url, headers=headers, json=body))["domain"] == "solar.example"
        assert application.get(f"{REGISTRATION}/public_key?domain=solar.example", partner, prefix).status_code == 200
    assert application.get(PRODUCTS, owner, "/eu").status_code == 200


@pytest.mark.parametrize(
    ("token", "body", "status"),
    [
        ("partner", {"domain": "https://solar.example"}, 400),
        ("partner", {"domain": ""}, 400),
        ("partner", {}, 400),
        ("partner", None, 400),
        ("owner", {"domain": "solar.example"}, 401),
        ("", {"domain": "solar.example"}, 401),
    ],
)
def test_a_registration_without_a_domain_or_the_applications_token_is_refused(
    application: Application, caller: Caller, token: str, body: dict | None, status: int
):
    tokens = {"partner": partner_token(application), "owner": application.tokens()["access_token"], "": "wrong"}
    headers = {"Authorization": f"Bearer {tokens[token]}"}
    assert caller.http.post(f"/tesla{REGISTRATION}", headers=headers, json=body).status_code == status


def test_the_applications_own_token_opens_no_account(application: Application):
    assert application.get(PRODUCTS, partner_token(application)).status_code == 401
