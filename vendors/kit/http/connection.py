"""One connection, whose every wait ends at the deadline of the exchange."""

import select
import socket
import ssl
from math import ceil

from vendors.kit.deadline import Deadline
from vendors.kit.http.dial import encrypt
from vendors.kit.http.response_parser import ResponseParser

RECEIVE_BYTES = 64 * 1024


class Connection:
    """A connected socket for one exchange at a time."""

    def __init__(self, sock: socket.socket) -> None:
        # Non-blocking: a socket with a timeout polls before each read, and so releases the interpreter lock twice as
        # often.
        sock.setblocking(False)
        self._sock = sock
        self._parser = ResponseParser()
        self._poll, self._event = select.poll(), select.POLLIN
        self._poll.register(sock, self._event)

    @property
    def is_readable(self) -> bool:
        """Whether data or the end of the connection can be read. An idle connection with either must be closed."""
        return self._is_ready(select.POLLIN, 0)

    @property
    def is_reusable(self) -> bool:
        """Whether the last exchange left the connection open, without data after its response."""
        return self._parser.keeps_alive

    def exchange(self, message: bytes, deadline: Deadline, *, wants_body: bool = True) -> ResponseParser:
        """Sends a request; returns the parser, which holds the complete response until the next `reset`.

        Raises TimeoutError, OSError, httptools.HttpParserError, BodyTooLarge or ContentDecodingError.
        """
        parser = self._parser
        parser.reset(wants_body=wants_body)
        self._send(message, deadline)
        self._wait(select.POLLIN, deadline)
        while not parser.is_complete:
            data = self._receive(deadline)
            if data:
                parser.feed(data)
            else:
                parser.feed_end()
        return parser

    def _send(self, data: bytes, deadline: Deadline) -> None:
        unsent = memoryview(data)
        while unsent:
            try:
                unsent = unsent[self._sock.send(unsent) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                self._wait(select.POLLOUT, deadline)
            except ssl.SSLWantReadError:
                self._wait(select.POLLIN, deadline)

    def _receive(self, deadline: Deadline) -> bytes:
        while True:
            # Raises TimeoutError at the deadline, even if no wait is needed: a server may send without end.
            deadline.timeout()
            try:
                return self._sock.recv(RECEIVE_BYTES)
            except (BlockingIOError, ssl.SSLWantReadError):
                self._wait(select.POLLIN, deadline)
            except ssl.SSLWantWriteError:
                self._wait(select.POLLOUT, deadline)

    def _wait(self, event: int, deadline: Deadline) -> None:
        """Returns when the socket is ready. Raises TimeoutError at the deadline."""
        if not self._is_ready(event, ceil(1000 * deadline.timeout())):
            raise TimeoutError("no response before the deadline")

    def _is_ready(self, event: int, milliseconds: int) -> bool:
        if event != self._event:
            self._poll.modify(self._sock, event)
            self._event = event
        return bool(self._poll.poll(milliseconds))

    def encrypted(self, host: str, ca_file: str, deadline: Deadline) -> "Connection":
        """The same connection with TLS; this object must not be used after that."""
        sock = encrypt(self._sock, host, ca_file, deadline)
        self._parser.close()
        return Connection(sock)

    def reset(self) -> None:
        """Forgets the last response, so that an idle connection holds no memory."""
        self._parser.reset()

    def close(self) -> None:
        """Closes the socket and frees the last response at once."""
        self._sock.close()
        self._parser.close()
