"""Every error has the one shape, whichever path makes it."""

import json
from typing import Any

import marshmallow as ma
import pytest
from flask import Flask, abort
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.auth.scopes import Scope, needs
from app.config import BODY_LIMIT
from app.web.problems import Problem, ProblemSchema
from app.web.strict_api import Blueprint

MEMBERS = {"type", "title", "status", "detail", "code", "requestId"}


class Query(ma.Schema):
    size = ma.fields.Integer()


def fail(kind: str) -> dict[str, Any]:
    if kind == "bug":
        raise ZeroDivisionError("the password is hunter2")
    if kind == "teapot":
        abort(418)
    if kind == "slow":
        raise Problem(429, "rate_limited", "Too many.", headers={"Retry-After": "7"}, vendor="sma")
    return {}


@pytest.fixture
def app(app: Flask) -> Flask:
    blueprint = Blueprint("strict", __name__)

    @blueprint.route("/strict")
    @blueprint.arguments(Query, location="query")
    @needs(Scope.READ)
    def strict(query: dict[str, Any]) -> dict[str, Any]:
        return query

    app.register_blueprint(blueprint)
    app.add_url_rule("/fail/<kind>", "fail", needs(Scope.READ)(fail))
    return app


def shape(answer: TestResponse, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    body: dict[str, Any] = json.loads(answer.data)
    assert body.keys() >= MEMBERS
    assert (body["status"], body["code"]) == (status, code)
    assert body["type"] == f"/errors/{code}"
    assert body["requestId"] == answer.headers["X-Request-ID"]
    assert body["title"]
    assert body["detail"]
    assert ProblemSchema(unknown=ma.INCLUDE).validate(body) == {}
    return body


def test_every_status_has_the_same_members(http: FlaskClient, bearer: dict[str, str]) -> None:
    plain = [
        (http.get("/strict?size=x", headers=bearer), 400, "validation_error"),
        (http.get("/strict?odd=1", headers=bearer), 400, "validation_error"),
        (http.get("/strict?size=1&size=2", headers=bearer), 400, "validation_error"),
        (http.get("/strict", headers={**bearer, "Host": "evil.example"}), 400, "unknown_host"),
        (http.get("/strict"), 401, "missing_token"),
        (http.get("/strict", headers={"Authorization": "Bearer x"}), 401, "invalid_token"),
        (http.get("/nowhere", headers=bearer), 404, "not_found"),
        (http.post("/strict", headers=bearer), 405, "method_not_allowed"),
        (http.post("/health", data=b"x" * (BODY_LIMIT + 1)), 413, "content_too_large"),
        (http.get("/fail/teapot", headers=bearer), 418, "im_a_teapot"),
        (http.get("/fail/bug", headers=bearer), 500, "internal_server_error"),
    ]
    for answer, status, code in plain:
        assert shape(answer, status, code).keys() == MEMBERS


def test_405_names_the_methods_that_are_allowed(http: FlaskClient) -> None:
    assert set(http.delete("/strict").headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_a_problem_keeps_its_headers_and_further_members(http: FlaskClient, bearer: dict[str, str]) -> None:
    answer = http.get("/fail/slow", headers=bearer)
    assert shape(answer, 429, "rate_limited")["vendor"] == "sma"
    assert answer.headers["Retry-After"] == "7"


def test_a_bug_is_not_described_to_the_caller(http: FlaskClient, bearer: dict[str, str]) -> None:
    answer = http.get("/fail/bug", headers=bearer)
    assert b"hunter2" not in answer.data
    assert b"ZeroDivision" not in answer.data


def test_an_error_to_head_has_no_body(http: FlaskClient) -> None:
    answer = http.head("/nowhere")
    assert answer.status_code == 404
    assert answer.data == b""


def test_the_document_of_the_api_describes_problems(http: FlaskClient) -> None:
    schema = http.get("/openapi.json").get_json()["components"]["schemas"]["Problem"]
    assert set(schema["properties"]) > MEMBERS
    assert set(schema["required"]) == MEMBERS
