"""SIGTERM while requests are under way: what has arrived is answered, and the process ends with 0."""

import os
import random
import signal
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import requests

import sandbox
from sandbox.server import running
from tests.services import Played
from tests.test_deployment import GUNICORN, clean, ended, free_port, read_until, started

CLIENTS = 8
# What was sent so shortly before the signal may still wait in the listening socket, which then closes.
MOMENT = 0.4


class Client(threading.Thread):
    """Sends requests, each on its own connection, until one is refused."""

    def __init__(self, url, headers):
        super().__init__()
        self.url, self.headers = url, headers
        self.sent = []
        """Of each request: when it was sent, and what came."""

    def run(self):
        while True:
            at = time.monotonic()
            try:
                answer = requests.get(f"{self.url}/solar-inverters", headers=self.headers, timeout=120)
            except requests.RequestException as error:
                self.sent.append((at, error))
                return
            self.sent.append((at, (answer.status_code, len(answer.json()["solar-inverters"]), answer.json()["errors"])))


@contextmanager
def service(folder, url):
    """The process, its URL, and headers of a client of it."""
    port = free_port()
    environ = clean(PORT=port, INSTANCE_PATH=folder, SANDBOX_URL=url, WEB_CONCURRENCY=2, LOG_LEVEL="WARNING")
    made = ended([*GUNICORN[:1], "-m", "flask", "--app", "wsgi", "clients", "create", "x"], environ)
    client_id, secret = (made.stdout.split(f'"{name}": "')[1].split('"')[0] for name in ("client_id", "client_secret"))
    with started(GUNICORN, environ | {"LOG_LEVEL": "INFO"}) as process:
        read_until(process, "listening")
        threading.Thread(target=process.stdout.read, daemon=True).start()
        url = f"http://127.0.0.1:{port}"
        form = {"grant_type": "client_credentials"}
        token = requests.post(f"{url}/oauth2/token", form, auth=(client_id, secret), timeout=120).json()["access_token"]
        yield process, url, {"Authorization": f"Bearer {token}", "Connection": "close", "Cache-Control": "no-cache"}


def terminate_at_random(folder, seed):
    """Ends a busy service at a random moment; gives how many requests were answered and were under way."""
    chance = random.Random(seed)
    with running(sandbox.create_app(2, 1)) as clouds, service(folder, clouds) as (process, url, headers):
        played = Played(clouds)
        headers = headers | played.headers("sma", "solis")
        right = len(played.inverters("sma")) + len(played.inverters("solis"))
        played.put("/faults/sma", {"delay": 0.2})
        clients = [Client(url, headers) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        threading.Event().wait(chance.uniform(0.8, 2.0))
        stopped = time.monotonic()
        process.send_signal(signal.SIGTERM)
        for client in clients:
            client.join()
        assert process.wait(timeout=120) == 0
        assert time.monotonic() - stopped < 25
    sent = [one for client in clients for one in client.sent]
    due = [came for at, came in sent if at < stopped - MOMENT]
    assert due
    assert [came for came in due if came != (200, right, {})] == []
    return len(due), sum(at < stopped - MOMENT for at, _ in [client.sent[-1] for client in clients])


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(3))
def test_sigterm_at_any_moment_loses_no_request(tmp_path, seed):
    terminate_at_random(tmp_path, seed)


@pytest.mark.soak
def test_sigterm_at_twenty_moments_loses_no_request(tmp_path, report):
    answered = [terminate_at_random(tmp_path, seed)[0] for seed in range(100, 120)]
    report(
        f"SIGTERM: {len(answered)} times while busy, {sum(answered)} requests answered, 0 lost, exit code 0 each time"
    )


@pytest.mark.exhaustive
def test_a_worker_that_is_killed_is_replaced_and_the_others_go_on(tmp_path):
    with running(sandbox.create_app(2, 1)) as clouds, service(tmp_path, clouds) as (process, url, headers):
        headers = headers | Played(clouds).headers("sma")
        path = f"/proc/{process.pid}/task/{process.pid}/children"
        for worker in children(path):
            os.kill(worker, signal.SIGKILL)
            for _ in range(5):
                assert answered(url, headers).json()["errors"] == {}


def children(path):
    return [int(child) for child in Path(path).read_text().split()]


def answered(url, headers):
    """The answer, asked for again where the killed worker had just taken the connection."""
    for _ in range(3):
        with suppress(requests.ConnectionError):
            return requests.get(f"{url}/solar-inverters", headers=headers, timeout=120)
    raise AssertionError("nobody answers")


SLOW_START = """
import sys, time
from gunicorn.app.wsgiapp import run
from app.server import Worker

start = Worker.init_process

def start_late(self):
    time.sleep(1)
    start(self)

Worker.init_process = start_late
sys.argv = ["gunicorn", "wsgi:app"]
run()
"""


def test_a_stop_that_comes_while_the_workers_start_is_not_missed(tmp_path):
    environ = clean(PORT=free_port(), INSTANCE_PATH=tmp_path, WEB_CONCURRENCY=2)
    with started([*GUNICORN[:1], "-c", SLOW_START], environ) as process:
        read_until(process, "listening")
        process.send_signal(signal.SIGTERM)
        # A worker that misses the signal is killed after gunicorn's graceful_timeout, 25 s.
        assert process.wait(timeout=20) == 0
