"""Many clients that take their answers slowly, or do nothing: others are served all the same, and the log says why."""

import resource
import socket
import time
from contextlib import ExitStack, suppress

import pytest

from tests.worker_process import GET, LARGE, LARGE_BYTES, answer, one, serving, statuses

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


def test_an_answer_that_does_not_leave_in_time_is_given_up_and_logged(tmp_path):
    with serving(tmp_path, limits={"ANSWER_SECONDS": 1}) as server, distant(server) as reader:
        line = server.line("slow_readers_dropped", reason="deadline", address="127.0.0.1")
        assert line["sent"] + line["unsent"] > LARGE_BYTES
        with pytest.raises(ConnectionResetError):
            answer(reader)
        assert server.healthy()


def test_answers_that_wait_hold_bounded_memory(tmp_path):
    with serving(tmp_path, limits={"UNSENT_BYTES": 4 * LARGE_BYTES}) as server, ExitStack() as stack:
        readers = [stack.enter_context(distant(server)) for _ in range(30)]
        server.line("slow_readers_dropped", reason="memory")
        with server.connect(LARGE) as fast:
            assert len(answer(fast)) > LARGE_BYTES
        whole = 0
        for reader in readers:
            with suppress(ConnectionResetError):
                whole += len(answer(reader)) > LARGE_BYTES
        assert 0 < whole < len(readers)


def test_a_client_that_leaves_amid_its_answer_frees_its_place(tmp_path):
    with serving(tmp_path, "--worker-connections", "20", "--threads", "4") as server:
        for _ in range(60):
            with distant(server) as reader:
                assert reader.recv(1)
        assert until_served(server) < SOON


def test_slow_readers_on_all_places_leave_room_for_another_client(tmp_path):
    with serving(tmp_path, "--worker-connections", "20", "--threads", "4") as server, ExitStack() as stack:
        for _ in range(60):
            stack.enter_context(distant(server))
        assert until_served(server) < SOON
        server.line("slow_readers_dropped", reason="places")


@pytest.mark.parametrize(
    ("half", "seen"),
    [(GET + b"\r\n", [200]), (b"", []), (GET, [503])],
    ids=["kept for another request", "silent", "half a request"],
)
def test_idle_connections_leave_room_for_another_client(tmp_path, half, seen):
    with serving(tmp_path, "--worker-connections", "60", "--threads", "4") as server, ExitStack() as stack:
        idle = [stack.enter_context(server.connect(half)) for _ in range(150)]
        assert until_served(server) < SOON
        # The longest idle connections have made room.
        assert statuses(answer(idle[0])) == seen
        server.line("idle_connections_closed", level="warning")
    lines = [line for line in server.lines if line["event"] == "idle_connections_closed"]
    assert len(lines) < 10, "one line with a count, not a line for each"


def test_few_allowed_open_files_are_shared_between_clients_and_vendors(tmp_path):
    with serving(tmp_path, "--threads", "8", open_files=256) as server, ExitStack() as stack:
        for _ in range(400):
            stack.enter_context(server.connect())
        assert until_served(server) < SOON
        server.line("idle_connections_closed")
        assert not [line for line in server.lines if line["event"] == "connections_not_accepted"]


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
