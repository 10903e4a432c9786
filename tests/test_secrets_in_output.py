"""Promise 31: every route is run with sentinel secrets, and none is anywhere in what the service puts out."""

import base64
import io
import logging
import subprocess
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from sqlalchemy.engine import make_url

from app.web import log
from app.web.log import format as log_format
from tests.app.credentials.support import libpq_url
from tests.ports import free_port
from tests.processes import SECONDS
from tests.secret_routes import Plan, Vendors, callers, routes
from tests.secret_search import Sentinels, with_sentinels

# Routes without a success in a clone: the site is there only after `make docs`.
UNBUILT = {"Docs.show"}
# How vendors answer: each time with all that they were sent.
ANSWERS = ["echo", 401, 403, 404, "raise", 500, 429]

# The ways to vendors: the others have these behind them as well.
ASKING = {"Sites.list_sites", "Batteries.list_batteries", "Solar inverters.get_solar_inverter",
          "VendorCredentials.check_credentials"}  # fmt: skip


class Run:
    """Runs routes, and searches each answer."""

    def __init__(self, app, sentinels):
        self.app, self.sentinels = app, sentinels
        self.succeeded, self.leaks = set(), []
        self.http = app.test_client()

    def call(self, rule, method, path, except_for=(), **options):
        answer = self.http.open(path, method=method, **options)
        if answer.status_code < 400:
            self.succeeded.add((rule.endpoint, method))
        found = self.sentinels.found_in(answer.text, except_for) | self.sentinels.found_in(str(answer.headers))
        answer.close()
        if found:
            self.leaks.append((method, path, answer.status_code, found))
        return answer


@pytest.fixture
def sentinels():
    return Sentinels()


@pytest.fixture
def settings(settings, sentinels):
    redis = f"redis://:{sentinels.new('redis password')}@127.0.0.1:{free_port()}/0"
    proxy = f"http://me:{sentinels.new('proxy password')}@127.0.0.1:{free_port()}"
    return with_sentinels(
        settings,
        sentinels,
        redis_url=redis,
        proxy_url=proxy,
        sandbox_url="https://vendor.test",
        log_level="DEBUG",
        demo_sign_in=True,
        otel_exporter_otlp_endpoint="http://127.0.0.1:9",
        otel_exporter_otlp_headers=f"api-key={sentinels.new('key of the collector')}",
    )


@pytest.fixture
def spans(monkeypatch):
    """The spans of all requests and calls."""
    exporter = InMemorySpanExporter()

    def provider(settings):
        source = TracerProvider(shutdown_on_exit=False)
        source.add_span_processor(SimpleSpanProcessor(exporter))
        return source

    monkeypatch.setattr("app.web.traces.export.provider", provider)
    return exporter


@pytest.fixture
def terminal(app):
    """The log as a terminal shows it; the log of pytest's own capture is the other style."""
    log.configure("DEBUG")
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    formatter = dict(log_format.formatter(log_format.renderer(is_terminal=True, has_colors=True)))
    handler.setFormatter(formatter.pop("()")(**formatter))
    logging.getLogger().addHandler(handler)
    yield written
    logging.getLogger().removeHandler(handler)
    log.configure("ERROR")


def run_with_success(run, plan, sent):
    for rule, method in routes(run.app):
        kind, options, shown = plan.success(rule, method)
        headers = sent[kind] if "auth" not in options else {}
        if cookie := options.pop("cookie", None):
            run.http.set_cookie(*cookie)
        answer = run.call(rule, method, plan.path(rule), headers=headers, **options)
        if answer.status_code == 201 and rule.rule == "/vendor-credentials":
            plan.use_row(answer.json["id"])
        if shown:
            run.sentinels.add("issued token", answer.json["access_token"])
        if rule.rule.startswith("/vendor-credentials") and "check" not in rule.rule and method != "DELETE":
            # These answers show what is stored, and nothing else.
            names = {name for name in run.sentinels.names() if name.startswith(("stored", "new "))}
            run.call(rule, method, f"{plan.path(rule)}?includeSecrets=true", names, headers=headers, **options)


