"""Finds out where a request ends, while it arrives; gunicorn reads it again once it is whole."""

from __future__ import annotations

import httptools

# So many bytes of framing may come with each byte of a body: chunks of one byte have five.
FRAMING = 8


class Malformed(Exception):
    """The data received is no request, or one that is refused; `status` is the HTTP status for it."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status


class Framing:
    """How far one request has arrived. The methods `on_...` are called by the parser."""

    def __init__(self, head_limit: int, body_limit: int) -> None:
        self.is_whole = self.awaits_continue = False
        self._line_is_whole = self._head_is_whole = self._announces_body = False
        self._refusal: int | None = None
        self._head_limit, self._body_limit = head_limit, body_limit
        self._received = self._body_bytes = 0
        self._parser = httptools.HttpRequestParser(self)

    def feed(self, data: bytes) -> None:
        """Takes bytes as they come. Raises Malformed."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # It is answered like any other; but the body of CONNECT is not looked at: it would be a tunnel's.
            if self._announces_body:
                raise Malformed(400) from None
        except httptools.HttpParserError:
            # Behind the end begins another request, to be judged when its turn has come.
            if not (self.is_whole or self._refusal):
                raise Malformed(400) from None
        self._received += len(data)
        framing = self._received - self._body_bytes
        if self._head_is_whole and self._parser.get_http_version() not in ("1.0", "1.1"):
            raise Malformed(400)
        if self._refusal:
            raise Malformed(self._refusal)
        if not self.is_whole and framing > self._head_limit + FRAMING * self._body_bytes:
            raise Malformed(400 if self._head_is_whole else 431 if self._line_is_whole else 414)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._head_is_whole:
            return  # behind chunks, or of the next request
        self._line_is_whole = True
        self._announces_body |= name.lower() in (b"content-length", b"transfer-encoding")
        if name.lower() == b"content-length":
            self._refusal = 413 if int(value) > self._body_limit else self._refusal
        elif name.lower() == b"expect":
            # A client that waits for anything else would wait in vain.
            self.awaits_continue = value.lower() == b"100-continue"
            self._refusal = self._refusal if self.awaits_continue else 417

    def on_headers_complete(self) -> None:
        self._head_is_whole = True

    def on_body(self, data: bytes) -> None:
        if not self.is_whole:
            self._body_bytes += len(data)
            self.awaits_continue = False
            if self._body_bytes > self._body_limit:
                self._refusal = 413

    def on_message_complete(self) -> None:
        self.is_whole = True
