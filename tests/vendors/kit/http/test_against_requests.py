"""The adapter gives the responses that requests' own adapter gives, exchange by exchange, played by a raw socket."""

import gzip
import zlib
from dataclasses import dataclass
from datetime import timedelta

import pytest
import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import ChunkedEncodingError, ContentDecodingError

from tests.vendors.kit import servers
from tests.vendors.kit.http.exchanges import BODY, EXCHANGES, GZIP, JSON, Exchange, chunked, sized
from tests.vendors.kit.servers import OK, serving
from vendors.kit.http.adapter import DeadlineAdapter


def observed(response):
    """All that a program can see of a response, except the time and `raw`, from which ours has no body to read."""
    return {
        "status": response.status_code,
        "reason": response.reason,
        "headers": list(response.headers.items()),
        "body": response.content,
        "text": response.text,
        "json": result_of(response.json),
        "encoding": response.encoding,
        "ok": response.ok,
        "error": result_of(response.raise_for_status),
        "url": response.url,
        "request": response.request.url,
        "cookies": sorted((cookie.name, cookie.value, cookie.expires) for cookie in response.cookies),
        "links": response.links,
        "redirects": (response.is_redirect, response.is_permanent_redirect, response.history),
        "next": response.next and response.next.url,
        "parts": list(response.iter_content(7)),
        "lines": list(response.iter_lines()),
        "elapsed": isinstance(response.elapsed, timedelta) and response.elapsed > timedelta(0),
        "types": (type(response), type(response.headers)),
    }


def result_of(function):
    """The result or the error of a function."""
    try:
        return function()
    except requests.RequestException as error:
        return type(error), str(error)


def send(adapter, url, exchange):
    with requests.Session() as session:
        session.mount("http://", adapter)
        request = session.prepare_request(requests.Request(exchange.method, url, **exchange.options))
        return session.send(request, timeout=20, allow_redirects=False)


@pytest.mark.parametrize("name", EXCHANGES)
def test_both_adapters_give_the_same_response(name):
    exchange = EXCHANGES[name]
    with serving(exchange.behave) as server:
        url = f"http://127.0.0.1:{server.port}/sites?id=1#top"
        expected = observed(send(HTTPAdapter(), url, exchange))
        assert observed(send(DeadlineAdapter(), url, exchange)) == expected
        theirs, ours = map(parsed_request, server.requests)
        assert ours == theirs


def parsed_request(received):
    """The request line, the headers in no order, and the body: in that both adapters must agree as well."""
    head, _, body = received.partition(b"\r\n\r\n")
    line, *headers = head.split(b"\r\n")
    return line, sorted(headers), body


@dataclass(frozen=True)
class Difference:
    """A response on which the adapters rightly differ: the body or error of each, and why ours is right."""

    response: bytes
    theirs: object
    ours: object
    reason: str


BROKEN = requests.ConnectionError
# Stored without compression, so that all bytes before the cut can be decoded.
CUT_GZIP = gzip.compress(BODY, 0)[:-108]
TWICE = zlib.compress(gzip.compress(BODY))

DIFFERENCES = {
    "cut compression": Difference(
        sized(CUT_GZIP, GZIP), BODY[:-100], ContentDecodingError, "half a body must not pass for a whole one"
    ),
    "cut body": Difference(OK + b"Content-Length: 9\r\n\r\n{}", ChunkedEncodingError, BROKEN, "no chunks are involved"),
    "cut before the last line": Difference(
        chunked(b"{}").removesuffix(b"\r\n"), b"{}", BROKEN, "trailers may be missing"
    ),
    "a length and chunks": Difference(
        OK + b"Content-Length: 9\r\n" + chunked(b"{}").removeprefix(OK), b"{}", BROKEN, "one of the two is a lie"
    ),
    "two equal lengths": Difference(
        OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", b"{}", BROKEN, "no honest server sends this"
    ),
    "a length that is no number": Difference(
        OK + b"Content-Length: -1\r\n\r\n{}", b"{}", BROKEN, "the end of the body is unknown"
    ),
    "a folded header": Difference(
        sized(b"{}", b"X-A: a\r\n b"), b"{}", BROKEN, "llhttp refuses it, since RFC 9112 forbids servers to send it"
    ),
    "a control character in a header": Difference(
        sized(b"{}", b"X-A: a\x01b"), b"{}", BROKEN, "RFC 9110 has no such value"
    ),
    "lines that end in a line feed": Difference(
        sized(b"{}", JSON).replace(b"\r\n", b"\n"), b"{}", BROKEN, "llhttp is strict about the ends of lines"
    ),
    "another protocol": Difference(
        b"HTTP/1.1 101 Switching\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n", b"", BROKEN, "none was asked for"
    ),
    "more than a hundred headers": Difference(
        sized(b"{}", *(b"X-%d: a" % n for n in range(120))), BROKEN, b"{}", "the limit is 64 KiB of headers"
    ),
    "two codings over each other": Difference(
        sized(TWICE, b"Content-Encoding: gzip, deflate"), BODY, TWICE, "none is asked for, and it would need two limits"
    ),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_the_adapters_differ_where_ours_is_stricter(name):
    difference = DIFFERENCES[name]
    exchange = Exchange(difference.response, closes=True)
    with serving(exchange.behave) as server:
        for adapter, expected in ((HTTPAdapter(), difference.theirs), (DeadlineAdapter(), difference.ours)):
            assert outcome(adapter, server.port, exchange) == expected, difference.reason


def outcome(adapter, port, exchange):
    """The body, or the class of the error."""
    try:
        return send(adapter, f"http://127.0.0.1:{port}/", exchange).content
    except requests.RequestException as error:
        return type(error)


@pytest.mark.parametrize(
    ("response", "method", "connections"),
    [
        (sized(BODY, JSON), "GET", {HTTPAdapter: 1, DeadlineAdapter: 1}),
        (chunked(BODY), "GET", {HTTPAdapter: 1, DeadlineAdapter: 1}),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "GET", {HTTPAdapter: 1, DeadlineAdapter: 1}),
        (sized(BODY, b"Connection: close"), "GET", {HTTPAdapter: 2, DeadlineAdapter: 2}),
        # llhttp cannot be informed that no body follows.
        (sized(b"", JSON), "HEAD", {HTTPAdapter: 1, DeadlineAdapter: 2}),
    ],
    ids=["sized", "chunked", "no body", "closed", "HEAD, where they differ"],
)
@pytest.mark.parametrize("adapter_class", [HTTPAdapter, DeadlineAdapter])
def test_both_adapters_keep_a_connection_for_the_second_request(adapter_class, response, method, connections):
    adapter = adapter_class()
    with serving(servers.send(response)) as server:
        bodies = {exchange_body(adapter, server.port, method) for _ in range(2)}
        assert (len(bodies), len(server.requests), server.connections) == (1, 2, connections[adapter_class])
    adapter.close()


def exchange_body(adapter, port, method):
    request = requests.Request(method, f"http://127.0.0.1:{port}/").prepare()
    return adapter.send(request, timeout=20).content
