"""Failed logins are in the log: which client, from where and why, without any secret."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import bounded_log
from app.auth import scopes
from app.auth.tokens import Tokens
from app.config import Settings

LOG_LEVEL = "WARNING"
GRANT = {"grant_type": "client_credentials"}
UNKNOWN = "0" * 32
Lines = Callable[[], list[dict[str, Any]]]
NewClient = Callable[..., tuple[str, str]]


def the_line(lines: Lines, event: str = "login failed") -> dict[str, Any]:
    (line,) = lines()
    assert (line["event"], line["level"], line["address"]) == (event, "warning", "127.0.0.1")
    return line


def test_a_wrong_secret_an_unknown_and_a_revoked_client_are_logged_with_id_and_address(
    app: Flask, http: FlaskClient, new_client: NewClient, lines: Lines
) -> None:
    known, revoked = new_client(), new_client()
    app.extensions["services"].clients.revoke(revoked[0])
    for auth in ((known[0], "a-wrong-secret"), (UNKNOWN, "a-wrong-secret"), revoked):
        answer = http.post("/oauth2/token", data=GRANT, auth=auth)
        line = the_line(lines)
        assert (answer.status_code, line["client"], line["error"]) == (401, auth[0], "invalid_client")
        assert line["request_id"] == answer.headers["X-Request-ID"]
        assert auth[1] not in json.dumps(line)


@pytest.mark.parametrize("grant", [{"grant_type": "password"}, {**GRANT, "scope": "all"}, {"x": "y"}])
@pytest.mark.parametrize("in_form", [True, False])
def test_a_request_for_another_grant_is_logged_with_the_client_as_refused_and_not_as_a_failed_login(
    http: FlaskClient, new_client: NewClient, lines: Lines, grant: dict[str, str], in_form: bool
) -> None:
    client_id, secret = new_client()
    form = {"client_id": client_id, "client_secret": secret}
    answer = http.post("/oauth2/token", data=grant | form) if in_form else http.post(
        "/oauth2/token", data=grant, auth=(client_id, secret)
    )  # fmt: skip
    line = the_line(lines, "token refused")
    assert (line["client"], line["error"]) == (client_id, answer.get_json()["error"])
    assert secret not in json.dumps(line)


def test_a_login_that_names_no_client_is_logged_without_an_id(http: FlaskClient, lines: Lines) -> None:
    http.post("/oauth2/token", data=GRANT)
    assert the_line(lines)["client"] is None
    http.post("/oauth2/token", data=GRANT, headers={"Authorization": "Basic ???"})
    assert the_line(lines)["client"] is None


def test_a_refused_access_token_is_logged_with_the_client_if_the_token_is_ours(
    app: Flask, http: FlaskClient, new_client: NewClient, lines: Lines
) -> None:
    client_id, _ = new_client()
    token, _ = app.extensions["services"].tokens.issue(client_id, scopes.DEFAULT)
    app.extensions["services"].clients.revoke(client_id)
    foreign, _ = Tokens(["x" * 32]).issue(client_id, scopes.DEFAULT)
    for sent, named in ((token, client_id), (foreign, None), ("sesame-sesame", None)):
        http.get("/solar-inverters", headers={"Authorization": f"Bearer {sent}"})
        line = the_line(lines)
        assert (line["client"], line["error"]) == (named, "invalid_token")
        assert sent not in json.dumps(line)


def test_a_login_that_succeeds_and_a_request_without_a_token_are_no_failed_logins(
    http: FlaskClient, new_client: NewClient, lines: Lines
) -> None:
    assert http.post("/oauth2/token", data=GRANT, auth=new_client()).status_code == 200
    assert http.get("/solar-inverters").status_code == 401
    assert lines() == []


def test_the_address_is_the_callers_only_where_a_proxy_is_trusted(
    settings: Settings, start_service: Callable[[Settings], Flask], lines: Lines
) -> None:
    for proxies, address in ((0, "127.0.0.1"), (1, "203.0.113.9"), (2, "203.0.113.8")):
        app = start_service(replace(settings, trusted_proxies=proxies, log_level="WARNING"))
        forwarded = {"X-Forwarded-For": "203.0.113.8, 203.0.113.9"}
        app.test_client().post("/oauth2/token", data=GRANT, auth=(UNKNOWN, "wrong-secret"), headers=forwarded)
        (line,) = lines()
        assert line["address"] == address


def test_a_client_id_of_any_form_is_one_short_field(http: FlaskClient, lines: Lines) -> None:
    http.post("/oauth2/token", data={**GRANT, "client_id": "a\r\n\u202eb" + "x " * 250, "client_secret": "secret"})
    client = the_line(lines)["client"]
    assert client.startswith("a???bx")
    assert len(client) == bounded_log.MAX_TEXT


def test_a_secret_sent_in_place_of_the_id_is_not_written(
    http: FlaskClient, new_client: NewClient, lines: Lines
) -> None:
    client_id, secret = new_client()
    http.post("/oauth2/token", data=GRANT, auth=(secret, client_id))
    assert secret not in json.dumps(the_line(lines))
    pair = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    http.post("/oauth2/token", data={**GRANT, "client_id": f"Basic {pair}", "client_secret": "x"})
    http.post("/oauth2/token", data={**GRANT, "client_id": f"{client_id}:{secret}", "client_secret": "x"})
    written = json.dumps(lines())
    assert secret not in written
    assert pair[:60] not in written


@pytest.mark.parametrize(("grant", "event"), [(GRANT, "login failed"), ({}, "token refused")])
def test_a_flood_of_failed_logins_and_one_of_refusals_are_bounded_and_counted(
    http: FlaskClient, service_clock: Any, lines: Lines, grant: dict[str, str], event: str
) -> None:
    flood = bounded_log.PER_MINUTE + 5
    for _ in range(flood):
        http.post("/oauth2/token", data=grant, auth=(UNKNOWN, "wrong-secret"))
    assert len(lines()) == bounded_log.PER_MINUTE
    service_clock.now += 60
    http.get("/health")
    (line,) = lines()
    assert (line["event"], line["left_out"]) == (event, 5)
    assert "request_id" not in line
