"""The rows of `make bench` with and without metrics, as CPU time of one process, request by request by turns.

A machine that is busy with other things lengthens times on the clock; CPU time much less, and that of the quickest
tenth of the requests hardly. The vendors' answers come from memory: over sockets the metrics' share is smaller.
`python -m benchmarks.metrics_rows`
"""

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


def without_metrics(settings: Settings) -> Flask:
    """The service whose metrics observe no call, no request and no cached reply."""
    with (
        mock.patch.object(service, "_observers", return_value=(observe,)),
        mock.patch.object(ReuseMetrics, "add_list"),
        mock.patch.object(RequestMetrics, "init_app"),
    ):
        return service.create_app(settings)


def request(http: FlaskClient, headers: Mapping[str, str], row: Row) -> float:
    """CPU time of a request."""
    started = time.process_time()
    response = http.get(row.path, headers=headers)
    seconds = time.process_time() - started
    assert response.status_code == 200, response.text
    assert not response.json["errors"], response.text
    return seconds


def measured(row: Row) -> tuple[float, float]:
    """CPU milliseconds of a request without metrics and with: of ten requests the quickest, taken by turns."""
    with tempfile.TemporaryDirectory() as folder, values_in_files():
        callers = [caller(Path(folder), row, has_metrics=has_metrics) for has_metrics in (False, True)]
        times: list[list[float]] = [[], []]
        for number in range(row.count):
            for index in (0, 1) if number % 2 else (1, 0):
                times[index].append(request(*callers[index], row))
        for http, _ in callers:
            http.application.extensions["services"].close()
    without, with_metrics = (1000 * sorted(each)[len(each) // 10] for each in times)
    return without, with_metrics


if __name__ == "__main__":
    for row in ROWS:
        without, with_metrics = measured(row)
        change = 100 * (with_metrics / without - 1)
        print(f"{row.title:42} {without:8.3f} {with_metrics:8.3f} CPU ms  {change:+5.1f} %", flush=True)
