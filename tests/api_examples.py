"""The examples of /openapi.json: real responses of this service with the sandbox behind it. `make docs` writes them."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any
from unittest import mock

import orjson
import time_machine
from sqlalchemy import update

import sandbox
from app import create_app
from app.api.openapi.examples import FILE
from app.auth.scopes import Scope
from app.config import Settings
from app.storage.grant_table import GrantRow
from sandbox.server import running
from tests.granting import Owners
from tests.services import Played

NOW = datetime(2026, 6, 15, 14, 20, tzinfo=UTC)
WINDOW = "summaryLevel=hour&start=2026-06-15T10:00:00Z&end=2026-06-15T14:00:00Z"
REQUEST_ID = "3f0c9a52d8e14b6fa7c1e0d95b284673"
SITES, SEED = 3, 1
# Where `make demo` has the service, and `make sandbox` the vendors.
SERVICE_URL, SANDBOX_URL = "http://127.0.0.1:8000", "http://127.0.0.1:9000"
NEW, V1 = "v2024-09-01", "v1"
KEYS = {"secret_key": "s" * 32, "id_key": "i" * 32, "credential_keys": "c" * 32}
# Shown in place of what looks like a secret.
SECRET = "the secret that the vendor gave you"
TOKEN = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.…"
VIRTUAL_SITE = {
    "name": "Home",
    "location": {"lat": 33.4, "lon": -112.1, "timezone": "America/Phoenix", "currentUTCOffset": -7},
    "operationalSince": "2024-05-01T12:00:00Z",
}
DEVICE = {"name": "Garage", "reportedAt": "2026-06-01T00:00:00Z", "model": "M-1", "serialNumber": "S-1"}
BATTERY = DEVICE | {"nameplateKwh": 13.5, "mode": "Backup", "stateOfChargePercent": 55}
INVERTER = DEVICE | {
    "recentProduction": {"kwh": 1.5, "start": "2026-06-01T00:00:00Z"},
    "lifetimeProduction": {"kwh": 99, "start": None},
}


class Recorder:
    """A client that records responses as examples."""

    def __init__(self, service: Any, played: Played) -> None:
        self._http, self.service = service.test_client(), service
        self._tokens = {mode: self._token(service, mode) for mode in ("production", "virtual")}
        self.vendors = {name: played.headers(name) for name in ("sma", "solis")}
        self.vendors["both"] = played.headers("sma", "solis")
        self.problems: dict[str, Any] = {}
        self.operations: dict[str, Any] = {}

    def _token(self, service: Any, mode: str) -> str:
        auth = service.extensions["services"].clients.create("examples", mode, V1, Scope)
        return str(
            self._http.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=auth).json["access_token"]
        )

    def call(
        self, path: str, method: str = "GET", *, version: str = NEW, mode: str = "production", **options: Any
    ) -> Any:
        """The response, with its JSON."""
        headers = {"Authorization": f"Bearer {self._tokens[mode]}", "api-version": version, "X-Request-ID": REQUEST_ID}
        vendors = {} if mode == "virtual" else self.vendors[options.pop("vendor", "solis")]
        headers |= vendors | options.pop("headers", {})
        headers = {name: value for name, value in headers.items() if value is not None}
        return self._http.open(path, SERVICE_URL, method=method, headers=headers, **options)

    @property
    def token(self) -> str:
        """Of the client of mode production."""
        return self._tokens["production"]

    def record(self, operation: str, path: str, method: str = "GET", *, name: str = "example", **options: Any) -> Any:
        """Records a response, and what was sent; returns the response's JSON."""
        answer = self.call(path, method, **options)
        assert answer.status_code < 300, (operation, answer.text)
        entry = self.operations.setdefault(operation, {})
        if "json" in options:
            entry.setdefault("bodies", {})[name] = options["json"]
        if answer.json is not None:
            entry.setdefault("responses", {}).setdefault(str(answer.status_code), {})[name] = answer.json
        return answer.json

    def consent(self, session: str, vendor: str, keys: str) -> None:
        """An owner types keys in at a page of the client."""
        services = self.service.extensions["services"]
        for client in services.clients.all():
            services.join.origins.add(client.id, "https://www.example.org")
        answer = self.call(
            f"/join/{vendor}/auth-granted?state={session}&code={keys}", headers={"Origin": "https://www.example.org"}
        )
        assert answer.status_code == 200, answer.text

    def forget(self, grant: str) -> None:
        """Deletes a grant of any client."""
        services = self.service.extensions["services"]
        for client in services.clients.all():
            services.grants.delete(client.id, grant)

    def parameters(self, operation: str, **values: str) -> None:
        """Records examples of parameters."""
        self.operations.setdefault(operation, {})["parameters"] = values

    def problem(self, path: str, method: str = "GET", **options: Any) -> None:
        """Records a problem under its code."""
        answer = self.call(path, method, **options)
        assert answer.mimetype == "application/problem+json", answer.text
        self.problems[answer.json["code"]] = answer.json


