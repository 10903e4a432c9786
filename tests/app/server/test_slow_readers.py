"""Which slow reader is dropped, and when. The sockets are real; the times are given."""

import selectors
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from gunicorn.config import Config
from structlog.testing import capture_logs

from app.server import limits
from app.server.connection import ClientSocket, Connection
from app.server.slow_readers import SlowReaders
from app.server.worker import Worker

RESPONSE = b"x" * 4_000_000


class Readers:
    """Clients of one worker, each in the middle of a response."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.worker = Worker(0, 0, [], None, 10, Config(), None)
        self.worker.tmp.close()
        self.worker.poller = stack.enter_context(selectors.DefaultSelector())
        self.slow_readers = SlowReaders(self.worker)
        self.finished: list[Connection] = []

    def begin(self) -> tuple[Connection, socket.socket]:
        ours, theirs = socket.socketpair()
        conn = Connection(self.worker, ours, ("192.0.2.1", 1), None)
        self._stack.callback(conn.close)
        self._stack.enter_context(theirs).settimeout(20)
        self.worker.nr_conns += 1
        conn.sock.sendall(RESPONSE)
        conn.sock.flush()
        assert conn.sock.unsent_bytes
        self.slow_readers.add(conn, lambda: self.finished.append(conn))
        return conn, theirs

    def read(self, theirs: socket.socket, size: int) -> int:
        """Reads `size` bytes while the worker continues to send."""
        received = 0
        while received < size:
            data = theirs.recv(size - received)
            assert data, "the connection was closed"
            received += len(data)
            for key, _ in self.worker.poller.select(0):
                key.data(key.fileobj)
        return received


@pytest.fixture
def readers() -> Iterator[Readers]:
    with ExitStack() as stack:
        yield Readers(stack)


def test_a_response_continues_as_the_client_reads_it_and_then_its_callback_is_called(readers: Readers) -> None:
    conn, theirs = readers.begin()
    assert readers.read(theirs, len(RESPONSE)) == len(RESPONSE)
    assert readers.finished == [conn]
    assert not readers.worker.poller.get_map()


def test_sent_bytes_are_freed(readers: Readers) -> None:
    conn, theirs = readers.begin()
    readers.read(theirs, 3_500_000)
    (buffer,) = conn.sock.unsent
    assert buffer.nbytes == conn.sock.unsent_bytes > 0
    assert memoryview(buffer.obj).nbytes <= 2 * buffer.nbytes


def test_a_reader_is_dropped_after_the_deadline_of_its_response(readers: Readers) -> None:
    conn, _ = readers.begin()
    readers.slow_readers.enforce_limits(time.monotonic() + limits.SEND_SECONDS - 1)
    assert readers.worker.nr_conns == 1
    readers.slow_readers.enforce_limits(time.monotonic() + limits.SEND_SECONDS)
    assert readers.worker.nr_conns == 0
    assert conn.sock.fileno() == -1


def test_the_slowest_reader_is_dropped_first_if_all_readers_together_hold_too_much_memory(
    readers: Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections = [readers.begin() for _ in range(3)]
    readers.read(connections[0][1], 1_000_000)
    readers.read(connections[2][1], 1_000_000)
    unsent_bytes = sum(conn.sock.unsent_bytes for conn, _ in connections)
    monkeypatch.setattr(limits, "UNSENT_BYTES", unsent_bytes - 1)
    with capture_logs() as lines:
        readers.slow_readers.enforce_limits(time.monotonic() + 30)
    assert [conn.sock.fileno() == -1 for conn, _ in connections] == [False, True, False]
    (line,) = lines
    assert (line["event"], line["reason"], line["address"]) == ("slow_readers_dropped", "memory", "192.0.2.1")


def test_a_reader_is_dropped_for_another_client_only_after_its_response_has_had_some_time(readers: Readers) -> None:
    readers.begin()
    assert not readers.slow_readers.drop_slowest(time.monotonic())
    assert readers.slow_readers.drop_slowest(time.monotonic() + limits.IDLE_SECONDS)
    assert not readers.slow_readers.drop_slowest(time.monotonic() + limits.IDLE_SECONDS)


def test_the_connection_of_a_client_that_has_left_is_closed(readers: Readers) -> None:
    conn, theirs = readers.begin()
    theirs.close()
    for key, _ in readers.worker.poller.select(0):
        key.data(key.fileobj)
    assert readers.worker.nr_conns == 0
    assert conn.sock.fileno() == -1
    assert not readers.finished


def test_a_client_that_leaves_after_a_part_of_its_response_holds_no_memory(
    readers: Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    conn, _ = readers.begin()
    sizes = iter([1000])

    def sendmsg(sock: socket.socket, parts: object) -> int:
        for size in sizes:
            return size
        raise ConnectionResetError

    monkeypatch.setattr(ClientSocket, "sendmsg", sendmsg)
    monkeypatch.setattr(limits, "UNSENT_BYTES", 0)
    key = readers.worker.poller.get_key(conn.sock)
    key.data(key.fileobj)
    readers.slow_readers.enforce_limits(time.monotonic())
    assert readers.worker.nr_conns == 0
