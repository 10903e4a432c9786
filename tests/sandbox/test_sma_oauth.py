"""SMA's tokens, and the consent of plant owners."""

from typing import Any

import pytest

from tests.sandbox.callers import Caller

CLIENT = ("sandbox-client", "sandbox-secret")
NEW_CLIENT = ("sandbox-new-client", "sandbox-new-secret")
OWNER = "apiTestUser@apiSandbox.com"


def token(caller: Caller, client: tuple[str, str] = CLIENT, **form: str) -> dict[str, Any]:
    form = {"grant_type": "client_credentials", "scope": "monitoringApi:read", **form}
    answer = caller.http.post("/sma/oauth2/token", auth=client, data=form)
    assert answer.status_code == 200, answer.text
    return answer.json  # type: ignore[return-value]


def bearer(access: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {access}"}


def test_a_token_lives_300_seconds(caller: Caller):
    issued = token(caller)
    assert (issued["expires_in"], issued["token_type"]) == (300, "Bearer")
    headers = bearer(issued["access_token"])
    caller.clocks.wait(299)
    assert caller.http.get("/sma/v1/plants", headers=headers).status_code == 200
    caller.clocks.wait(1)
    assert caller.http.get("/sma/v1/plants", headers=headers).status_code == 401


def test_a_client_may_authenticate_with_form_fields(caller: Caller):
    form = {"grant_type": "client_credentials", "client_id": CLIENT[0], "client_secret": CLIENT[1]}
    assert caller.http.post("/sma/oauth2/token", data=form).status_code == 200


def test_a_refresh_token_works_once(caller: Caller):
    refresh = token(caller)["refresh_token"]
    renewed = token(caller, grant_type="refresh_token", refresh_token=refresh)
    assert renewed["refresh_token"] != refresh
    form = {"grant_type": "refresh_token", "refresh_token": refresh}
    answer = caller.http.post("/sma/oauth2/token", auth=CLIENT, data=form)
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("client", "grant", "status", "error"),
    [
        (("sandbox-client", "wrong"), "client_credentials", 401, "invalid_client"),
        (("nobody", "sandbox-secret"), "client_credentials", 401, "invalid_client"),
        (CLIENT, "password", 400, "unsupported_grant_type"),
        (CLIENT, "", 400, "invalid_request"),
    ],
)
def test_refusals_of_the_token_endpoint_have_the_error_codes_of_rfc_6749(caller: Caller, client, grant, status, error):
    answer = caller.http.post("/sma/oauth2/token", auth=client, data={"grant_type": grant})
    assert (answer.status_code, answer.json["error"]) == (status, error)


def test_without_consent_the_list_of_plants_is_empty_and_a_single_plant_is_forbidden(caller: Caller):
    headers = bearer(token(caller, NEW_CLIENT)["access_token"])
    assert caller.http.get("/sma/v1/plants", headers=headers).json == {"plants": []}
    assert caller.http.get("/sma/v1/plants/11260000", headers=headers).status_code == 403


def test_consent_is_pending_until_the_owner_accepts_and_ends_when_the_owner_revokes_it(caller: Caller):
    headers = bearer(token(caller, NEW_CLIENT)["access_token"])
    path = "/sma/oauth2/v2/bc-authorize"
    requested = caller.http.post(path, headers=headers, json={"loginHint": OWNER})
    assert (requested.status_code, requested.json["state"], requested.json["interval"]) == (201, "Pending", 1800)
    assert caller.http.post(path, headers=headers, json={"loginHint": OWNER}).status_code == 409
    accepted = caller.http.put(f"{path}/{OWNER}/status", headers=headers, json="accepted")
    assert accepted.json["state"] == "Accepted"
    for state, plants in (("Accepted", 8), ("Revoked", 0)):
        assert caller.http.get(f"{path}/{OWNER}", headers=headers).json["state"] == state
        assert len(caller.http.get("/sma/v1/plants", headers=headers).json["plants"]) == plants
        caller.http.put("/consents/sma", json={"owner": OWNER, "state": "revoked"})


@pytest.mark.parametrize("body", ["rejected", {"state": "Rejected"}])
def test_a_rejected_request_for_consent_cannot_be_accepted_later(caller: Caller, body):
    headers = bearer(token(caller, NEW_CLIENT)["access_token"])
    path = f"/sma/oauth2/v2/bc-authorize/{OWNER}"
    caller.http.post("/sma/oauth2/v2/bc-authorize", headers=headers, json={"loginHint": OWNER})
    assert caller.http.put(f"{path}/status", headers=headers, json=body).json["state"] == "Rejected"
    accepted = caller.http.put(f"{path}/status", headers=headers, json="accepted")
    assert (accepted.status_code, accepted.json["code"]) == (404, "NotFound")
    assert caller.http.get(path, headers=headers).json["state"] == "Rejected"


def test_a_request_for_consent_expires(caller: Caller):
    path = "/sma/oauth2/v2/bc-authorize"
    headers = bearer(token(caller, NEW_CLIENT)["access_token"])
    caller.http.post(path, headers=headers, json={"loginHint": OWNER})
    caller.clocks.wait(7 * 86400)
    # The first token has expired as well.
    headers = bearer(token(caller, NEW_CLIENT)["access_token"])
    assert caller.http.get(f"{path}/{OWNER}", headers=headers).json["state"] == "Expired"


def test_accepting_without_a_request_for_consent_is_refused(caller: Caller):
    headers = bearer(token(caller)["access_token"])
    answer = caller.http.put(f"/sma/oauth2/v2/bc-authorize/{OWNER}/status", headers=headers, json="accepted")
    assert answer.status_code == 404
