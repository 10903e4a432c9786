"""The main loop of a process, between the clients' connections and the threads."""

from __future__ import annotations

import errno
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

from gunicorn.errors import ConfigError
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import ThreadWorker

from app.server import limits, refusals
from app.server.connection import Connection
from app.server.connection_share import COURTESY_SECONDS, Share
from app.server.memory import Memory
from app.server.request_framing import Malformed
from app.server.slow_readers import SlowReaders
from app.server.tally import Tally, logger
from app.web.bounded_log import BoundedLog


class Log(Logger):
    """gunicorn's, without its line for each request."""

    def access(self, *about: Any) -> None:
        """Says nothing."""


class Worker(ThreadWorker):
    """Threads answer requests; the main loop waits for clients."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # gunicorn would close the connections of new clients when many are idle; here the longest idle ones close.
        self.max_keepalived = self.worker_connections
        # Requests that wait for a thread, the oldest first; and those that have one and have not been looked at since.
        self._queued: deque[tuple[Connection, Future[Any]]] = deque()
        self.share = Share(self.age)
        self._leaves_it = self._has_left_it = self._lacks_files = False
        self.refusals = BoundedLog(logger, "refused", limits.REFUSALS_PER_MINUTE)
        self._slow_readers = SlowReaders(self)
        self._memory = Memory()
        self._idle_closed, self._not_accepted = Tally("idle_connections_closed"), Tally("connections_not_accepted")

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        super().check_config(cfg, log)
        if cfg.is_ssl:
            raise ConfigError("certfile: TLS ends in a proxy in front of this service, which then reads whole requests")

    def accept(self, listener: socket.socket) -> None:
        """Takes the connections that wait, as many as there are places, or leaves them to another worker."""
        for taken in range(self.worker_connections - self.nr_conns):
            if self.share.is_above_others and not self._has_left_it:
                # Only of the first it is known that it waits; if there are more, the next round says so.
                self._leaves_it = not taken
                return
            self._has_left_it = False
            try:
                sock, client = listener.accept()
            except BlockingIOError:  # None is left.
                return
            except OSError as error:  # The client has gone, or there are too many open files: the others must go on.
                self._not_accepted.add(reason=error.strerror)
                self._leaves_it = self._lacks_files = error.errno in (errno.EMFILE, errno.ENFILE)
                return
            self.nr_conns += 1
            self.share.tell(self.nr_conns)
            self.enqueue_req(Connection(self, sock, client, listener.getsockname()))

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """One round of the main loop. Closes connections only before it: events of a round may be theirs."""
        if self.alive:
            self.share.tell(self.nr_conns)
        else:
            self.share.leave()
        now = time.monotonic()
        self._slow_readers.cut_off(now)
        if not self._make_room(now):
            timeout = min(timeout, limits.IDLE_SECONDS / 10)
        self.refusals.settle()
        self._memory.give_back_due(now)
        for tally in (self._idle_closed, self._not_accepted, self._slow_readers.tally):
            tally.write_due(now)
        if self.alive:
            self.set_accept_enabled(self.nr_conns < self.worker_connections and not self._leaves_it)
        if self._leaves_it:
            timeout = COURTESY_SECONDS
        had_left_it, self._leaves_it = self._leaves_it, False
        super().wait_for_and_dispatch_events(timeout)
        self._has_left_it = had_left_it

    def enqueue_req(self, conn: Connection) -> None:
        """Waits for the next request of a connection."""
        self._watch(conn, self.on_pending_socket_readable)
        self._take(conn, conn.reset)

    def handle(self, conn: Connection) -> bool:
        """Answers one request. Runs in a thread; true if the connection stays open."""
        try:
            if time.monotonic() - conn.arrived > limits.QUEUE_SECONDS:
                raise Malformed(503)
            stays_open = bool(self.handle_request(conn.parse(), conn))
        except Malformed as error:
            conn.refuse(error.status)
        except StopIteration:  # The answer failed midway, which gunicorn has logged.
            conn.sock.discard()
        except Exception:
            self.log.exception("a request failed outside of the application")
            conn.refuse(500)
        else:
            return conn.sock.deliver() and stays_open
        return False

    def finish_request(self, conn: Connection, answered: Future[Any]) -> None:
        """Goes on with a connection once the answer has left."""
        finish = partial(super().finish_request, conn, answered)
        if conn.sock.unsent:
            self._slow_readers.add(conn, finish)
        else:
            finish()

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
            self._drop(conn, self.pending_conns)

    def murder_pending(self) -> None:
        """Cuts off what took too long."""
        now = time.monotonic()
        while self._queued and (self._queued[0][1].done() or now - self._queued[0][0].arrived > limits.QUEUE_SECONDS):
            conn, answered = self._queued.popleft()
            # One that a thread has already taken goes on.
            if answered.cancel():
                conn.refuse(503)
        while self.pending_conns and self.pending_conns[0].timeout <= now:
            conn = self.pending_conns[0]
            if conn.received:
                conn.refuse(408)
            self._drop(conn, self.pending_conns)

    def linger(self, conn: Connection) -> None:
        """Reads on, for nothing, until the client has closed."""
        conn.received.clear()
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            conn.close()
            return
        self.nr_conns += 1
        self._watch(conn, self._discard)

    def _discard(self, conn: Connection, client: socket.socket) -> None:
        if self._read(conn) == b"":
            self._drop(conn, self.pending_conns)

    def _make_room(self, now: float) -> bool:
        """Closes what has been idle longest while places run short; false if that is not enough."""
        while self.alive and (self._lacks_files or self.nr_conns >= self.worker_connections - self.cfg.threads):
            conns = self._longest_idle(now)
            if conns:
                if conns[0].received:
                    conns[0].refuse(503, refusals.ALL_TAKEN)
                self._idle_closed.add()
                self._drop(conns[0], conns)
            elif not self._slow_readers.drop_for_room(now):
                return False
            self._lacks_files = False
        return True

    def _longest_idle(self, now: float) -> deque[Connection] | None:
        """The queue whose first connection is idle longest: of those between requests, or of those amid a request."""
        found, idle_for = None, limits.IDLE_SECONDS
        for conns, allowed in (
            (self.keepalived_conns, self.cfg.keepalive),
            (self.pending_conns, limits.PATIENCE_SECONDS),
        ):
            if conns and (waited := now - conns[0].timeout + allowed) >= idle_for:
                found, idle_for = conns, waited
        return found

    def _take(self, conn: Connection, take: Callable[[], None]) -> None:
        """Hands the request to a thread once it is whole."""
        try:
            take()
        except Malformed as error:
            conn.refuse(error.status)
            self._unwatch(conn)
            self.nr_conns -= 1
            conn.close(graceful=True)
            return
        if conn.is_whole:
            self._unwatch(conn)
            conn.arrived = time.monotonic()
            answered = self.tpool.submit(self.handle, conn)
            self._queued.append((conn, answered))
            answered.add_done_callback(partial(self.method_queue.defer, self.finish_request, conn))

    def _watch(self, conn: Connection, readable: Callable[[Connection, socket.socket], None]) -> None:
        conn.timeout = time.monotonic() + limits.PATIENCE_SECONDS
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(readable, conn))

    def _unwatch(self, conn: Connection) -> None:
        self.poller.unregister(conn.sock)
        self.pending_conns.remove(conn)

    def _drop(self, conn: Connection, conns: deque[Connection]) -> None:
        self.poller.unregister(conn.sock)
        conns.remove(conn)
        self.nr_conns -= 1
        conn.close()

    def _read(self, conn: Connection) -> bytes | None:
        """Bytes; none at the end; None when there is nothing to read now."""
        try:
            data: bytes = conn.sock.recv(limits.READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError:
            return b""
        return data
