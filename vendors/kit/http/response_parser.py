"""Parses the responses of one connection, in pieces of any size.

llhttp, the parser of Node, handles the difficult parts of HTTP: framing, chunks, headers that contradict each other.
"""

from typing import Any

import httptools
import requests
from requests.exceptions import ContentDecodingError
from requests.structures import CaseInsensitiveDict

from vendors.kit.http.content_coding import Decoder, decoder_for

MAX_BODY = 32 * 1024 * 1024
MAX_HEAD = 64 * 1024
# Bytes of framing allowed for each byte of a body: a chunk with one byte of data has five.
FRAMING = 8


class BodyTooLarge(requests.RequestException):
    """The body, as it is sent or decoded, is larger than MAX_BODY."""


class ResponseParser:
    """Holds one response at a time. llhttp calls the methods `on_...`."""

    def __init__(self) -> None:
        self._llhttp: Any = httptools.HttpResponseParser(self)
        self.reset()

    def reset(self, *, wants_body: bool = True) -> None:
        """Forgets the last response and prepares for the next one.

        wants_body: false for the responses to HEAD and CONNECT, which end with their headers, even if these announce a
        body.
        """
        self._wants_body = wants_body
        self.status, self.reason = 0, ""
        self._forget_headers()
        self.is_complete = self.keeps_alive = False
        self._head_is_complete = False
        self._received = self._encoded = self._decoded = self._announced = 0
        self._undecoded: list[bytes] = []
        self._body: list[bytes] = []
        self._decoder: Decoder | None = None

    def close(self) -> None:
        """Drops the last response, and llhttp's parser: it and this object refer to each other, and Python collects
        such cycles rarely."""
        self.reset()
        self._llhttp = None

    def feed(self, data: bytes) -> None:
        """Parses what was received. Raises httptools.HttpParserError, BodyTooLarge or ContentDecodingError."""
        self._received += len(data)
        try:
            self._llhttp.feed_data(data)
        except httptools.HttpParserUpgrade:
            # Not a kind of HttpParserError. The cause would hold the data.
            raise httptools.HttpParserError("the server switched to another protocol") from None
        # The bytes outside of the body: headers, sizes of chunks, trailers.
        if self._received - self._encoded > MAX_HEAD + FRAMING * self._encoded:
            raise httptools.HttpParserError("headers or chunk extensions without end")
        if max(self._announced, self._encoded) > MAX_BODY:
            raise BodyTooLarge
        # Decoded outside of llhttp's callbacks, which turn any exception into one of httptools.
        for part in self._undecoded:
            self._decode(part)
        self._undecoded.clear()

    def feed_end(self) -> None:
        """Ends a body of unknown length, since the server closed the connection. Raises requests.ConnectionError in the
        middle of any other response."""
        if not self._head_is_complete or "content-length" in self._fields or "transfer-encoding" in self._fields:
            raise requests.ConnectionError("the connection was closed within a response")
        self.is_complete = True

    def copy_headers_to(self, headers: CaseInsensitiveDict[str]) -> None:
        """Copies the headers to an empty dict; the values of equal names are joined by commas."""
        # Bypasses CaseInsensitiveDict, whose form is the same inside: it would put each name in lower case once more,
        # which takes 5 of the 50 microseconds of an exchange.
        headers._store.update(self._fields)  # type: ignore[attr-defined]

    @property
    def body(self) -> bytes:
        """The complete body, decoded. Raises ContentDecodingError if its compression was cut off."""
        if self._decoder and self._encoded and not self._decoder.is_complete:
            raise ContentDecodingError("the end of the compressed body is missing")
        return b"".join(self._body)

    def _forget_headers(self) -> None:
        self._fields: dict[str, tuple[str, str]] = {}
        """Name and value of each header by its name in lower case."""
        self.cookies: list[str] = []

    def _header(self, name: str) -> str:
        return self._fields[name][1] if name in self._fields else ""

    def _decode(self, part: bytes) -> None:
        if self._decoder:
            part = self._decoder.decode(part, MAX_BODY + 1 - self._decoded)
        self._decoded += len(part)
        if self._decoded > MAX_BODY:
            raise BodyTooLarge
        self._body.append(part)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._head_is_complete:  # Later headers are trailers of a chunked body.
            spelling, text = name.decode("latin-1"), value.decode("latin-1")
            key = spelling.lower()
            if key in self._fields:
                spelling, earlier = self._fields[key]
                self._fields[key] = spelling, f"{earlier}, {text}"
            else:
                self._fields[key] = spelling, text
            if key == "set-cookie":
                # In the joined value, a comma in a date would look like a comma between two cookies.
                self.cookies.append(text)

    def on_status(self, reason: bytes) -> None:
        if not self._head_is_complete:
            self.reason += reason.decode("latin-1")

    def on_headers_complete(self) -> None:
        status: int = self._llhttp.get_status_code()
        if status < 200 or self._head_is_complete:
            return
        self.status, self._head_is_complete = status, True
        if not self._wants_body:
            # llhttp waits for a body that never comes, so the connection cannot be reused.
            self.is_complete = True
            return
        length = self._header("content-length")
        self._announced = int(length) if length.isdigit() and status not in (204, 304) else 0
        self._decoder = decoder_for(self._header("content-encoding"))

    def on_body(self, data: bytes) -> None:
        if not self.is_complete:
            self._encoded += len(data)
            self._undecoded.append(data)

    def on_message_begin(self) -> None:
        # A second response to one request: no caller waits for it.
        self.keeps_alive = False

    def on_message_complete(self) -> None:
        if not self._head_is_complete:
            # An interim response such as "100 Continue".
            self.reason = ""
            self._forget_headers()
        elif not self.is_complete:
            self.is_complete, self.keeps_alive = True, self._llhttp.should_keep_alive()