LISTS = {"/sites": "Sites", "/solar-inverters": "SolarInverters", "/batteries": "Batteries"}
SINGLE = {"/sites": "Site", "/solar-inverters": "SolarInverter", "/batteries": "Battery"}


def read_vendors(recorder: Recorder) -> str:
    """Lists, details and intervals; returns the id of a site."""
    for path, names in LISTS.items():
        if path != "/batteries":  # The same replies as for solar inverters.
            recorder.record(f"list{names}", f"{path}?dryRun=true", name="dryRun, nothing kept")
        recorder.record(f"list{names}", path, name=V1, version=V1)
        page = recorder.record(f"list{names}", f"{path}?pageSize=1", name=NEW)
        recorder.record(f"list{names}", f"{path}?dryRun=true", name="dryRun", headers=REFRESH)
        id = page[next(name for name in page if name.lower() == names.lower())][0]["id"]
        recorder.record(f"list{names}", path, name="a vendor fails", vendor="sma", headers=BROKEN)
        if path == "/sites":
            site = id = with_battery(recorder, page)
        recorder.record(f"get{SINGLE[path]}", f"{path}/{id}")
        recorder.parameters(f"get{SINGLE[path]}", id=id)
        if path != "/sites":
            recorder.record(f"get{SINGLE[path]}Intervals", f"{path}/{id}/intervals?{WINDOW}")
    recorder.record("getSiteSolarInverterIntervals", f"/sites/{site}/solar-intervals?{WINDOW}")
    recorder.record("getSiteBatteryIntervals", f"/sites/{site}/battery-intervals?{WINDOW}")
    recorder.record("getQuota", "/quota", vendor="both")
    return site


REFRESH = {"Cache-Control": "no-cache"}
# A credential that the vendor refuses.
BROKEN = {"X-Authorization-solis": "Basic MTIzOndyb25n"}


def with_battery(recorder: Recorder, page: Any) -> str:
    """The first site that has a battery."""
    for item in recorder.call("/sites").json["sites"]:
        if recorder.call(f"/sites/{item['id']}").json["batteries"]:
            return str(item["id"])
    raise AssertionError("no site has a battery")


def make_virtual(recorder: Recorder) -> None:
    """Virtual sites and devices, made, read, listed and deleted."""
    site = recorder.record("createVirtualSite", "/virtual/sites", "POST", mode="virtual", json=VIRTUAL_SITE)["id"]
    ids = {"Site": ("sites", site)}
    for name, path, body in (("SolarInverter", "solar-inverters", INVERTER), ("Battery", "batteries", BATTERY)):
        members = body | {"siteID": site}
        created = recorder.record(f"createVirtual{name}", f"/virtual/{path}", "POST", mode="virtual", json=members)
        ids[name] = (path, created["id"])
    for name, (path, id) in ids.items():
        recorder.record(f"getVirtual{name}", f"/virtual/{path}/{id}", mode="virtual")
        plural = LISTS[f"/{path}"]
        recorder.record(f"listVirtual{plural}", f"/virtual/{path}", mode="virtual")
        recorder.parameters(f"getVirtual{name}", id=id)
        recorder.parameters(f"deleteVirtual{name}", id=id)
    recorder.problem("/virtual/sites/site-0000000000000000", mode="virtual")


