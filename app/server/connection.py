"""A client's connection: the part of its next request that has arrived, and the part of an answer that has not left."""

from __future__ import annotations

import socket
import struct
from collections import deque
from io import BytesIO
from itertools import islice
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from gunicorn.http.errors import NoMoreData, ParseException
from gunicorn.http.parser import RequestParser
from gunicorn.workers.gthread import TConn

from app.config import BODY_LIMIT
from app.server import limits, refusals
from app.server.request_framing import Framing, Malformed

if TYPE_CHECKING:
    from app.server.worker import Worker

# Parts of an answer per system call, far below the kernel's IOV_MAX.
_PARTS = 64
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def _rest(part: memoryview, sent: int) -> memoryview:
    """The unsent bytes of a part. A view keeps all of them in memory: less than half of that is copied."""
    rest = part[sent:]
    return rest if 2 * rest.nbytes >= memoryview(rest.obj).nbytes else memoryview(bytes(rest))


class ClientSocket(socket.socket):
    """Never waits: `sendall` collects an answer, `flush` sends as much of it as the kernel takes at once."""

    def __init__(self, accepted: socket.socket) -> None:
        super().__init__(accepted.family, accepted.type, accepted.proto, accepted.detach())
        self.unsent: deque[memoryview] = deque()
        # Of the current answer.
        self.unsent_bytes = self.sent_bytes = 0

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Collects a part of an answer."""
        part = memoryview(data)
        if not self.unsent:
            self.sent_bytes = 0
        if part.nbytes:
            self.unsent.append(part)
            self.unsent_bytes += part.nbytes

    def deliver(self) -> bool:
        """Sends what the kernel takes at once; false when the client has gone, which then gets nothing more."""
        try:
            self.flush()
        except OSError:
            self.discard()
            return False
        return True

    def flush(self) -> None:
        """Sends what the kernel takes at once. Raises OSError when the client has gone."""
        while self.unsent:
            try:
                sent = self.sendmsg(islice(self.unsent, _PARTS))
            except (BlockingIOError, InterruptedError):
                return
            self.sent_bytes += sent
            self.unsent_bytes -= sent
            while sent:
                part = self.unsent.popleft()
                if sent < part.nbytes:
                    self.unsent.appendleft(_rest(part, sent))
                sent -= min(sent, part.nbytes)

    def discard(self) -> None:
        """Gives up what has not left yet."""
        self.unsent.clear()
        self.unsent_bytes = 0


class Connection(TConn):
    """A client's connection, which serves one request after the other."""

    sock: ClientSocket
    parser: Any

    def __init__(self, worker: Worker, sock: socket.socket, client: Any, server: Any) -> None:
        super().__init__(worker.cfg, ClientSocket(sock), client, server)
        self.arrived = 0.0
        self._worker = worker
        self.reset()

    def reset(self) -> None:
        """Starts the next request, of which a part may have arrived together with the last one."""
        leftover = self.parser.unreader.take_buffered() if self.parser else b""
        self.parser = None
        self._framing = Framing(limits.HEADERS_BYTES, BODY_LIMIT)
        if leftover:
            self.add(leftover)

    @property
    def received(self) -> bytearray:
        """The bytes of the request received so far."""
        return self._framing.received

    @property
    def is_whole(self) -> bool:
        """Whether the request has arrived whole."""
        return self._framing.is_whole

    def add(self, data: bytes) -> None:
        """Takes bytes from the client. Raises Malformed for what must be refused."""
        self._framing.feed(data)
        if self._framing.awaits_continue and not self.is_whole:
            self._say(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._framing.awaits_continue = False

    def parse(self) -> Any:
        """gunicorn's view of the whole request, its body in memory. Raises Malformed for what llhttp alone allows."""
        head, body, behind = self._framing.take()
        # It gets bytes and not the socket, so that it cannot wait for more; and no chunks, for which it needs a time
        # that grows with the square of their number.
        self.parser = RequestParser(self.cfg, [head], self.client)
        try:
            request = next(self.parser)
        except (ParseException, NoMoreData, StopIteration) as error:
            raise Malformed(refusals.status_of(error)) from None
        request.body = BytesIO(body)
        self.parser.unreader.unread(behind)
        # `add` has answered that; gunicorn would answer it again, and straight to the socket.
        request._expected_100_continue = False
        # An idle connection needs nothing of its last request.
        self.parser.mesg = None
        return request

    def refuse(self, status: int, detail: str = "") -> None:
        """Answers with a problem, and logs it, for what no route will see."""
        problem, request_id = refusals.problem(status, detail), uuid4().hex
        self.sock.discard()
        self._say(refusals.message(problem, request_id))
        self._worker.refusals.warning(
            status=problem.status, code=problem.code, address=self.address, request_id=request_id
        )

    @property
    def address(self) -> str:
        """The client's, or that of a proxy in front of this service."""
        return str(self.client[0]) if isinstance(self.client, tuple) else str(self.client or "")

    def _say(self, data: bytes) -> None:
        """Sends a few bytes if they can be sent at once."""
        try:
            self.sock.send(data)
        except OSError:
            pass

    def close(self, graceful: bool = False) -> None:
        """Closes it; gracefully: only once the client has, because a reset would destroy an answer on its way."""
        if graceful and self._worker.alive:
            self._worker.linger(self)
        else:
            super().close()

    def abort(self) -> None:
        """Resets it, so that the kernel gives up what the client has not taken."""
        try:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        except OSError:
            pass
        super().close()
