"""Sends responses to slow readers without a thread: the main loop continues them, within limits of time and memory."""

import selectors
import socket
import time
from collections.abc import Callable
from functools import partial
from typing import Protocol

import structlog

from app.bounded_log import BoundedLog
from app.server import limits
from app.server.connection import Connection

logger = structlog.stdlib.get_logger("app.server")


class MainLoop(Protocol):
    """The members of the worker that are used here."""

    poller: selectors.BaseSelector
    nr_conns: int


class SlowReaders:
    """Connections with an unsent rest of a response, each with the callback for its end, the earliest first."""

    def __init__(self, main_loop: MainLoop) -> None:
        self._main_loop = main_loop
        self._callbacks: dict[Connection, Callable[[], None]] = {}
        self._unsent_bytes = 0
        self.log = BoundedLog(logger, "slow_readers_dropped", limits.EVENTS_PER_MINUTE)

    def add(self, conn: Connection, on_sent: Callable[[], None]) -> None:
        """Sends the rest of a response whenever the client accepts more, then calls `on_sent`."""
        conn.timeout = time.monotonic() + limits.SEND_SECONDS
        self._callbacks[conn] = on_sent
        self._unsent_bytes += conn.sock.unsent_bytes
        self._main_loop.poller.register(conn.sock, selectors.EVENT_WRITE, partial(self._send, conn))

    def enforce_limits(self, now: float) -> None:
        """Drops readers past their deadline, then the slowest while all together hold too much memory."""
        while self._callbacks and (conn := next(iter(self._callbacks))).timeout <= now:
            self._drop(conn, "deadline")
        while self._unsent_bytes > limits.UNSENT_BYTES:
            self._drop(self._slowest(now), "memory")

    def drop_slowest(self, now: float) -> bool:
        """Drops the slowest reader to free a connection; false if all responses have only just begun."""
        if not self._callbacks or now - self._started_at(next(iter(self._callbacks))) < limits.IDLE_SECONDS:
            return False
        self._drop(self._slowest(now), "places")
        return True

    def _send(self, conn: Connection, client: socket.socket) -> None:
        try:
            self._flush(conn)
        except OSError:  # The client has gone.
            self._forget(conn)
            self._main_loop.nr_conns -= 1
            conn.close()
            return
        if not conn.sock.unsent:
            self._forget(conn)()

    def _flush(self, conn: Connection) -> None:
        before = conn.sock.unsent_bytes
        try:
            conn.sock.flush()
        finally:  # A client may have received a part before it went.
            self._unsent_bytes -= before - conn.sock.unsent_bytes

    def _forget(self, conn: Connection) -> Callable[[], None]:
        self._main_loop.poller.unregister(conn.sock)
        self._unsent_bytes -= conn.sock.unsent_bytes
        return self._callbacks.pop(conn)

    def _drop(self, conn: Connection, reason: str) -> None:
        self._forget(conn)
        self._main_loop.nr_conns -= 1
        self.log.warning(reason=reason, address=conn.address, sent=conn.sock.sent_bytes, unsent=conn.sock.unsent_bytes)
        conn.abort()

    def _started_at(self, conn: Connection) -> float:
        return float(conn.timeout) - limits.SEND_SECONDS

    def _slowest(self, now: float) -> Connection:
        # By bytes per second. Each duration counts one second more, so that a new response does not rank as slow.
        return min(self._callbacks, key=lambda conn: conn.sock.sent_bytes / (now - self._started_at(conn) + 1))
