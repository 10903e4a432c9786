"""Reads of a large virtual fleet, in SQLite and in Postgres: `python -m benchmarks.virtual_reads`.

One process serves one client, whose requests follow one another. Times are the client's, with the way over loopback: a
millisecond more than the server's. `first` is the first request of a process, the median of several processes. A row
marked `!` was measured while something else used the machine.
"""

import http.client
import json
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from app.config import Settings
from benchmarks.cells import DISTURBED
from benchmarks.servers import TIMEOUT_SECONDS, Server, busy_seconds, python, running
from benchmarks.virtual_fleet import FilledClient, fill
from tests.ports import free_port
from tests.processes import BEYOND_REACH

PROCESSES = 5
REPEATS = 200
SECRET_KEY, ID_KEY = "made-up-secret-key-of-a-benchmark", "made-up-id-key-of-a-benchmark-run"
V1 = {"api-version": "v1"}
DAY = "start=2026-06-01T00:00:00&end=2026-06-02T00:00:00"
QUARTERS = f"summaryLevel=15mins&pageSize=100&{DAY}"
# For each level, a window of some dozen intervals.
WINDOWS = (
    QUARTERS,
    f"summaryLevel=hour&{DAY}",
    "summaryLevel=day&start=2026-05-01T00:00:00&end=2026-06-01T00:00:00",
    "summaryLevel=month&start=2024-01-01T00:00:00&end=2026-01-01T00:00:00",
)
TITLE = "1,000 virtual sites, 5,000 devices"
HEAD = f"{TITLE:52} {'database':9} {'first ms':>9} {'p50 ms':>7} {'p99 ms':>7} {'CPU ms':>7}"


@dataclass(frozen=True)
class Read:
    """Requests of one kind, and the number of items in a complete response."""

    title: str
    paths: tuple[str, ...]
    member: str
    items: int
    headers: tuple[tuple[str, str], ...] = ()
    is_repeated: bool = False
    """Whether each path was requested before."""


@dataclass(frozen=True)
class Times:
    """The first request of a process (median), p50 and p99 of later ones, and what one of those costs the server."""

    first_ms: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float
    is_disturbed: bool


class Client:
    """A client of the service, over one connection."""

    def __init__(self, server: Server, auth: tuple[str, str]) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT_SECONDS)
        basic = b64encode(":".join(auth).encode()).decode()
        headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
        _, token = self._call("POST", "/oauth2/token", headers, "grant_type=client_credentials")
        self._headers = {"Authorization": f"Bearer {token['access_token']}"}

    def get(self, path: str, headers: Iterable[tuple[str, str]] = ()) -> tuple[float, Any]:
        """Milliseconds until the response was complete, and its JSON."""
        return self._call("GET", path, self._headers | dict(headers))

    def _call(self, method: str, path: str, headers: dict[str, str], body: str | None = None) -> tuple[float, Any]:
        started = time.perf_counter()
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        content = response.read()
        took_ms = 1000 * (time.perf_counter() - started)
        if response.status != http.client.OK:
            raise RuntimeError(f"{path}: {response.status} {content[:200]!r}")
        return took_ms, json.loads(content)


class FleetServer:
    """The service with one process, in front of a database that holds the fleet."""

    def __init__(self, folder: Path, database: str, url: str) -> None:
        self.database, self._folder, self._url = database, folder, url
        keys = {"secret_key": SECRET_KEY, "id_key": ID_KEY}
        self.fleet: FilledClient = fill(Settings(**keys, database_url=url, embedded=True, log_level="ERROR"))

    @contextmanager
    def client(self) -> Iterator[tuple[Server, Client]]:
        """A new process, and its client, which has a token and nothing else."""
        port = free_port()
        environ = {
            "PORT": port,
            "DATABASE_URL": self._url,
            "SECRET_KEY": SECRET_KEY,
            "ID_KEY": ID_KEY,
            "INSTANCE_PATH": self._folder,
            "REDIS_URL": "",
            "WEB_CONCURRENCY": 1,
            "LOG_LEVEL": "ERROR",
            **BEYOND_REACH,
            "DRAIN_SECONDS": 0,
        }
        with running(python("-m", "gunicorn", "wsgi:app"), port, environ) as server:
            yield server, Client(server, self.fleet.auth)


def measure() -> None:
    """Prints a row for each kind of read and each database, and the memory of a process that has read everything."""
    print(f"\n{HEAD}")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        urls = {"SQLite": f"sqlite:///{folder}/fleet.db"} | postgres_url(stack)
        for database, url in urls.items():
            fleet_server = FleetServer(Path(folder), database, url)
            for read in reads(fleet_server):
                show(read.title, database, measured(fleet_server, read))
            show_memory(fleet_server)


