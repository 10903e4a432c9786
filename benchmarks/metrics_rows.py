"""The rows of `make bench` with and without metrics, as CPU time of one process, request by request by turns.

A machine that is busy with other things lengthens times on the clock; CPU time much less, and the difference of two
requests, one right after the other, hardly. The vendors' answers come from memory: over sockets the share is smaller.
`python -m benchmarks.metrics_rows`
"""

import statistics
import tempfile
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from flask import Flask
from flask.testing import FlaskClient

import app as service
from app.config import Settings
from app.fleet.vendor_calls import observe
from app.metrics.requests import RequestMetrics
from app.metrics.reuse import ReuseMetrics
from benchmarks.clouds import Clouds
from benchmarks.flows import VENDORS
from benchmarks.metrics import values_in_files
from benchmarks.setup import credentials
from vendors.kit.messages import RawReply

BLOCK = 8
BASE = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Row:
    """A scenario of the bench. count: its requests without metrics, and as many with."""

    title: str
    count: int
    vendors: tuple[str, ...] = VENDORS
    inverters: int = 10
    path: str = "/solar-inverters"
    is_fresh: bool = True


ROWS = (
    Row("6 vendors, 10 inverters each", 2000),
    Row("the same with equal credentials, cached", 4000, is_fresh=False),
    Row("sites", 2000, path="/sites"),
    Row("1 vendor", 3000, vendors=VENDORS[:1]),
    Row("3 vendors", 3000, vendors=VENDORS[:3]),
    Row("6 vendors, 1,000 inverters each", 200, inverters=1_000),
)


class CloudsInMemory:
    """Answers calls from memory, in place of the transport of a cloud."""

    def __init__(self, inverters: int) -> None:
        self._clouds = Clouds(inverters=inverters, sites=1, delay=0.0, site_delay=0.0)

    def fetch(self, request: object, deadline: object) -> RawReply:
        path = request.url.removeprefix(BASE)  # type: ignore[attr-defined]
        _, _, body = self._clouds.answer(path)[0].partition(b"\r\n\r\n")
        return RawReply(200, {}, body, request.shown_url)  # type: ignore[attr-defined]


def caller(folder: Path, row: Row, *, has_metrics: bool) -> tuple[FlaskClient, Mapping[str, str]]:
    """A client of a service with or without metrics, and the headers of its requests."""
    settings = Settings(
        secret_key="s" * 32,
        id_key="i" * 32,
        database_url=f"sqlite:///{folder / f'{has_metrics}.db'}",
        embedded=True,
        log_level="ERROR",
        sandbox_url=BASE,
    )
    app = service.create_app(settings) if has_metrics else without_metrics(settings)
    services = app.extensions["services"]
    for cloud in services.clouds.values():
        cloud.transport = CloudsInMemory(row.inverters)
    auth = services.clients.create("bench", "production", "v1")
    http = app.test_client()
    token = http.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=auth).json["access_token"]
    basic = b64encode(b"1:key").decode()
    headers = {name: value.format(n=1, basic=basic) for name, value in credentials(row.vendors).items()}
    fresh = {"Cache-Control": "no-cache"} if row.is_fresh else {}
    return http, {"Authorization": f"Bearer {token}", **headers, **fresh}


def ignore(*arguments: object) -> None:
    """Nothing, and quickly: a mock takes longer than what it replaces."""


def without_metrics(settings: Settings) -> Flask:
    """The service whose metrics observe no call, no request and no cached reply."""
    with (
        mock.patch.object(service, "_observers", return_value=(observe,)),
        mock.patch.object(ReuseMetrics, "add_list", ignore),
        mock.patch.object(RequestMetrics, "init_app"),
    ):
        return service.create_app(settings)


def block(http: FlaskClient, headers: Mapping[str, str], row: Row) -> float:
    """CPU time of a request, of as many as are counted together, at least."""
    metrics = http.application.extensions["services"].metrics
    started = time.process_time()
    for _ in range(BLOCK):
        response = http.get(row.path, headers=headers)
        assert response.status_code == 200, response.text
        assert not response.json["errors"], response.text
    metrics.calls.write()
    return (time.process_time() - started) / BLOCK


def measured(row: Row) -> tuple[float, float]:
    """CPU milliseconds of a request without metrics, and how many more it takes with: the median over pairs of
    requests, one of each, which whatever else goes on meets alike."""
    with tempfile.TemporaryDirectory() as folder, values_in_files():
        callers = [caller(Path(folder), row, has_metrics=has_metrics) for has_metrics in (False, True)]
        pairs = []
        for number in range(row.count // BLOCK):
            order = (0, 1) if number % 2 else (1, 0)
            times = {index: block(*callers[index], row) for index in order}
            pairs.append((times[0], times[1]))
        for http, _ in callers:
            http.application.extensions["services"].close()
    without = statistics.median(before for before, _ in pairs)
    return 1000 * without, 1000 * statistics.median(after - before for before, after in pairs)


if __name__ == "__main__":
    for row in ROWS:
        without, more = measured(row)
        print(f"{row.title:42} {without:8.3f} CPU ms  {more:+7.3f}  {100 * more / without:+5.1f} %", flush=True)
