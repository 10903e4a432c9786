"""The service as real processes, as a deployment starts it, with each worker class."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
import requests

from tests.ports import free_port
from tests.processes import DEMO, GUNICORN, WORKERS, clean, ended, read_until, started, wait_until

MALFORMED_CHUNK = (
    b"POST /oauth2/token HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n"
)


@pytest.mark.one_in(2)
@pytest.mark.parametrize("worker", WORKERS)
def test_gunicorn_serves_on_port_with_the_set_number_of_processes_and_ends_on_sigterm(
    tmp_path: Path, worker: str
) -> None:
    port = free_port()
    environ = clean(PORT=port, INSTANCE_PATH=tmp_path, WEB_CONCURRENCY=3, WORKER=worker)
    with started(GUNICORN, environ) as process:
        line = read_until(process, "listening")
        assert f'"worker":"{worker}"' in line
        assert '"workers":3' in line
        assert '"threads":64' in line
        url = f"http://127.0.0.1:{port}"
        forged = {"X-Forwarded-Proto": "https", "Host": "evil.example"}
        assert requests.get(f"{url}/health", timeout=120).json()["status"] == "ok"
        assert requests.get(f"{url}/openapi.json", headers=forged, timeout=120).json()["code"] == "unknown_host"
        long = requests.get(f"{url}/nowhere", headers={"X-Authorization-sma": "x" * 12000}, timeout=120)
        assert long.headers["Content-Type"] == "application/problem+json"
        assert status_of(port, MALFORMED_CHUNK) == 400
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=120) == 0


def status_of(port: int, request: bytes) -> int:
    """The status of the response to these bytes."""
    with socket.create_connection(("127.0.0.1", port), 120) as connection:
        connection.sendall(request)
        return int(connection.makefile("rb").readline().split()[1])


@pytest.mark.exhaustive
@pytest.mark.serial
def test_simultaneous_connections_are_shared_out_evenly_also_after_a_worker_has_died(tmp_path: Path) -> None:
    port = free_port()
    with started(GUNICORN, clean(PORT=port, INSTANCE_PATH=tmp_path, WEB_CONCURRENCY=2)) as process:
        read_until(process, "listening")
        master = psutil.Process(process.pid)
        kill_a_worker(master, 2)
        with ExitStack() as stack:

            def connect() -> bool:
                stack.enter_context(socket.create_connection(("127.0.0.1", port), 120))
                return all(map(open_connections, master.children()))

            wait_until(connect)
            for _ in range(30):
                connect()
            wait_until(lambda: min(map(open_connections, master.children())) >= 14)
            fewer, more = sorted(map(open_connections, master.children()))
    assert more <= fewer + 3


def kill_a_worker(master: psutil.Process, workers: int) -> None:
    """Kills one of a master's workers, and waits until it is replaced."""
    wait_until(lambda: len(master.children()) == workers)
    killed = master.children()[0]
    killed.kill()
    wait_until(lambda: killed not in master.children() and len(master.children()) == workers)


def open_connections(process: psutil.Process) -> int:
    return sum(connection.status == psutil.CONN_ESTABLISHED for connection in process.net_connections("tcp"))


@pytest.mark.exhaustive
@pytest.mark.parametrize("worker", WORKERS)
@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="processes cannot be pinned here")
def test_as_many_workers_as_cpus_are_pinned_to_one_each_also_after_one_has_died(
    tmp_path: Path, cpus: list[int], worker: str
) -> None:
    environ = clean(PORT=free_port(), INSTANCE_PATH=tmp_path, WEB_CONCURRENCY=len(cpus), WORKER=worker)
    with started(GUNICORN, environ) as process:
        read_until(process, "listening")
        master = psutil.Process(process.pid)

        def each_has_its_own() -> bool:
            return sorted(child.cpu_affinity() for child in master.children()) == [[cpu] for cpu in cpus]

        wait_until(each_has_its_own)
        kill_a_worker(master, len(cpus))
        wait_until(each_has_its_own)
        assert len(master.cpu_affinity()) == len(cpus)


@pytest.fixture
def cpus() -> Iterator[list[int]]:
    """Restricts this process, and the processes it starts, to two CPUs, or to one where there are no more."""
    before = os.sched_getaffinity(0)
    cpus = sorted(before)[:2]
    os.sched_setaffinity(0, cpus)
    yield cpus
    os.sched_setaffinity(0, before)


@pytest.mark.exhaustive
@pytest.mark.one_in(2)
@pytest.mark.parametrize("command", [GUNICORN, DEMO], ids=["gunicorn", "demo"])
def test_a_used_port_is_one_line_at_once(command: list[str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as used:
        port = used.getsockname()[1]
        done = ended(command, clean(PORT=port, SANDBOX_PORT=free_port(), INSTANCE_PATH=tmp_path))
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()  # gunicorn would try for five seconds, with a line each time
    assert f"Port {port} cannot be used" in line
    assert f"PORT={port + 1}" in line


@pytest.mark.exhaustive
def test_gunicorn_ends_at_once_with_all_faults_of_the_settings() -> None:
    done = ended(GUNICORN, clean(PORT="x", DATABASE_URL="mysql://host/x", WORKER="sync"))
    assert done.returncode == 1
    _, *faults = done.stderr.splitlines()
    names = [line.strip().partition(":")[0] for line in faults]
    assert names == ["DATABASE_URL", "PORT", "WORKER", "SECRET_KEY", "ID_KEY"]
    assert "  WORKER: expected derapi or gthread, for example derapi (it is 'sync')" in faults


# Of gunicorn's gthread worker only HTTP/2 uses the method that disappears here.
OTHER_GUNICORN = """
import sys
from gunicorn.app.wsgiapp import run
from gunicorn.http.unreader import Unreader

del Unreader.take_buffered
sys.argv = ["gunicorn", "wsgi:app"]
run()
"""


@pytest.mark.exhaustive
def test_a_gunicorn_with_other_internals_refuses_our_worker_in_one_line_and_serves_with_its_own(tmp_path: Path) -> None:
    port = free_port()
    command, environ = [GUNICORN[0], "-c", OTHER_GUNICORN], clean(PORT=port, INSTANCE_PATH=tmp_path, WEB_CONCURRENCY=1)
    done = ended(command, environ)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "gunicorn.http.unreader.Unreader.take_buffered" in line
    assert "set WORKER=gthread" in line
    with started(command, environ | {"WORKER": "gthread"}) as process:
        read_until(process, "listening")
        assert requests.get(f"http://127.0.0.1:{port}/health", timeout=120).json()["status"] == "ok"
