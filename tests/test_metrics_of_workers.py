"""Metrics of the service as it is deployed: with two processes, with either worker, and right after a process died."""

import re
import signal
import socket
from pathlib import Path

import psutil
import pytest
import requests

from tests.ports import free_port
from tests.processes import GUNICORN, SECONDS, WORKERS, clean, read_until, started, wait_until


@pytest.mark.exhaustive
@pytest.mark.parametrize("worker", WORKERS)
def test_either_process_shows_the_counts_of_both_also_right_after_one_has_died(tmp_path: Path, worker: str) -> None:
    port = free_port()
    environ = clean(PORT=port, INSTANCE_PATH=tmp_path, WORKER=worker, WEB_CONCURRENCY=2, TMPDIR=tmp_path)
    with started(GUNICORN, environ) as process:
        read_until(process, "listening")
        master = psutil.Process(process.pid)
        wait_until(lambda: number(port, "derapi_workers") == 2)
        asked = sum(get(port, "/openapi.json") for _ in range(20))
        count = 'derapi_requests_total{method="GET",route="/openapi.json",status="200"}'
        assert {number(port, count) for _ in range(10)} == {asked}
        assert number(port, "derapi_request_threads") == 128
        assert number(port, "derapi_request_threads_in_use") >= 1, "the request that asks"
        assert number(port, "derapi_worker_starts_total") == 2
        killed = master.children()[0]
        killed.send_signal(signal.SIGKILL)
        wait_until(lambda: killed not in master.children())
        assert number(port, count) == asked
        wait_until(lambda: number(port, "derapi_worker_starts_total") == 3)
        assert number(port, "derapi_workers") == 2
        assert number(port, "derapi_worker_deaths_total") == 1
        assert number(port, count) == asked
        (folder,) = tmp_path.glob("derapi-metrics-*")
        assert not list(folder.glob(f"*_{killed.pid}.db"))
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0
    assert not folder.exists()


@pytest.mark.exhaustive
def test_workers_that_a_reload_replaces_are_no_deaths(tmp_path: Path) -> None:
    port = free_port()
    environ = clean(PORT=port, INSTANCE_PATH=tmp_path, WEB_CONCURRENCY=2, TMPDIR=tmp_path)
    with started(GUNICORN, environ) as process:
        read_until(process, "listening")
        wait_until(lambda: number(port, "derapi_workers") == 2)
        old = psutil.Process(process.pid).children()
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: not any(worker.is_running() for worker in old))
        wait_until(lambda: number(port, "derapi_worker_starts_total") == 4)
        assert number(port, "derapi_worker_deaths_total") == 0


# As they are in the request line. With the token, the first ones show the metrics.
LEADING = ["/metrics", "//metrics", "///metrics", "/%2Fmetrics", "/%6Detrics", "/metrics?x", "/metrics#x",
    "http://localhost/metrics", "http://localhost//metrics"]  # fmt: skip
STRANGE = ["/metrics/", "/metrics;x", "/;/metrics", "/./metrics", "//./metrics", "/x/../metrics", "/metrics%00",
    "/%252Fmetrics", "/\\metrics", "/%5Cmetrics", "metrics", "/METRICS", "//localhost/metrics"]  # fmt: skip
TOKEN = "m" * 32


@pytest.mark.exhaustive
@pytest.mark.parametrize("worker", WORKERS)
def test_no_spelling_of_the_path_in_a_request_line_shows_metrics_without_the_token(tmp_path: Path, worker: str) -> None:
    port = free_port()
    environ = clean(
        PORT=port,
        INSTANCE_PATH=tmp_path,
        TMPDIR=tmp_path,
        WORKER=worker,
        WEB_CONCURRENCY=1,
        METRICS_TOKEN=TOKEN,
        PUBLIC_URL="https://derapi.example.org",
    )
    forged = ["", "X-Forwarded-For: 127.0.0.1", "SCRIPT_NAME: /", "PATH_INFO: /metrics", f"Authorization: {TOKEN}"]
    with started(GUNICORN, environ) as process:
        read_until(process, "listening")
        assert b" 200 " in status_line(port, "/health"), "the service answers"
        for target in LEADING + STRANGE:
            for header in forged:
                # gunicorn itself refuses some of them.
                assert status_line(port, target, header).split()[1] in (b"400", b"403", b"404"), (target, header)
        for target in LEADING:
            if "?" not in target:
                assert b" 200 " in status_line(port, target, f"Authorization: Bearer {TOKEN}"), target


def status_line(port: int, target: str, header: str = "") -> bytes:
    """The status line of the answer to a request line with this target, as it is."""
    lines = [f"GET {target} HTTP/1.1", "Host: localhost", *([header] if header else []), "Connection: close", "", ""]
    with socket.create_connection(("127.0.0.1", port), SECONDS) as connection:
        connection.sendall("\r\n".join(lines).encode())
        return connection.makefile("rb").readline()


def get(port: int, path: str) -> int:
    """Asks on a new connection, which may lead to any process; 1 if it was answered."""
    return int(requests.get(f"http://127.0.0.1:{port}{path}", timeout=SECONDS).status_code == 200)


def number(port: int, series: str) -> float | None:
    """The value of a series, read on a new connection; None while none answers or it is not shown."""
    try:
        text = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=SECONDS).text
    except requests.ConnectionError:  # A process died with this connection.
        return None
    match = re.search(rf"^{re.escape(series)} (\S+)$", text, re.M)
    return float(match[1]) if match else None


@pytest.mark.exhaustive
def test_a_request_that_no_route_sees_is_counted_by_its_status(tmp_path: Path) -> None:
    port = free_port()
    with started(GUNICORN, clean(PORT=port, INSTANCE_PATH=tmp_path, WEB_CONCURRENCY=1)) as process:
        read_until(process, "listening")
        with socket.create_connection(("127.0.0.1", port), SECONDS) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\n\r\n")  # Without a host.
            assert connection.makefile("rb").readline().startswith(b"HTTP/1.1 400")
        assert number(port, 'derapi_requests_refused_total{status="400"}') == 1
