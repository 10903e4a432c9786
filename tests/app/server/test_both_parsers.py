"""Two parsers read each request: its body ends where gunicorn finds the end as well, or the request is refused."""

import socket

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import ParseException
from gunicorn.http.parser import RequestParser
from hypothesis import example, given
from hypothesis import strategies as st

from app.server import limits
from app.server.connection import Connection
from app.server.request_framing import MalformedRequest
from app.server.worker import Worker


def word(words: bytes) -> st.SearchStrategy[bytes]:
    return st.sampled_from(words.split(b"|"))


ODD = st.lists(word(b'a|1|0|;|=|"|,|:| |\t|\\|%|\x00|\xff|\r|\n'), max_size=8).map(b"".join)
TOKEN = st.text("abcdefgXYZ-_!~09", min_size=1, max_size=10).map(str.encode)
NAME = word(b"Host|Content-Length|Transfer-Encoding|Connection|Upgrade|Expect|Trailer|Content-Type|SCRIPT_NAME")
VALUE = word(b"chunked|gzip, chunked|identity|3|+3|3, 3|close|keep-alive|upgrade|h2c|websocket|100-continue")
HEADERS = st.lists(st.tuples(NAME | TOKEN | ODD, VALUE | TOKEN | ODD), max_size=5).map(
    lambda pairs: b"".join(name + b": " + value + b"\r\n" for name, value in pairs)
)
METHOD = word(b"GET|POST|OPTIONS|CONNECT|PRI|M-SEARCH|get") | TOKEN
TARGET = word(b"/|*|//|/a?b#c|http://h/x|http://[::1/x|h:80|http:///|/%zz") | ODD.map(b"/".__add__) | ODD
VERSION = word(b"HTTP/1.1|HTTP/1.0|HTTP/2.0|HTTP/0.9|HTTP/1.10|RTSP/1.0") | ODD
CHUNK = st.tuples(ODD, st.binary(min_size=1, max_size=9)).map(
    lambda chunk: b"%x" % len(chunk[1]) + chunk[0] + b"\r\n" + chunk[1] + b"\r\n"
)
CHUNKED = st.tuples(st.lists(CHUNK, max_size=3).map(b"".join), ODD, HEADERS).map(
    lambda body: b"Transfer-Encoding: chunked\r\n\r\n" + body[0] + b"0" + body[1] + b"\r\n" + body[2] + b"\r\n"
)
SIZED = st.binary(max_size=20).map(lambda body: b"Content-Length: %d\r\n\r\n" % len(body) + body)
NEXT = word(b"||GET / HTTP/1.1\r\nHost: h\r\n\r\n|\r\n|rubbish")
BODY = st.just(b"\r\n") | SIZED | CHUNKED
LINE = b"%b %b %b\r\nHost: localhost\r\n%b%b%b"
REQUEST = st.tuples(METHOD, TARGET, VERSION, HEADERS, BODY, NEXT).map(LINE.__mod__)
# With faults in the body only: few of the requests above get that far.
PLAIN = st.tuples(BODY, NEXT).map(lambda parts: LINE % (b"POST", b"/", b"HTTP/1.1", b"", *parts))
LONG = b"y" * (limits.HEADER_BYTES + 1)


@pytest.fixture(scope="module")
def worker() -> Worker:
    config = Config()
    config.set("limit_request_line", limits.REQUEST_LINE_BYTES)
    config.set("limit_request_field_size", limits.HEADER_BYTES)
    worker = Worker(0, 0, [], None, 10, config, None)
    worker.tmp.close()
    return worker


def read_by_gunicorn(worker: Worker, received: bytes) -> tuple[bytes, bytes] | None:
    """Returns a body and the bytes after it as gunicorn finds them; None if it refuses chunks that llhttp accepts."""
    parser = RequestParser(worker.cfg, [received.lstrip(b"\r\n")], ("192.0.2.1", 1))
    try:
        body = next(parser).body.read()
    except ParseException:
        return None
    return body, parser.unreader.take_buffered()


def outcome(worker: Worker, sent: bytes, piece: int) -> str:
    ours, theirs = socket.socketpair()
    conn = Connection(worker, ours, ("192.0.2.1", 1), None)
    with theirs:
        try:
            while sent and not conn.is_whole:
                conn.add(sent[:piece])
                sent = sent[piece:]
            if not conn.is_whole:
                return "not whole"
            received = bytes(conn.received)
            body = conn.parse().body.read()
            # Otherwise a proxy that parses as gunicorn does would take a part of the body for the next request.
            assert read_by_gunicorn(worker, received) in {(body, conn.parser.unreader.take_buffered()), None}
        except MalformedRequest as error:
            conn.refuse(error.status)
            assert b"application/problem+json" in theirs.recv(65536)
            return str(error.status)
        finally:
            conn.close()
    return "answered"


@given(REQUEST | PLAIN, st.sampled_from([1, 7, 100_000]))
@example(b'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;="a"\r\na\r\n0\r\n\r\n', 1)
@example(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + LONG + b"\r\n\r\n", 100_000)
@example(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: 1\r\n" * 101 + b"\r\n", 7)
@example(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: x\r\nContent-Length: 3\r\n\r\nabc", 7)
def test_both_parsers_read_a_request_alike_or_it_is_refused(worker: Worker, sent: bytes, piece: int) -> None:
    assert outcome(worker, sent, piece) in {"answered", "not whole", "400", "413", "414", "417", "431", "501"}
