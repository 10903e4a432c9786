"""A client's connection: the received part of its next request, and the unsent part of its last response."""

import socket
import struct
from collections import deque
from io import BytesIO
from itertools import islice
from typing import Any, Protocol
from uuid import uuid4

from gunicorn.http.errors import NoMoreData, ParseException
from gunicorn.http.parser import RequestParser
from gunicorn.workers.gthread import TConn

from app.bounded_log import BoundedLog
from app.config import BODY_LIMIT
from app.server import limits
from app.server.refusals import Refusal, status_of
from app.server.request_framing import MalformedRequest, RequestFraming

# Buffers per system call, far below the kernel's IOV_MAX.
BUFFERS_PER_CALL = 64
# SO_LINGER on with zero seconds: close() sends a reset.
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def unsent_part(buffer: memoryview, sent: int) -> memoryview:
    """Returns the rest of a buffer, copied if it is less than half: a view keeps the whole buffer in memory."""
    unsent = buffer[sent:]
    return unsent if 2 * unsent.nbytes >= memoryview(unsent.obj).nbytes else memoryview(bytes(unsent))


class ClientSocket(socket.socket):
    """A socket that never waits: `sendall` buffers a response, `flush` sends as much of it as the kernel accepts."""

    def __init__(self, accepted: socket.socket) -> None:
        super().__init__(accepted.family, accepted.type, accepted.proto, accepted.detach())
        self.unsent: deque[memoryview] = deque()
        # Of the current response.
        self.unsent_bytes = self.sent_bytes = 0

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Buffers a part of a response."""
        buffer = memoryview(data)
        if not self.unsent:
            self.sent_bytes = 0
        if buffer.nbytes:
            self.unsent.append(buffer)
            self.unsent_bytes += buffer.nbytes

    def deliver(self) -> bool:
        """Flushes; returns false, and discards the response, if the client has gone."""
        try:
            self.flush()
        except OSError:
            self.discard()
            return False
        return True

    def flush(self) -> None:
        """Sends as much as the kernel accepts at once. Raises OSError when the client has gone."""
        while self.unsent:
            try:
                sent = self.sendmsg(islice(self.unsent, BUFFERS_PER_CALL))
            except (BlockingIOError, InterruptedError):
                return
            self.sent_bytes += sent
            self.unsent_bytes -= sent
            while sent:
                buffer = self.unsent.popleft()
                if sent < buffer.nbytes:
                    self.unsent.appendleft(unsent_part(buffer, sent))
                sent -= min(sent, buffer.nbytes)

    def discard(self) -> None:
        """Discards the unsent bytes."""
        self.unsent.clear()
        self.unsent_bytes = 0


class ConnectionOwner(Protocol):
    """The members of the worker that a connection uses."""

    cfg: Any
    alive: bool
    refusal_log: BoundedLog
    error_types: str

    def count_refusal(self, status: int) -> None: ...

    def linger(self, conn: "Connection") -> None: ...


class Connection(TConn):
    """A client's connection, which serves one request after another."""

    sock: ClientSocket
    parser: Any

    def __init__(self, owner: ConnectionOwner, sock: socket.socket, client: Any, server: Any) -> None:
        super().__init__(owner.cfg, ClientSocket(sock), client, server)
        self.arrived_at = 0.0
        self._owner = owner
        self.reset()

    def reset(self) -> None:
        """Begins the next request, a part of which may have arrived together with the last one."""
        read_ahead = self.parser.unreader.take_buffered() if self.parser else b""
        self.parser = None
        self._framing = RequestFraming(limits.HEADERS_BYTES, BODY_LIMIT)
        if read_ahead:
            self.add(read_ahead)

    @property
    def received(self) -> bytearray:
        """The bytes of the request received so far."""
        return self._framing.received

    @property
    def is_whole(self) -> bool:
        """Whether the request has arrived whole."""
        return self._framing.is_whole

    def add(self, data: bytes) -> None:
        """Takes bytes from the client. Raises MalformedRequest for a request that must be refused."""
        self._framing.feed(data)
        if self._framing.awaits_continue and not self.is_whole:
            self._send_now(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._framing.awaits_continue = False

    def parse(self) -> Any:
        """Returns gunicorn's request object, its body in memory. Raises MalformedRequest if only llhttp accepts it."""
        head, body, read_ahead = self._framing.take()
        # The parser gets bytes instead of the socket, so that it cannot wait for more; and no chunked body, on which it
        # would spend a time that grows with the square of the number of chunks.
        self.parser = RequestParser(self.cfg, [head], self.client)
        try:
            request = next(self.parser)
        except (ParseException, NoMoreData, StopIteration) as error:
            raise MalformedRequest(status_of(error)) from None
        request.body = BytesIO(body)
        self.parser.unreader.unread(read_ahead)
        # `add` has sent 100 Continue already; gunicorn would send it again, and straight to the socket.
        request._expected_100_continue = False
        # Frees the request's memory: an idle connection does not need its last request.
        self.parser.mesg = None
        return request

    def refuse(self, status: int, detail: str = "") -> None:
        """Answers with a problem document and logs it, since no route will see the request."""
        refusal, request_id = Refusal(status, detail), uuid4().hex
        self._owner.count_refusal(status)
        self.sock.discard()
        self._send_now(refusal.response(request_id, self._owner.error_types))
        self._owner.refusal_log.warning(status=status, code=refusal.code, address=self.address, request_id=request_id)

    @property
    def address(self) -> str:
        """The address of the client, or of the proxy in front of this service."""
        return str(self.client[0]) if isinstance(self.client, tuple) else str(self.client or "")

    def _send_now(self, data: bytes) -> None:
        """Sends a few bytes if the kernel accepts them at once."""
        try:
            self.sock.send(data)
        except OSError:
            pass

    def close(self, graceful: bool = False) -> None:
        """Closes the connection; if graceful, only after the client did, since a reset destroys data in transit."""
        if graceful and self._owner.alive:
            self._owner.linger(self)
        else:
            super().close()

    def abort(self) -> None:
        """Resets the connection, so that the kernel discards data that the client has not received."""
        try:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        except OSError:
            pass
        super().close()
