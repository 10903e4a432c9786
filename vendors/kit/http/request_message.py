"""The bytes of a request. Refuses what a server would read as another request than the one that is meant."""

import re
from functools import lru_cache

import requests
from requests.exceptions import InvalidHeader

# Characters that cannot end the line in which they stand.
NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


def request_message(request: requests.PreparedRequest, target: str, host: str, proxy_headers: str) -> bytes:
    """The request with its headers and body. Raises InvalidHeader.

    target: as `split_url` gives it.
    host: the header Host, unless the request has it.
    proxy_headers: complete lines for a proxy.
    """
    headers, body = request.headers, _body(request)
    if not _is_name(request.method or ""):
        raise InvalidHeader("the method contains a character that HTTP does not allow", request=request)
    lines = [f"{request.method} {target} HTTP/1.1\r\n"]
    if "Host" not in headers:
        lines.append(f"Host: {host}\r\n")
    for name, value in headers.items():
        text = value if isinstance(value, str) else value.decode("latin-1")
        if not (_is_name(name) and VALUE.fullmatch(text)):
            raise InvalidHeader("a header contains a character that HTTP does not allow", request=request)
        lines.append(f"{name}: {text}\r\n")
    lines.append(f"{proxy_headers}\r\n")
    return "".join(lines).encode("latin-1") + body


def _body(request: requests.PreparedRequest) -> bytes:
    """The body, whose length the headers must state: it is never sent in chunks."""
    body = request.body or b""
    if not isinstance(body, str | bytes):
        raise InvalidHeader("a body must be bytes or text", request=request)
    encoded = body.encode() if isinstance(body, str) else body
    length = request.headers.get("Content-Length", "0")
    if length != str(len(encoded)) or "Transfer-Encoding" in request.headers:
        raise InvalidHeader("Content-Length must be the length of the body", request=request)
    return encoded


@lru_cache(maxsize=1024)
def _is_name(name: str) -> bool:
    return NAME.fullmatch(name) is not None
