"""Who may read /metrics; to every other caller it is a path that does not exist, byte for byte."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import config
from app.config import Settings

TOKEN = "m" * 32
StartService = Callable[[Settings], Flask]
# As WSGI has them, with the percent-encoding decoded. The first four lead to the route.
SPELLINGS = ("//metrics", "///metrics", "metrics", "/metrics", "/metrics/", "//metrics/", "/metrics;", "/metrics;x=1",
    ";/metrics", "/./metrics", "/x/../metrics", "/metrics/.", "/METRICS", "/metrics\0", "/metrics ", "/%2Fmetrics",
    "\\metrics", "/\\metrics", "/metrics (hidden)")  # fmt: skip
LEADING = SPELLINGS[:4]


def answer(
    http: FlaskClient, path: str, method: str = "GET", **options: object
) -> tuple[int, bytes, list[tuple[str, str]]]:
    """Status, body and headers, with the id of the request that the caller has set."""
    response: TestResponse = http.open(path, method=method, **options)
    return response.status_code, response.data, sorted(response.headers)


def as_unknown(http: FlaskClient, method: str = "GET", **options: object) -> bool:
    """Whether the path cannot be told from one that does not exist."""
    headers = {"X-Request-ID": "same", **options.pop("headers", {})}  # type: ignore[dict-item]
    expected = answer(http, "/nowhere", method, headers=headers, **options)
    assert expected[0] in (400, 404)
    return answer(http, "/metrics", method, headers=headers, **options) == expected


def peer(address: str) -> dict[str, dict[str, str]]:
    return {"environ_overrides": {"REMOTE_ADDR": address}}


def test_without_a_token_this_machine_may_read_them(http: FlaskClient) -> None:
    for address in ("127.0.0.1", "::1"):
        response = http.get("/metrics", **peer(address))
        assert response.status_code == 200
        assert response.content_type == "text/plain; version=1.0.0; charset=utf-8"
        assert b"# TYPE derapi_requests_total counter" in response.data


def test_without_a_token_no_other_machine_may(http: FlaskClient) -> None:
    for address in ("192.168.0.7", "", "fe80::1"):
        assert as_unknown(http, **peer(address)), address


def test_without_a_token_no_request_that_came_through_a_proxy_may(http: FlaskClient) -> None:
    for header in ("Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Any", "X-Real-IP", "Via"):
        assert as_unknown(http, headers={header: "127.0.0.1"}), header


def test_without_a_token_a_service_with_a_public_url_shows_none(
    settings: Settings, start_service: StartService
) -> None:
    http = start_service(replace(settings, public_url="https://derapi.example.org")).test_client()
    assert as_unknown(http)


def test_without_a_token_a_foreign_name_for_this_machine_is_refused_as_on_any_path(http: FlaskClient) -> None:
    assert as_unknown(http, headers={"Host": "evil.example"})


def test_other_methods_do_not_show_that_the_path_exists(http: FlaskClient) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"):
        assert as_unknown(http, method, **peer("192.168.0.7")), method


def spelt(http: FlaskClient, path: str, **options: Any) -> TestResponse:
    """Asks for a path as it is: the client itself would read `//metrics` as a host."""
    environ = {"PATH_INFO": path, **options.pop("environ_overrides", {})}
    return http.get("/", environ_overrides=environ, **options)


@pytest.mark.parametrize("path", SPELLINGS)
def test_no_spelling_of_the_path_shows_them_to_a_caller_that_may_not_read_them(
    with_token: FlaskClient, http: FlaskClient, path: str
) -> None:
    cases = [(with_token, {}), (with_token, {"X-Forwarded-For": "10.0.0.9"}), (http, {"X-Forwarded-For": "10.0.0.9"})]
    for client, headers in cases:
        headers["X-Request-ID"] = "same"
        shown, unknown = (spelt(client, each, headers=headers) for each in (path, "/nowhere"))
        assert (shown.status_code, shown.data, sorted(shown.headers)) == (
            404, unknown.data, sorted(unknown.headers)
        )  # fmt: skip


@pytest.mark.parametrize("path", LEADING)
def test_a_caller_that_may_read_them_finds_them_with_any_number_of_leading_slashes(
    http: FlaskClient, path: str
) -> None:
    assert spelt(http, path).status_code == 200


def test_the_view_shows_nothing_that_the_gate_has_not_allowed(app: Flask) -> None:
    app.wsgi_app = Flask.wsgi_app.__get__(app)  # type: ignore[method-assign]
    http = app.test_client()
    for headers in ({}, {"derapi.may_read_metrics": "1"}):
        response = http.get("/metrics", headers=headers)
        assert response.status_code == 404
        assert response.get_json()["code"] == http.get("/nowhere").get_json()["code"]


@pytest.fixture
def with_token(settings: Settings, start_service: StartService) -> FlaskClient:
    behind_proxy = replace(settings, metrics_token=TOKEN, public_url="https://derapi.example.org", trusted_proxies=1)
    return start_service(behind_proxy).test_client()


def test_with_the_token_any_machine_may_read_them_through_a_proxy_and_under_any_host(with_token: FlaskClient) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Host": "10.0.0.5:8000", "X-Forwarded-For": "10.0.0.9"}
    assert with_token.get("/metrics", headers=headers, **peer("10.0.0.9")).status_code == 200


def test_with_a_token_set_a_caller_without_it_finds_nothing_on_this_machine_too(with_token: FlaskClient) -> None:
    wrong = ["Bearer", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", "Bearer é", TOKEN]
    for authorization in ({}, *({"Authorization": value} for value in wrong)):
        for host in ("localhost", "evil.example"):
            assert as_unknown(with_token, headers={"Host": host, **authorization}), (authorization, host)


def test_an_access_token_of_the_api_opens_no_metrics(http: FlaskClient, bearer: dict[str, str]) -> None:
    assert as_unknown(http, headers=bearer, **peer("192.168.0.7"))


def test_an_unread_path_counts_as_no_route(http: FlaskClient) -> None:
    http.get("/metrics", **peer("192.168.0.7"))
    http.get("/solar-inverters/secret-id/and-more")
    text = http.get("/metrics").text
    assert 'derapi_requests_total{method="none",route="none",status="404"} 2.0' in text
    assert "secret-id" not in text


def test_the_token_is_a_secret_of_at_least_32_characters() -> None:
    assert TOKEN not in repr(config.Settings(secret_key="s", id_key="i", database_url="x", metrics_token=TOKEN))
    with pytest.raises(config.SettingsError, match="METRICS_TOKEN: expected any text of at least 32 characters"):
        config.load(
            {"METRICS_TOKEN": "short", "DATABASE_URL": "sqlite:///x", "SECRET_KEY": "s" * 32, "ID_KEY": "i" * 32}
        )
