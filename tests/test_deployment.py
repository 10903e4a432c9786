"""The service and the demo as real processes, and what deployment relies on."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from configparser import ConfigParser
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest
import requests
from packaging.requirements import Requirement
from packaging.version import Version

from app import config
from tests.ports import free_port

GUNICORN = [sys.executable, "-m", "gunicorn", "wsgi:app"]
DEMO = [sys.executable, "demo.py"]


def clean(**given: object) -> dict[str, str]:
    """The environment of this process without settings, then the given ones."""
    hidden = dict.fromkeys(config.NAMES, "") | {"WEB_CONCURRENCY": "2"}  # gunicorn itself reads this one
    return {**os.environ, **hidden, **{name: str(value) for name, value in given.items()}}


@contextmanager
def started(command: list[str], environ: Mapping[str, str], cwd: Path = config.ROOT) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command, env=environ, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=120)


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """The output up to and including the line with this text."""
    assert process.stdout is not None
    read = ""
    for line in process.stdout:
        read += line
        if text in line:
            return read
    raise AssertionError(f"ended without {text!r}:\n{read}")


def ended(command: list[str], environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env=environ, cwd=config.ROOT, capture_output=True, text=True, check=False, timeout=120
    )


def test_gunicorn_serves_on_port_with_the_given_processes_and_ends_on_sigterm(tmp_path: Path) -> None:
    port = free_port()
    environ = clean(PORT=port, INSTANCE_PATH=tmp_path, WEB_CONCURRENCY=3)
    with started(GUNICORN, environ) as process:
        line = read_until(process, "listening")
        assert '"workers":3' in line
        assert '"threads":64' in line
        url = f"http://127.0.0.1:{port}"
        forged = {"X-Forwarded-Proto": "https", "Host": "evil.example"}
        assert requests.get(f"{url}/health", timeout=120).json()["status"] == "ok"
        assert requests.get(f"{url}/openapi.json", headers=forged, timeout=120).json()["code"] == "unknown_host"
        long = requests.get(f"{url}/nowhere", headers={"X-Authorization-sma": "x" * 12000}, timeout=120)
        assert long.headers["Content-Type"] == "application/problem+json"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=120) == 0


@pytest.mark.exhaustive
def test_connections_that_come_at_once_are_shared_out_evenly_also_after_a_worker_has_died(tmp_path: Path) -> None:
    port = free_port()
    with started(GUNICORN, clean(PORT=port, INSTANCE_PATH=tmp_path, WEB_CONCURRENCY=2)) as process:
        read_until(process, "listening")
        master = psutil.Process(process.pid)
        wait_until(lambda: len(master.children()) == 2)
        dead = master.children()[0]
        dead.kill()
        wait_until(lambda: dead not in master.children() and len(master.children()) == 2)
        with ExitStack() as opened:

            def connect() -> bool:
                opened.enter_context(socket.create_connection(("127.0.0.1", port), 120))
                return all(map(open_connections, master.children()))

            wait_until(connect)
            for _ in range(30):
                connect()
            wait_until(lambda: min(map(open_connections, master.children())) >= 14)
            fewer, more = sorted(map(open_connections, master.children()))
    assert more <= fewer + 3


@pytest.mark.exhaustive
@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="processors cannot be chosen here")
def test_as_many_workers_as_processors_keep_to_one_each_also_after_one_has_died(
    tmp_path: Path, processors: list[int]
) -> None:
    count = len(processors)
    with started(GUNICORN, clean(PORT=free_port(), INSTANCE_PATH=tmp_path, WEB_CONCURRENCY=count)) as process:
        read_until(process, "listening")
        master = psutil.Process(process.pid)

        def each_has_its_own() -> bool:
            kept = [worker.cpu_affinity() for worker in master.children()]
            return sorted(kept) == [[one] for one in processors]

        wait_until(each_has_its_own)
        dead = master.children()[0]
        dead.kill()
        wait_until(lambda: dead not in master.children() and each_has_its_own())
        assert len(master.cpu_affinity()) == count


@pytest.fixture
def processors() -> Iterator[list[int]]:
    """Two that are allowed to this process and those that it starts, or one where there are no more."""
    before = os.sched_getaffinity(0)
    found = sorted(before)[:2]
    os.sched_setaffinity(0, found)
    yield found
    os.sched_setaffinity(0, before)


def open_connections(process: psutil.Process) -> int:
    return sum(one.status == psutil.CONN_ESTABLISHED for one in process.net_connections("tcp"))


def wait_until(true: Callable[[], bool]) -> None:
    ends = time.monotonic() + 120
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.05)


@pytest.mark.one_in(2)
@pytest.mark.parametrize("command", [GUNICORN, DEMO])
def test_a_used_port_is_one_line_at_once(command: list[str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as used:
        port = used.getsockname()[1]
        done = ended(command, clean(PORT=port, SANDBOX_PORT=free_port(), INSTANCE_PATH=tmp_path))
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()  # gunicorn would try for five seconds, with a line each time
    assert f"Port {port} cannot be used" in line
    assert f"PORT={port + 1}" in line


def test_gunicorn_ends_at_once_with_all_faults_of_the_settings() -> None:
    done = ended(GUNICORN, clean(PORT="x", DATABASE_URL="mysql://host/x"))
    assert done.returncode == 1
    names = [line.strip().partition(":")[0] for line in done.stderr.splitlines()[1:]]
    assert names == ["DATABASE_URL", "PORT", "SECRET_KEY", "ID_KEY"]


@pytest.mark.exhaustive  # the tests of the README run it as well
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_shows_real_answers_and_ends_cleanly(sign: signal.Signals) -> None:
    port, sandbox_port = free_port(), free_port()
    environ = clean(PORT=port, SANDBOX_PORT=sandbox_port, DATABASE_URL="postgresql://never.used/x")
    with started(DEMO, environ) as process:
        shown = read_until(process, "until Ctrl-C")
        assert requests.get(f"http://127.0.0.1:{port}/health", timeout=120).status_code == 200
        process.send_signal(sign)
        assert process.wait(timeout=120) == 0
    assert shown.count('"solar-inverters": [') == 2
    assert '"solis": "Unauthorized: http://127.0.0.1' in shown
    for variable in ("SMA_TOKEN=$(curl", "\nTOKEN=$(curl", '"Authorization: Bearer $TOKEN"', "Bearer $SMA_TOKEN"):
        assert variable in shown
    folder = re.search(r"logs are in (\S+)\.", shown)
    assert folder is not None
    assert not Path(folder[1]).exists()
    for used in (port, sandbox_port):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", used)) != 0, "a server was left behind"


def pins(name: str) -> dict[str, Version]:
    lines = (config.ROOT / name).read_text().splitlines()
    found = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {pin.name.lower(): Version(str(pin.specifier).removeprefix("==")) for pin in found}


def test_the_locks_pin_everything_at_or_above_the_floors() -> None:
    metadata = ConfigParser()
    metadata.read(config.ROOT / "setup.cfg")
    runtime, tools = pins("requirements.txt"), pins("requirements-dev.txt")
    assert not runtime.keys() & tools.keys()
    extras = metadata["options.extras_require"]
    for text, locked in (
        (metadata["options"]["install_requires"], runtime),
        (extras["test"] + extras["lint"], tools),
    ):
        for line in text.split("\n"):
            if line:
                wanted = Requirement(line)
                assert locked[wanted.name.lower()] in wanted.specifier, line


def test_the_deployment_lock_has_the_postgres_driver_and_no_addresses() -> None:
    text = (config.ROOT / "requirements.txt").read_text()
    assert "psycopg[binary]==" in text
    assert not re.search(r"://|--|file:|@", text)
