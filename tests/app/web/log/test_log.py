"""The log: JSON lines, the request's id in each, and no secret in any."""

import contextvars
import json
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient
from responses import RequestsMock

from app.auth import scopes
from app.auth.scopes import Scope, needs
from app.web import log
from vendors.kit.deadline import Deadline

Lines = Callable[[], list[dict[str, Any]]]


def test_a_request_is_one_line_with_its_id_and_without_its_query(
    http: FlaskClient, bearer: dict[str, str], lines: Lines
) -> None:
    lines()
    http.get("/nowhere?key=sesame", headers={**bearer, "X-Request-ID": "abc"})
    (line,) = lines()
    assert line.pop("milliseconds") >= 0
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "request",
        "level": "info",
        "logger": "app.request",
        "request_id": "abc",
        "method": "GET",
        "path": "/nowhere",
        "status": 404,
        "client": None,
    }


def test_a_long_path_is_cut_after_its_secrets_are_hidden(http: FlaskClient, lines: Lines) -> None:
    lines()
    http.get("/" + "x" * 190 + "made-up-token-1" + "y" * 8_000, headers={"Authorization": "Bearer made-up-token-1"})
    path = next(line["path"] for line in lines() if line["event"] == "request")
    assert path == "/" + "x" * 190 + "[hidden]…"


def test_lines_of_the_standard_library_have_the_same_form(app: Flask, lines: Lines) -> None:
    @app.get("/health2")
    def view() -> str:
        logging.getLogger("some.library").warning("took %d s", 3)
        return ""

    app.before_request_funcs[None] = [f for f in app.before_request_funcs[None] if f.__name__ != "require_token"]
    app.test_client().get("/health2", headers={"X-Request-ID": "abc"})
    first = lines()[0]
    assert (first["event"], first["level"], first["logger"]) == ("took 3 s", "warning", "some.library")
    assert first["request_id"] == "abc"


def test_extra_fields_of_the_standard_library_are_written_and_hidden_by_their_names(lines: Lines) -> None:
    logging.getLogger("x").warning("vendor call failed", extra={"vendor": "solis", "status": 500, "api_key": "abc"})
    (line,) = lines()
    assert (line["event"], line["vendor"], line["status"], line["api_key"]) == (
        "vendor call failed", "solis", 500, "[hidden]",
    )  # fmt: skip


def test_a_requests_line_names_the_vendors_that_failed_or_could_not_be_asked(
    http: FlaskClient, bearer: dict[str, str], lines: Lines, network: RequestsMock
) -> None:
    network.get("https://monitoring.smaapis.de/v1/plants", status=500)
    network.get("https://sandbox.smaapis.de/monitoring/v1/plants", json={"plants": []})
    vendors = {"X-Authorization-sma": "Bearer made-up-1", "X-Authorization-smasbox": "Bearer made-up-2"}
    http.get("/sites", headers=bearer | vendors | {"X-Authorization-nobody": "x"})
    written = lines()
    request = [line for line in written if line["event"] == "request"][-1]
    assert (request["status"], request["failed"]) == (200, {"sma": "backend_error", "nobody": "unknown_vendor"})
    calls = [line for line in written if line["event"] == "vendor call failed"]
    assert {line["request_id"] for line in calls} == {request["request_id"]}
    assert [(line["vendor"], line["path"], line["status"], line["attempt"]) for line in calls] == [
        ("sma", "/v1/plants", 500, 1),
        ("sma", "/v1/plants", 500, 2),
    ]
    http.get("/sites", headers=bearer | {"X-Authorization-smasbox": "Bearer made-up-2"})
    assert "failed" not in lines()[-1]


def test_fields_are_hidden_by_their_names(lines: Lines) -> None:
    structlog.stdlib.get_logger("x").info(
        "call",
        authorization="Bearer abc",
        client_secret="abc",
        apiKey="abc",
        nested={"X-Authorization-solis": "abc", "items": [{"password": "abc", "vendor": "solis"}]},
        vendor="solis",
    )
    (line,) = lines()
    assert "abc" not in json.dumps(line)
    assert line["nested"]["items"][0]["vendor"] == line["vendor"] == "solis"


@pytest.mark.parametrize(
    ("text", "secret", "remaining"),
    [
        ("sent Authorization: Bearer abc.def-123", "abc.def-123", "sent Authorization: Bearer "),
        ("header basic dXNlcjpwYXNz failed", "dXNlcjpwYXNz", " failed"),
        ("token eyJhbGciOi.eyJzdWIi.c2ln ended", "eyJzdWIi", " ended"),
        ("https://me:pa55@proxy.example/x", "pa55", "@proxy.example/x"),
    ],
)
def test_text_that_looks_like_a_credential_is_hidden(lines: Lines, text: str, secret: str, remaining: str) -> None:
    structlog.stdlib.get_logger("x").info(text)
    logging.getLogger("y").warning("%s", text)
    for line in lines():
        assert secret not in line["event"]
        assert remaining in line["event"]


def test_ordinary_text_stays_as_it_is(lines: Lines) -> None:
    text = "Bearer token missing; basic auth at https://a.example/b@c, 3 of 5 sites"
    structlog.stdlib.get_logger("x").info(text, number=1.5, nothing=None, yes=True, many=(1, "two"))
    (line,) = lines()
    assert line["event"] == text
    assert [line[name] for name in ("number", "nothing", "yes", "many")] == [1.5, None, True, [1, "two"]]


