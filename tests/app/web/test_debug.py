"""FLASK_DEBUG has no effect on the service: an unexpected error stays a problem document without a traceback."""

from collections.abc import Callable

import pytest
from flask import Flask

from app.auth.scopes import Scope, needs
from app.config import Settings


@pytest.mark.parametrize("value", ["1", "true"])
def test_with_flask_debug_an_unexpected_error_is_a_problem_without_a_traceback(
    settings: Settings, start_service: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """Promise 33."""
    monkeypatch.setenv("FLASK_DEBUG", value)
    app = start_service(settings)
    assert not app.debug

    @app.get("/health/fail")
    @needs(Scope.READ)
    def fail() -> None:
        raise ZeroDivisionError("the password is sesame")

    client_id, secret = app.extensions["services"].clients.create("test", "production", "v1")
    http = app.test_client()
    form = {"grant_type": "client_credentials"}
    token = http.post("/oauth2/token", data=form, auth=(client_id, secret)).get_json()["access_token"]
    answer = http.get("/health/fail", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 500
    assert answer.get_json()["code"] == "internal_server_error"
    assert answer.get_json()["requestId"] == answer.headers["X-Request-ID"]
    for hidden in ("sesame", "Traceback", "ZeroDivisionError"):
        assert hidden not in answer.text