def store_credentials(recorder: Recorder, played: Played) -> None:
    """Stored credentials: made, listed, read, checked, changed and deleted."""
    credentials = played.credentials("solis") | {"keySecret": SECRET}
    body = {"name": "Roofs of the south", "credentials": credentials}
    path = "/vendor-credentials"
    id = recorder.record("createVendorCredentials", path, "POST", json=body)["id"]
    recorder.record("listVendorCredentials", path)
    recorder.record("getVendorCredentials", f"{path}/{id}", name="without secrets")
    recorder.record("getVendorCredentials", f"{path}/{id}?includeSecrets=true", name="with secrets")
    recorder.record("checkVendorCredentials", f"{path}/{id}/check", "POST")
    change = {"name": "Roofs of the north"}
    recorder.record("updateVendorCredentials", f"{path}/{id}", "PATCH", json=change)
    recorder.call(f"{path}/{id}", "DELETE")
    for operation in ("get", "check", "update", "delete"):
        recorder.parameters(f"{operation}VendorCredentials", id=id)


def join(recorder: Recorder, played: Played) -> None:
    """A flow, and a session in which an owner types keys in."""
    flow = {"vendors": [{"vendor": "solis"}], "redirectURI": "https://www.example.org/connected"}
    id = recorder.record("createJoinFlow", "/join/flows", "POST", json=flow)["id"]
    recorder.record("listJoinFlows", "/join/flows")
    recorder.record("getJoinFlow", f"/join/flows/{id}")
    recorder.parameters("getJoinFlow", id=id)
    recorder.parameters("deleteJoinFlow", id=id)
    recorder.parameters("getJoinFlowAuthorize", flowID=id)
    inline = {"clientID": "the client's id", "clientSecret": SECRET}
    body = {"storeCredentials": True, "vendors": [{"vendor": "solis"}, {"vendor": "tesla", "credentials": inline}]}
    session = recorder.record("createJoinSession", "/join/session/start", "POST", json=body)["sessionID"]
    path = f"/join/session/{session}"
    recorder.record("listJoinSessionVendors", f"{path}/vendors")
    recorder.problem(f"{path}/fetch-token")
    keys = played.credentials("solis")
    page = recorder.call(f"/join/flows/{id}/authorize?vendor=solis")
    assert page.status_code == 200, page.text
    recorder.consent(session, "solis", f"{keys['keyID']}:{keys['keySecret']}")
    grant = recorder.record("getJoinSessionToken", f"{path}/fetch-token")["grantID"]
    recorder.problem(f"{path}/fetch-token")
    recorder.forget(grant)


def grants(recorder: Recorder, played: Played) -> None:
    """A grant of an owner: listed, read, its link, and its end."""
    owners = Owners(SimpleNamespace(app=recorder.service, token=recorder.token), played)
    id = owners.grant(0).id
    with owners.services.database.session() as session:
        # Otherwise from the database's clock, which does not stand still.
        session.execute(update(GrantRow).values(refresh_until=NOW.timestamp() + 90 * 86_400))
    recorder.record("listGrants", "/grants")
    recorder.record("getGrant", f"/grants/{id}")
    recorder.record("createConsentLink", f"/grants/{id}/consent-link", "POST")
    recorder.record("deleteGrant", f"/grants/{id}", "DELETE")
    for operation in ("getGrant", "createConsentLink", "deleteGrant"):
        recorder.parameters(operation, id=id)


