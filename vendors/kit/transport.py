"""One signed HTTP call to a vendor and its bounded reply. Nothing here knows a vendor.

The types are those of requests, its Session is not used: a shared one carries cookies from one caller's call into
another's, reads .netrc, and follows redirects with the caller's headers.
"""

import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

import certifi
import httptools
import requests

from vendors.kit.connections import Connections, NotConnected, origin_of
from vendors.kit.deadline import Deadline
from vendors.kit.errors import BackendError, BadReply, Refused, Timeout, VendorError
from vendors.kit.framing import Garbled, Reader, TooLarge

log = logging.getLogger(__name__)

USER_AGENT = "derapi-server"
TARGET = re.compile(r"[\x21-\x7e]+")
# A name and a value that cannot end the line.
FIELD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t\x20-\x7e\x80-\xff]*")


@dataclass(slots=True)
class Request:
    """One call before it is sent; a plugin's `sign` may add headers.

    `path` is what vendors with signatures sign: the path below the base URL, without the query.
    """

    method: str
    url: str
    path: str
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    shown_url: str = field(init=False)
    """The URL without its query, fit for errors and logs."""

    def __post_init__(self) -> None:
        self.shown_url = self.url.partition("?")[0]

    @property
    def base(self) -> str:
        """The base URL."""
        return self.shown_url.removesuffix(self.path)


@dataclass(slots=True, frozen=True)
class RawReply:
    """A complete reply: status, headers (case-insensitive) and decoded body."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    url: str

    @property
    def retry_after(self) -> float | None:
        """Seconds from the Retry-After header, which may be a number or a date; None without one."""
        value = self.headers.get("retry-after", "").strip()
        try:
            return max(0.0, float(value)) if value else None
        except ValueError:
            pass
        try:
            return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
        except (ValueError, TypeError):
            return None


class Whole(requests.Response):
    """A response that has come whole. It has no cookie jar: that would cost more than all the rest of it."""

    def __init__(self, found: Reader) -> None:
        self.status_code = found.status
        self.headers = found.headers  # type: ignore[assignment]
        self._content, self._content_consumed = found.body, True


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
            # Only the kind of the error is logged: its text may hold the URL with its query.
            log.warning("vendor call failed: %s at %s", type(error).__name__, request.shown_url)
            failure = _failure(error, request.shown_url, deadline)
            failure.unreachable = _is_unreachable(error)
            raise failure from error

    def send(self, request: requests.PreparedRequest, *, deadline: Deadline) -> requests.Response:
        """The response with its whole body. Raises what `fetch` translates."""
        scheme, _, below = (request.url or "").partition("://")
        host, _, target = below.partition("/")
        origin = origin_of(f"{scheme}://{host}")
        sent = _written(request, *self._connections.way(origin, f"/{target}"))
        connection = self._connections.take(origin, deadline)
        try:
            found = connection.exchange(sent, deadline)
            response = Whole(found)
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
    fields = [f"{name}: {value}" for name, value in request.headers.items()]
    if not (TARGET.fullmatch(target) and all(map(FIELD.fullmatch, fields))):
        raise ValueError("a URL or a header holds what HTTP does not allow")
    lines = "\r\n".join([f"{request.method} {target} HTTP/1.1", f"Host: {host}", *fields])
    body = request.body
    return f"{lines}\r\n{more}\r\n".encode("latin-1") + (body if isinstance(body, bytes) else b"")


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
