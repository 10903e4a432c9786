"""Addresses, headers and answers that the tests of the routes share."""

import re
import socket

from tests.vendors.support import HEADERS

SMA = "https://monitoring.smaapis.de"
SOLIS = "https://www.soliscloud.com:13333"
SOLAREDGE = "https://monitoringapi.solaredge.com"
ALL = HEADERS["sma"] | HEADERS["solis"] | HEADERS["solaredge"]
V2 = {"api-version": "v2024-09-01"}


def silent_sma(network):
    """SMA's devices have no measurements and no status."""
    network.get(re.compile(f"{SMA}/v1/devices/[^/]+/measurements/"), json={"set": []})
    network.get(re.compile(f"{SMA}/v1/devices/[^/]+/status"), json={})


def ids_of(answer):
    return [url.rsplit("/", 1)[1] for url in answer.json["solar-inverters"]]


def nobodys_port():
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]
