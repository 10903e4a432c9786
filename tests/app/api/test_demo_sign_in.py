"""The demo's link: a code that works once, for five minutes, and only where the demo has switched it on."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.auth.sign_in_codes import LIFETIME, SignInCodes
from app.config import Settings
from app.storage.sign_in_code_table import SignInCodeRow
from tests.app.support import run

pytestmark = pytest.mark.databases


@pytest.fixture
def demo(settings: Settings, start_service: Callable[..., Flask]) -> Flask:
    return start_service(replace(settings, demo_sign_in=True))


@pytest.fixture
def client_id(demo: Flask) -> str:
    return str(demo.extensions["services"].clients.create("demo", "virtual", "v1")[0])


def code_of(demo: Flask, client_id: str) -> str:
    return str(demo.extensions["services"].sign_in_codes.create(client_id))


def redeem(app: Flask, code: Any) -> Any:
    return app.test_client().post("/demo/sign-in", json={"code": code})


def test_a_code_gives_a_token_once(demo: Flask, client_id: str) -> None:
    code = code_of(demo, client_id)
    answer = redeem(demo, code)
    assert answer.status_code == 200
    assert set(answer.json) == {"access_token", "token_type", "expires_in", "expires_at"}
    assert answer.headers["Cache-Control"] == "no-store"
    headers = {"Authorization": f"Bearer {answer.json['access_token']}"}
    assert demo.test_client().get("/sites", headers=headers).status_code == 200
    again = redeem(demo, code)
    assert (again.status_code, again.json["code"]) == (403, "sign_in_code_invalid")


def test_the_database_has_the_code_s_hash_only(demo: Flask, client_id: str) -> None:
    code = code_of(demo, client_id)
    with demo.extensions["services"].database.session() as session:
        (row,) = session.scalars(select(SignInCodeRow))
        assert row.code_sha256 == hashlib.sha256(code.encode()).hexdigest()
        assert code not in repr(vars(row))


def test_a_code_ends_after_five_minutes_and_its_row_with_the_next_one(demo: Flask, client_id: str) -> None:
    now = 1_000_000.0
    codes = SignInCodes(demo.extensions["services"].database, lambda: now)
    early, late = codes.create(client_id), codes.create(client_id)
    now += LIFETIME - 1
    assert codes.redeem(early) == client_id
    now += 1
    assert codes.redeem(late) is None
    codes.create(client_id)
    with demo.extensions["services"].database.session() as session:
        assert len(list(session.scalars(select(SignInCodeRow)))) == 1


def test_an_unknown_code_is_refused_and_a_malformed_body_as_well(demo: Flask) -> None:
    assert redeem(demo, "x" * 43).status_code == 403
    assert redeem(demo, "").status_code == 400
    assert redeem(demo, 7).status_code == 400
    assert demo.test_client().post("/demo/sign-in", data="code=x").status_code == 400


def test_the_code_of_a_revoked_client_is_void(demo: Flask, client_id: str) -> None:
    code = code_of(demo, client_id)
    assert demo.extensions["services"].clients.revoke(client_id)["sign_in_codes"] == 1
    assert redeem(demo, code).status_code == 403


def test_the_command_prints_a_link_whose_fragment_is_the_code(demo: Flask, client_id: str) -> None:
    result = run(demo, "clients", "sign-in-link", client_id)
    assert result.exit_code == 0
    link = demo.json.loads(result.stdout)["link"]
    page, _, code = link.partition("#code=")
    assert page == "http://127.0.0.1:8000/fleet"
    assert redeem(demo, code).status_code == 200
    assert run(demo, "clients", "sign-in-link", "0" * 32).exit_code == 1


def test_a_service_that_is_no_demo_has_neither_the_route_nor_links(app: Flask) -> None:
    answer = redeem(app, "x" * 43)
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert not [rule for rule in app.url_map.iter_rules() if "demo" in rule.rule]
    client_id = app.extensions["services"].clients.create("x", "virtual", "v1")[0]
    result = run(app, "clients", "sign-in-link", client_id)
    assert result.exit_code == 1
    assert "DEMO_SIGN_IN" in result.output


def test_no_document_names_the_route(demo: Flask) -> None:
    assert "/demo/sign-in" not in demo.test_client().get("/openapi.json").get_data(as_text=True)
