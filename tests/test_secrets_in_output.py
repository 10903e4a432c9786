"""Promise 31: every route is run with sentinel secrets, and none is anywhere in what the service puts out."""

import base64
import io
import logging
import re
import subprocess
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from app.web import log
from app.web.log import format as log_format
from tests.app.credentials.support import VARIANTS, libpq_url
from tests.app.virtual.support import Caller
from tests.ports import free_port
from tests.processes import SECONDS
from tests.secret_search import Sentinels, with_sentinels
from tests.vendors.support import HEADERS, credential_of
from vendors.kit.registry import discover

# Routes without a success in a clone: the site is there only after `make docs`.
UNBUILT = {"Docs.show"}
ORDER = ["POST", "GET", "HEAD", "OPTIONS", "PATCH", "DELETE"]
# How vendors answer: each time with all that they were sent.
ANSWERS = ["echo", 401, 403, 404, "raise", 500, 429]

# The ways to vendors: the others have these behind them as well.
ASKING = {"Sites.list_sites", "Batteries.list_batteries", "Solar inverters.get_solar_inverter",
          "VendorCredentials.check_credentials"}  # fmt: skip


class Vendors:
    """All vendors' clouds, which quote the credential of each call in body, header and error."""

    def __init__(self, network, sentinels):
        self.answer = "echo"
        self._token = sentinels.new("access token of a vendor")
        self._refresh = sentinels.new("refresh token of a vendor")
        for method in ("GET", "POST", "PUT"):
            network.add_callback(method, re.compile(".*"), self._reply)

    def _reply(self, request):
        sent = f"{request.url} {dict(request.headers)} {request.body}"
        if "token" in request.url:
            return (
                200,
                {},
                f'{{"access_token": "{self._token}", "refresh_token": "{self._refresh}", "expires_in": 600}}',
            )
        if self.answer == "raise":
            raise ValueError(f"cannot read {sent}")
        status = 200 if self.answer == "echo" else self.answer
        return status, {"X-Echo": sent.replace("\n", " "), "Location": request.url}, f'{{"error": {sent!r}, "id": [}}'


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
    return with_sentinels(settings, sentinels, redis_url=redis, proxy_url=proxy, sandbox_url="https://vendor.test",
                          log_level="DEBUG", demo_sign_in=True)  # fmt: skip


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


def sent_headers(sentinels):
    """Working headers of all vendors; their secrets are sentinels from now on."""
    headers = HEADERS | {"solis": {"X-Authorization-solis": basic("1309876543210987654", sentinels.new("solis"))}}
    for name, vendor in discover().items():
        for number, secret in enumerate(credential_of(vendor, name, headers[name]).secrets):
            sentinels.add(f"{name} header part {number}", secret)
    return {name: value for sent in headers.values() for name, value in sent.items()}


def basic(user, password):
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def callers(app, sentinels):
    """Headers by kind of caller, and the clients behind them."""
    clients = {kind: Caller(app, "virtual" if kind == "virtual" else "production") for kind in
               ("virtual", "headers", "stored")}  # fmt: skip
    for kind, client in clients.items():
        sentinels.add(f"client secret of {kind}", client.auth[1])
        sentinels.add(f"bearer of {kind}", client.headers["Authorization"].partition(" ")[2])
    for (vendor, type), members in VARIANTS.items():
        posted = {name: sentinels.new(f"stored {vendor} {type} {name}") for name in members}
        client = clients["stored"]
        body = {"name": f"{vendor}-{type}", "credentials": {"vendor": vendor, "type": type, **posted}}
        answer = client.call("POST", "/vendor-credentials", json=body)
        assert answer.status_code == 201, answer.text
    wrong = {
        "nobody": {"Cookie": f"session={sentinels.new('cookie')}"},
        "wrong token": {"Authorization": f"Bearer {sentinels.new('wrong token')}"},
        "basic": {"Authorization": f"Basic {sentinels.new('wrong basic')}"},
        "tampered": {"Authorization": clients["headers"].headers["Authorization"][:-3] + "abc"},
    }
    sent = {kind: client.headers for kind, client in clients.items()} | wrong
    sent["headers"] = sent["headers"] | sent_headers(sentinels)
    return clients, sent


