"""Addresses, headers and replies that tests of the service share."""

import re

from click.testing import Result
from flask import Flask

from tests.ports import free_port
from tests.vendors.support import HEADERS

SMA = "https://monitoring.smaapis.de"
SOLIS = "https://www.soliscloud.com:13333"
SOLAREDGE = "https://monitoringapi.solaredge.com"
ENPHASE = "https://api.enphaseenergy.com"
ALL = HEADERS["sma"] | HEADERS["solis"] | HEADERS["solaredge"]
V2 = {"api-version": "v2024-09-01"}
# A port where nothing listens until a test starts something there.
nobodys_port = free_port


def run(app: Flask, *words: str) -> Result:
    """Runs a command of the service, e.g. `clients list`."""
    return app.test_cli_runner().invoke(args=list(words))


def silent_sma(network):
    """SMA's devices have no measurements and no status."""
    network.get(re.compile(f"{SMA}/v1/devices/[^/]+/measurements/"), json={"set": []})
    network.get(re.compile(f"{SMA}/v1/devices/[^/]+/status"), json={})


def silent_solaredge(network):
    """SolarEdge's sites have a detail, and devices no values."""
    network.add_callback(
        "GET",
        re.compile(f"{SOLAREDGE}/v2/sites/[0-9]+$"),
        lambda request: (200, {}, f'{{"siteId": {request.url[-1]}}}'),
    )
    network.get(re.compile(f"{SOLAREDGE}/v2/sites/[0-9]+/inverters/telemetry"), json={"inverters": {}})


def silent_enphase(network):
    """Enphase's devices have no values and no events."""
    below = f"{ENPHASE}/api/v4/systems"
    network.get(re.compile(f"{below}/inverters_summary_by_envoy_or_site"), json=[])
    network.get(re.compile(f"{below}/1/(devices/micros|telemetry|open_events|events)"), json={"intervals": []})
    network.get(re.compile(f"{below}/1$"), json={"system_id": 1, "name": "1"})


def ids_of(answer):
    return [url.rsplit("/", 1)[1] for url in answer.json["solar-inverters"]]
