"""Hosts, parameters, slashes and the headers of every answer."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import marshmallow as ma
import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask.views import MethodView

from app.auth.scopes import Scope, needs
from app.config import BODY_LIMIT, Settings
from app.web.guards import base_url
from app.web.strict_api import Blueprint

StartService = Callable[[Settings], Flask]


class Query(ma.Schema):
    size = ma.fields.Integer(validate=ma.validate.Range(1, 5))


class Body(ma.Schema):
    name = ma.fields.String(required=True)
    inner = ma.fields.Nested(Query)


def routes() -> Blueprint:
    blueprint = Blueprint("things", __name__)

    @blueprint.route("/things")
    @blueprint.arguments(Query, location="query")
    @needs(Scope.READ)
    def things(query: dict[str, Any]) -> dict[str, Any]:
        return query

    @blueprint.route("/things", methods=["POST"])
    @blueprint.arguments(Body)
    @needs(Scope.READ)
    def make(body: dict[str, Any]) -> dict[str, Any]:
        return body

    @blueprint.route("/plain")
    @needs(Scope.READ)
    def plain() -> dict[str, str]:
        return {"url": base_url(None)}

    @blueprint.route("/view")
    class View(MethodView):
        decorators: ClassVar = [needs(Scope.READ)]

        @blueprint.arguments(Query, location="query")
        def get(self, query: dict[str, Any]) -> dict[str, Any]:
            return query

        def delete(self) -> dict[str, Any]:
            return {}

    return blueprint


@pytest.fixture
def app(app: Flask) -> Flask:
    app.register_blueprint(routes())
    return app


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/things?colour=red", "colour"),
        ("/things?size=0", "size"),
        ("/things?size=x", "size"),
        ("/things?size=", "size"),
        ("/things?size=1&size=1", "size"),
        ("/things?size=1&Size=1", "Size"),
        ("/view?size=9", "size"),
        ("/view?other=1", "other"),
        ("/plain?size=1", "size"),
        ("/health?x", "x"),
        ("/openapi.json?x=1", "x"),
    ],
)
def test_odd_query_parameters_are_refused_by_name(
    http: FlaskClient, bearer: dict[str, str], path: str, named: str
) -> None:
    answer = http.get(path, headers=bearer)
    assert answer.status_code == 400
    assert answer.get_json()["code"] == "validation_error"
    assert answer.get_json()["detail"].startswith(f"{named}:")


def test_declared_query_parameters_pass_also_with_head(http: FlaskClient, bearer: dict[str, str]) -> None:
    assert http.get("/things?size=5", headers=bearer).json == {"size": 5}
    assert http.get("/view?size=1", headers=bearer).json == {"size": 1}
    assert http.head("/things?size=1", headers=bearer).status_code == 200
    assert http.head("/things?size=9", headers=bearer).status_code == 400
    assert http.delete("/view?size=1", headers=bearer).status_code == 400


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ("{", "The body is not valid JSON."),
        ('{"name": "a", "more": 1}', "more: Unknown field."),
        ("{}", "name: Missing data for required field."),
        ('{"name": "a", "inner": {"size": 9}}', "inner.size: Must be greater"),
        ("[]", "Invalid input type."),
    ],
)
def test_odd_bodies_are_refused_by_name(http: FlaskClient, bearer: dict[str, str], body: str, detail: str) -> None:
    answer = http.post("/things", data=body, content_type="application/json", headers=bearer)
    assert answer.status_code == 400
    assert detail in answer.get_json()["detail"]


def test_slashes_are_neither_merged_nor_redirected(http: FlaskClient, bearer: dict[str, str]) -> None:
    for path in ("/things/", "/health/", "/things//x", "/./health"):
        assert http.get(path, headers=bearer).status_code == 404, path


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8000", "127.0.0.1", "127.1.2.3:80", "[::1]:8000", "derapi.example.org"]
)
def test_loopback_and_the_public_host_are_served(settings: Settings, start_service: StartService, host: str) -> None:
    http = start_service(replace(settings, public_url="https://Derapi.example.org")).test_client()
    assert http.get("/openapi.json", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "a b", "[::1", "derapi.example.org.evil", "10.0.0.1"]
)
def test_other_hosts_are_refused_except_for_health_and_ready(
    settings: Settings, start_service: StartService, host: str
) -> None:
    http = start_service(replace(settings, public_url="https://derapi.example.org")).test_client()
    answer = http.get("/openapi.json", headers={"Host": host})
    assert answer.status_code == 400
    assert answer.get_json()["code"] == "unknown_host"
    assert "PUBLIC_URL" in answer.get_json()["detail"]
    for path in ("/health", "/ready"):
        assert http.get(path, headers={"Host": host}).status_code == 200


def test_links_begin_with_the_public_url_or_the_host_of_the_request(
    settings: Settings, start_service: StartService
) -> None:
    def base(public_url: str | None, environ: dict[str, str]) -> str:
        with start_service(settings).test_request_context("/", environ_overrides=environ):
            return base_url(public_url)

    forwarded = {"HTTP_HOST": "localhost:8000", "HTTP_X_FORWARDED_PROTO": "https", "HTTP_X_FORWARDED_HOST": "evil"}
    assert base(None, forwarded) == "http://localhost:8000"
    assert base("https://a.example", forwarded) == "https://a.example"


def test_only_trusted_proxies_are_believed(settings: Settings, start_service: StartService) -> None:
    def url(count: int) -> str:
        app = start_service(replace(settings, trusted_proxies=count))
        app.register_blueprint(routes())
        token = app.test_client().post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=client(app))
        headers = {
            "Authorization": f"Bearer {token.get_json()['access_token']}",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "evil.example",
        }
        return str(app.test_client().get("/plain", headers=headers).get_json()["url"])

    def client(app: Flask) -> tuple[str, str]:
        id_and_secret: tuple[str, str] = app.extensions["services"].clients.create("test", "production", "v1")
        return id_and_secret

    assert url(0) == "http://localhost"
    assert url(1) == "https://localhost"


def test_answers_are_private_and_carry_a_request_id(http: FlaskClient) -> None:
    for path in ("/health", "/nowhere"):
        answer = http.get(path)
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert len(answer.headers["X-Request-ID"]) == 32


def test_a_clean_request_id_is_kept_and_another_replaced(http: FlaskClient) -> None:
    def answered(sent: str) -> str:
        return http.get("/health", headers={"X-Request-ID": sent}).headers["X-Request-ID"]

    for clean in ("a", "A-1_b.c", "x" * 64):
        assert answered(clean) == clean
    for odd in ("", "x" * 65, 'a"b', "a b", "ä"):
        assert answered(odd) != odd


@pytest.mark.parametrize("path", ["/things", "/oauth2/token", "/health", "/nowhere"])
def test_a_body_over_the_limit_is_refused_on_every_path(http: FlaskClient, bearer: dict[str, str], path: str) -> None:
    answer = http.post(path, data=b"x" * (BODY_LIMIT + 1), headers=bearer)
    assert answer.status_code == 413
    assert answer.get_json()["code"] == "content_too_large"


def test_a_large_body_of_unknown_length_is_refused_too(http: FlaskClient, bearer: dict[str, str]) -> None:
    import io

    def post(size: int) -> int:
        return http.post(
            "/things",
            input_stream=io.BytesIO(b'{"name": "' + b"x" * size + b'"}'),
            headers={**bearer, "Transfer-Encoding": "chunked"},
            content_type="application/json",
            environ_overrides={"wsgi.input_terminated": True},
        ).status_code

    assert post(100) == 200
    assert post(BODY_LIMIT) == 413


@pytest.mark.parametrize("slashes", ["//", "///"])
def test_a_path_with_more_leading_slashes_meets_the_same_checks_on_every_route(
    settings: Settings, start_service: StartService, slashes: str
) -> None:
    app = start_service(replace(settings, metrics_token="m" * 32))
    services = app.extensions["services"]
    client_id, _ = services.clients.create("test", "production", "v1")
    # No scope: of all routes that need one, the answer has to be 403.
    powerless = {"Authorization": f"Bearer {services.tokens.issue(client_id, [])[0]}"}
    cases: list[dict[str, str]] = [{"Host": "evil.example"}, {}, powerless, {"Authorization": "Bearer wrong"}]
    statuses = set()
    for rule in app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            for headers in cases:
                first, second = (
                    app.test_client().open(
                        "/", method=method, headers=headers, environ_overrides={"PATH_INFO": start + rule.rule[1:]}
                    )
                    for start in ("/", slashes)
                )
                place = (method, rule.rule, headers)
                assert (first.status_code, coded(first)) == (second.status_code, coded(second)), place
                statuses.add(first.status_code)
                first.close()
                second.close()
    assert {400, 401, 403, 404} <= statuses


def coded(response: Any) -> str | None:
    """The code of an error; None of any other answer."""
    body = response.get_json(silent=True)
    return body.get("code") if isinstance(body, dict) else None