class Plan:
    """Paths, bodies and callers with which each route succeeds."""

    def __init__(self, clients, sentinels, app):
        virtual, stored = clients["virtual"], clients["stored"]
        self.clients, self.sentinels, self.app = clients, sentinels, app
        site = virtual.create("sites")["id"]
        devices = {kind: virtual.create(kind, siteID=site)["id"] for kind in ("solar-inverters", "batteries")}
        ids = {"sites": site, **devices}
        self._rows = [row["id"] for row in stored.get("/vendor-credentials").json["vendorCredentials"]]
        asset = re.search(r'assets/([^/"]+)/([^"]+)"', virtual.http.get("/", headers={"Accept": "text/html"}).text)
        self._arguments = {
            **{f"/{kind}/": {"id": id} for kind, id in ids.items()},
            **{f"/virtual/{kind}/": {"id": id} for kind, id in ids.items()},
            "/vendor-credentials/": {"id": self._rows.pop()},
            "/errors/": {"code": "unauthorized"},
            "/docs/": {"name": "index.html"},
            "/assets/": {"digest": asset[1], "name": asset[2]},
        }
        self._site = site

    def use_row(self, id):
        """Takes stored credentials for the next calls."""
        self._arguments["/vendor-credentials/"] = {"id": id}

    def path(self, rule):
        for prefix, arguments in self._arguments.items():
            if rule.rule.startswith(prefix):
                return re.sub(r"<(?:\w+:)?(\w+)>", lambda match: arguments[match[1]], rule.rule)
        assert not rule.arguments, f"no argument for {rule}: add it to Plan"
        return rule.rule

    def success(self, rule, method):
        """The caller, the options of the request, and the secrets that its answer shows, for a success."""
        kind, options, shown = "virtual", {}, set()
        if rule.rule.startswith("/vendor-credentials"):
            kind = "stored"
            if method in ("POST", "PATCH") and not rule.rule.endswith("/check"):
                posted = {"clientID": self.sentinels.new(f"new id {method}"),
                          "clientSecret": self.sentinels.new(f"new secret {method}")}  # fmt: skip
                complete = {"vendor": "sma", "type": "customgrant"} | posted
                options = {"json": {"credentials": complete, "name": "changed"}}
            if rule.rule == "/vendor-credentials/<id>" and method == "DELETE":
                self.use_row(self._rows.pop())
        elif rule.rule in ("/virtual/solar-inverters", "/virtual/batteries") and method == "POST":
            options = {"json": {"siteID": self._site}}
        elif rule.rule == "/virtual/sites" and method == "POST":
            options = {"json": {}}
        elif rule.endpoint == "Token.issue" and method == "POST":
            options = {"data": {"grant_type": "client_credentials"}, "auth": self.clients["headers"].auth}
            shown = {"issued"}
        elif rule.endpoint == "DemoSignIn.redeem" and method == "POST":
            codes = self.app.extensions["services"].sign_in_codes
            code = self.sentinels.add("sign-in code", codes.create(self.clients["virtual"].id))
            options, shown = {"json": {"code": code}}, {"issued"}
        return kind, options, shown


def routes(app):
    """Each route with each of its methods, in an order in which nothing is deleted that a later call needs."""
    pairs = [(rule, method) for rule in app.url_map.iter_rules() for method in rule.methods]
    return sorted(pairs, key=lambda pair: (ORDER.index(pair[1]), pair[0].rule == "/virtual/sites/<id>", pair[0].rule))


def run_with_success(run, plan, sent):
    for rule, method in routes(run.app):
        kind, options, shown = plan.success(rule, method)
        headers = sent[kind] if "auth" not in options else {}
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
def test_no_secret_is_in_any_output_of_any_route(app, settings, network, sentinels, terminal, capsys, request):
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
        assert '"vendor call"' in style or "vendor call" in style
        assert sentinels.found_in(style) == set()
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