def run_with_faults(run, plan, sent, vendors):
    """Each route with each caller: wrong parameters and bodies, refused tokens, and vendors that fail in each way."""
    secret = run.sentinels.new("in query and body")
    bodies = [
        {"data": secret},
        {"json": {secret: secret, "credentials": {"vendor": secret, "clientSecret": secret}, "code": secret}},
        {"data": {"grant_type": "client_credentials", "client_id": "x", "client_secret": secret, "scope": secret}},
    ]
    for rule, method in routes(run.app):
        path = plan.path(rule)
        for headers in [sent["headers"]] if method in ("HEAD", "OPTIONS") else sent.values():
            run.call(rule, method, path, headers=headers)
        run.call(rule, method, f"{path}?token={secret}&pageToken={secret}", headers=sent["headers"])
        for body in bodies if method in ("POST", "PATCH", "DELETE") else ():
            run.call(rule, method, path, headers=sent["stored"], **body)
    asking = [rule for rule in run.app.url_map.iter_rules() if rule.endpoint in ASKING]
    assert len(asking) == len(ASKING)
    for vendors.answer in ANSWERS:
        for rule in asking:
            method = "POST" if "POST" in rule.methods else "GET"
            for kind in ("headers", "stored"):
                run.call(rule, method, plan.path(rule), headers=sent[kind] | {"Cache-Control": "no-cache"})


def run_token_endpoint(run, clients):
    """Secrets where others belong."""
    rule = next(rule for rule in run.app.url_map.iter_rules() if rule.endpoint == "Token.issue")
    id, secret = clients["headers"].auth
    form = {"grant_type": "client_credentials"}
    for auth in ((id, run.sentinels.new("wrong client secret")), (secret, id), (secret, secret)):
        run.call(rule, "POST", "/oauth2/token", data=form, auth=auth)
        run.call(rule, "POST", "/oauth2/token", data=form | {"client_id": auth[0], "client_secret": auth[1]})


def stored_bytes(settings, request):
    """All that the database has written."""
    if settings.database_url.startswith("sqlite"):
        path = Path(make_url(settings.database_url).database)
        return b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    command = [request.getfixturevalue("postgres").program("pg_dump"), libpq_url(settings)]
    return subprocess.run(command, capture_output=True, check=True, timeout=SECONDS).stdout


@pytest.mark.parametrize(
    "database_url", ["sqlite", pytest.param("postgres", marks=pytest.mark.exhaustive)], indirect=True
)
def test_no_secret_is_in_any_output_of_any_route(app, settings, network, sentinels, terminal, spans, capsys, request):
    vendors = Vendors(network, sentinels)
    for cloud in app.extensions["services"].clouds.values():
        cloud.pause = 0.0
    clients, sent = callers(app, sentinels)
    run = Run(app, sentinels)
    run_token_endpoint(run, clients)
    run_with_faults(run, Plan(clients, sentinels, app), sent, vendors)
    run_with_success(run, Plan(clients, sentinels, app), sent)
    assert run.leaks == []
    untried = {(rule.endpoint, method) for rule, method in routes(app)} - run.succeeded
    assert {pair for pair in untried if pair[0] not in UNBUILT} == set(), "let Plan.success run these with success"
    written = capsys.readouterr().err
    assert written.count("\n") > 1000
    for style in (written, terminal.getvalue()):
        assert "vendor call" in style
        assert sentinels.found_in(style) == set()
    ended = spans.get_finished_spans()
    assert {span.kind for span in ended} == {SpanKind.SERVER, SpanKind.CLIENT}
    assert sentinels.found_in(str([span.to_json() for span in ended])) == set()
    on_disk = stored_bytes(settings, request)
    assert clients["stored"].id.encode() in on_disk
    assert sentinels.found_in(on_disk) == set()


def test_a_secret_is_found_in_each_form(sentinels):
    secret = sentinels.new("made up")
    for form in (secret, f"a{secret}b".upper(), secret.encode().hex(), repr(secret)):
        assert sentinels.found_in(f"... {form} ...") == {"made up"}
    for before in ("", "x", "xy"):
        assert sentinels.found_in(base64.b64encode(f"{before}{secret}".encode())) == {"made up"}
    assert sentinels.found_in(secret[:-1]) == set()
    assert sentinels.found_in(secret, {"made up"}) == set()
