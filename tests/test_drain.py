"""The drain after SIGTERM with real processes: what /ready answers, and which signals begin and end it."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import requests

from tests.ports import free_port
from tests.processes import GUNICORN, SECONDS, WORKERS, clean, read_until, started, wait_until

# A drain that no test waits for.
LONG_SECONDS = 60
# What ends at once takes less than this on a busy machine, and far less than the drain.
AT_ONCE_SECONDS = 40


class Service:
    """The service in two worker processes."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process, self._url = process, url
        self.session = requests.Session()
        self.session.trust_env = False

    def get(self, path: str = "/ready") -> requests.Response:
        """An answer on the connection of the last one, if that is open."""
        return self.session.get(self._url + path, timeout=SECONDS)

    @property
    def workers(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()

    def drains(self) -> bool:
        response = self.get()
        return response.status_code == 503 and response.json()["code"] == "stopping"

    def is_served_by_others_than(self, former: list[psutil.Process]) -> bool:
        assert self.get().status_code == 200
        return len(self.workers) == len(former) and not set(self.workers) & set(former)


@contextmanager
def serving(folder: Path, worker: str, drain_seconds: float, *command: str) -> Iterator[Service]:
    port = free_port()
    environ = clean(
        PORT=port, INSTANCE_PATH=folder, WEB_CONCURRENCY=2, WORKER=worker, DRAIN_SECONDS=drain_seconds,
        LOG_LEVEL="INFO",
    )  # fmt: skip
    with started([*command] or GUNICORN, environ) as process:
        read_until(process, "listening")
        assert process.stdout is not None
        # Reads the log, so that the service does not wait for a full pipe.
        threading.Thread(target=process.stdout.read, daemon=True).start()
        service = Service(process, f"http://127.0.0.1:{port}")
        wait_until(lambda: len(service.workers) == 2)
        assert service.get().json() == {"status": "ok", "database": "ok"}
        try:
            yield service
        finally:
            process.send_signal(signal.SIGINT)


@pytest.mark.exhaustive
@pytest.mark.one_in(2)
@pytest.mark.parametrize("worker", WORKERS)
def test_a_drain_serves_on_until_ctrl_c(tmp_path: Path, worker: str) -> None:
    with serving(tmp_path, worker, LONG_SECONDS) as service:
        service.process.send_signal(signal.SIGTERM)
        wait_until(service.drains)
        response = service.get("/health")
        assert (response.status_code, response.json()) == (200, {"status": "ok"})
        assert response.headers["Connection"] == "close"
        ordered_at = time.monotonic()
        service.process.send_signal(signal.SIGINT)
        assert service.process.wait(timeout=SECONDS) == 0
        assert time.monotonic() - ordered_at < AT_ONCE_SECONDS


@pytest.mark.exhaustive
@pytest.mark.parametrize("worker", WORKERS)
def test_signals_to_every_process_begin_the_drain_and_do_not_end_it(tmp_path: Path, worker: str) -> None:
    """As Heroku and systemd send them; Heroku may repeat them."""
    with serving(tmp_path, worker, 3) as service:
        ordered_at = time.monotonic()
        for _ in range(2):
            for process in (*service.workers, service.process):
                process.send_signal(signal.SIGTERM)
            wait_until(service.drains)
        assert service.process.wait(timeout=SECONDS) == 0
        assert time.monotonic() - ordered_at >= 3


@pytest.mark.exhaustive
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGQUIT])
def test_ctrl_c_ends_the_service_without_a_drain(tmp_path: Path, sign: signal.Signals) -> None:
    with serving(tmp_path, "derapi", LONG_SECONDS) as service:
        ordered_at = time.monotonic()
        service.process.send_signal(sign)
        service.process.wait(timeout=SECONDS)
        assert time.monotonic() - ordered_at < AT_ONCE_SECONDS


@pytest.mark.exhaustive
@pytest.mark.parametrize("worker", WORKERS)
def test_a_reload_replaces_the_workers_while_the_service_stays_ready(tmp_path: Path, worker: str) -> None:
    with serving(tmp_path, worker, 1) as service:
        former = service.workers
        service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: service.is_served_by_others_than(former))


@pytest.mark.exhaustive
def test_a_worker_that_is_ended_alone_is_replaced_while_the_service_stays_ready(tmp_path: Path) -> None:
    with serving(tmp_path, "derapi", 1) as service:
        former = service.workers
        for worker in former:
            worker.send_signal(signal.SIGTERM)
        wait_until(lambda: service.is_served_by_others_than(former))


@pytest.mark.exhaustive
def test_a_master_that_has_a_successor_stops_without_a_drain(tmp_path: Path) -> None:
    # `python -m gunicorn` cannot start a successor: Python would find gunicorn's package `http` before its own.
    program = str(Path(sys.executable).with_name("gunicorn"))
    with serving(tmp_path, "derapi", LONG_SECONDS, program, "wsgi:app") as service:
        former = service.workers
        service.process.send_signal(signal.SIGUSR2)
        wait_until(lambda: any(child.children() for child in service.workers if child not in former))
        successor = next(child for child in service.workers if child.children())
        ordered_at = time.monotonic()
        try:
            service.process.send_signal(signal.SIGTERM)
            assert service.process.wait(timeout=SECONDS) == 0
            assert time.monotonic() - ordered_at < AT_ONCE_SECONDS
            wait_until(lambda: service.get().status_code == 200)
        finally:
            os.kill(successor.pid, signal.SIGINT)
            successor.wait(SECONDS)
