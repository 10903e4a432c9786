"""Many clients that take their answers slowly, or do nothing: others are served all the same, and the log says why."""

import resource
import socket
import time
from contextlib import ExitStack

import pytest

from tests.app.server.worker_process import GET, LARGE, LARGE_BYTES, answer, one, serving, statuses
from tests.test_deployment import wait_until

pytestmark = pytest.mark.serial
# For another client meanwhile.
SOON = 1.0


def distant(server, request=LARGE):
    """A connection like one over a network: the kernel buffers little of an answer that is not read."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
    connection.settimeout(20)
    connection.connect(("127.0.0.1", server.port))
    connection.sendall(request)
    return connection


def until_served(server):
    """The time that another client waits for its answer: the median of five."""
    waits = []
    for _ in range(5):
        started = time.monotonic()
        assert server.healthy()
        waits.append(time.monotonic() - started)
    return sorted(waits)[2]


def test_200_slow_readers_hold_no_thread_and_get_whole_answers(tmp_path):
    with serving(tmp_path) as server, ExitStack() as stack:
        readers = [stack.enter_context(distant(server)) for _ in range(200)]
        for reader in readers:
            assert reader.recv(2048)
        assert until_served(server) < SOON
        for reader in readers[::40]:
            assert len(answer(reader)) > LARGE_BYTES - 2048
        assert not [line for line in server.lines if line["event"] == "slow_readers_dropped"]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A server with 64 places, since only 128 files may be open; some places are kept for new clients."""
    limits = {"TALLY_SECONDS": 0.5}
    with serving(tmp_path_factory.mktemp("server"), "--threads", "8", limits=limits, open_files=128) as server:
        yield server


def test_half_of_the_allowed_open_files_are_left_for_vendors(small):
    assert small.places == 64


def test_clients_that_leave_amid_their_answers_free_their_places(small):
    for _ in range(100):
        with distant(small) as reader:
            assert reader.recv(1)
    assert until_served(small) < SOON


def test_slow_readers_on_all_places_leave_room_for_another_client(small):
    with ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(distant(small))
        assert until_served(small) < SOON
        small.line("slow_readers_dropped", reason="places", address="127.0.0.1")


@pytest.mark.parametrize(
    ("half", "seen"),
    [(GET + b"\r\n", [200]), (b"", []), (GET, [503])],
    ids=["kept for another request", "silent", "half a request"],
)
def test_idle_connections_leave_room_for_another_client(small, half, seen):
    with ExitStack() as stack:
        idle = [stack.enter_context(small.connect(half)) for _ in range(150)]
        assert until_served(small) < SOON
        # The longest idle connections have made room.
        assert statuses(answer(idle[0])) == seen


def test_what_made_room_is_in_the_log_as_a_count_now_and_then(small):
    def lines():
        return [line for line in small.lines if line["event"] == "idle_connections_closed"]

    with ExitStack() as stack:
        for _ in range(150):
            stack.enter_context(small.connect())
        wait_until(lambda: sum(line["count"] for line in lines()) > 50)
    assert len(lines()) < 50
    assert {line["level"] for line in lines()} == {"warning"}
    assert not [line for line in small.lines if line["event"] == "connections_not_accepted"]


@pytest.mark.soak
def test_4400_idle_connections_leave_room_for_another_client(tmp_path, report):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 5000:
        pytest.skip("not that many files may be open here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 5000), hard))
    with serving(tmp_path, processes=2) as server, ExitStack() as stack:
        for _ in range(4400):
            connection = stack.enter_context(server.connect(GET + b"\r\n"))
            assert statuses(one(connection)) == [200]
        waited = until_served(server)
        report(f"4,400 idle connections: another client was served within {1000 * waited:.0f} ms")
        assert waited < SOON
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
