"""Tesla's tokens, accounts and regions."""

import pytest

from tests.sandbox.callers import Caller
from tests.sandbox.tesla import ask, claims, refresh, response, site_ids, tesla

PRODUCTS = "/api/1/products"
REGION = "/api/1/users/region"


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic wrong"}])
def test_without_a_good_token_the_answer_is_401_in_the_envelope(caller: Caller, headers: dict[str, str]):
    answer = caller.http.get(f"/tesla{PRODUCTS}", headers=headers)
    assert answer.status_code == 401
    assert answer.json == {"response": None, "error": "invalid bearer token", "error_description": ""}
    assert len(answer.headers["x-txid"]) == 32


def test_a_token_lives_eight_hours_and_its_expiry_has_its_own_error(caller: Caller):
    caller.clocks.wait(28_799)
    assert caller.get("tesla", PRODUCTS).status_code == 200
    caller.clocks.wait(1)
    answer = caller.get("tesla", PRODUCTS)
    assert (answer.status_code, answer.json["error"]) == (401, "token expired (401)")


def test_a_401_can_come_with_an_empty_body(caller: Caller):
    caller.http.put("/options/tesla", json={"empty_401": True})
    answer = caller.http.get(f"/tesla{PRODUCTS}")
    assert (answer.status_code, answer.data) == (401, b"")


def test_the_scheme_of_a_token_is_read_in_any_case(caller: Caller):
    headers = {"Authorization": caller.header("tesla").replace("Bearer", "bEARER")}
    assert caller.http.get(f"/tesla{PRODUCTS}", headers=headers).status_code == 200


def test_a_jwt_holds_scopes_and_region(caller: Caller):
    accounts = tesla(caller)["accounts"]
    told = {name: claims(one["headers"]["X-Authorization-tesla"]) for name, one in accounts.items()}
    assert {name: one["ou_code"] for name, one in told.items()} == {
        "jwt": "NA", "european": "EU", "without_scope": "NA", "without_products": "NA",
    }  # fmt: skip
    assert {name for name, one in told.items() if "energy_device_data" not in one["scp"]} == {"without_scope"}
    assert told["jwt"]["exp"] == caller.clocks.now + 28_800
    assert response(ask(caller, PRODUCTS)) == response(caller.get("tesla", PRODUCTS))


def test_a_token_without_the_scope_of_energy_is_forbidden(caller: Caller):
    paths = (PRODUCTS, f"/api/1/energy_sites/{site_ids(caller)[0]}/site_info")
    answers = [ask(caller, path, "without_scope") for path in paths]
    assert [(answer.status_code, answer.json["error"]) for answer in answers] == [
        (403, "Unauthorized missing scopes")
    ] * 2
    assert ask(caller, REGION, "without_scope").status_code == 200


def test_a_refresh_token_works_once_and_brings_the_next(caller: Caller):
    assert caller.http.put("/options/tesla", json={"single_use": True}).status_code == 200
    token = tesla(caller)["token"]
    form = {"client_id": token["client_id"], "refresh_token": token["refresh_token"]}
    issued = refresh(caller, **form)
    assert (issued.status_code, issued.json["expires_in"], issued.json["token_type"]) == (200, 28_800, "Bearer")
    headers = {"Authorization": f"Bearer {issued.json['access_token']}"}
    assert caller.http.get(f"/tesla{PRODUCTS}", headers=headers).status_code == 200
    used = refresh(caller, **form)
    assert (used.status_code, used.json["error"]) == (401, "login_required")
    assert refresh(caller, **{**form, "refresh_token": issued.json["refresh_token"]}).status_code == 200


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"grant_type": ""}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"client_id": "nobody"}, 400, "unauthorized_client"),
        ({"refresh_token": "unknown"}, 401, "login_required"),
        ({"refresh_token": ""}, 401, "login_required"),
    ],
)
def test_the_token_endpoint_refuses_with_the_error_of_its_cause(caller: Caller, form: dict, status: int, error: str):
    good = {name: tesla(caller)["token"][name] for name in ("client_id", "refresh_token")}
    answer = refresh(caller, **{**good, **form})
    assert (answer.status_code, answer.json["error"]) == (status, error)


def test_a_refresh_token_lives_three_months(caller: Caller):
    token = tesla(caller)["token"]
    caller.clocks.wait(90 * 86_400)
    answer = refresh(caller, client_id=token["client_id"], refresh_token=token["refresh_token"])
    assert (answer.status_code, answer.json["error"]) == (401, "login_required")


@pytest.mark.parametrize(("region", "home", "other"), [("na", "", "/eu"), ("eu", "/eu", ""), ("cn", "/cn", "/eu")])
def test_the_other_region_answers_421_and_every_region_says_where_the_account_lives(
    caller: Caller, region: str, home: str, other: str
):
    assert caller.http.put("/options/tesla", json={"region": region}).status_code == 200
    site = f"/api/1/energy_sites/{site_ids(caller)[0]}/site_info"
    assert [caller.get("tesla", home + path).status_code for path in (PRODUCTS, site)] == [200, 200]
    refused = [caller.get("tesla", other + path) for path in (PRODUCTS, site)]
    assert [one.status_code for one in refused] == [421, 421]
    assert "http" not in refused[0].text
    for prefix in ("", "/eu", "/cn"):
        told = response(caller.get("tesla", prefix + REGION))
        assert told == {"region": region, "fleet_api_base_url": tesla(caller)["regions"][region]}
    assert told["fleet_api_base_url"] == f"http://localhost/tesla{home}"


def test_the_european_account_stays_in_europe(caller: Caller):
    assert [ask(caller, prefix + PRODUCTS, "european").status_code for prefix in ("", "/eu", "/cn")] == [421, 200, 421]
    assert caller.http.get("/calls/tesla").json == {PRODUCTS: 1, f"/cn{PRODUCTS}": 1, f"/eu{PRODUCTS}": 1}


def test_an_unknown_region_is_refused_and_leaves_the_options_as_they_are(caller: Caller):
    caller.http.put("/options/tesla", json={"region": "eu"})
    answer = caller.http.put("/options/tesla", json={"region": "moon"})
    assert (answer.status_code, answer.json["field"]) == (400, "region")
    assert caller.get("tesla", f"/eu{PRODUCTS}").status_code == 200
    caller.http.put("/options/tesla", json={})
    assert caller.get("tesla", PRODUCTS).status_code == 200


def test_an_account_without_products_has_an_empty_list_and_no_site(caller: Caller):
    assert ask(caller, PRODUCTS, "without_products").json == {"response": [], "count": 0}
    path = f"/api/1/energy_sites/{site_ids(caller)[0]}/site_info"
    assert ask(caller, path, "without_products").status_code == 404
