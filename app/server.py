"""gunicorn's worker with threads, for requests that have arrived whole.

gunicorn's own gives a thread to every connection that has sent its first byte: as many half-sent requests as there
are threads stop it. Here the main loop collects requests, at no cost but their bytes, and cuts those off that take
too long. Needs a proxy for TLS, as everything else here does.
"""

from __future__ import annotations

import json
import selectors
import socket
import struct
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from gunicorn.errors import ConfigError
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import TConn, ThreadWorker

from app.balance import COURTESY_SECONDS, Share
from app.errors import MEDIA_TYPE, Problem
from app.framing import Framing, Malformed
from app.routing import BODY_LIMIT

# A request must be here this long after its connection (or the one before it) was. Also how long a caller may stop
# to read its answer, and to close its connection after that.
PATIENCE_SECONDS = 10.0
# So long a whole request may wait for a thread. With the deadline of its vendors' calls, that stays below the 30 s
# after which Heroku gives up.
QUEUE_SECONDS = 5.0
# All headers together: a token of 16 KiB for one vendor, and shorter ones for others.
HEADERS_LIMIT = 64 * 1024
READ_BYTES = 64 * 1024
ALL_BUSY = "All threads of this service are busy; try again shortly."


class Connection(TConn):
    """A client's connection and what has arrived of its next request."""

    def __init__(self, worker: Worker, sock: socket.socket, client: Any, server: Any) -> None:
        super().__init__(worker.cfg, sock, client, server)
        self.arrived = 0.0
        self._worker = worker
        self.reset(b"")
        # In a thread, what does not go on for so long is given up. Holds whether or not the socket blocks.
        patience = struct.pack("ll", int(PATIENCE_SECONDS), 0)
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            sock.setsockopt(socket.SOL_SOCKET, option, patience)

    def reset(self, data: bytes) -> None:
        """Starts a request, of which this much is known."""
        self.received = bytearray()
        self._framing = Framing(HEADERS_LIMIT, BODY_LIMIT)
        if data:
            self.add(data)

    @property
    def is_ready(self) -> bool:
        """Whether the request can be answered: it is whole, or too large."""
        return self._framing.is_whole or self._framing.is_too_large

    @property
    def is_too_large(self) -> bool:
        """Whether the rest of it should not be read."""
        return self._framing.is_too_large

    def add(self, data: bytes) -> None:
        """Takes bytes from the client. Raises Malformed for what is no HTTP."""
        self.received += data
        self._framing.feed(data)
        if self._framing.awaits_continue and not self.is_ready:
            self.say(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._framing.awaits_continue = False

    def say(self, data: bytes) -> None:
        """Sends a few bytes if they can be sent at once."""
        try:
            self.sock.send(data, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        except OSError:
            pass

    def refuse(self, status: int, detail: str) -> None:
        """Answers with a problem, for what no route will see."""
        phrase = HTTPStatus(status).phrase
        body = json.dumps(Problem(status, phrase.lower().replace(" ", "_"), detail).body(uuid4().hex))
        again = "Retry-After: 5\r\n" if status == HTTPStatus.SERVICE_UNAVAILABLE else ""
        self.say(
            f"HTTP/1.1 {status} {phrase}\r\nContent-Type: {MEDIA_TYPE}\r\nConnection: close\r\n"
            f"{again}Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )

    def close(self, graceful: bool = False) -> None:
        """Closes it; gracefully: only once the client has, lest the answer be lost."""
        if graceful and self._worker.alive:
            self._worker.linger(self)
        else:
            super().close()


class Log(Logger):
    """gunicorn's, without its line for each request."""

    def access(self, *about: Any) -> None:
        """Says nothing."""


class Worker(ThreadWorker):
    """Threads answer requests; the main loop waits for them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Requests that wait for a thread, the oldest first; and those that have one and have not been looked at since.
        self._queued: deque[tuple[Connection, Future[Any]]] = deque()
        self.share = Share(self.age)
        self._leaves_it = self._has_left_it = False

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        super().check_config(cfg, log)
        if cfg.is_ssl:
            raise ConfigError("certfile: TLS ends in a proxy in front of this service, which then reads whole requests")

    def accept(self, listener: socket.socket) -> None:
        """Takes a new connection, or leaves it to another worker for a moment."""
        if self.share.is_above_others and not self._has_left_it:
            self._leaves_it = True
            return
        try:
            sock, client = listener.accept()
        except BlockingIOError:  # Another worker was faster.
            return
        except OSError as error:  # The client has gone, or there are too many open files: the others must go on.
            self.log.warning("no connection was taken: %s", error)
            return
        self.nr_conns += 1
        self.enqueue_req(Connection(self, sock, client, listener.getsockname()))

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """One round of the main loop."""
        if self.alive:
            self.share.tell(self.nr_conns)
        else:
            self.share.leave()
        if self._leaves_it:
            self.set_accept_enabled(False)
            timeout = COURTESY_SECONDS
        had_left_it, self._leaves_it = self._leaves_it, False
        super().wait_for_and_dispatch_events(timeout)
        self._has_left_it = had_left_it

    def enqueue_req(self, conn: Connection) -> None:
        """Waits for the next request of a connection."""
        leftover = conn.parser.unreader.take_buffered() if conn.initialized else b""
        self._watch(conn, self.on_pending_socket_readable)
        self._take(conn, lambda: conn.reset(leftover))

    def handle(self, conn: Connection) -> Any:
        """Answers one request. Runs in a thread."""
        if time.monotonic() - conn.arrived > QUEUE_SECONDS:
            conn.refuse(503, ALL_BUSY)
            return False
        return super().handle(conn)

    def _keepalive_after(self, conn: Connection, keepalive: bool) -> bool:
        # The rest of a body that nobody reads would hold the thread.
        return bool(super()._keepalive_after(conn, keepalive and not conn.is_too_large))

    def on_client_socket_readable(self, conn: Connection, client: socket.socket) -> None:
        """The first bytes of a later request."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self.enqueue_req(conn)

    def on_pending_socket_readable(self, conn: Connection, client: socket.socket) -> None:
        """More bytes of a request."""
        data = self._read(conn)
        if data:
            self._take(conn, lambda: conn.add(data))
        elif data is not None:
            self._drop(conn)

    def murder_pending(self) -> None:
        """Cuts off what took too long."""
        now = time.monotonic()
        while self._queued and (self._queued[0][1].done() or now - self._queued[0][0].arrived > QUEUE_SECONDS):
            conn, answered = self._queued.popleft()
            # One that a thread has already taken goes on.
            if answered.cancel():
                conn.refuse(503, ALL_BUSY)
        while self.pending_conns and self.pending_conns[0].timeout <= now:
            conn = self.pending_conns[0]
            if conn.received and not conn.is_ready:
                conn.refuse(408, f"The request did not arrive whole within {PATIENCE_SECONDS:g} seconds.")
            self._drop(conn)

    def linger(self, conn: Connection) -> None:
        """Reads on, for nothing, until the client has closed."""
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            conn.close()
            return
        self.nr_conns += 1
        self._watch(conn, self._discard)

    def _discard(self, conn: Connection, client: socket.socket) -> None:
        if self._read(conn) == b"":
            self._drop(conn)

    def _take(self, conn: Connection, take: Callable[[], None]) -> None:
        """Hands the request to a thread once it is whole."""
        try:
            take()
        except Malformed as error:
            conn.refuse(error.status, "This is no request that HTTP/1.1 allows.")
            self._unwatch(conn)
            self.nr_conns -= 1
            conn.close(graceful=True)
            return
        if conn.is_ready:
            self._unwatch(conn)
            conn.arrived = time.monotonic()
            conn.init()
            # Empty lines before a request are to be ignored (RFC 9112, section 2.2), which gunicorn does not.
            conn.parser.unreader.unread(bytes(conn.received).lstrip(b"\r\n"))
            answered = self.tpool.submit(self.handle, conn)
            self._queued.append((conn, answered))
            answered.add_done_callback(partial(self.method_queue.defer, self.finish_request, conn))

    def _watch(self, conn: Connection, readable: Callable[[Connection, socket.socket], None]) -> None:
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + PATIENCE_SECONDS
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(readable, conn))

    def _unwatch(self, conn: Connection) -> None:
        self.poller.unregister(conn.sock)
        self.pending_conns.remove(conn)

    def _drop(self, conn: Connection) -> None:
        self._unwatch(conn)
        self.nr_conns -= 1
        conn.close()

    def _read(self, conn: Connection) -> bytes | None:
        """Bytes; none at the end; None when there is nothing to read now."""
        try:
            data: bytes = conn.sock.recv(READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError:
            return b""
        return data
