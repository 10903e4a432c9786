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
    method = request.method or ""
    fields = {name: _text(value) for name, value in request.headers.items()}
    # One search over all values: a regular expression for each would cost more than all the rest here.
    if not (VALUE.fullmatch("".join(fields.values())) and all(map(_is_name, (method, *fields)))):
        raise InvalidHeader("the method or a header contains a character that HTTP does not allow", request=request)
    lower_case = {name.lower(): text for name, text in fields.items()}
    body = _body(request, lower_case)
    host_line = "" if "host" in lower_case else f"Host: {host}\r\n"
    header_lines = "".join([f"{name}: {text}\r\n" for name, text in fields.items()])
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
