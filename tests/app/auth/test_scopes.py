"""Scopes: what a token may do, for every route (promise 26), and what a change of its client's scopes does to it."""

import re
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.auth import scopes
from app.auth.bearer import OPEN_ENDPOINTS
from app.auth.clients import CACHE_SECONDS, Clients
from app.auth.scopes import Scope

# Every operation by the scopes of which a token needs any; written by hand, since the routes are compared with it.
OPERATIONS = {
    **{
        f"GET /{kind}{rest}": "read"
        for kind, rests in {
            "sites": ("", "/<id>", "/<id>/solar-intervals", "/<id>/battery-intervals"),
            "solar-inverters": ("", "/<id>", "/<id>/intervals"),
            "batteries": ("", "/<id>", "/<id>/intervals"),
        }.items()
        for rest in rests
    },
    **{
        f"{method} /virtual/{kind}{rest}": "read"
        for kind in ("sites", "solar-inverters", "batteries")
        for method, rest in (("GET", ""), ("POST", ""), ("GET", "/<id>"), ("DELETE", "/<id>"))
    },
    "PUT /sites/<id>/battery-control": "control",
    "GET /sites/<id>/battery-control": "read control",
    "GET /sites/<id>/battery-control/history": "read control",
    "GET /quota": "read",
    "GET /vendor-credentials": "read credentials",
    "GET /vendor-credentials/<id>": "read credentials",
    "GET /vendor-credentials?includeSecrets=true": "credentials",
    "GET /vendor-credentials/<id>?includeSecrets=true": "credentials",
    "POST /vendor-credentials": "credentials",
    "PATCH /vendor-credentials/<id>": "credentials",
    "DELETE /vendor-credentials/<id>": "credentials",
    "POST /vendor-credentials/<id>/check": "credentials",
    "GET /grants": "credentials",
    "GET /grants/<id>": "credentials",
    "DELETE /grants/<id>": "credentials",
    "POST /grants/<id>/consent-link": "credentials",
    "POST /join/session/start": "credentials",
    "GET /join/session/<sessionID>/vendors": "credentials",
    "GET /join/session/<sessionID>/fetch-token": "credentials",
    "POST /join/flows": "credentials",
    "GET /join/flows": "credentials",
    "GET /join/flows/<id>": "credentials",
    "DELETE /join/flows/<id>": "credentials",
}


def header(app: Flask, client_id: str, *granted: Scope) -> dict[str, str]:
    token, _ = app.extensions["services"].tokens.issue(client_id, granted)
    return {"Authorization": f"Bearer {token}"}


def is_refused(answer: Any) -> bool:
    """Whether the token lacks a scope; another refusal comes after that check."""
    assert answer.status_code < 500
    return answer.status_code == 403 and answer.get_json()["code"] == "insufficient_scope"


def test_every_route_that_needs_a_token_declares_its_scopes_and_is_in_the_table(app: Flask) -> None:
    declared = {
        f"{method} {rule.rule}": scopes.text(getattr(app.view_functions[rule.endpoint], scopes.NEEDED, ()))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint not in OPEN_ENDPOINTS
    }
    assert "" not in declared.values(), "a route lacks @needs(...)"
    assert declared == {name: needed for name, needed in OPERATIONS.items() if "?" not in name}


@pytest.mark.parametrize("scope", list(Scope))
def test_a_token_with_one_scope_opens_the_routes_of_this_scope_and_no_others(
    app: Flask, http: FlaskClient, new_client: Callable[..., tuple[str, str]], scope: Scope
) -> None:
    clients = {mode: new_client(mode)[0] for mode in ("production", "virtual")}
    for client in clients.values():
        app.extensions["services"].clients.set_scopes(client, set(Scope))
    headers = {mode: header(app, client, scope) for mode, client in clients.items()}
    opened = set()
    for name in OPERATIONS:
        method, path = name.replace("<id>", "site-0000000000000000").split()
        mode = "virtual" if path.startswith("/virtual/") else "production"
        answer = http.open(path, method=method, headers=headers[mode])
        if is_refused(answer):
            challenge = answer.headers["WWW-Authenticate"]
            needed = re.search(r'^Bearer realm="derapi", error="insufficient_scope", .*scope="(\w+)"$', challenge)
            assert needed is not None, challenge
            assert needed[1] in OPERATIONS[name.partition("?")[0]].split()
        else:
            opened.add(name)
    assert opened == {name for name, needed in OPERATIONS.items() if scope in needed.split()}


def test_a_route_without_a_declaration_is_no_open_door(
    app: Flask, http: FlaskClient, new_client: Callable[..., tuple[str, str]]
) -> None:
    app.add_url_rule("/undeclared", "undeclared", lambda: {"open": True})
    assert http.get("/undeclared", headers=header(app, new_client()[0], *Scope)).status_code == 500


def test_a_token_of_a_release_without_scopes_has_those_of_its_client(
    app: Flask, http: FlaskClient, new_client: Callable[..., tuple[str, str]]
) -> None:
    client_id, _ = new_client()
    now = int(time.time())
    claims = {"iss": "derapi-server", "sub": client_id, "iat": now, "exp": now + 3600, "jti": "1"}
    old = {"Authorization": f"Bearer {jwt.encode(claims, 's' * 32, algorithm='HS256')}"}
    for path in ("/sites", "/vendor-credentials?includeSecrets=true"):
        assert not is_refused(http.get(path, headers=old))


def test_tokens_lose_what_their_client_loses_and_gain_nothing(
    app: Flask, http: FlaskClient, new_client: Callable[..., tuple[str, str]], service_clock: Any
) -> None:
    client_id, _ = new_client()
    whole, narrow = header(app, client_id, *scopes.DEFAULT), header(app, client_id, Scope.READ)
    elsewhere = Clients(app.extensions["services"].database)  # as another process
    path = "/vendor-credentials?includeSecrets=true"
    assert not is_refused(http.get(path, headers=whole))
    assert is_refused(http.get(path, headers=narrow))
    assert elsewhere.set_scopes(client_id, {Scope.READ, Scope.CONTROL})
    service_clock.now += CACHE_SECONDS
    assert is_refused(http.get(path, headers=whole))
    assert not is_refused(http.get("/sites", headers=whole))
    elsewhere.set_scopes(client_id, {Scope.CREDENTIALS})
    service_clock.now += CACHE_SECONDS
    assert not is_refused(http.get(path, headers=whole))
    for _ in range(2):  # The token's cached content is narrowed as well.
        assert is_refused(http.get("/sites", headers=narrow))
        assert is_refused(http.get(path, headers=narrow))


def test_the_document_names_the_scopes_of_every_operation(http: FlaskClient) -> None:
    document = http.get("/openapi.json").get_json()
    (flow,) = document["components"]["securitySchemes"]["derapi"]["flows"].values()
    assert list(flow["scopes"]) == ["read", "credentials", "control"]
    assert all("." in meaning for meaning in flow["scopes"].values())
    for name, needed in OPERATIONS.items():
        method, path = name.replace("<", "{").replace(">", "}").split()
        if "?" not in path:
            security = document["paths"][path][method.lower()].get("security", document["security"])
            named = {scope for alternative in security for scope in alternative["derapi"]}
            assert named == set(needed.split()), name