def test_values_that_json_cannot_hold_are_written_as_text(lines: Lines) -> None:
    structlog.stdlib.get_logger("x").info("half \ud800", number=2**70, thing={1: object, b"x": {2}})
    (line,) = lines()
    assert line["event"] == "half  "
    assert line["number"] == 2**70
    assert line["thing"]["1"] == "<class 'object'>"


def test_concealed_values_are_hidden_everywhere_also_encoded_and_in_tracebacks(lines: Lines) -> None:
    def work() -> None:
        log.conceal("key:s/cret", "key:s/cret-longer", "no")
        logger = structlog.stdlib.get_logger("x")
        logger.info("sent key:s/cret-longer", url="https://a.example/?k=key%3As%2Fcret", body={"a": ["key:s/cret"]})
        logger.info("a2V5OnMvY3JldA== and no")
        try:
            raise ValueError("refused key:s/cret")
        except ValueError:
            logger.exception("failed")

    contextvars.copy_context().run(work)
    written = lines()
    text = json.dumps(written)
    assert "cret" not in text
    assert "a2V5OnMvY3JldA" not in text
    assert written[0]["event"] == f"sent {log.HIDDEN}"
    assert written[1]["event"].endswith("and no")
    assert "ValueError" in written[2]["exception"]


def test_concealed_values_follow_into_threads_with_the_context_and_end_with_the_request(
    app: Flask, lines: Lines
) -> None:
    def say() -> None:
        structlog.stdlib.get_logger("thread").info("it is open-sesame")

    with app.test_request_context("/health"):
        app.preprocess_request()
        context = contextvars.copy_context()
        log.conceal("open-sesame")
        thread = threading.Thread(target=context.run, args=(say,))
        thread.start()
        thread.join()
    say()
    inside, outside = (line for line in lines() if line["logger"] == "thread")
    assert inside["event"] == f"it is {log.HIDDEN}"
    assert outside["event"] == "it is open-sesame"
    assert "request_id" in inside
    assert "request_id" not in outside


def test_the_token_of_the_caller_is_never_logged(
    app: Flask, lines: Lines, new_client: Callable[[], tuple[str, str]]
) -> None:
    token, _ = app.extensions["services"].tokens.issue(new_client()[0], scopes.DEFAULT)

    @needs(Scope.READ)
    def view() -> str:
        structlog.stdlib.get_logger("x").info("echo", note=f"got {token}")
        raise RuntimeError(f"could not use {token}")

    app.add_url_rule("/echo", "echo", view)
    app.test_client().get("/echo", headers={"Authorization": f"Bearer {token}"})
    written = lines()
    assert [line["event"] for line in written] == ["echo", "unforeseen", "request"]
    assert token not in json.dumps(written)
    assert token.split(".")[2] not in json.dumps(written)
    assert "RuntimeError" in written[1]["exception"]


def test_the_token_of_the_caller_is_hidden_whatever_blanks_come_before_it(app: Flask, lines: Lines) -> None:
    app.add_url_rule("/echo", "echo", lambda: structlog.stdlib.get_logger("x").info("got sesame-open") or "")
    app.before_request_funcs[None] = [f for f in app.before_request_funcs[None] if f.__name__ != "require_token"]
    app.test_client().get("/echo", headers={"Authorization": "Bearer   sesame-open"})
    assert lines()[0]["event"] == f"got {log.HIDDEN}"


def test_a_client_secret_is_never_logged(app: Flask, lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    client_id, secret = app.extensions["services"].clients.create("test", "production", "v1")

    def issue(*arguments: object) -> tuple[str, int]:
        structlog.stdlib.get_logger("x").info(f"a token for {secret}")
        return "", 0

    monkeypatch.setattr("app.auth.tokens.Tokens.issue", issue)
    form = {"grant_type": "client_credentials"}
    app.test_client().post("/oauth2/token", data=form, auth=(client_id, secret))
    first, _ = lines()
    assert first["event"] == f"a token for {log.HIDDEN}"


def test_an_access_token_that_the_service_gets_is_hidden_from_the_lines_of_its_request(
    app: Flask, network: RequestsMock, lines: Lines, new_client: Callable[[], tuple[str, str]]
) -> None:
    network.post("https://auth.smaapis.de/oauth2/token", json={"access_token": "made-up-access-token"})
    network.get("https://monitoring.smaapis.de/v1/plants", json={"plants": []})
    services, (client_id, _) = app.extensions["services"], new_client()
    posted = {"vendor": "sma", "type": "customgrant", "clientID": "made-up-client", "clientSecret": "made-up-secret"}
    services.credentials.store.create(client_id, None, posted)
    (credential,) = services.credentials.stored.of(client_id)["sma"]
    with app.test_request_context("/health"):
        app.preprocess_request()
        services.clouds["sma"].open(credential, Deadline(5)).client.get("/v1/plants")
        structlog.stdlib.get_logger("plugin").info("sent made-up-access-token")
    (line,) = (line for line in lines() if line["logger"] == "plugin")
    assert line["event"] == f"sent {log.HIDDEN}"