def postgres_url(stack: ExitStack) -> dict[str, str]:
    """The URL of a new database in a Postgres that runs as long as the stack; none where it cannot run."""
    try:
        from tests.databases import postgres_server
    except ImportError as error:
        print(f"Postgres cannot run here: {error}")
        return {}
    return {"Postgres": stack.enter_context(postgres_server()).url()}


def reads(server: FleetServer) -> tuple[Read, ...]:
    """The kinds of reads; sites are read in the order of their ids, which is not that of their places."""
    fleet = server.fleet
    with server.client() as (_, client):
        sites = [site["id"] for site in client.get("/sites?pageSize=1000")[1]["sites"]]
        batteries = [item["id"] for item in client.get("/batteries?pageSize=1000")[1]["batteries"]]
    solar = tuple(f"/sites/{id}/solar-intervals?{QUARTERS}" for id in sites[:REPEATS])
    battery = tuple(f"/batteries/{id}/intervals?{QUARTERS}" for id in batteries[:REPEATS])
    pages = {
        "/solar-inverters": ("solarInverters", fleet.inverters),
        "/sites": ("sites", fleet.sites),
        "/virtual/sites": ("virtualSites", fleet.sites),
        "/virtual/solar-inverters": ("virtualSolarInverters", fleet.inverters),
    }
    return (
        *(Read(f"{path}: a page", (path,) * REPEATS, name, min(50, all)) for path, (name, all) in pages.items()),
        Read(
            "/solar-inverters: all, in version v1",
            ("/solar-inverters",) * REPEATS,
            "solar-inverters",
            fleet.inverters,
            tuple(V1.items()),
        ),
        Read("a day of quarter hours of a site, first read", solar, "intervals", 96),
        Read("a day of quarter hours of a site, read again", solar, "intervals", 96, is_repeated=True),
        Read("a day of quarter hours of a battery, first read", battery, "intervals", 96),
    )


def measured(fleet_server: FleetServer, read: Read) -> Times:
    """Measures one kind of read in new processes, and in one that goes on."""
    firsts_ms = []
    for _ in range(PROCESSES):
        with fleet_server.client() as (_, client):
            firsts_ms.append(timed_ms(client, read, read.paths[0]))
    with fleet_server.client() as (server, client):
        before, later = (read.paths, read.paths) if read.is_repeated else (read.paths[:1], read.paths[1:])
        for path in before:
            timed_ms(client, read, path)
        cpu, busy, own, started = server.cpu_seconds(), busy_seconds(), time.process_time(), time.monotonic()
        latencies_ms = [timed_ms(client, read, path) for path in later]
        cpu, seconds = server.cpu_seconds() - cpu, time.monotonic() - started
        others = busy_seconds() - busy - cpu - (time.process_time() - own)
    return Times(
        first_ms=median(firsts_ms),
        p50_ms=median(latencies_ms),
        p99_ms=quantiles(latencies_ms, n=100)[98],
        cpu_ms=1000 * cpu / len(later),
        is_disturbed=others > DISTURBED * seconds,
    )


def timed_ms(client: Client, read: Read, path: str) -> float:
    """Milliseconds of one request. Raises RuntimeError for an incomplete response, which would look fast."""
    took_ms, body = client.get(path, read.headers)
    if len(body[read.member]) != read.items:
        raise RuntimeError(f"{path}: {len(body[read.member])} of {read.items} items")
    return took_ms


def show(title: str, database: str, times: Times) -> None:
    print(
        f"{title:52} {database:9} {times.first_ms:9.1f} {times.p50_ms:7.1f} {times.p99_ms:7.1f} {times.cpu_ms:7.1f}"
        + (" !" if times.is_disturbed else ""),
        flush=True,
    )


def show_memory(fleet_server: FleetServer) -> None:
    """Prints MB of a process that reads all devices at all levels: before, after half of the sites, and at the end."""
    with fleet_server.client() as (server, client):
        sites = [site["id"] for site in client.get("/sites?pageSize=1000")[1]["sites"]]
        batteries = [item["id"] for item in client.get("/batteries?pageSize=1000")[1]["batteries"]]
        megabytes = [server.memory_mb()]
        for half in range(2):
            series = [f"/sites/{id}/solar-intervals" for id in sites[half::2]]
            series += [f"/batteries/{id}/intervals" for id in batteries[half::2]]
            for path in series:
                for window in WINDOWS:
                    client.get(f"{path}?{window}")
            megabytes.append(server.memory_mb())
    shown = " ".join(f"{mb:7.0f}" for mb in megabytes)
    print(
        f"{'MB before, in the middle and after reading all levels':52} {fleet_server.database:9}   {shown}", flush=True
    )


if __name__ == "__main__":
    measure()
