"""The main loop of a process: it collects requests from connections and hands them to threads."""

import errno
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

import structlog
from gunicorn.errors import ConfigError
from gunicorn.workers.gthread import ThreadWorker

from app import error_table
from app.bounded_log import BoundedLog
from app.server import connection_share, limits, refusals
from app.server.connection import Connection
from app.server.memory import MemoryTrimmer
from app.server.request_framing import MalformedRequest
from app.server.slow_readers import SlowReaders

logger = structlog.stdlib.get_logger("app.server")
# Waits until the client sends; called with the connection and its socket.
ReadCallback = Callable[[Connection, socket.socket], None]


class Worker(ThreadWorker):
    """gunicorn's gthread worker, except that only the main loop waits for clients. See app.server.compatibility.

    error_types: the text before the code in the `type` of a problem.
    """

    error_types = error_table.types(None)

    @staticmethod
    def count_refusal(status: int) -> None:
        """Does nothing; the hooks put the metrics in its place."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # gunicorn would close new connections when many are idle; instead, `_free_connections` closes idle connections.
        self.max_keepalived = self.worker_connections
        # Requests that wait for a thread, the oldest first. Those that have since begun or ended are removed lazily.
        self._queue: deque[tuple[Connection, Future[Any]]] = deque()
        self._pauses_accepting = self._has_paused = self._files_exhausted = False
        self.refusal_log = BoundedLog(logger, "refused", limits.REFUSALS_PER_MINUTE)
        self._idle_log = BoundedLog(logger, "idle_connections_closed", limits.EVENTS_PER_MINUTE)
        self._accept_log = BoundedLog(logger, "connections_not_accepted", limits.EVENTS_PER_MINUTE)
        self._slow_readers = SlowReaders(self)
        self._memory = MemoryTrimmer()

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        super().check_config(cfg, log)
        if cfg.is_ssl:
            raise ConfigError("certfile: TLS ends in a proxy in front of this service, which then reads whole requests")

    def accept(self, listener: socket.socket) -> None:
        """Accepts waiting connections as long as there is room, or leaves them to another worker."""
        for accepted in range(self.worker_connections - self.nr_conns):
            if self.alive and not self._has_paused and connection_share.another_has_fewer(self.nr_conns):
                # Only the first connection is known to wait; the next round reports the listener if there are more.
                self._pauses_accepting = not accepted
                return
            # After one pause the connection is accepted, in case the other workers are stuck.
            self._has_paused = False
            try:
                sock, client = listener.accept()
            except BlockingIOError:  # No connection waits.
                return
            except OSError as error:  # The client has gone, or too many files are open. The main loop must go on.
                self._accept_log.warning(reason=error.strerror)
                self._pauses_accepting = self._files_exhausted = error.errno in (errno.EMFILE, errno.ENFILE)
                return
            self.nr_conns += 1
            connection_share.publish(self.age, self.nr_conns)
            self.enqueue_req(Connection(self, sock, client, listener.getsockname()))

    def set_accept_enabled(self, enabled: bool) -> None:
        """Starts or stops accepting. A worker that ends first accepts what waits in the listening sockets, and closes
        them: connections that are left there, or that arrive while it answers its last requests, would be reset."""
        super().set_accept_enabled(enabled)
        if not self.alive:
            for listener in self.sockets:
                self.accept(listener)
                listener.close()

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Runs one round of the main loop. Closes connections only before it, since its events may be theirs."""
        if self.alive:
            connection_share.publish(self.age, self.nr_conns)
        else:
            connection_share.withdraw(self.age)
        now = time.monotonic()
        self._slow_readers.enforce_limits(now)
        if not self._free_connections(now):
            timeout = min(timeout, limits.IDLE_SECONDS / 10)
        self._memory.trim_if_due(now)
        for log in (self.refusal_log, self._idle_log, self._accept_log, self._slow_readers.log):
            log.settle()
        if self.alive:
            self.set_accept_enabled(self.nr_conns < self.worker_connections and not self._pauses_accepting)
        if self._pauses_accepting:
            timeout = limits.ACCEPT_PAUSE_SECONDS
        pauses, self._pauses_accepting = self._pauses_accepting, False
        super().wait_for_and_dispatch_events(timeout)
        self._has_paused = pauses

    def enqueue_req(self, conn: Connection) -> None:
        """Waits for the next request of a connection."""
        self._watch(conn, self.on_pending_socket_readable)
        self._receive(conn, conn.reset)

    def handle(self, conn: Connection) -> bool:
        """Answers one request. Runs in a thread; true if the connection stays open."""
        try:
            if time.monotonic() - conn.arrived_at > limits.QUEUE_SECONDS:
                raise MalformedRequest(503)
            keep_alive = bool(self.handle_request(conn.parse(), conn))
        except MalformedRequest as error:
            conn.refuse(error.status)
        except StopIteration:  # The response failed midway; gunicorn has logged it.
            conn.sock.discard()
        except Exception:
            self.log.exception("a request failed outside of the application")
            conn.refuse(500)
        else:
            return conn.sock.deliver() and keep_alive
        return False

    def finish_request(self, conn: Connection, future: Future[Any]) -> None:
        """Continues with a connection once the response has left."""
        finish = partial(super().finish_request, conn, future)
        if conn.sock.unsent:
            self._slow_readers.add(conn, finish)
        else:
            finish()

    def on_client_socket_readable(self, conn: Connection, client: socket.socket) -> None:
        """Receives the first bytes of a later request."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self.enqueue_req(conn)

    def on_pending_socket_readable(self, conn: Connection, client: socket.socket) -> None:
        """Receives further bytes of a request."""
        data = self._read(conn)
        if data:
            self._receive(conn, lambda: conn.add(data))
        elif data is not None:
            self._close(conn, self.pending_conns)

    def murder_pending(self) -> None:
        """Refuses requests that have waited too long for a thread, or have not arrived in time."""
        now = time.monotonic()
        while self._queue and (self._queue[0][1].done() or now - self._queue[0][0].arrived_at > limits.QUEUE_SECONDS):
            conn, future = self._queue.popleft()
            # Cancelling fails if a thread has begun the request, which then continues.
            if future.cancel():
                conn.refuse(503)
        while self.pending_conns and self.pending_conns[0].timeout <= now:
            conn = self.pending_conns[0]
            if conn.received:
                conn.refuse(408)
            self._close(conn, self.pending_conns)

    def linger(self, conn: Connection) -> None:
        """Reads and discards until the client has closed."""
        conn.received.clear()
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            conn.close()
            return
        self.nr_conns += 1
        self._watch(conn, self._read_and_discard)

    def _read_and_discard(self, conn: Connection, client: socket.socket) -> None:
        if self._read(conn) == b"":
            self._close(conn, self.pending_conns)

    def _free_connections(self, now: float) -> bool:
        """Closes the longest idle connections while few are left for new clients; false if that is not enough."""
        while self.alive and (self._files_exhausted or self.nr_conns >= self.worker_connections - self.cfg.threads):
            conns = self._longest_idle(now)
            if conns:
                if conns[0].received:
                    conns[0].refuse(503, refusals.NO_CONNECTION_LEFT)
                self._idle_log.warning(address=conns[0].address)
                self._close(conns[0], conns)
            elif not self._slow_readers.drop_slowest(now):
                return False
            self._files_exhausted = False
        return True

    def _longest_idle(self, now: float) -> deque[Connection] | None:
        """Returns the queue headed by the longest idle connection: between requests, or in the middle of a request."""
        longest, longest_seconds = None, limits.IDLE_SECONDS
        for conns, allowed_seconds in (
            (self.keepalived_conns, self.cfg.keepalive),
            (self.pending_conns, limits.RECEIVE_SECONDS),
        ):
            if conns and (idle_seconds := now - conns[0].timeout + allowed_seconds) >= longest_seconds:
                longest, longest_seconds = conns, idle_seconds
        return longest

    def _receive(self, conn: Connection, add_bytes: Callable[[], None]) -> None:
        """Adds bytes to a connection's request, and hands the request to a thread once it is whole."""
        try:
            add_bytes()
        except MalformedRequest as error:
            conn.refuse(error.status)
            self._unwatch(conn)
            self.nr_conns -= 1
            conn.close(graceful=True)
            return
        if conn.is_whole:
            self._unwatch(conn)
            conn.arrived_at = time.monotonic()
            future = self.tpool.submit(self.handle, conn)
            self._queue.append((conn, future))
            future.add_done_callback(partial(self.method_queue.defer, self.finish_request, conn))

    def _watch(self, conn: Connection, on_readable: ReadCallback) -> None:
        conn.timeout = time.monotonic() + limits.RECEIVE_SECONDS
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(on_readable, conn))

    def _unwatch(self, conn: Connection) -> None:
        self.poller.unregister(conn.sock)
        self.pending_conns.remove(conn)

    def _close(self, conn: Connection, conns: deque[Connection]) -> None:
        self.poller.unregister(conn.sock)
        conns.remove(conn)
        self.nr_conns -= 1
        conn.close()

    def _read(self, conn: Connection) -> bytes | None:
        """Returns the received bytes, empty at the end of the connection; None if there are none now."""
        try:
            data: bytes = conn.sock.recv(limits.READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError:
            return b""
        return data
