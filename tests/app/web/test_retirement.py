"""Retired routes, with a made-up one: announced by headers, and a 410 with a pointer after their sunset."""

from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.auth.scopes import Scope, needs
from app.web.retirement import RETIRED, Retirement, Retirements

PAGE = "https://derapi.example.org/docs/compatibility.html"
SUNSET = datetime(2027, 6, 1, tzinfo=UTC)
RETIREMENT = Retirement(deprecated=datetime(2027, 1, 1, tzinfo=UTC), sunset=SUNSET, page=PAGE)


@pytest.fixture
def now() -> list[float]:
    return [SUNSET.timestamp() - 1]


@pytest.fixture
def http(app: Flask, now: list[float]) -> FlaskClient:
    @needs(Scope.READ)
    def sites() -> dict[str, list[str]]:
        return {"sites": []}

    app.add_url_rule("/old-sites", "old_sites", sites)
    app.add_url_rule("/fresh-sites", "fresh_sites", sites)
    Retirements({"old_sites": RETIREMENT}, lambda: now[0]).init_app(app)
    return app.test_client()


def test_until_its_sunset_a_retired_route_answers_byte_for_byte_as_before_and_announces_its_end(
    http: FlaskClient, bearer: dict[str, str]
) -> None:
    """Promise 42."""
    answer = http.get("/old-sites", headers=bearer)
    fresh = http.get("/fresh-sites", headers=bearer)
    assert (answer.status_code, answer.data) == (200, fresh.data)
    assert answer.headers["Deprecation"] == "@1798761600"
    assert answer.headers["Sunset"] == "Tue, 01 Jun 2027 00:00:00 GMT"
    assert answer.headers.getlist("Link") == [f'<{PAGE}>; rel="deprecation"', f'<{PAGE}>; rel="sunset"']
    assert not {"Deprecation", "Sunset", "Link"} & set(fresh.headers.keys())


def test_after_its_sunset_a_retired_route_is_a_410_that_names_the_page(
    http: FlaskClient, bearer: dict[str, str], now: list[float]
) -> None:
    """Promise 42."""
    now[0] = SUNSET.timestamp()
    answer = http.get("/old-sites", headers=bearer)
    assert answer.status_code == 410
    assert answer.json is not None
    assert answer.json["code"] == "gone"
    assert PAGE in answer.json["detail"]
    assert "Deprecation" in answer.headers
    assert http.get("/fresh-sites", headers=bearer).status_code == 200


def test_every_route_that_is_retired_exists_and_ends_half_a_year_after_its_announcement_at_the_earliest(
    app: Flask,
) -> None:
    assert set(RETIRED) <= set(app.view_functions)
    assert all((route.sunset - route.deprecated).days >= 180 for route in RETIRED.values())
