"""Which slow reader is given up, and when; the sockets are real, the time is not."""

import selectors
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from unittest.mock import Mock

import pytest
from gunicorn.config import Config

from app.server import Worker, limits
from app.server.connection import ClientSocket, Connection
from app.server.slow_readers import SlowReaders

ANSWER = b"x" * 4_000_000


class Readers:
    """Clients of one worker, each in the middle of an answer."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.worker = Worker(0, 0, [], None, 10, Config(), None)
        self.worker.tmp.close()
        self.worker.poller = stack.enter_context(selectors.DefaultSelector())
        self.waiting = SlowReaders(self.worker)
        self.finished: list[Connection] = []

    def begin(self) -> tuple[Connection, socket.socket]:
        ours, theirs = socket.socketpair()
        conn = Connection(self.worker, ours, ("192.0.2.1", 1), None)
        self._stack.callback(conn.close)
        self._stack.enter_context(theirs).settimeout(20)
        self.worker.nr_conns += 1
        conn.sock.sendall(ANSWER)
        conn.sock.flush()
        assert conn.sock.unsent_bytes
        self.waiting.add(conn, lambda: self.finished.append(conn))
        return conn, theirs

    def take(self, theirs: socket.socket, size: int) -> int:
        """Reads so much, while the worker goes on sending."""
        taken = 0
        while taken < size:
            data = theirs.recv(size - taken)
            assert data, "the connection was closed"
            taken += len(data)
            for key, _ in self.worker.poller.select(0):
                key.data(key.fileobj)
        return taken


@pytest.fixture
def readers() -> Iterator[Readers]:
    with ExitStack() as stack:
        yield Readers(stack)


def test_an_answer_goes_on_as_the_client_takes_it_and_then_its_connection(readers: Readers) -> None:
    conn, theirs = readers.begin()
    assert readers.take(theirs, len(ANSWER)) == len(ANSWER)
    assert readers.finished == [conn]
    assert not readers.worker.poller.get_map()


def test_what_has_left_is_not_held_in_memory(readers: Readers) -> None:
    conn, theirs = readers.begin()
    readers.take(theirs, 3_500_000)
    (rest,) = conn.sock.unsent
    assert rest.nbytes == conn.sock.unsent_bytes > 0
    assert memoryview(rest.obj).nbytes <= 2 * rest.nbytes


def test_an_answer_is_given_up_after_its_deadline(readers: Readers) -> None:
    conn, _ = readers.begin()
    readers.waiting.cut_off(time.monotonic() + limits.ANSWER_SECONDS - 1)
    assert readers.worker.nr_conns == 1
    readers.waiting.cut_off(time.monotonic() + limits.ANSWER_SECONDS)
    assert readers.worker.nr_conns == 0
    assert conn.sock.fileno() == -1


def test_the_slowest_reader_is_given_up_first_when_all_together_hold_too_much(
    readers: Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = [readers.begin() for _ in range(3)]
    readers.take(begun[0][1], 1_000_000)
    readers.take(begun[2][1], 1_000_000)
    held = sum(conn.sock.unsent_bytes for conn, _ in begun)
    monkeypatch.setattr(limits, "UNSENT_BYTES", held - 1)
    monkeypatch.setattr("app.server.tally.logger", log := Mock())
    readers.waiting.cut_off(time.monotonic() + 30)
    assert [conn.sock.fileno() == -1 for conn, _ in begun] == [False, True, False]
    readers.waiting.tally.write_due(time.monotonic())
    (event,), members = log.warning.call_args
    assert (event, members["count"], members["reason"]) == ("slow_readers_dropped", 1, "memory")
    assert members["address"] == "192.0.2.1"


def test_room_is_made_by_a_reader_that_has_had_some_time(readers: Readers) -> None:
    readers.begin()
    assert not readers.waiting.drop_for_room(time.monotonic())
    assert readers.waiting.drop_for_room(time.monotonic() + limits.IDLE_SECONDS)
    assert not readers.waiting.drop_for_room(time.monotonic() + limits.IDLE_SECONDS)


def test_a_client_that_has_gone_is_forgotten(readers: Readers) -> None:
    conn, theirs = readers.begin()
    theirs.close()
    for key, _ in readers.worker.poller.select(0):
        key.data(key.fileobj)
    assert readers.worker.nr_conns == 0
    assert conn.sock.fileno() == -1
    assert not readers.finished


def test_a_client_that_goes_after_it_has_taken_a_part_holds_no_memory(
    readers: Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    conn, _ = readers.begin()
    answers = iter([1000])

    def sendmsg(sock: socket.socket, parts: object) -> int:
        for size in answers:
            return size
        raise ConnectionResetError

    monkeypatch.setattr(ClientSocket, "sendmsg", sendmsg)
    monkeypatch.setattr(limits, "UNSENT_BYTES", 0)
    readers.waiting._send(conn, conn.sock)
    readers.waiting.cut_off(time.monotonic())
    assert readers.worker.nr_conns == 0
