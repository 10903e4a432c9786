"""Decodes gzip and deflate while a body arrives, never beyond a limit."""

import zlib

from requests.exceptions import ContentDecodingError

CODINGS = {"gzip", "x-gzip", "deflate"}
# zlib's codes for the format of a stream.
GZIP, ZLIB, RAW_DEFLATE = 31, 15, -15
# The first byte of a gzip member.
MEMBER = b"\x1f"
# bgzip writes a member for each 64 KiB. Each member costs a copy of the data after it.
MAX_MEMBERS = 1000


def decoder_for(content_encoding: str) -> "Decoder | None":
    """The decoder for a value of the header Content-Encoding; None if the body stays as it is."""
    coding = content_encoding.strip().lower()
    return Decoder(coding) if coding in CODINGS else None


class Decoder:
    """Decodes one body, which may consist of several gzip members and padding."""

    def __init__(self, coding: str) -> None:
        self._format = 0 if coding == "deflate" else GZIP
        """zlib's code; 0 until the first two bytes of a deflate body show which of its two formats it has."""
        self._head = b""
        self._stream = zlib.decompressobj(GZIP)
        self._members = 1
        self._is_in_padding = False

    @property
    def is_complete(self) -> bool:
        """Whether the data decoded so far may be the complete body."""
        return self._is_in_padding or self._stream.eof

    def decode(self, data: bytes, limit: int) -> bytes:
        """At most `limit` decoded bytes; a result of that length means that there may be more. Raises
        ContentDecodingError."""
        if not self._format:
            data = self._head + data
            if len(data) < 2:
                self._head = data
                return b""
            self._format = _deflate_format(data[:2])
            self._stream = zlib.decompressobj(self._format)
        decoded = b""
        while data and len(decoded) < limit and not self._is_in_padding:
            if self._stream.eof:
                self._begin_member(data)
            else:
                decoded += self._inflate(data, limit - len(decoded))
                data = self._stream.unused_data
        return decoded

    def _inflate(self, data: bytes, limit: int) -> bytes:
        try:
            return self._stream.decompress(data, limit)
        except zlib.error as error:
            raise ContentDecodingError("the body's compression is broken") from error

    def _begin_member(self, data: bytes) -> None:
        """Prepares for data after a complete stream: a further gzip member, or padding, which is ignored."""
        if self._format != GZIP or not data.startswith(MEMBER):
            self._is_in_padding = True
            return
        self._members += 1
        if self._members > MAX_MEMBERS:
            raise ContentDecodingError("the body consists of too many gzip members")
        self._stream = zlib.decompressobj(GZIP)


def _deflate_format(head: bytes) -> int:
    """zlib's code for a deflate body: by RFC 9110 the zlib format, but some servers send the bare stream."""
    return ZLIB if head[0] & 15 == 8 and int.from_bytes(head) % 31 == 0 else RAW_DEFLATE
