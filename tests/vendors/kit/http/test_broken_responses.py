"""A response that is broken, endless or too large is an error, and never half an answer."""

import gzip
import socket
from functools import cache

import pytest

from tests.vendors.kit import servers
from tests.vendors.kit.servers import OK
from vendors.kit import BackendError, BadReply, Request
from vendors.kit.deadline import Deadline
from vendors.kit.http import dial
from vendors.kit.http.transport import Transport

CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
GZIP = OK + b"Content-Encoding: gzip\r\n"


def test_a_name_that_does_not_exist_is_an_error_of_the_backend(monkeypatch):
    def unknown(*args, **kwargs):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(dial.socket, "getaddrinfo", unknown)
    with pytest.raises(BackendError):
        Transport().fetch(Request("GET", "http://vendor.test", "/x"), Deadline(5))


@pytest.mark.parametrize(
    "behave",
    [
        servers.reset,
        servers.send_and_close(b""),
        servers.send_and_close(b"nonsense\r\n\r\n"),
        servers.send_and_close(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n"),
        servers.send_and_close(b"HTTP/1.1 200 OK\r\nContent-"),
        servers.send_and_close(OK),
        servers.send_and_close(OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}"),
        servers.send_and_close(OK + b"Content-Length: 100\r\n\r\n{"),
        servers.send_and_close(CHUNKED + b"5\r\n{"),
    ],
    ids=["reset", "closed", "nonsense", "protocol", "cut-header", "cut-headers", "two-lengths", "cut", "cut-chunk"],
)
def test_a_connection_that_breaks_is_an_error_of_the_backend_and_never_half_an_answer(fetch, behave):
    with pytest.raises(BackendError):
        fetch(behave)


@cache
def gzip_bomb():
    """100 MB that are small while they are compressed."""
    return gzip.compress(b"\0" * 100_000_000, 1)


@pytest.mark.parametrize(
    "behave",
    [
        servers.flood(OK + b"\r\n", b"x" * 65536),
        servers.send_and_close(OK + b"Content-Length: 104857600\r\n\r\n"),
        lambda *exchange: servers.reply(gzip_bomb(), GZIP)(*exchange),
        servers.flood(GZIP + b"\r\n" + gzip.compress(b"{}"), bytes(65536)),
    ],
    ids=["endless", "announced", "gzip-bomb", "endless-padding"],
)
def test_an_answer_over_32_mib_is_refused(fetch, behave):
    with pytest.raises(BadReply, match=r"^Bad Gateway: https?://127"):
        fetch(behave, seconds=60.0)


@pytest.mark.parametrize(
    "body", [b"this is no gzip", gzip.compress(b"1" * 999)[:-9], b"\x1f"], ids=["no gzip", "cut", "one byte"]
)
def test_broken_or_cut_compression_is_a_bad_reply(fetch, body):
    with pytest.raises(BadReply):
        fetch(servers.reply(body, GZIP))


@pytest.mark.parametrize(
    "start",
    [OK, CHUNKED + b"1\r\n{\r\n0\r\n", CHUNKED + b"1;a="],
    ids=["headers", "trailers", "chunk extension"],
)
def test_headers_trailers_and_extensions_without_end_are_an_error_of_the_backend(fetch, start):
    with pytest.raises(BackendError):
        fetch(servers.flood(start, b"X: " + b"x" * 999 + (b"" if start.endswith(b"=") else b"\r\n")))


def test_a_body_in_chunks_of_one_byte_is_no_flood(fetch):
    chunks = b"1\r\n \r\n" * 100_000 + b"2\r\n{}\r\n0\r\n\r\n"
    assert fetch(servers.send_and_close(CHUNKED + chunks)).body.strip() == b"{}"
