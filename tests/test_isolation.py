"""Requests to healthy vendors while two other vendors hang, at a service as it is deployed."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
import requests

import sandbox
from sandbox.server import running
from tests.deployed import deployed
from tests.services import Played

DEADLINE = 6
STUCK = 128
HANGING = ("sma", "solaredge")
# The least time allowed for a request to a healthy vendor; a slow machine gets more.
GRACE = 4.0

pytestmark = pytest.mark.serial


@dataclass
class StuckClient:
    """A client that sends requests to a vendor that hangs, one after another."""

    url: str
    headers: dict[str, str]
    slowest: float = 0.0
    statuses: set[int] = field(default_factory=set)

    def run(self, stop):
        while not stop.is_set():
            seconds, answer = timed_get(self.url, self.headers)
            self.slowest = max(self.slowest, seconds)
            self.statuses.add(answer.status_code)


def timed_get(url, headers):
    """The seconds that a list took, and the answer."""
    started = time.monotonic()
    answer = requests.get(f"{url}/solar-inverters", headers=headers, timeout=120)
    return time.monotonic() - started, answer


def healthy_seconds(url, headers):
    """The seconds that a list of a healthy vendor took."""
    seconds, answer = timed_get(url, headers)
    assert (answer.status_code, answer.json()["errors"]) == (200, {}), answer.text
    return seconds


@pytest.fixture
def service(tmp_path):
    """URL, headers of a client, and the clouds; two processes of 64 threads."""
    with (
        running(sandbox.create_app(2, 1)) as clouds,
        deployed(tmp_path, clouds, REQUEST_DEADLINE=DEADLINE) as (_, url, bearer),
    ):
        yield url, bearer, Played(clouds)


@pytest.mark.exhaustive
def test_clients_of_healthy_vendors_are_served_while_two_vendors_hang(service):
    url, bearer, played = service
    healthy = bearer | played.headers("tesla")
    grace = max(GRACE, 20 * min(healthy_seconds(url, healthy) for _ in range(3)))
    credentials, stuck = [played.headers(vendor) for vendor in HANGING], []
    for number in range(STUCK):
        # Each client has different credentials, so that no call is shared.
        stuck.append(
            StuckClient(url, bearer | {name: f"{value}{number}" for name, value in credentials[number % 2].items()})
        )
    for vendor in HANGING:
        played.put(f"/faults/{vendor}", {"hang": True})
    stop = threading.Event()
    with ThreadPoolExecutor(STUCK) as pool:
        clients = [pool.submit(client.run, stop) for client in stuck]
        time.sleep(2)
        seconds = sorted(healthy_seconds(url, healthy) for _ in range(10))
        stop.set()
        for client in clients:
            client.result()
    assert seconds[5] < grace, seconds
    # A request that gets no thread for five seconds is answered with 503.
    assert set().union(*(client.statuses for client in stuck)) <= {200, 503}
    assert max(client.slowest for client in stuck) < DEADLINE + 5 + grace
