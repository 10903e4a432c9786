"""Requests and the bytes that answer them, for tests that compare two adapters."""

import gzip
import json
import zlib
from dataclasses import dataclass, field

from tests.vendors.kit import servers
from tests.vendors.kit.servers import OK

BODY = json.dumps({"name": "Zürich", "rows": list(range(50))}).encode()


@dataclass(frozen=True)
class Exchange:
    """A request, and the bytes that answer it."""

    response: bytes
    method: str = "GET"
    options: dict[str, object] = field(default_factory=dict)
    closes: bool = False
    """The server closes the connection after its response."""
    bytewise: bool = False

    @property
    def behave(self):
        if self.closes:
            return servers.send_and_close(self.response)
        return (servers.send_bytewise if self.bytewise else servers.send)(self.response)


def sized(body, *lines, status=b"200 OK"):
    return b"\r\n".join((b"HTTP/1.1 " + status, *lines, b"Content-Length: %d" % len(body), b"", body))


def chunked(*chunks, trailers=b""):
    framed = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return OK + b"Transfer-Encoding: chunked\r\n\r\n" + framed + b"0\r\n" + trailers + b"\r\n"


def raw_deflate(data):
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


JSON = b"Content-Type: application/json"
GZIP = b"Content-Encoding: gzip"

EXCHANGES = {
    "json": Exchange(sized(BODY, JSON)),
    "json in latin-1": Exchange(sized('{"a": "ü"}'.encode("latin-1"), b"Content-Type: text/html")),
    "text without a charset": Exchange(sized("Zürich".encode(), b"Content-Type: text/plain")),
    "text with a charset": Exchange(sized("Zürich".encode(), b"Content-Type: text/plain; charset=utf-8")),
    "no content type": Exchange(sized("Zürich".encode())),
    "no JSON though announced": Exchange(sized(b"<html>", JSON)),
    "empty body": Exchange(sized(b"", JSON)),
    "large body": Exchange(sized(b"a line\n" * 150_000, b"Content-Type: text/plain; charset=utf-8")),
    "chunks": Exchange(chunked(BODY[:1], BODY[1:70], BODY[70:])),
    "chunks with extensions": Exchange(OK + b"Transfer-Encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0;c\r\n\r\n"),
    "chunks with trailers": Exchange(chunked(BODY, trailers=b"X-Checksum: 1\r\nContent-Type: text/plain\r\n")),
    "gzip": Exchange(sized(gzip.compress(BODY), JSON, GZIP)),
    "gzip in chunks": Exchange(
        OK + GZIP + b"\r\n" + chunked(gzip.compress(BODY)[:40], gzip.compress(BODY)[40:]).removeprefix(OK)
    ),
    "gzip of several members": Exchange(sized(gzip.compress(BODY[:9]) + gzip.compress(BODY[9:]), JSON, GZIP)),
    "gzip with padding": Exchange(sized(gzip.compress(BODY) + bytes(64), JSON, GZIP)),
    "x-gzip": Exchange(sized(gzip.compress(BODY), b"Content-Encoding: X-GZIP")),
    "gzip of nothing": Exchange(sized(b"", GZIP)),
    "deflate": Exchange(sized(zlib.compress(BODY), JSON, b"Content-Encoding: deflate")),
    "deflate without its header": Exchange(sized(raw_deflate(BODY), JSON, b"Content-Encoding: deflate")),
    "bare deflate byte by byte": Exchange(sized(raw_deflate(BODY), b"Content-Encoding: deflate"), bytewise=True),
    "unknown coding": Exchange(sized(BODY, b"Content-Encoding: made-up")),
    "204": Exchange(b"HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n"),
    "304": Exchange(b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 1234\r\n\r\n'),
    "100 before the response": Exchange(
        b"HTTP/1.1 100 Continue\r\n\r\n" + sized(BODY, JSON),
        "POST",
        {"data": b"{}", "headers": {"Expect": "100-continue"}},
    ),
    "until the connection ends": Exchange(OK + b"\r\n" + BODY, closes=True),
    "gzip until the connection ends": Exchange(OK + GZIP + b"\r\n\r\n" + gzip.compress(BODY), closes=True),
    "HTTP/1.0": Exchange(b"HTTP/1.0 200 OK\r\nX-A: 1\r\n\r\n" + BODY, closes=True),
    "HEAD": Exchange(sized(b"", JSON).replace(b"Length: 0", b"Length: 1234"), "HEAD"),
    "HEAD of something compressed": Exchange(OK + GZIP + b"\r\nTransfer-Encoding: chunked\r\n\r\n", "HEAD"),
    "ninety headers": Exchange(sized(BODY, *(b"X-Header-%d: value %d" % (n, n) for n in range(90)))),
    "a header of 20 kB": Exchange(sized(BODY, b"X-Long: " + b"a" * 20_000)),
    "headers of one name": Exchange(sized(BODY, b"Link: <a>; rel=next", b"Via: x", b"link: <b>; rel=last")),
    "cookies": Exchange(
        sized(BODY, b"Set-Cookie: a=1; Path=/", b"Set-Cookie: b=2; Expires=Wed, 01 Jan 2098 00:00:00 GMT")
    ),
    "names in any case": Exchange(sized(BODY, b"CONTENT-TYPE: application/json", b"x-lower: 1", b"x-MiXeD: 2")),
    "header in UTF-8": Exchange(sized(BODY, "X-Site: Zürich ☀".encode())),
    "header in Latin-1": Exchange(sized(BODY, "X-Site: Zürich".encode("latin-1"))),
    "headers without value or blank": Exchange(sized(BODY, b"X-Empty:", b"X-Tight:a", b"X-Wide: \t  a")),
    "byte by byte": Exchange(chunked(BODY[:7], BODY[7:], trailers=b"X-A: 1\r\n"), bytewise=True),
    "no reason": Exchange(sized(BODY, status=b"200 ")),
    "no reason and no blank": Exchange(sized(BODY, status=b"200")),
    "another reason": Exchange(sized(BODY, status=b"200 Sehr gut")),
    "redirect": Exchange(sized(b"", b"Location: /elsewhere", status=b"302 Found")),
    "permanent redirect": Exchange(sized(b"moved", b"Location: http://vendor.test/", status=b"308 Permanent Redirect")),
    "unauthorized": Exchange(sized(b"{}", JSON, b'WWW-Authenticate: Basic realm="a"', status=b"401 Unauthorized")),
    "not found": Exchange(sized(b'{"error": "none"}', JSON, status=b"404 Not Found")),
    "too many requests": Exchange(sized(b"", b"Retry-After: 7", status=b"429 Too Many Requests")),
    "outage": Exchange(sized(b"<html>", b"Content-Type: text/html", status=b"503 Service Unavailable")),
    "unknown status": Exchange(sized(b"{}", JSON, status=b"599 Odd")),
    "POST of JSON": Exchange(sized(BODY, JSON, status=b"201 Created"), "POST", {"json": {"name": "Zürich"}}),
    "POST of a form": Exchange(sized(BODY), "POST", {"data": {"name": "Zürich"}}),
    "own Host": Exchange(sized(BODY), options={"headers": {"Host": "vendor.test"}}),
    "query": Exchange(sized(BODY), options={"params": {"a": "b c"}}),
}
