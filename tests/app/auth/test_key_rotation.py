"""Rotation of SECRET_KEYS: tokens, page tokens and counts of vendors' calls live through it (promise 25)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import time_machine
from flask import Flask

from app.config import Settings

START = 1_800_000_000
OLD, NEW = "o" * 32, "n" * 32
GRANT = {"grant_type": "client_credentials"}
# Each step of docs/rotate-keys.md: what the first host has, and what the second, which restarts later.
ROLLING = [((OLD,), (OLD,)), ((OLD, NEW), (OLD,)), ((NEW, OLD), (OLD, NEW)), ((NEW, OLD), (NEW, OLD))]


@pytest.fixture
def now() -> Iterator[Any]:
    with time_machine.travel(START, tick=False) as clock:
        yield clock


@pytest.fixture
def host(settings: Settings, start_service: Callable[[Settings], Flask]) -> Callable[..., Flask]:
    """A process of the service with these keys; all have one database."""
    return lambda *keys: start_service(replace(settings, secret_key=None, secret_keys=keys))


def token_of(app: Flask, auth: tuple[str, str]) -> dict[str, str]:
    answer = app.test_client().post("/oauth2/token", data=GRANT, auth=auth)
    return {"Authorization": f"Bearer {answer.get_json()['access_token']}"}


def page(app: Flask, headers: dict[str, str], token: str | None = None) -> Any:
    query = {"pageSize": 1} | ({"pageToken": token} if token else {})
    return app.test_client().get("/virtual/sites", headers=headers, query_string=query)


def fleet(app: Flask) -> tuple[str, str]:
    """A client with two sites."""
    auth: tuple[str, str] = app.extensions["services"].clients.create("test", "virtual", "v1")
    for name in ("a", "b"):
        body = {"name": name, "location": {"lat": 48.1, "lon": 11.6}}
        answer = app.test_client().post("/virtual/sites", headers=token_of(app, auth), json=body)
        assert answer.status_code == 201, answer.text
    return auth


def test_old_tokens_and_page_tokens_are_valid_to_their_end_and_new_ones_at_once(
    host: Callable[..., Flask], now: Any
) -> None:
    before = host(OLD)
    auth = fleet(before)
    old_token = token_of(before, auth)
    old_page = page(before, old_token).get_json()["nextPageToken"]
    now.move_to(START + 1800)
    after = host(NEW, OLD)
    new_token = token_of(after, auth)
    assert page(after, old_token, old_page).status_code == 200
    assert page(after, new_token, old_page).status_code == 200
    assert page(before, new_token).status_code == 401, "signed with the new key"
    finished = host(NEW)
    assert page(finished, new_token).status_code == 200
    assert page(finished, old_token).status_code == 401, "the old key has gone before the token's end"
    assert page(finished, new_token, old_page).get_json()["code"] == "invalid_page_token"
    for seconds, status in ((3604, 200), (3605, 401)):
        now.move_to(START + seconds)
        assert page(after, old_token).status_code == status, seconds


@pytest.mark.one_in(4)
@pytest.mark.parametrize(("first", "second"), ROLLING)
def test_in_each_step_of_a_rolling_rotation_every_host_accepts_the_tokens_of_every_other(
    host: Callable[..., Flask], now: Any, first: tuple[str, ...], second: tuple[str, ...]
) -> None:
    hosts = host(*first), host(*second)
    auth = fleet(hosts[0])
    for issuer in hosts:
        token = token_of(issuer, auth)
        page_token = page(issuer, token).get_json()["nextPageToken"]
        for reader in hosts:
            assert page(reader, token, page_token).status_code == 200


def test_hosts_with_old_and_new_keys_count_the_calls_of_a_credential_under_one_name(host: Callable[..., Flask]) -> None:
    names = {app.extensions["services"].clouds["solis"].secret for app in (host(OLD), host(NEW, OLD), host(NEW))}
    assert len(names) == 1
