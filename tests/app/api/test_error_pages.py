"""The `type` of every problem is the address of a page that explains it, and the table behind the pages is whole."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import replace
from http import HTTPStatus

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import error_table
from app.api.error_pages import meanings
from app.config import ROOT, Settings
from app.server.refusals import TITLES, Refusal
from vendors.kit import errors

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
OWN = {kind.code: kind for kind in error_table.OWN}
# What Flask and werkzeug refuse: no other of their errors can occur in this service.
HTTP = {404: "not_found", 405: "method_not_allowed", 500: "internal_server_error"}


def problems_in_the_code() -> Iterator[tuple[int | None, str]]:
    """Status and code of every problem that a module of the service makes; the status is None if it is computed."""
    for path in (ROOT / "app").rglob("*.py"):
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            name = getattr(call.func, "id", "")
            texts = [value.value for value in call.args[:2] if isinstance(value, ast.Constant)]
            if name == "Problem" and len(texts) == 2:
                yield texts[0], texts[1]
            elif name == "limit_reached":
                yield 409, texts[0]
            elif name == "_refusal" and path.name == "bearer.py":
                yield 401, texts[0]


def test_the_table_has_every_error_of_the_code_with_its_status_and_no_other() -> None:
    made = set(problems_in_the_code()) | {(status, Refusal(status).code) for status in TITLES}
    made |= {(400, "validation_error"), *HTTP.items()}
    assert made == {(kind.status, kind.code) for kind in error_table.OWN}
    assert len(OWN) == len(error_table.OWN)


def test_every_error_of_a_vendor_is_explained() -> None:
    codes = {kind.code for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "code")}
    explained = {code for code, kinds in meanings().items() if "vendor" in dict(kinds)}
    assert codes | {"unknown_vendor"} <= explained


@pytest.mark.parametrize("code", sorted(meanings()))
def test_every_explanation_is_made_of_whole_sentences_and_names_whose_fault_it_is(code: str) -> None:
    for _, kind in meanings()[code]:
        assert kind.cause[0].isupper()
        assert kind.cause.endswith(".")
        assert kind.action.endswith(".")
        assert kind.fault in {"caller", "server", "vendor"}
        assert 400 <= kind.status < 600
    assert code in OWN or {source for source, _ in meanings()[code]} == {"vendor"}


def test_the_titles_of_the_table_are_those_of_the_statuses() -> None:
    phrases = {**{status.value: status.phrase for status in HTTPStatus}, **TITLES}
    assert {code for code, kind in OWN.items() if kind.title != phrases[kind.status]} == {"validation_error"}


def test_a_program_gets_every_explanation_as_json_without_a_token(http: FlaskClient) -> None:
    for code in meanings():
        answer = http.get(f"/errors/{code}")
        assert (answer.status_code, answer.mimetype) == (200, "application/json")
        assert answer.json["code"] == code
        assert set(answer.json["meanings"][0]) == {"source", "code", "status", "title", "cause", "fault", "action"}


def test_a_browser_gets_the_same_as_a_page_under_the_policy_of_all_pages(http: FlaskClient) -> None:
    answer = http.get("/errors/rate_limited", headers=BROWSER)
    (meaning,) = http.get("/errors/rate_limited").json["meanings"]
    assert answer.mimetype == "text/html"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "Accept" in answer.headers["Vary"]
    # A page that outlives a release would name assets that are gone.
    assert answer.headers["Cache-Control"] == "private, no-store"
    for text in (meaning["cause"], meaning["action"]):
        assert text.replace("'", "&#39;") in answer.text


def test_the_type_of_a_problem_leads_to_its_explanation(http: FlaskClient) -> None:
    problem = http.get("/sites").json
    assert problem["type"] == "/errors/missing_token"
    assert http.get(problem["type"]).json["code"] == problem["code"]


def test_a_code_that_does_not_exist_has_no_page(http: FlaskClient) -> None:
    assert http.get("/errors/no_such_code").status_code == 404


def test_a_page_of_an_error_takes_no_parameters(http: FlaskClient) -> None:
    assert http.get("/errors/not_found?x=1").json["code"] == "validation_error"


def test_the_type_begins_with_the_public_url_and_never_with_the_host_of_the_request(
    settings: Settings, start_service: Callable[..., Flask]
) -> None:
    public = "https://derapi.example.org/solar"
    http = start_service(replace(settings, public_url=public)).test_client()
    assert http.get("/sites", headers={"Host": "127.0.0.1"}).json["type"] == f"{public}/errors/missing_token"
    assert http.get("/sites", headers={"Host": "evil.example"}).json["type"] == f"{public}/errors/unknown_host"


def test_without_a_public_url_the_type_is_relative(app: Flask) -> None:
    answer = app.test_client().get("/sites", headers={"Host": "evil.example"})
    assert answer.json["type"] == "/errors/unknown_host"
    assert "evil" not in answer.text
