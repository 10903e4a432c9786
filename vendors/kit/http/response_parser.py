"""The replies of one connection as they arrive, in pieces of any size.

What is hard in HTTP is left to llhttp, which is Node's parser: framing, chunks, headers that contradict each other.
"""

import zlib
from typing import Any

import httptools
import requests

MAX_BODY = 32 * 1024 * 1024
MAX_HEAD = 64 * 1024
# So many bytes of framing may come with each byte of a body: chunks of one byte have five.
FRAMING = 8
# zlib's code for a gzip header.
GZIP = 31


class TooLarge(Exception):
    """The body, decoded, is larger than MAX_BODY."""


class Garbled(Exception):
    """The body's compression is broken."""


class Headers(dict[str, str]):
    """Fields by their names in lower case; asked for in any case. Costs a third of what requests' own does."""

    __slots__ = ()

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)

    def __contains__(self, name: object) -> bool:
        return super().__contains__(str(name).lower())


class Reader:
    """Reads the replies of one connection, one after another. The methods `on_...` are called by the parser."""

    def __init__(self) -> None:
        self._parser: Any = httptools.HttpResponseParser(self)
        self.expect()

    def expect(self) -> None:
        """Makes ready for the next reply, and forgets the one before."""
        self.status, self.reason = 0, ""
        self.headers = Headers()
        self.cookies: list[str] = []
        self.head_is_whole = self.is_whole = self.keeps_alive = False
        self._received = self._coded = self._decoded = self._announced = 0
        self._arrived: list[bytes] = []
        self._body: list[bytes] = []
        self._gunzip: zlib._Decompress | None = None

    def close(self) -> None:
        """Lets go of the last reply and of the parser. The parser and this reader hold each other: a reference cycle
        lasts until the next search for garbage, which is rare."""
        self.expect()
        self._parser = None

    def feed(self, data: bytes) -> None:
        """Takes what came. Raises httptools.HttpParserError, TooLarge or Garbled."""
        self._received += len(data)
        self._parser.feed_data(data)
        # Headers, sizes of chunks, and what may come behind them.
        if self._received - self._coded > MAX_HEAD + FRAMING * self._coded:
            raise httptools.HttpParserError("it does not come to an end")
        if self._announced > MAX_BODY:
            raise TooLarge
        if self._arrived:
            for part in self._arrived:
                self._decode(part)
            self._arrived.clear()

    def end(self) -> None:
        """The connection has ended: so has a body whose length was not told. Raises requests.ConnectionError."""
        if not self.head_is_whole or "content-length" in self.headers or "transfer-encoding" in self.headers:
            raise requests.ConnectionError("the connection ended within a reply")
        self.is_whole = True

    @property
    def body(self) -> bytes:
        """The whole body, decoded. Raises Garbled."""
        if self._gunzip and self._body and not self._gunzip.eof:
            raise Garbled
        return b"".join(self._body)

    def _decode(self, part: bytes) -> None:
        if self._gunzip:
            try:
                part = self._gunzip.decompress(part, MAX_BODY + 1 - self._decoded)
            except zlib.error as error:
                raise Garbled from error
        self._decoded += len(part)
        if self._decoded > MAX_BODY:
            raise TooLarge
        self._body.append(part)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.head_is_whole:
            return  # behind a chunked body
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text
        if key == "set-cookie":
            self.cookies.append(text)  # Joined, the comma in a date would look like one between two.

    def on_status(self, reason: bytes) -> None:
        if not self.head_is_whole:
            self.reason += reason.decode("latin-1")

    def on_headers_complete(self) -> None:
        status: int = self._parser.get_status_code()
        if status < 200 or self.head_is_whole:
            return
        self.status, self.head_is_whole = status, True
        length = self.headers.get("content-length", "")
        self._announced = int(length) if length.isdigit() else 0
        if self.headers.get("content-encoding", "").strip().lower() in {"gzip", "x-gzip"}:
            self._gunzip = zlib.decompressobj(GZIP)

    def on_body(self, data: bytes) -> None:
        if not self.is_whole:
            self._coded += len(data)
            self._arrived.append(data)

    def on_message_begin(self) -> None:
        # One more reply to the same request: whose it is nobody knows.
        self.keeps_alive = False

    def on_message_complete(self) -> None:
        if not self.head_is_whole:
            # Of "100 Continue" and the like.
            self.reason = ""
            self.headers.clear()
            self.cookies.clear()
        elif not self.is_whole:
            self.is_whole, self.keeps_alive = True, self._parser.should_keep_alive()
