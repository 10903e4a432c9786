"""Callers with sentinel secrets, vendors that quote them, and requests with which each route succeeds."""

import base64
import re

from app.api.join_pages import NAME_LENGTH
from app.credentials.status import Status
from app.join.answers import STORED
from app.join.random_texts import hashed
from app.join.source import of_flow
from tests.app.credentials.support import VARIANTS
from tests.app.virtual.support import Caller
from tests.vendors.support import HEADERS, credential_of
from vendors.kit.consent.code_grant import Granted
from vendors.kit.registry import discover
from vendors.kit.tokens.store import Token

ORDER = ["POST", "PUT", "GET", "HEAD", "OPTIONS", "PATCH", "DELETE"]


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
        "no token": {"Cookie": f"session={sentinels.new('cookie')}"},
        "wrong token": {"Authorization": f"Bearer {sentinels.new('wrong token')}"},
        "basic": {"Authorization": f"Basic {sentinels.new('wrong basic')}"},
        "tampered": {"Authorization": clients["headers"].headers["Authorization"][:-3] + "abc"},
    }
    sent = {kind: client.headers for kind, client in clients.items()} | wrong
    sent["headers"] = sent["headers"] | sent_headers(sentinels)
    sent["metrics"] = {"Authorization": f"Bearer {app.extensions['services'].settings.metrics_token}"}
    return clients, sent


class JoinPlan:
    """Sessions, flows and grants of a client, new ones for each call."""

    def __init__(self, client, sentinels, app):
        self._client, self._services, self._app = client, app.extensions["services"], app
        # The id of an application stands in the vendor's URL.
        self._inline = {"clientID": "application", "clientSecret": sentinels.new("client secret inline")}
        self._keys = {name: sentinels.new(f"{name} typed") for name in ("keyID", "keySecret")}
        self._code = sentinels.new("a vendor's code")
        access, refresh = (sentinels.new(f"{kind} token of an owner") for kind in ("access", "refresh"))
        self._granted = Granted(Token(access, 3600.0, refresh), account="owner")
        self._vendors = [{"vendor": "tesla", "credentials": self._inline}, {"vendor": "solis"}]

    def arguments(self):
        """Values for the paths, by their beginnings; a longer one first."""
        configs = self._services.join.parser.parse(self._vendors, lambda id: None, stores=True)
        session = self._services.join.sessions.start(self._client.id, configs, stores=True)
        flow = self._services.join.flows.create(self._client.id, configs, "https://www.example.org/")
        members = {"credentials_id": None, "secrets": self._inline, "granted": self._granted, "name": None}
        grant = self._services.grants.add(self._client.id, "tesla", "app", status=Status.ACTIVE, **members)
        self._flow = flow
        if self._is_finished:
            row = self._services.join.sessions.find(session.id)
            self._services.join.sessions.claim(row, "tesla", 0.0)
            self._services.join.sessions.finish(row, "tesla", STORED)
        return {
            "/grants/": {"id": grant.id},
            "/join/session/": {"sessionID": session.id, "session_id": session.id},
            "/join/flows/": {"id": flow.id, "flowID": flow.id},
            "/join/grants/": {"token": self._services.consent_links.make(grant).token},
            "/join/": {"vendor": self._vendor},
        }

    _vendor, _is_finished = "tesla", False

    def options(self, rule, method):
        """The options of a request that succeeds, before `arguments` are made for it."""
        self._is_finished = rule.endpoint == "JoinSessions.fetch_token"
        self._vendor = "solis" if rule.endpoint == "JoinForms.answer" else "tesla"
        if method == "POST" and rule.endpoint in ("JoinSessions.start", "JoinFlows.create"):
            further = (
                {"storeCredentials": True} if "session" in rule.rule else {"redirectURI": "https://www.example.org/"}
            )
            return {"json": {"vendors": self._vendors, **further}}
        if rule.endpoint == "JoinForms.ask":
            return {"query_string": {"vendor": "tesla"}}
        if rule.endpoint in ("JoinForms.answer", "JoinConsent.granted"):
            return self._begun(method)
        return {}

    def _begun(self, method):
        """What the browser of an owner sends at the end of an attempt."""
        with self._app.test_request_context():
            begun = self._services.join.consents.begin(of_flow(self._flow), self._vendor, None, "https://x.test/").begun
        cookie = f"join-{hashed(begun.state)[:NAME_LENGTH]}", begun.browser
        if method == "POST":
            return {"data": {"state": begun.state, **self._keys}, "cookie": cookie}
        return {"query_string": {"state": begun.state, "code": self._code}, "cookie": cookie}


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
            "/.well-known/": {"name": "appspecific/com.tesla.3p.public-key.pem"},
            "/assets/": {"digest": asset[1], "name": asset[2]},
        }
        self._site = site
        self._join = JoinPlan(stored, sentinels, app)
        self._arguments |= self._join.arguments()

    def use_row(self, id):
        """Takes stored credentials for the next calls."""
        self._arguments["/vendor-credentials/"] = {"id": id}

    def path(self, rule):
        arguments = next((self._arguments[prefix] for prefix in self._arguments if rule.rule.startswith(prefix)), {})
        assert rule.arguments <= arguments.keys(), f"no argument for {rule}: add it to Plan"
        return re.sub(r"<(?:\w+:)?(\w+)>", lambda match: arguments[match[1]], rule.rule)

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
        elif rule.rule.startswith(("/join", "/grants")):
            kind = "stored"
            options = self._join.options(rule, method)
            self._arguments |= self._join.arguments()
        elif rule.rule == "/sites/<id>/battery-control" and method == "PUT":
            options = {"json": {"intervals": []}}
        elif rule.rule in ("/virtual/solar-inverters", "/virtual/batteries") and method == "POST":
            options = {"json": {"siteID": self._site}}
        elif rule.rule == "/virtual/sites" and method == "POST":
            options = {"json": {}}
        elif rule.endpoint == "Token.issue" and method == "POST":
            options = {"data": {"grant_type": "client_credentials"}, "auth": self.clients["headers"].auth}
            shown = {"issued"}
        elif rule.endpoint == "Metrics.show":
            kind = "metrics"
        elif rule.endpoint == "VendorKeys.show":
            self.app.extensions["services"].credentials.vendor_keys.ensure("tesla")
        elif rule.endpoint == "DemoSignIn.redeem" and method == "POST":
            codes = self.app.extensions["services"].sign_in_codes
            code = self.sentinels.add("sign-in code", codes.create(self.clients["virtual"].id))
            options, shown = {"json": {"code": code}}, {"issued"}
        return kind, options, shown


def routes(app):
    """Each route with each of its methods, in an order in which nothing is deleted that a later call needs."""
    pairs = [(rule, method) for rule in app.url_map.iter_rules() for method in rule.methods]
    return sorted(pairs, key=lambda pair: (ORDER.index(pair[1]), pair[0].rule == "/virtual/sites/<id>", pair[0].rule))
