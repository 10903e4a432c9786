"""The token endpoint against RFC 6749, case by case."""

import base64
import hmac
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

import jwt
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.auth import scopes
from app.auth.clients import ApiClient, Clients
from app.storage.database import Database

pytestmark = pytest.mark.databases

GRANT = {"grant_type": "client_credentials"}
NewClient = Callable[..., tuple[str, str]]


def basic(text: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


def post_token(http: FlaskClient, data: Any = GRANT, **options: Any) -> TestResponse:
    return http.post("/oauth2/token", data=data, **options)


def error(answer: TestResponse) -> tuple[int, str]:
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.mimetype == "application/json"
    assert answer.json is not None
    assert set(answer.json) == {"error", "error_description"}
    return answer.status_code, answer.json["error"]


def accept_all(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Makes the service accept every client; returns the list to which it adds each client's id and secret."""
    seen: list[tuple[str, str]] = []

    def verified(self: Clients, client_id: str, secret: str) -> ApiClient:
        seen.append((client_id, secret))
        return ApiClient(client_id, "test", "production", "v1", scopes.DEFAULT)

    monkeypatch.setattr(Clients, "verified", verified)
    return seen


def test_basic_and_form_fields_both_give_a_token(http: FlaskClient, new_client: NewClient) -> None:
    client_id, secret = new_client()
    for answer in (
        post_token(http, headers=basic(f"{client_id}:{secret}")),
        post_token(http, {**GRANT, "client_id": client_id, "client_secret": secret}),
        post_token(http, {**GRANT, "client_id": client_id}, headers=basic(f"{client_id}:{secret}")),
    ):
        assert answer.status_code == 200
        assert answer.json is not None
        assert set(answer.json) == {"access_token", "token_type", "expires_in", "expires_at", "scope"}
        assert answer.json["token_type"] == "Bearer"
        assert answer.json["expires_in"] == 3600
        assert abs(answer.json["expires_at"] - time.time() - 3600) < 5
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Pragma"] == "no-cache"


def test_the_token_is_a_jwt_with_the_usual_claims(http: FlaskClient, new_client: NewClient) -> None:
    client_id, secret = new_client()
    tokens = [post_token(http, auth=(client_id, secret)).get_json()["access_token"] for _ in range(2)]
    claims = [jwt.decode(token, "s" * 32, algorithms=["HS256"], issuer="derapi-server") for token in tokens]
    assert claims[0]["sub"] == client_id
    assert claims[0]["exp"] - claims[0]["iat"] == 3600
    assert claims[0]["jti"] != claims[1]["jti"]


def test_basic_credentials_are_percent_decoded(
    http: FlaskClient, new_client: NewClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client_id, secret = new_client()
    encoded = "".join(f"%{ord(letter):02X}" for letter in secret)
    assert post_token(http, headers=basic(f"{client_id}:{encoded}")).status_code == 200
    # In these credentials "+" means a blank, and %2B means "+".
    seen = accept_all(monkeypatch)
    post_token(http, headers=basic(f"{quote_plus('ä b')}:{quote_plus('a+b:c %')}"))
    assert seen == [("ä b", "a+b:c %")]


def test_a_wrong_secret_and_an_unknown_client_get_the_same_answer(http: FlaskClient, new_client: NewClient) -> None:
    client_id, _ = new_client()
    wrong = post_token(http, headers=basic(f"{client_id}:wrong"))
    unknown = post_token(http, headers=basic(f"{'0' * 32}:wrong"))
    odd = post_token(http, {**GRANT, "client_id": "no\0body", "client_secret": "wrong"})
    assert wrong.data == unknown.data == odd.data
    for answer in (wrong, unknown, odd):
        assert error(answer) == (401, "invalid_client")
        assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")


def test_an_unknown_client_costs_the_same_look_up_and_hash(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    clients: Clients = app.extensions["services"].clients
    known, _ = clients.create("known", "production", "v1")
    work: list[str] = []
    look_up, compare = Database.get, hmac.compare_digest
    monkeypatch.setattr(Database, "get", lambda self, *arguments: work.append("row") or look_up(self, *arguments))
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: work.append(f"{len(a)}={len(b)}") or compare(a, b))
    for client_id in (known, "0" * 32, "strange"):
        assert clients.verified(client_id, "wrong") is None
    assert work == ["row", "64=64"] * 3


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({}, "no grant type"),
        ({"grant_type": ""}, "a parameter without a value counts as absent"),
        ({"grant_type": ["client_credentials", "client_credentials"]}, "repeated"),
        ({**GRANT, "client_id": ["a", "b"]}, "repeated credentials"),
        ({**GRANT, "unknown": ["a", "b"]}, "repeated, although not known"),
    ],
)
def test_missing_and_repeated_parameters_are_an_invalid_request(
    http: FlaskClient, new_client: NewClient, data: dict[str, Any], why: str
) -> None:
    assert error(post_token(http, data, auth=new_client())) == (400, "invalid_request"), why


def test_unknown_parameters_are_ignored(http: FlaskClient, new_client: NewClient) -> None:
    assert post_token(http, {**GRANT, "audience": "x", "scope": ""}, auth=new_client()).status_code == 200


def test_credentials_in_both_header_and_form_are_an_invalid_request(http: FlaskClient, new_client: NewClient) -> None:
    client_id, secret = new_client()
    both = {**GRANT, "client_id": client_id, "client_secret": secret}
    assert error(post_token(http, both, auth=(client_id, secret))) == (400, "invalid_request")
    different = {**GRANT, "client_id": "other"}
    assert error(post_token(http, different, auth=(client_id, secret))) == (400, "invalid_request")


@pytest.mark.parametrize(
    "header", ["Basic", "Basic ???", "Basic " + base64.b64encode(b"no colon").decode(), "Bearer x", "Basic /w=="]
)
def test_an_authorization_header_without_readable_basic_credentials_is_an_invalid_client(
    http: FlaskClient, header: str
) -> None:
    answer = post_token(http, headers={"Authorization": header})
    assert error(answer) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


def test_basic_credentials_may_lack_padding_have_extra_blanks_and_be_non_ascii(
    http: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = accept_all(monkeypatch)
    for secret in ("x", "xy", "xyz", "pässwörd", "秘密"):
        for text in (secret, quote_plus(secret)):
            padded = base64.b64encode(f"me:{text}".encode()).decode()
            unpadded = padded.rstrip("=")
            for value in (f"Basic {padded}", f"Basic {unpadded}", f"basic  {padded}", f"Basic   {unpadded} "):
                assert post_token(http, headers={"Authorization": value}).status_code == 200, value
        assert post_token(http, {**GRANT, "client_id": "me", "client_secret": secret}).status_code == 200
        assert set(seen) == {("me", secret)}
        seen.clear()


def test_no_authentication_at_all_is_an_invalid_client(http: FlaskClient) -> None:
    assert error(post_token(http)) == (401, "invalid_client")
    assert error(post_token(http, {**GRANT, "client_secret": "x"})) == (401, "invalid_client")


def test_other_grants_are_unsupported(http: FlaskClient, new_client: NewClient) -> None:
    answer = post_token(http, {"grant_type": "password"}, auth=new_client())
    assert error(answer) == (400, "unsupported_grant_type")


def test_a_token_has_all_of_its_clients_scopes_or_those_that_were_asked_for(
    http: FlaskClient, new_client: NewClient
) -> None:
    client = new_client()
    for asked, granted in (
        ({}, "read credentials"),
        ({"scope": "read"}, "read"),
        ({"scope": "credentials"}, "credentials"),
        ({"scope": "credentials read"}, "read credentials"),
        ({"scope": "read read"}, "read"),
    ):
        body = post_token(http, {**GRANT, **asked}, auth=client).get_json()
        claims = jwt.decode(body["access_token"], "s" * 32, algorithms=["HS256"])
        assert (body["scope"], claims["scope"]) == (granted, granted)


@pytest.mark.parametrize(
    "scope", ["all", "control", "read control", "read,credentials", "READ", " read", "read  credentials"]
)
def test_a_scope_that_is_unknown_malformed_or_not_of_the_client_is_invalid(
    http: FlaskClient, new_client: NewClient, scope: str
) -> None:
    answer = post_token(http, {**GRANT, "scope": scope}, auth=new_client())
    assert error(answer) == (400, "invalid_scope")
    assert "read credentials" in answer.get_json()["error_description"]


def test_parameters_in_the_url_or_as_json_are_an_invalid_request(http: FlaskClient, new_client: NewClient) -> None:
    client = new_client()
    in_url = http.post("/oauth2/token?grant_type=client_credentials", data=GRANT, auth=client)
    assert error(in_url) == (400, "invalid_request")
    assert error(http.post("/oauth2/token", json=GRANT, auth=client)) == (400, "invalid_request")
    assert error(http.post("/oauth2/token", auth=client)) == (400, "invalid_request")


def test_a_content_type_with_a_charset_is_accepted(http: FlaskClient, new_client: NewClient) -> None:
    kind = "application/x-www-form-urlencoded; charset=utf-8"
    answer = post_token(http, "grant_type=client_credentials", content_type=kind, auth=new_client())
    assert answer.status_code == 200


def test_a_body_of_more_than_16_kib_is_too_large(http: FlaskClient, new_client: NewClient) -> None:
    client = new_client()
    body = "grant_type=client_credentials&pad="
    kind = "application/x-www-form-urlencoded"
    fits = body + "x" * (16 * 1024 - len(body))
    assert post_token(http, fits, content_type=kind, auth=client).status_code == 200
    assert post_token(http, fits + "x", content_type=kind, auth=client).status_code == 413


def test_a_revoked_client_gets_no_token(app: Flask, http: FlaskClient, new_client: NewClient) -> None:
    client_id, secret = new_client()
    app.extensions["services"].clients.revoke(client_id)
    assert error(post_token(http, auth=(client_id, secret))) == (401, "invalid_client")
