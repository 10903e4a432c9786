"""Finds out where a request ends, while it arrives, and collects its body; gunicorn reads the head once it is whole."""

from __future__ import annotations

import re

import httptools

# So many bytes of framing may come with each byte of a body: chunks of one byte have five.
FRAMING = 8
_LINE_END, _EMPTY_LINE = b"\r\n", b"\r\n\r\n"
# What may follow the size of a chunk (RFC 9112, section 7.1.1): names, each with a value or without.
_TOKEN, _QUOTED = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+", rb'"(?:[^"\\]|\\.)*"'
_EXTENSIONS = re.compile(rb"(?:[ \t]*;[ \t]*%b(?:[ \t]*=[ \t]*(?:%b|%b))?)*[ \t]*" % (_TOKEN, _TOKEN, _QUOTED))
# Fields behind the last chunk, and bytes of each.
TRAILERS, TRAILER_BYTES = 100, 16 * 1024


class Malformed(Exception):
    """The data received is no request, or one that is refused; `status` is the HTTP status for it."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status


class Framing:
    """How far one request has arrived. The methods `on_...` are called by the parser."""

    def __init__(self, head_limit: int, body_limit: int) -> None:
        self.received, self.body = bytearray(), bytearray()
        self.is_whole = self.awaits_continue = False
        self._line_is_whole = self._head_is_whole = self._announces_body = self._has_host = self._is_chunked = False
        self._refusal: int | None = None
        self._head_limit, self._body_limit = head_limit, body_limit
        self._head = b""
        # The offset of what follows the head, then of the next chunk's size, then of the end.
        self._next = 0
        self._chunks_begun = self._announced_bytes = 0
        self._parser = httptools.HttpRequestParser(self)

    def feed(self, data: bytes) -> None:
        """Takes bytes as they come. Raises Malformed."""
        self.received += data
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
        if self._refusal:
            raise Malformed(self._refusal)
        if self._head_is_whole:
            try:
                self._follow()
            except ValueError:
                raise Malformed(400) from None
        framing = len(self.received) - len(self.body)
        if not self.is_whole and framing > self._head_limit + FRAMING * len(self.body):
            raise Malformed(400 if self._head_is_whole else 431 if self._line_is_whole else 414)

    def take(self) -> tuple[bytes, bytes, bytes]:
        """The head, the body, and what has arrived behind them, of a whole request, and forgets them."""
        taken = self._head, bytes(self.body), bytes(self.received[self._next :])
        self.received.clear()
        self.body.clear()
        return taken

    def _follow(self) -> None:
        """Finds the end, which llhttp does not report. Raises ValueError where it would be another than llhttp's."""
        if not self._next:
            start = len(self.received) - len(self.received.lstrip(b"\r\n"))
            self._next = self.received.index(_EMPTY_LINE, start) + len(_EMPTY_LINE)
            self._head = bytes(self.received[start : self._next])
        for _ in range(self._chunks_begun):
            self._pass_chunk()
        self._chunks_begun = 0
        if not self.is_whole:
            return
        if not self._is_chunked:
            self._next += len(self.body)
        elif self._announced_bytes == len(self.body):
            self._pass_trailers()
        else:
            raise ValueError(self._announced_bytes)

    def _pass_chunk(self) -> None:
        """Adds up the announced sizes, so that a chunk that is too large is refused before it has arrived."""
        line_end = self.received.index(_LINE_END, self._next)
        digits, semicolon, rest = self.received[self._next : line_end].partition(b";")
        if not _EXTENSIONS.fullmatch(semicolon + rest):
            raise ValueError(rest)
        size = int(digits, 16)
        self._announced_bytes += size
        if self._announced_bytes > self._body_limit:
            raise Malformed(413)
        # The last chunk is empty. Behind its line come trailers, if any, and an empty line.
        self._next = line_end + (2 * len(_LINE_END) + size if size else 0)

    def _pass_trailers(self) -> None:
        end = self.received.index(_EMPTY_LINE, self._next)
        trailers = self.received[self._next : end].split(_LINE_END)[1:]
        if len(trailers) > TRAILERS or any(len(trailer) > TRAILER_BYTES for trailer in trailers):
            raise ValueError(len(trailers))
        self._next = end + len(_EMPTY_LINE)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._head_is_whole:
            return  # behind chunks, or of the next request
        self._line_is_whole = True
        self._announces_body |= name.lower() in (b"content-length", b"transfer-encoding")
        self._has_host |= name.lower() == b"host"
        if name.lower() == b"content-length":
            self._refusal = 413 if int(value) > self._body_limit else self._refusal
        elif name.lower() == b"expect":
            # A client that waits for anything else would wait in vain.
            self.awaits_continue = value.lower() == b"100-continue"
            self._refusal = self._refusal if self.awaits_continue else 417

    def on_headers_complete(self) -> None:
        if self._head_is_whole:
            return  # of the next request
        self._head_is_whole = True
        version = self._parser.get_http_version()
        # RFC 9112, section 3.2: without a host a request of HTTP/1.1 must be refused.
        if version not in ("1.0", "1.1") or (version == "1.1" and not self._has_host):
            self._refusal = 400

    def on_chunk_header(self) -> None:
        if not self.is_whole:
            self._is_chunked = True
            self._chunks_begun += 1

    def on_body(self, data: bytes) -> None:
        if not self.is_whole:
            self.body += data
            self.awaits_continue = False
            if len(self.body) > self._body_limit:
                self._refusal = 413

    def on_message_complete(self) -> None:
        self.is_whole = True
