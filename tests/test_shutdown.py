"""SIGTERM while requests are in flight: those sent before the end of the drain are answered, and it ends with 0.

Promise 36.
"""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import requests

import sandbox
from sandbox.server import running
from tests.deployed import deployed
from tests.ports import free_port
from tests.processes import GUNICORN, SECONDS, WORKERS, clean, read_until, started
from tests.services import Played

CLIENTS = 8
DRAIN_SECONDS = 3
# With gthread, a connection that still waits to be accepted at the end of the drain is reset. This is how long a busy
# machine may take to accept a connection.
ACCEPT_SECONDS = 2


class Client(threading.Thread):
    """Sends requests, each on a new connection, until one is refused."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        super().__init__()
        self.url, self.headers = url, headers
        # Of each request, when it was sent, and its status, number of inverters and errors, or the exception.
        self.results: list[tuple[float, object]] = []

    def run(self) -> None:
        while True:
            sent_at = time.monotonic()
            try:
                response = get_inverters(self.url, self.headers)
            except requests.RequestException as error:
                self.results.append((sent_at, error))
                return
            body = response.json()
            self.results.append((sent_at, (response.status_code, len(body["solar-inverters"]), body["errors"])))


def get_inverters(url: str, headers: Mapping[str, str]) -> requests.Response:
    new_connection = {"Connection": "close"}
    return requests.get(f"{url}/solar-inverters", headers={**headers, **new_connection}, timeout=SECONDS)


def terminate_at_random(folder: Path, seed: int, worker: str) -> int:
    """Ends a busy service at a random moment; returns the number of requests answered."""
    with (
        running(sandbox.create_app(2, 1)) as clouds,
        deployed(folder, clouds, worker, DRAIN_SECONDS=DRAIN_SECONDS) as (process, url, headers),
    ):
        played = Played(clouds)
        headers = headers | played.headers("sma", "solis")
        inverters = len(played.inverters("sma")) + len(played.inverters("solis"))
        played.put("/faults/sma", {"delay": 0.2})
        clients = [Client(url, headers) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        threading.Event().wait(random.Random(seed).uniform(0.8, 2.0))
        stopped_at = time.monotonic()
        process.send_signal(signal.SIGTERM)
        for client in clients:
            client.join()
        assert process.wait(timeout=SECONDS) == 0
        assert DRAIN_SECONDS <= time.monotonic() - stopped_at < 30
    sent = [(sent_at - stopped_at, result) for client in clients for sent_at, result in client.results]
    results = [result for seconds, result in sent if seconds < DRAIN_SECONDS - ACCEPT_SECONDS]
    assert any(seconds < 0 for seconds, _ in sent)
    assert any(seconds > 0 and result == (200, inverters, {}) for seconds, result in sent)
    assert [result for result in results if result != (200, inverters, {})] == []
    return len(results)


@pytest.mark.exhaustive
@pytest.mark.parametrize(("worker", "seed"), [("derapi", 0), ("gthread", 0)])
def test_sigterm_at_a_random_moment_loses_no_request(tmp_path: Path, worker: str, seed: int) -> None:
    terminate_at_random(tmp_path, seed, worker)


@pytest.mark.soak
@pytest.mark.parametrize("worker", WORKERS)
def test_sigterm_at_twenty_random_moments_loses_no_request(
    tmp_path: Path, report: Callable[[str], None], worker: str
) -> None:
    answered = [terminate_at_random(tmp_path, seed, worker) for seed in range(100, 120)]
    report(
        f"SIGTERM ({worker}): {len(answered)} times while busy, {sum(answered)} requests answered, 0 lost, "
        "exit code 0 each time"
    )


@pytest.mark.exhaustive
@pytest.mark.parametrize("worker", WORKERS)
def test_a_killed_worker_process_is_replaced_and_the_others_go_on(tmp_path: Path, worker: str) -> None:
    with running(sandbox.create_app(2, 1)) as clouds, deployed(tmp_path, clouds, worker) as (process, url, headers):
        headers = headers | Played(clouds).headers("sma")
        for child in psutil.Process(process.pid).children():
            os.kill(child.pid, signal.SIGKILL)
            for _ in range(5):
                assert get_with_retries(url, headers).json()["errors"] == {}


def get_with_retries(url: str, headers: Mapping[str, str]) -> requests.Response:
    """Sends a request again if the killed process had just accepted its connection."""
    for _ in range(3):
        with suppress(requests.ConnectionError):
            return get_inverters(url, headers)
    raise AssertionError("no process answers")


# Both worker classes inherit this method.
SLOW_START = """
import sys, time
from gunicorn.app.wsgiapp import run
from gunicorn.workers.gthread import ThreadWorker

init_process = ThreadWorker.init_process

def start_late(self):
    time.sleep(1)
    init_process(self)

ThreadWorker.init_process = start_late
sys.argv = ["gunicorn", "wsgi:app"]
run()
"""


@pytest.mark.exhaustive
@pytest.mark.one_in(2)
@pytest.mark.parametrize("worker", WORKERS)
def test_a_stop_signal_that_arrives_while_the_workers_start_is_not_lost(tmp_path: Path, worker: str) -> None:
    environ = clean(PORT=free_port(), INSTANCE_PATH=tmp_path, WEB_CONCURRENCY=2, WORKER=worker)
    with started([*GUNICORN[:1], "-c", SLOW_START], environ) as process:
        read_until(process, "listening")
        process.send_signal(signal.SIGTERM)
        # A worker that loses the signal is killed after gunicorn's graceful_timeout, 25 s.
        assert process.wait(timeout=20) == 0
