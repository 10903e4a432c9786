"""Finds the end of a request while it arrives, and collects its body. gunicorn parses the head of the whole request."""

import re

import httptools

# Bytes of framing allowed for each byte of a body: a chunk with one byte of data has five.
FRAMING_PER_BODY_BYTE = 8
LINE_END, EMPTY_LINE = b"\r\n", b"\r\n\r\n"
# Chunk extensions, which may follow the size of a chunk (RFC 9112, section 7.1.1): names with or without a value.
TOKEN, QUOTED = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+", rb'"(?:[^"\\]|\\.)*"'
EXTENSIONS = re.compile(rb"(?:[ \t]*;[ \t]*%b(?:[ \t]*=[ \t]*(?:%b|%b))?)*[ \t]*" % (TOKEN, TOKEN, QUOTED))
# Fields after the last chunk, and the bytes of each.
MAX_TRAILERS, TRAILER_BYTES = 100, 16 * 1024


class MalformedRequest(Exception):
    """The received data is no valid request, or a request that must be refused; `status` is the HTTP status."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status


class RequestFraming:
    """Tracks one request while it arrives. The `on_...` methods are callbacks of the parser (llhttp)."""

    def __init__(self, head_limit: int, body_limit: int) -> None:
        self.received, self.body = bytearray(), bytearray()
        self.is_whole = self.awaits_continue = False
        self._line_is_whole = self._head_is_whole = self._announces_body = self._has_host = self._is_chunked = False
        self._refusal: int | None = None
        self._head_limit, self._body_limit = head_limit, body_limit
        self._head = b""
        # Offset of the byte after the head, then of the next chunk's size, then of the end.
        self._offset = 0
        self._chunks_begun = self._announced_bytes = 0
        self._parser = httptools.HttpRequestParser(self)

    def feed(self, data: bytes) -> None:
        """Takes the next received bytes. Raises MalformedRequest."""
        self.received += data
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # Answered like any other request; but llhttp leaves a body of CONNECT unparsed, as the data of a tunnel.
            if self._announces_body:
                raise MalformedRequest(400) from None
        except httptools.HttpParserError:
            # An error after the end belongs to the next request, which is judged in its turn.
            if not (self.is_whole or self._refusal):
                raise MalformedRequest(400) from None
        if self._refusal:
            raise MalformedRequest(self._refusal)
        if self._head_is_whole:
            try:
                self._advance()
            except ValueError:
                raise MalformedRequest(400) from None
        framing_bytes = len(self.received) - len(self.body)
        if not self.is_whole and framing_bytes > self._head_limit + FRAMING_PER_BODY_BYTE * len(self.body):
            raise MalformedRequest(400 if self._head_is_whole else 431 if self._line_is_whole else 414)

    def take(self) -> tuple[bytes, bytes, bytes]:
        """Returns the head and the body of a whole request and the bytes received after it, and frees their memory."""
        parts = self._head, bytes(self.body), bytes(self.received[self._offset :])
        self.received.clear()
        self.body.clear()
        return parts

    def _advance(self) -> None:
        """Finds the offset of the end, which llhttp does not report. Raises ValueError where llhttp would disagree."""
        if not self._offset:
            start = len(self.received) - len(self.received.lstrip(b"\r\n"))
            self._offset = self.received.index(EMPTY_LINE, start) + len(EMPTY_LINE)
            self._head = bytes(self.received[start : self._offset])
        for _ in range(self._chunks_begun):
            self._skip_chunk()
        self._chunks_begun = 0
        if not self.is_whole:
            return
        if not self._is_chunked:
            self._offset += len(self.body)
        elif self._announced_bytes == len(self.body):
            self._skip_trailers()
        else:
            raise ValueError(self._announced_bytes)

    def _skip_chunk(self) -> None:
        """Adds up the announced sizes, so that a chunk that is too large is refused before it arrives."""
        line_end = self.received.index(LINE_END, self._offset)
        digits, semicolon, extensions = self.received[self._offset : line_end].partition(b";")
        if not EXTENSIONS.fullmatch(semicolon + extensions):
            raise ValueError(extensions)
        size = int(digits, 16)
        self._announced_bytes += size
        if self._announced_bytes > self._body_limit:
            raise MalformedRequest(413)
        # The last chunk is empty. Trailers, if any, and an empty line follow it.
        self._offset = line_end + (2 * len(LINE_END) + size if size else 0)

    def _skip_trailers(self) -> None:
        end = self.received.index(EMPTY_LINE, self._offset)
        trailers = self.received[self._offset : end].split(LINE_END)[1:]
        if len(trailers) > MAX_TRAILERS or any(len(trailer) > TRAILER_BYTES for trailer in trailers):
            raise ValueError(len(trailers))
        self._offset = end + len(EMPTY_LINE)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._head_is_whole:
            return  # a trailer, or a header of the next request
        self._line_is_whole = True
        self._announces_body |= name.lower() in (b"content-length", b"transfer-encoding")
        self._has_host |= name.lower() == b"host"
        if name.lower() == b"content-length":
            self._refusal = 413 if int(value) > self._body_limit else self._refusal
        elif name.lower() == b"expect":
            # Any other expectation cannot be met.
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