def control_batteries(recorder: Recorder) -> None:
    """The plan of a virtual site: written, read, and the receipt of its order."""
    site = recorder.call("/virtual/sites", "POST", mode="virtual", json=VIRTUAL_SITE).json["id"]
    recorder.call("/virtual/batteries", "POST", mode="virtual", json=BATTERY | {"siteID": site})
    path, times = f"/sites/{site}/battery-control", {"start": "2026-06-15T17:00:00Z", "end": "2026-06-15T19:00:00Z"}
    plan = {"intervals": [{"command": "discharge", **times, "kw": 2.5, "allowExport": True}]}
    recorder.record("putSiteBatteryControl", path, "PUT", mode="virtual", json=plan)
    recorder.record("getSiteBatteryControl", path, mode="virtual")
    recorder.record("getSiteBatteryControlHistory", f"{path}/history", mode="virtual")
    for operation in ("putSiteBatteryControl", "getSiteBatteryControl", "getSiteBatteryControlHistory"):
        recorder.parameters(operation, id=site)


def provoke_problems(recorder: Recorder, site: str, played: Played) -> None:
    """Problems by what a caller or a vendor does wrong."""
    nothing = dict.fromkeys(recorder.vendors["solis"])
    recorder.problem("/sites?pagesize=10")
    recorder.problem("/sites", version="v2020-01-01")
    recorder.problem("/sites?pageToken=x")
    recorder.problem("/sites", headers={"X-Authorization-solis": "a,b"})
    recorder.problem("/sites", headers={"Host": "other.example"})
    recorder.problem("/sites", headers={"Authorization": None})
    recorder.problem("/sites", headers={"Authorization": "Bearer x"})
    recorder.problem("/sites", headers=nothing)
    recorder.problem("/virtual/sites")
    recorder.problem("/virtual/sites", "POST", data=b"x" * 70_000, content_type="application/json")
    recorder.problem(f"/sites/{site}", headers=BROKEN)
    for status in (500, 429):
        played.put("/faults/solis", {"status": status})
        recorder.problem(f"/sites/{site}", headers=REFRESH)
    played.put("/faults/solis", {})


def token_endpoint(recorder: Recorder) -> None:
    """The response of the token endpoint, with its token cut short."""
    form = {"grant_type": "client_credentials", "scope": "read"}
    recorder.operations["getToken"] = {"bodies": {"client authenticates by HTTP Basic": form}}
    example = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600}
    expires = int((NOW + timedelta(hours=1)).timestamp())
    recorder.operations["getToken"]["responses"] = {
        "200": {"example": example | {"expires_at": expires, "scope": "read"}}
    }


@contextmanager
def recording() -> Iterator[tuple[Recorder, Played]]:
    """A service whose clock stands still and whose ids are the same every time."""
    numbers = itertools.count(1)
    with (
        time_machine.travel(NOW, tick=False),
        mock.patch("secrets.token_hex", lambda size: f"{next(numbers):0{2 * size}x}"),
        mock.patch("secrets.token_urlsafe", lambda size: f"{next(numbers):0{size}x}"),
        mock.patch("secrets.choice", lambda letters: letters[next(numbers) * 7 % len(letters)]),
        TemporaryDirectory() as folder,
        running(sandbox.create_app(SITES, SEED)) as url,
    ):
        database = f"sqlite:///{Path(folder) / 'derapi.db'}"
        settings = Settings(
            **KEYS | {"credential_keys": (KEYS["credential_keys"],)},
            database_url=database,
            embedded=True,
            log_level="CRITICAL",
            sandbox_url=url,
            vendor_limits={"solis": (1000, 3600)},
        )
        service = create_app(settings)
        try:
            yield Recorder(service, Played(url)), Played(url)
        finally:
            service.extensions["services"].close()


def examples() -> bytes:
    """The content of examples.json."""
    with recording() as (recorder, played):
        site = read_vendors(recorder)
        make_virtual(recorder)
        store_credentials(recorder, played)
        join(recorder, played)
        grants(recorder, played)
        token_endpoint(recorder)
        control_batteries(recorder)
        for operation, path in (("getHealth", "/health"), ("getReadiness", "/ready")):
            recorder.record(operation, path, headers={"Authorization": None})
        provoke_problems(recorder, site, played)
    recorded = {"operations": recorder.operations, "problems": recorder.problems}
    form = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(recorded, option=form).replace(played.url.encode(), SANDBOX_URL.encode())


def main() -> None:
    """Writes examples.json."""
    FILE.write_bytes(examples())


if __name__ == "__main__":
    main()
