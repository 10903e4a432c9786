"""The service in front of a sandbox, over real sockets, in one process."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from pathlib import Path

import requests
from flask.testing import FlaskClient

import sandbox
from app import create_app
from app.config import Settings
from sandbox import registry as dialects
from sandbox.server import running
from tests.vendors.support import cloud_of, open_vendor, records_of
from vendors.kit.calls.sweep import Sweep
from vendors.kit.registry import discover

# Vendors that have an emulator: plugins of the stages list and state may come without one.
PLAYED_VENDORS = sorted(discover().keys() & dialects.discover().keys())


class Played:
    """The vendors' clouds as the sandbox plays them."""

    def __init__(self, url: str, ca_file: str | None = None) -> None:
        self.url = url
        self._verify = ca_file or True

    def get(self, path: str):
        return requests.get(self.url + path, timeout=60, verify=self._verify).json()

    def put(self, path: str, value) -> None:
        # Not json=value: requests sends no body for None.
        body, kind = json.dumps(value), {"Content-Type": "application/json"}
        answer = requests.put(self.url + path, body, headers=kind, timeout=60, verify=self._verify)
        assert answer.ok, answer.text

    def headers(self, *vendors: str) -> dict[str, str]:
        """Ready credentials; of all vendors when none is named."""
        accounts = self.get("/")["vendors"]
        return {name: value for vendor in vendors or accounts for name, value in accounts[vendor]["headers"].items()}

    def credentials(self, vendor: str) -> dict[str, str]:
        """Working credentials in the form in which they are stored."""
        [members] = self.get("/")["vendors"][vendor]["credentials"]
        return {"vendor": vendor, **members}

    def calls(self, vendor: str) -> dict[str, int]:
        """Calls by path since the last use of this method."""
        counted = self.get(f"/calls/{vendor}")
        requests.delete(f"{self.url}/calls/{vendor}", timeout=60, verify=self._verify)
        return counted

    def inverters(self, vendor: str) -> list[dict]:
        """The fleet's solar inverters as this vendor sees them."""
        return [
            device
            for view in self.get("/truth")["views"][vendor]
            for device in view["devices"]
            if device["kind"] == "solar_inverter"
        ]


class Service:
    """A client of the API."""

    def __init__(
        self, settings: Settings, api_version: str = "v2024-09-01", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.app = create_app(settings, clock)
        self._log_in(api_version)

    def _log_in(self, api_version: str) -> None:
        self.http: FlaskClient = self.app.test_client()
        auth = self.app.extensions["services"].clients.create("test", "production", api_version)
        answer = self.http.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=auth)
        self.token = answer.json["access_token"]
        self._bearer = {"Authorization": f"Bearer {self.token}"}

    def another_client(self) -> "Service":
        """The same service as another client of the API sees it."""
        other = copy(self)
        other._log_in("v2024-09-01")
        return other

    def get(self, path: str, headers: dict[str, str] | None = None):
        return self.call("GET", path, headers or {})

    def call(self, method: str, path: str, headers: dict[str, str] | None = None, **options):
        return self.http.open(path, method=method, headers=self._bearer | (headers or {}), **options)

    def store(self, credentials: dict[str, str], name: str = "roof") -> str:
        """Stores vendor credentials; their id."""
        answer = self.call("POST", "/vendor-credentials", json={"name": name, "credentials": credentials})
        assert answer.status_code == 201, answer.text
        return answer.json["id"]

    def pace(self, least: float, headers: dict[str, str]) -> float:
        """Sets the deadline of requests to `least` seconds, or on a slow machine to six times what these healthy
        vendors take now. Returns the deadline."""
        self._deadline(60.0)
        took = []
        while len(took) < 2:  # the first request is slower
            started = time.monotonic()
            assert self.inverters(headers | {"Cache-Control": "no-cache"})[1] == {}
            took.append(time.monotonic() - started)
        seconds = max(least, 6 * min(took))
        self._deadline(seconds)
        return seconds

    def _deadline(self, seconds: float) -> None:
        services = self.app.extensions["services"]
        replace(services, settings=replace(services.settings, request_deadline=seconds)).init_app(self.app)

    def inverters(self, headers: dict[str, str] | None = None, query: str = "pageSize=1000"):
        """Ids and errors of the list."""
        answer = self.get(f"/solar-inverters?{query}", headers)
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json["solarInverters"]], answer.json["errors"]


@contextmanager
def served(
    folder: Path, sites: int = 8, seconds: float = 20.0, tls=None, ca_file=None, limits=None
) -> Iterator[tuple[Service, Played]]:
    """A service with a separate database, and the sandbox in place of the vendors."""
    with running(sandbox.create_app(sites, 1), tls) as url:
        settings = Settings(
            secret_key="s" * 32,
            id_key="i" * 32,
            database_url=f"sqlite:///{folder / 'derapi.db'}",
            embedded=True,
            log_level="ERROR",
            sandbox_url=url,
            request_deadline=seconds,
            vendor_ca_file=ca_file,
            vendor_limits=limits or {},
            credential_keys=("c" * 32,),
        )
        service = Service(settings)
        yield service, Played(url, ca_file)
        service.app.extensions["services"].close()


class Account:
    """A vendor's emulator and an account there. The cloud is shared by all sweeps, so that they reuse replies."""

    def __init__(self, played, name):
        self.played, self.name = played, name
        self.headers = played.headers(name)
        self.base = f"{played.url}/{name}"
        self.cloud = cloud_of(name, self.base)
        self.views = played.get("/truth")["views"][name]

    def sweep(self, read="devices", *, refresh=False):
        plugin = open_vendor(self.name, headers=self.headers, cloud=self.cloud, refresh=refresh, seconds=60)
        sweep = Sweep(plugin)
        sweep.run(lambda plugin: records_of(getattr(plugin, read)()))
        return sweep

    def calls(self):
        return self.played.calls(self.name)

    @contextmanager
    def fault(self, **fault):
        self.played.put(f"/faults/{self.name}", fault)
        try:
            yield
        finally:
            self.played.put(f"/faults/{self.name}", {})

    @property
    def devices(self):
        """The truth: every device of the fleet as this vendor shows it, with its site's id there."""
        return [(view["site"], device) for view in self.views for device in view["devices"]]


@contextmanager
def account_of(name, sites):
    with running(sandbox.create_app(sites, 1)) as url:
        yield Account(Played(url), name)
