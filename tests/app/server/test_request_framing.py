"""Finds the body and the end of a request while it arrives, reads them once, and refuses early."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http import body

from app.config import BODY_LIMIT
from app.server import limits
from app.server.connection import Connection
from app.server.request_framing import MalformedRequest, RequestFraming
from app.server.worker import Worker

CHUNKED = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
NEXT = b"GET /next HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def conn() -> Iterator[Connection]:
    worker = Worker(0, 0, [], None, 10, Config(), None)
    worker.tmp.close()
    ours, theirs = socket.socketpair()
    with theirs:
        conn = Connection(worker, ours, ("192.0.2.1", 1), None)
        yield conn
        conn.close()


def refusal(*pieces: bytes) -> int | None:
    """Returns the status with which the pieces are refused; None while more may come."""
    framing = RequestFraming(limits.HEADERS_BYTES, BODY_LIMIT)
    try:
        for piece in pieces:
            framing.feed(piece)
    except MalformedRequest as error:
        return error.status
    return None


def test_chunks_of_one_byte_are_not_read_a_second_time_by_gunicorn(
    conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    monkeypatch.setattr(body.ChunkedReader, "read", lambda self, size: sizes.append(size) or b"")
    conn.add(CHUNKED + b"1\r\nx\r\n" * 20_000 + b"0\r\n\r\n")
    assert conn.parse().body.read() == b"x" * 20_000
    assert sizes == []


def test_each_chunk_size_is_searched_once_even_if_the_bytes_arrive_singly() -> None:
    class Counted(bytearray):
        searches = 0

        def index(self, *args: Any) -> int:
            self.searches += 1
            return super().index(*args)

    framing = RequestFraming(limits.HEADERS_BYTES, BODY_LIMIT)
    framing.received = received = Counted()
    for byte in CHUNKED + b"1\r\nx\r\n" * 500 + b"0\r\n\r\n":
        framing.feed(bytes([byte]))
    assert (framing.is_whole, bytes(framing.body)) == (True, b"x" * 500)
    assert received.searches == 500 + 3, "one search for each size, for the last size, the head and the end"


@pytest.mark.parametrize(
    "request_", [
        CHUNKED + b"3\r\nabc\r\n0\r\n\r\n",
        CHUNKED + b"1;x=y\r\na\r\n02;z\r\nbc\r\n0;last\r\nA-Trailer: 1\r\nB: 2\r\n\r\n",
        CHUNKED + b'3;a="b;c";d\r\nabc\r\n0\r\n' + b"X: 1\r\n" * 100 + b"\r\n",
        b"\r\n\r\nPOST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc",
        b"POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc",
    ],
    ids=["chunks", "extensions and trailers", "quoted extension and many trailers", "length", "1.0"],
)  # fmt: skip
@pytest.mark.parametrize("piece", [1, 7, 100_000])
def test_a_body_ends_where_the_next_request_begins(conn: Connection, request_: bytes, piece: int) -> None:
    data = request_ + NEXT
    while not conn.is_whole:
        conn.add(data[:piece])
        data = data[piece:]
    assert conn.parse().body.read() == b"abc"
    conn.reset()
    conn.add(data)
    assert conn.is_whole
    assert conn.parse().path == "/next"


@pytest.mark.parametrize("size", [b"1ffff", b"10001", b"ffffffffffffffff", b"7fffffffffffffff", b"00010001;x=y"])
def test_a_chunk_that_exceeds_the_body_limit_is_refused_when_it_is_announced(size: bytes) -> None:
    assert refusal(CHUNKED, size[:2], size[2:] + b"\r", b"\n") == 413


def test_chunks_that_together_exceed_the_body_limit_are_refused_when_the_last_is_announced() -> None:
    half = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    assert refusal(CHUNKED + half, b"8000\r\n") is None
    assert refusal(CHUNKED + half, b"8001\r\n") == 413


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET http://localhost/ HTTP/1.1\r\nAccept: */*\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost:\r\n\r\n", None),
        (b"GET / HTTP/1.0\r\n\r\n", None),
        (b"GET / HTTP/1.0\r\n\r\nGET / HTTP/1.1\r\n\r\n", None),
    ],
    ids=["none", "in the target only", "with a body", "an empty host", "1.0", "1.0 before another"],
)
def test_an_http_1_1_request_without_a_host_is_refused(head: bytes, status: int | None) -> None:
    assert refusal(head) == status
