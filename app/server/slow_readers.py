"""Answers that clients take slowly, without a thread: the main loop sends on, within bounds of time and memory."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from app.server import limits
from app.server.connection import Connection
from app.server.tally import Tally

if TYPE_CHECKING:
    from app.server.worker import Worker


class SlowReaders:
    """Connections whose answer has not left yet, with what follows when it has; the longest under way first."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._waiting: dict[Connection, Callable[[], None]] = {}
        self._held_bytes = 0
        self.tally = Tally("slow_readers_dropped")

    def add(self, conn: Connection, finish: Callable[[], None]) -> None:
        """Sends the rest of an answer whenever the client takes more."""
        conn.timeout = time.monotonic() + limits.ANSWER_SECONDS
        self._waiting[conn] = finish
        self._held_bytes += conn.sock.unsent_bytes
        self._worker.poller.register(conn.sock, selectors.EVENT_WRITE, partial(self._send, conn))

    def cut_off(self, now: float) -> None:
        """Drops readers past their deadline, and the slowest while all together hold too much."""
        while self._waiting and (conn := next(iter(self._waiting))).timeout <= now:
            self._drop(conn, "deadline")
        while self._held_bytes > limits.UNSENT_BYTES:
            self._drop(self._slowest(now), "memory")

    def drop_for_room(self, now: float) -> bool:
        """Drops the slowest to make room for others; false if all have only just begun."""
        if not self._waiting or now - self._started(next(iter(self._waiting))) < limits.IDLE_SECONDS:
            return False
        self._drop(self._slowest(now), "places")
        return True

    def _send(self, conn: Connection, client: socket.socket) -> None:
        try:
            self._flush(conn)
        except OSError:  # The client has gone.
            self._forget(conn)
            self._worker.nr_conns -= 1
            conn.close()
            return
        if not conn.sock.unsent:
            self._forget(conn)()

    def _flush(self, conn: Connection) -> None:
        before = conn.sock.unsent_bytes
        try:
            conn.sock.flush()
        finally:  # A client may have taken a part before it went.
            self._held_bytes -= before - conn.sock.unsent_bytes

    def _forget(self, conn: Connection) -> Callable[[], None]:
        self._worker.poller.unregister(conn.sock)
        self._held_bytes -= conn.sock.unsent_bytes
        return self._waiting.pop(conn)

    def _drop(self, conn: Connection, reason: str) -> None:
        self._forget(conn)
        self._worker.nr_conns -= 1
        self.tally.add(reason=reason, address=conn.address, sent=conn.sock.sent_bytes, unsent=conn.sock.unsent_bytes)
        conn.abort()

    def _started(self, conn: Connection) -> float:
        return float(conn.timeout) - limits.ANSWER_SECONDS

    def _slowest(self, now: float) -> Connection:
        # Bytes per second. One second more for all, so that an answer that has just begun does not count as slow.
        return min(self._waiting, key=lambda conn: conn.sock.sent_bytes / (now - self._started(conn) + 1))
