"""Many clients that read slowly or do nothing: other clients are served, and dropped connections are logged."""

import resource
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.app.server.worker_process import GET, LARGE, LARGE_BYTES, Server, read_all, read_response, serving, statuses
from tests.processes import wait_until

pytestmark = pytest.mark.serial
# Allowed for another client's request while they are connected.
MAX_SECONDS = 1.0


def slow_reader(server: Server) -> socket.socket:
    """Requests the large response over a connection like that of a remote client: the kernel buffers little of it."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
    connection.settimeout(20)
    connection.connect(("127.0.0.1", server.port))
    connection.sendall(LARGE)
    return connection


@pytest.mark.exhaustive
def response_seconds(server: Server) -> float:
    """Returns how long another client waits for a response: the median of five."""
    seconds = []
    for _ in range(5):
        started_at = time.monotonic()
        assert server.is_healthy()
        seconds.append(time.monotonic() - started_at)
    return sorted(seconds)[2]


def test_200_slow_readers_occupy_no_thread_and_get_whole_responses(tmp_path: Path) -> None:
    with serving(tmp_path) as server, ExitStack() as stack:
        readers = [stack.enter_context(slow_reader(server)) for _ in range(200)]
        for reader in readers:
            assert reader.recv(2048)
        assert response_seconds(server) < MAX_SECONDS
        for reader in readers[::40]:
            assert len(read_all(reader)) > LARGE_BYTES - 2048
        assert not [line for line in server.lines if line["event"] == "slow_readers_dropped"]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for 64 connections, since only 128 files may be open; it keeps some of them for new clients."""
    folder, limits = tmp_path_factory.mktemp("server"), {"EVENTS_PER_MINUTE": 1}
    with serving(folder, "--threads", "8", limits=limits, log_minute=0.5, open_files=128) as server:
        yield server


def test_half_of_the_allowed_open_files_are_left_for_vendors(small: Server) -> None:
    assert small.max_connections == 64


def test_clients_that_leave_in_the_middle_of_their_responses_free_their_connections(small: Server) -> None:
    for _ in range(100):
        with slow_reader(small) as reader:
            assert reader.recv(1)
    assert response_seconds(small) < MAX_SECONDS


def test_slow_readers_on_all_connections_leave_room_for_another_client(small: Server) -> None:
    with ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(slow_reader(small))
        assert response_seconds(small) < MAX_SECONDS
        small.line("slow_readers_dropped", reason="places", address="127.0.0.1")


@pytest.mark.parametrize(
    ("sent", "received"),
    [(GET + b"\r\n", [200]), (b"", []), (GET, [503])],
    ids=["kept for another request", "silent", "half a request"],
)
def test_idle_connections_leave_room_for_another_client(small: Server, sent: bytes, received: list[int]) -> None:
    with ExitStack() as stack:
        idle = [stack.enter_context(small.connect(sent)) for _ in range(150)]
        assert response_seconds(small) < MAX_SECONDS
        # The longest idle connections were closed.
        assert statuses(read_all(idle[0])) == received


def test_closed_idle_connections_are_logged_in_a_few_lines_and_a_count(small: Server) -> None:
    def lines() -> list[dict[str, Any]]:
        return [line for line in small.lines if line["event"] == "idle_connections_closed"]

    def counted() -> int:
        return sum(line.get("left_out", 0) for line in lines())

    counted_before = counted()
    with ExitStack() as stack:
        for _ in range(150):
            stack.enter_context(small.connect())
        wait_until(lambda: counted() > counted_before + 30)
    assert counted() > len([line for line in lines() if "address" in line])
    assert {line["level"] for line in lines()} == {"warning"}
    assert not [line for line in small.lines if line["event"] == "connections_not_accepted"]


@pytest.mark.soak
def test_4400_idle_connections_leave_room_for_another_client(tmp_path: Path, report: Callable[[str], None]) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 5000:
        pytest.skip("not that many files may be open here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 5000), hard))
    with serving(tmp_path, processes=2) as server, ExitStack() as stack:
        for _ in range(4400):
            connection = stack.enter_context(server.connect(GET + b"\r\n"))
            assert statuses(read_response(connection)) == [200]
        seconds = response_seconds(server)
        report(f"4,400 idle connections: another client was served within {1000 * seconds:.0f} ms")
        assert seconds < MAX_SECONDS
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
