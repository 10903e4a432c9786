"""The requests of the demo: counts of each vendor's devices, a few for the first screen, and more for the file."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from demo.servers import Client, Servers
from demo.shell import Call, Shell, Variable

KINDS = ("sites", "solar-inverters", "batteries")
# Vendors of the first screen: their credentials are short and do not expire.
LISTED = ("solaredge", "solis")
# A battery of this mode is full at any time of the day, so that it can discharge.
FULL_BATTERY = {"mode": "Backup"}
DISCHARGE_KW, DISCHARGE_FOR = 3, timedelta(minutes=15)
VIRTUAL_SITE = {"location": {"lat": 40, "lon": -4, "timezone": "Europe/Madrid"}}
NOT_CACHED = {"Cache-Control": "no-cache"}


@dataclass(frozen=True)
class Step:
    """A request and its response."""

    title: str
    call: Call
    answer: Any


@dataclass(frozen=True)
class VendorRow:
    """Counts of what a vendor lists, and how long it took to list the solar inverters."""

    vendor: str
    counts: tuple[int, ...]
    milliseconds: float
    errors: Mapping[str, str]


@dataclass(frozen=True)
class Results:
    """All that the demo shows."""

    variables: Sequence[Variable]
    vendors: Sequence[VendorRow]
    """The last row is of all vendors together."""
    listed: Step
    made: Sequence[Step]
    yesterday: Step
    dispatched: Sequence[Step]
    """The plan of a battery, and what the battery does."""
    further: Sequence[Step]


class Tour:
    """Sends requests to the service; the variables of their headers are in `shell`."""

    def __init__(self, servers: Servers) -> None:
        self.shell = Shell(servers.service_url)
        self.vendors: dict[str, Mapping[str, str]] = {}
        """By vendor, its headers."""
        tokens = {"TOKEN": "production", "VIRTUAL_TOKEN": "virtual"}
        self.shell.variables += [
            self.shell.fetch_token(name, "$API/oauth2/token", servers.clients[mode]) for name, mode in tokens.items()
        ]
        for vendor, account in self.shell.get(f"{servers.sandbox_url}/")["vendors"].items():
            self._add_vendor(vendor, account)

    def _add_vendor(self, vendor: str, account: Mapping[str, Any]) -> None:
        """Makes a variable of each credential of a vendor, and remembers the headers with these variables."""
        headers = {}
        for header, value in account["headers"].items():
            scheme, _, credential = value.rpartition(" ")
            variable = Variable(variable_name(vendor, header, scheme), credential)
            token = account.get("token", {})
            if scheme == "Bearer" and "scope" in token:  # SMA's, which lives for minutes; other tokens are ready
                client = Client(token["client_id"], token["client_secret"])
                variable = self.shell.fetch_token(variable.name, token["url"], client, scope=token["scope"])
            self.shell.variables.append(variable)
            headers[header] = f"{scheme} ${variable.name}".lstrip()
        self.vendors[vendor] = headers

    def take(self) -> Results:
        """Sends all requests."""
        vendors = list(self.vendor_rows())
        listed, made = self.list_inverters(), self.make_virtual_devices()
        site, inverter, battery = (step.answer for step in made)
        zone = ZoneInfo(site["location"]["timezone"])
        # Of the devices: the intervals of the site change with each device that a reader adds by pasting.
        yesterday = self.read_yesterday("solar inverter", f"/solar-inverters/{inverter['id']}", zone)
        dispatched = self.dispatch(battery)
        further = [*self.further(), self.read_running_quarter(battery)]
        return Results(self.shell.variables, vendors, listed, made, yesterday, dispatched, further)

    @property
    def all_headers(self) -> dict[str, str]:
        return self.headers_of(*self.vendors)

    def headers_of(self, *vendors: str) -> dict[str, str]:
        return {header: value for vendor in vendors for header, value in self.vendors[vendor].items()}

    def vendor_rows(self) -> Iterator[VendorRow]:
        """Lists what each vendor has, and at the end what all have, in one request."""
        self.shell.send(Call("/sites", headers=self.all_headers))  # opens the connections to the vendors
        for vendor, headers in [*self.vendors.items(), ("all, in one request", self.all_headers)]:
            lists = {kind: self.shell.send(Call(f"/{kind}", headers=headers)) for kind in KINDS}
            start = time.monotonic()
            errors = self.shell.send(Call("/solar-inverters", headers={**headers, **NOT_CACHED}))["errors"]
            milliseconds = 1000 * (time.monotonic() - start)
            yield VendorRow(vendor, tuple(len(lists[kind][kind]) for kind in KINDS), milliseconds, errors)

    def list_inverters(self) -> Step:
        """The solar inverters of a few vendors."""
        return self._step("One list over several vendors", Call("/solar-inverters", headers=self.headers_of(*LISTED)))

    def make_virtual_devices(self) -> tuple[Step, Step, Step]:
        """A virtual site with a solar inverter and a battery."""
        site = self._step("A virtual site", virtual_call("/virtual/sites", VIRTUAL_SITE))
        body = {"siteID": site.answer["id"]}
        inverter = self._step("A solar inverter at this site", virtual_call("/virtual/solar-inverters", body))
        battery = self._step("A battery at this site", virtual_call("/virtual/batteries", body | FULL_BATTERY))
        return site, inverter, battery

    def read_yesterday(self, name: str, path: str, zone: ZoneInfo) -> Step:
        """The hours of yesterday, on the clock of the zone, of the virtual device at the path."""
        today = datetime.now(zone).date()
        window = f"start={today - timedelta(days=1)}&end={today}"
        return self._step(f"Yesterday's hours of the virtual {name}", virtual_call(f"{path}/intervals?{window}"))

    def dispatch(self, battery: Mapping[str, Any]) -> tuple[Step, Step]:
        """Makes the battery discharge from now on, and reads what it does."""
        start = datetime.now(UTC).replace(microsecond=0)
        interval = {
            "command": "discharge",
            "start": f"{start:%Y-%m-%dT%H:%M:%SZ}",
            "end": f"{start + DISCHARGE_FOR:%Y-%m-%dT%H:%M:%SZ}",
            "kw": DISCHARGE_KW,
        }
        plan = virtual_call(f"/sites/{battery['siteID']}/battery-control", {"intervals": [interval]}, "PUT")
        return (
            self._step("The battery is to discharge", plan),
            self._step("The battery as it is now", virtual_call(f"/batteries/{battery['id']}")),
        )

    def read_running_quarter(self, battery: Mapping[str, Any]) -> Step:
        """The quarters of an hour from the running one on, as far as they have come when the request is sent."""
        now = datetime.now(UTC)
        start = now.replace(minute=now.minute // 15 * 15)
        window = f"start={start:%Y-%m-%dT%H:%M:00Z}&end={start + timedelta(hours=1):%Y-%m-%dT%H:%M:00Z}"
        call = virtual_call(f"/batteries/{battery['id']}/intervals?summaryLevel=15mins&{window}")
        return self._step("The quarters of an hour of its discharge; the last one still runs", call)

    def further(self) -> Iterator[Step]:
        """Requests over all vendors, and for one site and its devices."""
        for kind in KINDS:
            yield self._step(f"The {kind} of all vendors", Call(f"/{kind}", headers=self.all_headers))
        wrong_key = self.all_headers | {"X-Authorization-solaredge": "wrong-key"}
        title = "The solar inverters with a wrong key for SolarEdge: the other vendors are listed"
        yield self._step(title, Call("/solar-inverters", headers=wrong_key))
        other_version = self.all_headers | {"api-version": "v2024-09-01"}
        title = "Batteries in the other API version, by pages"
        yield self._step(title, Call("/batteries?pageSize=3", headers=other_version))
        headers = self.headers_of(LISTED[0])
        for kind in KINDS:
            url = self.shell.send(Call(f"/{kind}", headers=headers))[kind][0]
            yield self._step(f"One of the {kind}, as it is now", Call(urlsplit(url).path, headers=headers))

    def _step(self, title: str, call: Call) -> Step:
        return Step(title, call, self.shell.send(call))


def virtual_call(path: str, body: Mapping[str, Any] | None = None, method: str = "") -> Call:
    """A request of the client of mode virtual."""
    return Call(path, "VIRTUAL_TOKEN", body=body, method=method)


def variable_name(vendor: str, header: str, scheme: str) -> str:
    """A name such as ACME_TOKEN or ACME_KEY; for a companion header its own name, such as ACME_API_KEY."""
    if header == f"X-Authorization-{vendor}":
        return f"{vendor}_{'TOKEN' if scheme == 'Bearer' else 'KEY'}".upper()
    return header.removeprefix("X-").replace("-", "_").upper()
