"""The bytes of a request. Refuses a request that a server could read as a different one."""

import re
from functools import lru_cache

import requests
from requests.exceptions import InvalidHeader

# Characters that cannot end the line in which they stand.
NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


def request_message(request: requests.PreparedRequest, target: str, host: str, proxy_headers: str) -> bytes:
    """The request with its headers and body. Raises InvalidHeader.

    target: the target as `split_url` returns it.
    host: the value of the header Host, unless the request has this header.
    proxy_headers: complete header lines for a proxy.
    """
    method = request.method or ""
    names = list(request.headers)
    # In lower case, since `items` would look up each name again.
    fields = {name: _text(value) for name, value in request.headers.lower_items()}
    # One match for all values together: a match for each would cost more than the rest of this function.
    if not (VALUE.fullmatch("".join(fields.values())) and all(map(_is_name, (method, *names)))):
        raise InvalidHeader("the method or a header contains a character that HTTP does not allow", request=request)
    body = _body(request, fields)
    host_line = "" if "host" in fields else f"Host: {host}\r\n"
    header_lines = "".join([f"{name}: {text}\r\n" for name, text in zip(names, fields.values(), strict=True)])
    head = f"{method} {target} HTTP/1.1\r\n{host_line}{header_lines}{proxy_headers}\r\n"
    return head.encode("latin-1") + body


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


def _body(request: requests.PreparedRequest, headers: dict[str, str]) -> bytes:
    """The body, whose length the headers must state: it is never sent in chunks."""
    body = request.body or b""
    if not isinstance(body, str | bytes):
        raise InvalidHeader("a body must be bytes or text", request=request)
    encoded = body.encode() if isinstance(body, str) else body
    if headers.get("content-length", "0") != str(len(encoded)) or "transfer-encoding" in headers:
        raise InvalidHeader("Content-Length must be the length of the body", request=request)
    return encoded


@lru_cache(maxsize=1024)
def _is_name(name: str) -> bool:
    return NAME.fullmatch(name) is not None
