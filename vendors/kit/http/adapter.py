"""One signed HTTP call to a vendor and its bounded reply. Nothing here knows a vendor.

The types are those of requests, its Session is not used: a shared one carries cookies from one caller's call into
another's, reads .netrc, and follows redirects with the caller's headers.
"""

import re
import time
from datetime import timedelta
from email.message import Message
from functools import lru_cache
from types import SimpleNamespace

import certifi
import httptools
import requests
from requests.cookies import extract_cookies_to_jar
from requests.utils import get_encoding_from_headers

from vendors.kit.deadline import Deadline
from vendors.kit.errors import BackendError, BadReply, Refused, Timeout, VendorError
from vendors.kit.http.connection_pool import Connections, NotConnected, origin_of
from vendors.kit.http.response_parser import Garbled, Reader, TooLarge
from vendors.kit.messages import RawReply, Request

USER_AGENT = "derapi-server"
# What cannot end the line that it stands in.
TARGET = re.compile(r"[\x21-\x7e]+")
NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


class Transport:
    """Sends requests to one vendor cloud; shared by all threads, keeps connections, no cookies.

    proxy_url: the HTTP proxy for all calls, or "" for none; the environment is not asked.
    ca_file: certificates to trust instead of the usual ones.
    """

    def __init__(self, proxy_url: str = "", ca_file: str = "") -> None:
        self._connections = Connections(proxy_url, ca_file or certifi.where())

    def fetch(self, request: Request, deadline: Deadline) -> RawReply:
        """The reply, whatever its status. Raises Timeout, BackendError, BadReply or Refused."""
        try:
            response = self.send(_prepared(request), deadline=deadline)
            return RawReply(response.status_code, response.headers, response.content, request.shown_url)
        except (requests.RequestException, httptools.HttpParserError, TooLarge, Garbled, OSError, ValueError) as error:
            failure = _failure(error, request.shown_url, deadline)
            failure.unreachable = _is_unreachable(error)
            # Its name alone: its text may hold the URL with its query.
            failure.cause = type(error).__name__
        try:
            # Outside of the handler: as its context the error would live on, and its frames, which hold what came.
            raise failure
        finally:
            # An error and the frame that it left hold each other.
            del failure

    def send(self, request: requests.PreparedRequest, *, deadline: Deadline) -> requests.Response:
        """The response with its whole body. Raises what `fetch` translates."""
        url = request.url or ""
        slash = url.find("/", url.find("://") + 3)
        origin = origin_of(url[:slash] if slash > 0 else url)
        sent = _written(request, *self._connections.way(origin, url[slash:] if slash > 0 else "/"))
        connection = self._connections.take(origin, deadline)
        started = time.perf_counter()
        try:
            found = connection.exchange(sent, deadline)
            response = _response(request, found, time.perf_counter() - started)
        except BaseException:
            connection.close()
            raise
        if found.keeps_alive:
            self._connections.give(origin, connection)
        else:
            connection.close()
        return response


def _prepared(request: Request) -> requests.PreparedRequest:
    """The request as requests has it, without its own preparation: URL and headers need no second look."""
    prepared = requests.PreparedRequest()
    prepared.method, prepared.url, prepared.body = request.method, request.url, request.body
    headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip", **request.headers}
    if request.body is not None:
        headers["Content-Length"] = str(len(request.body))
    # They are only written, as they are.
    prepared.headers = headers  # type: ignore[assignment]
    return prepared


def _written(request: requests.PreparedRequest, target: str, host: str, more: str) -> bytes:
    """The bytes of a request. Raises ValueError for what would be another request than it seems."""
    headers, body = request.headers, request.body
    allowed = TARGET.fullmatch(target) and VALUE.fullmatch("".join(headers.values())) and all(map(_is_name, headers))
    if not allowed:
        raise ValueError("a URL or a header holds what HTTP does not allow")
    fields = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    lines = f"{request.method} {target} HTTP/1.1\r\nHost: {host}\r\n{fields}{more}\r\n"
    return lines.encode("latin-1") + (body if isinstance(body, bytes) else b"")


def _response(request: requests.PreparedRequest, found: Reader, seconds: float) -> requests.Response:
    """The reply as a response of requests."""
    response = requests.Response()
    response.request, response.url = request, request.url or ""
    response.status_code, response.reason = found.status, found.reason
    response.headers = found.headers  # type: ignore[assignment]
    response.encoding = get_encoding_from_headers(response.headers)
    response._content = found.body
    response._content_consumed = True  # type: ignore[attr-defined]
    response.elapsed = timedelta(seconds=seconds)
    if found.cookies:
        message = Message()
        for cookie in found.cookies:
            message["Set-Cookie"] = cookie
        # Where requests expects the reply of http.client.
        raw = SimpleNamespace(_original_response=SimpleNamespace(msg=message))
        extract_cookies_to_jar(response.cookies, request, raw)  # type: ignore[no-untyped-call]
    return response


@lru_cache(maxsize=1024)
def _is_name(text: str) -> bool:
    return NAME.fullmatch(text) is not None


def _is_unreachable(error: Exception) -> bool:
    """Whether there was no connection: the host refused, was silent, unknown, or not trusted."""
    return isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError | NotConnected)


def _failure(error: Exception, url: str, deadline: Deadline) -> VendorError:
    """What an error means; the table of section errors, for what has no status."""
    if isinstance(error, requests.Timeout | TimeoutError) or deadline.left() <= 0:
        return Timeout(url)
    if isinstance(error, TooLarge):
        return BadReply(url, "the answer is larger than 32 MiB")
    if isinstance(error, Garbled):
        return BadReply(url, "the answer's compression is broken")
    if isinstance(error, requests.exceptions.SSLError):
        return Refused(url, "no trustworthy TLS connection")
    if isinstance(error, ValueError) and not isinstance(error, requests.ConnectionError):
        return Refused(url, "the request cannot be sent")
    return BackendError(url, "no connection, or it broke")
