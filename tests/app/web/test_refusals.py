"""Every refused request has an id, and one line in the log under this id."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import UnsupportedMediaType
from werkzeug.routing import RequestRedirect

from app import config
from app.auth.scopes import Scope, needs
from tests.app.support import ALL

GIVEN = "an-id-of-the-caller"
FORM = {"content_type": "application/x-www-form-urlencoded", "method": "POST"}

PART = b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n"


def failing(error: Exception) -> Callable[[], None]:
    @needs(Scope.READ)
    def view() -> None:
        raise error

    return view


@pytest.fixture
def app(app: Flask) -> Flask:
    app.add_url_rule("/415", "415", failing(UnsupportedMediaType()), methods=["POST"])
    app.add_url_rule("/redirect", "redirect", failing(RequestRedirect("/elsewhere")))
    app.add_url_rule("/503", "503", failing(OperationalError("SELECT", {}, Exception())))
    app.add_url_rule("/500", "500", failing(ZeroDivisionError()))
    return app


CASES: dict[str, tuple[int, dict[str, Any]]] = {
    "unknown host": (400, {"path": "/sites", "headers": {"Host": "evil.example"}}),
    "a host that is none": (400, {"path": "/sites", "headers": {"Host": "[::1"}}),
    "a host with a blank": (400, {"path": "/sites", "headers": {"Host": "a b"}}),
    "an empty host": (400, {"path": "/sites", "headers": {"Host": ""}}),
    "a host with an odd port": (400, {"path": "/sites", "headers": {"Host": "evil.example:x"}}),
    "odd parameter": (400, {"path": "/sites?x=1"}),
    "repeated parameter": (400, {"path": "/sites?vendor=sma&vendor=sma"}),
    "parameter where none is taken": (400, {"path": "/health?x=1"}),
    "odd value": (400, {"path": "/sites?pageSize=x"}),
    "no such vendor": (400, {"path": "/sites?vendor=x"}),
    "no such version": (400, {"path": "/sites", "headers": {"api-version": ""}}),
    "odd header of a vendor": (400, {"path": "/sites", "headers": {"X-Authorization-sma": "a, b"}}),
    "no token": (401, {"path": "/sites", "headers": {"Authorization": ""}}),
    "bad token": (401, {"path": "/sites", "headers": {"Authorization": "Bearer x"}}),
    "no vendor": (403, {"path": "/sites", "headers": dict.fromkeys(ALL)}),
    "no such path": (404, {"path": "/nowhere"}),
    "a path in other bytes": (404, {"path": "/%ff%fe/..//%00"}),
    "no such thing": (404, {"path": "/sites/site-0"}),
    "no such method": (405, {"path": "/sites", "method": "DELETE"}),
    "no such method of the token endpoint": (405, {"path": "/oauth2/token"}),
    "method of one's own": (405, {"path": "/sites", "method": "BREW"}),
    "TRACE": (405, {"path": "/sites", "method": "TRACE"}),
    "large body": (413, {"path": "/sites", "method": "POST", "data": b"x" * (config.BODY_LIMIT + 1)}),
    "large token request": (413, {"path": "/oauth2/token", "data": "x=" + "x" * 16 * 1024, **FORM}),
    "other kind of content": (415, {"path": "/415", "method": "POST"}),
    "many parts": (
        400,
        {
            "path": "/oauth2/token?x=1",
            "data": PART * 1100 + b"--b--",
            "method": "POST",
            "content_type": "multipart/form-data; boundary=b",
        },
    ),
    "no grant": (400, {"path": "/oauth2/token", "data": "", **FORM}),
    "other credentials": (401, {"path": "/oauth2/token", "data": "grant_type=client_credentials", **FORM}),
    "redirect": (308, {"path": "/redirect"}),
    "database": (503, {"path": "/503"}),
    "fault": (500, {"path": "/500"}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_refused_request_is_logged_under_the_id_in_its_response(
    http: FlaskClient, bearer: dict[str, str], lines: Callable[[], list[dict[str, Any]]], case: str
) -> None:
    status, request = CASES[case]
    headers = {**bearer, **ALL, **request.get("headers", {})}
    for sent_id in (None, GIVEN, "no id"):
        lines()
        sent = {name: value for name, value in {**headers, "X-Request-ID": sent_id}.items() if value is not None}
        answer = http.open(**{"method": "GET", **request, "headers": sent})
        assert answer.status_code == status, answer.text
        id = answer.headers["X-Request-ID"]
        assert (id == GIVEN) == (sent_id == GIVEN)
        if answer.mimetype == "application/problem+json":
            assert answer.json is not None
            assert answer.json["requestId"] == id
        (line,) = [line for line in lines() if line["event"] == "request"]
        assert (line["request_id"], line["status"]) == (id, status)
        assert line["path"] == answer.request.path.replace("\x00", " ")
