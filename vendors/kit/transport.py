"""One signed HTTP call to a vendor and its bounded reply. Nothing here knows a vendor.

Built on requests' HTTPAdapter, not on its Session: a shared Session carries cookies from one caller's
call into another's, reads .netrc, and follows redirects with the caller's headers.
"""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

import certifi
import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import DecodeError, HTTPError, NameResolutionError, NewConnectionError, ReadTimeoutError

from vendors.kit.deadline import Deadline, on_this_thread
from vendors.kit.errors import BackendError, BadReply, Refused, Timeout, VendorError
from vendors.kit.sockets import POOLS, tls_context

log = logging.getLogger(__name__)

MAX_BODY = 32 * 1024 * 1024
CHUNK = 64 * 1024
CONNECTIONS = 64
USER_AGENT = "derapi-server"


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

    @property
    def base(self) -> str:
        """The base URL."""
        return self.shown_url.removesuffix(self.path)

    @property
    def shown_url(self) -> str:
        """The URL without its query, fit for errors and logs."""
        return self.url.partition("?")[0]


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


class Transport(HTTPAdapter):
    """Sends requests to one vendor cloud; shared by all threads, keeps connections, no cookies.

    proxy_url: the proxy for all calls, or "" for none; the environment is not asked.
    ca_file: certificates to trust instead of the usual ones.
    """

    def __init__(self, proxy_url: str = "", ca_file: str = "") -> None:
        self._ca_file = ca_file or certifi.where()
        self._proxies = {"http": proxy_url, "https": proxy_url} if proxy_url else {}
        super().__init__(pool_connections=4, pool_maxsize=CONNECTIONS, max_retries=0, pool_block=False)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=tls_context(self._ca_file), **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> urllib3.ProxyManager:
        manager: urllib3.ProxyManager = super().proxy_manager_for(
            proxy, ssl_context=tls_context(self._ca_file), **kwargs
        )
        manager.pool_classes_by_scheme = POOLS
        return manager

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Nothing: the context of `tls_context` verifies, without reading the CA file for each connection."""

    def fetch(self, request: Request, deadline: Deadline) -> RawReply:
        """The reply, whatever its status. Raises Timeout, BackendError, BadReply or Refused."""
        try:
            with on_this_thread(deadline):
                return self._exchange(_prepared(request), request.shown_url, deadline)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            # Only the kind of the error is logged: its text may hold the URL with its query.
            log.warning("vendor call failed: %s at %s", type(error).__name__, request.shown_url)
            failure = _failure(error, request.shown_url, deadline)
            failure.unreachable = _is_unreachable(error)
            raise failure from error

    def _exchange(self, prepared: requests.PreparedRequest, url: str, deadline: Deadline) -> RawReply:
        response = self.send(prepared, stream=True, timeout=deadline.timeout(), verify=True, proxies=self._proxies)
        try:
            body = _read(response, url)
        except BaseException:
            response.raw.close()
            raise
        response.raw.release_conn()
        return RawReply(response.status_code, response.headers, body, url)


def _prepared(request: Request) -> requests.PreparedRequest:
    """What requests sends, without its own preparation: URL and headers are made here, and need no second look."""
    prepared = requests.PreparedRequest()
    prepared.method, prepared.url, prepared.body = request.method, request.url, request.body
    prepared.headers = CaseInsensitiveDict({"User-Agent": USER_AGENT, "Accept-Encoding": "gzip, deflate"})
    prepared.headers.update(request.headers)
    if request.body is not None:
        prepared.headers["Content-Length"] = str(len(request.body))
    return prepared


def _read(response: requests.Response, url: str) -> bytes:
    announced = response.headers.get("Content-Length", "")
    if announced.isdigit() and int(announced) > MAX_BODY:
        raise BadReply(url, "the answer is larger than 32 MiB")
    chunks: list[bytes] = []
    size = 0
    while chunk := response.raw.read1(CHUNK, decode_content=True):
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_BODY:
            raise BadReply(url, "the answer is larger than 32 MiB")
    return b"".join(chunks)


def _is_unreachable(error: Exception) -> bool:
    """Whether there was no connection: the host refused, was silent, unknown, or not trusted."""
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError):
        return True
    cause = error.args[0] if isinstance(error, requests.ConnectionError) and error.args else None
    return isinstance(getattr(cause, "reason", None), NewConnectionError | NameResolutionError)


def _failure(error: Exception, url: str, deadline: Deadline) -> VendorError:
    """What an error of the HTTP library means; the table of section errors, for what has no status."""
    if isinstance(error, requests.Timeout | ReadTimeoutError | TimeoutError) or deadline.left() <= 0:
        return Timeout(url)
    if isinstance(error, DecodeError):
        return BadReply(url, "the answer's compression is broken")
    if isinstance(error, requests.exceptions.SSLError):
        return Refused(url, "no trustworthy TLS connection")
    if isinstance(error, ValueError) and not isinstance(error, requests.ConnectionError | requests.Timeout):
        # Of a header or URL that HTTP does not allow.
        return Refused(url, "the request cannot be sent")
    return BackendError(url, "no connection, or it broke")
