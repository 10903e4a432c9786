"""The bearer check before every request."""

import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app.api.join_cors import ENDPOINTS
from app.auth.bearer import OPEN_ENDPOINTS, PAGES
from app.auth.clients import Clients
from app.auth.scopes import Scope, needs

CLOSED = "/closed"


@pytest.fixture
def app(app: Flask) -> Flask:
    app.add_url_rule(CLOSED, "closed", needs(Scope.READ)(lambda: {"ok": True}))
    return app


def claims(client_id: str, **other: Any) -> dict[str, Any]:
    now = int(time.time())
    usual = {"iss": "derapi-server", "sub": client_id, "iat": now, "exp": now + 3600, "jti": "1"}
    return {name: value for name, value in {**usual, **other}.items() if value is not None}


def signed(payload: dict[str, Any], key: str | None = "s" * 32, algorithm: str = "HS256") -> str:
    return jwt.encode(payload, key, algorithm=algorithm)


def test_only_the_short_list_of_routes_is_open(app: Flask, http: FlaskClient) -> None:
    open_endpoints = set()
    for rule in app.url_map.iter_rules():
        built = rule.build(dict.fromkeys(rule.arguments, "solr-0000000000000000"))
        assert built is not None
        # Browsers ask without a token whether a page may send one (app/api/join_cors.py).
        preflight = {"OPTIONS"} if rule.endpoint in ENDPOINTS else set()
        for method in (rule.methods or set()) - preflight:
            with http.open(built[1], method=method) as answer:
                if answer.status_code != 401 or "Bearer" not in answer.headers["WWW-Authenticate"]:
                    open_endpoints.add(rule.endpoint)
    assert open_endpoints == PAGES | {
        "Health.show",
        "Health.ready",
        "Metrics.show",  # To this machine, while there is no METRICS_TOKEN.
        "Token.issue",
        "JoinConsent.authorize",
        "JoinConsent.granted",
        "openapi_json",
    }
    # The route of the demo's link exists in the demo only.
    assert open_endpoints == OPEN_ENDPOINTS - {"DemoSignIn.redeem"}


def test_a_token_opens_a_closed_route(http: FlaskClient, bearer: dict[str, str]) -> None:
    assert http.get(CLOSED, headers=bearer).status_code == 200
    lower = {"authorization": bearer["Authorization"].replace("Bearer", "bearer")}
    assert http.get(CLOSED, headers=lower).status_code == 200


@pytest.mark.parametrize("header", [None, "", "Basic dTpw", "sesame"])
def test_without_a_bearer_token_the_challenge_names_no_error(http: FlaskClient, header: str | None) -> None:
    answer = http.get(CLOSED, headers={} if header is None else {"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="derapi"'
    assert answer.get_json()["code"] == "missing_token"


@pytest.mark.filterwarnings("ignore::jwt.InsecureKeyLengthWarning")
def test_a_bad_token_is_challenged_as_invalid(http: FlaskClient, new_client: Callable[..., Any]) -> None:
    client_id, _ = new_client()
    good = signed(claims(client_id))
    head, body, mark = good.split(".")
    bad = {
        "empty": "",
        "malformed": "x.y",
        "two in one header": f"{good}, Bearer {good}",
        "tampered body": ".".join([head, body[:-2] + ("AA" if body[-2:] != "AA" else "BB"), mark]),
        "tampered signature": ".".join([head, body, mark[:-4] + ("AAAA" if mark[-4:] != "AAAA" else "BBBB")]),
        "no signature": f"{head}.{body}.",
        "expired": signed(claims(client_id, exp=int(time.time()) - 6)),
        "issued in the future": signed(claims(client_id, iat=int(time.time()) + 60)),
        "not yet valid": signed(claims(client_id, nbf=int(time.time()) + 60)),
        "another issuer": signed(claims(client_id, iss="other")),
        "another key": signed(claims(client_id), "t" * 32),
        "another algorithm": signed(claims(client_id), "s" * 64, "HS512"),
        "the right key, another algorithm": signed(claims(client_id), "s" * 32, "HS384"),
        "algorithm none": signed(claims(client_id), None, "none"),
        "unknown client": signed(claims("0" * 32)),
        "not a text as client": signed(claims(client_id) | {"sub": 5}),
        **{f"no {name}": signed(claims(client_id, **{name: None})) for name in claims(client_id)},
    }
    for why, token in bad.items():
        answer = http.get(CLOSED, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401, why
        assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="derapi", error="invalid_token"'), why
        assert answer.get_json()["code"] == "invalid_token", why
    assert http.get(CLOSED, headers={"Authorization": f"Bearer {good}"}).status_code == 200


def test_a_token_ends_after_an_hour_and_the_leeway(http: FlaskClient, new_client: Callable[..., Any]) -> None:
    start = 1_800_000_000
    with time_machine.travel(start, tick=False) as clock:
        answer = http.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=new_client())
        header = {"Authorization": f"Bearer {answer.get_json()['access_token']}"}
        assert answer.get_json()["expires_at"] == start + 3600
        for seconds, status in ((3599, 200), (3604, 200), (3605, 401)):
            clock.move_to(start + seconds)
            assert http.get(CLOSED, headers=header).status_code == status, seconds


@pytest.mark.parametrize("claim", ["iat", "nbf", "exp"])
def test_the_clocks_of_two_hosts_may_differ_by_five_seconds(
    http: FlaskClient, new_client: Callable[..., Any], claim: str
) -> None:
    client_id, _ = new_client()
    now = 1_800_000_000
    with time_machine.travel(now, tick=False):
        for seconds, status in ((4, 200), (6, 401)):
            moment = now - seconds if claim == "exp" else now + seconds
            token = signed(claims(client_id, **{claim: moment}))
            for _ in range(2):
                answer = http.get(CLOSED, headers={"Authorization": f"Bearer {token}"})
                assert answer.status_code == status, seconds


def test_the_token_of_a_revoked_client_stops_within_five_seconds(
    app: Flask, http: FlaskClient, new_client: Callable[..., Any], service_clock: Any
) -> None:
    client_id, _ = new_client()
    header = {"Authorization": f"Bearer {signed(claims(client_id))}"}
    assert http.get(CLOSED, headers=header).status_code == 200
    Clients(app.extensions["services"].database).revoke(client_id)  # as another process does
    service_clock.now += 3.9
    assert http.get(CLOSED, headers=header).status_code == 200, "clients are cached for some seconds"
    service_clock.now += 1.0
    assert http.get(CLOSED, headers=header).status_code == 401


def test_paths_and_methods_that_do_not_exist_need_no_token(http: FlaskClient) -> None:
    assert http.get("/nowhere").status_code == 404
    assert http.get("/oauth2/token").status_code == 405
    assert http.delete(CLOSED).status_code == 405


def test_a_database_that_fails_is_not_a_refusal(app: Flask, http: FlaskClient, bearer: dict[str, str]) -> None:
    with app.extensions["services"].database.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE clients")
    answer = http.get(CLOSED, headers=bearer)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert answer.get_json()["code"] == "database_unavailable"
