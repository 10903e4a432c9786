"""A transport adapter of requests with one deadline for the whole exchange.

requests' own `HTTPAdapter` applies its timeout to each read, so a server that sends a byte now and then never exceeds
it. It also takes some 380 microseconds of CPU for an exchange on loopback; `DeadlineAdapter` takes 50 (November 2026).
It keeps the interface and the responses of `HTTPAdapter`, with these differences:

- `timeout` covers everything from the name look-up to the last byte. It is a `Deadline` or a number of seconds.
- The body is received and decoded at once, even if `stream` is set, and bounded by MAX_BODY. So `raw` has nothing to
  read: it holds the cookies if there are any, else it is None.
- The proxy and the trusted certificates are set in the constructor. Arguments of `send` that would change them raise
  ValueError.

It has no redirects, cookies or `.netrc` (requests has them in its Session), no chunked uploads, no HTTP/2, no retries,
no client certificates, and no content codings other than gzip and deflate.
"""

import time
from collections.abc import Mapping
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import certifi
import httptools
import requests
from requests.adapters import HTTPAdapter
from requests.cookies import extract_cookies_to_jar
from requests.utils import get_encoding_from_headers, select_proxy
from urllib3 import HTTPHeaderDict, HTTPResponse

from vendors.kit.deadline import Deadline
from vendors.kit.http.connection_pool import ConnectionPool, split_url
from vendors.kit.http.request_message import request_message
from vendors.kit.http.response_parser import ResponseParser

# For calls without a timeout: every wait has a deadline.
DEFAULT_SECONDS = 30.0

TimeoutArgument = Deadline | float | tuple[float, float] | tuple[float, None] | None


class DeadlineAdapter(HTTPAdapter):
    """Sends requests over connections that it pools; shared by all threads.

    proxy_url: the HTTP proxy for all requests, or "" for none; the environment is not read.
    ca_file: certificates to trust in place of certifi's.
    """

    def __init__(self, proxy_url: str = "", ca_file: str = "") -> None:
        super().__init__()
        self._pool = ConnectionPool(proxy_url, ca_file or certifi.where())

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any) -> None:
        """Creates no pool of urllib3, since `send` uses a `ConnectionPool`."""

    def close(self) -> None:
        """Closes the idle connections."""
        self._pool.close()

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: TimeoutArgument = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """The response with its complete body. Raises requests.RequestException, and ValueError for arguments that
        this adapter does not support."""
        deadline = _deadline(timeout)
        if verify is not True or cert or (proxies and select_proxy(request.url or "", proxies)):
            raise ValueError("certificates and proxies are set in the constructor (a Session needs trust_env = False)")
        try:
            return self._exchange(request, deadline)
        except requests.RequestException as error:
            error.request = error.request or request
            raise
        except TimeoutError as error:
            raise requests.ReadTimeout("no complete response before the deadline", request=request) from error
        except (OSError, httptools.HttpParserError) as error:
            raise requests.ConnectionError("the connection broke", request=request) from error

    def _exchange(self, request: requests.PreparedRequest, deadline: Deadline) -> requests.Response:
        started = time.perf_counter()
        origin, target = split_url(request.url or "")
        target, proxy_headers = self._pool.addressed(origin, target)
        message = request_message(request, target, origin.authority, proxy_headers)
        connection = self._pool.acquire(origin, deadline)
        try:
            parser = connection.exchange(message, deadline, wants_body=request.method != "HEAD")
            response = self._response(request, parser)
        except BaseException:
            connection.close()
            raise
        self._pool.release(origin, connection)
        response.elapsed = timedelta(seconds=time.perf_counter() - started)
        return response

    def _response(self, request: requests.PreparedRequest, parser: ResponseParser) -> requests.Response:
        response = requests.Response()
        response.request, response.url, response.connection = request, request.url or "", self
        response.status_code, response.reason = parser.status, parser.reason
        parser.copy_headers_to(response.headers)
        response.encoding = get_encoding_from_headers(response.headers)
        # The state after a first access to `Response.content`. Reading the bytes through `raw` would more than double
        # the cost.
        response._content, response._content_consumed = parser.body, True  # type: ignore[attr-defined]
        if parser.cookies:
            response.raw = _cookie_source(parser.cookies)
            extract_cookies_to_jar(response.cookies, request, response.raw)  # type: ignore[no-untyped-call]
        return response


def _cookie_source(cookies: list[str]) -> HTTPResponse:
    """A response of urllib3 over one of http.client, in whose headers requests and its Session look for cookies."""
    headers = HTTPHeaderDict([("Set-Cookie", cookie) for cookie in cookies])
    return HTTPResponse(headers=headers, original_response=SimpleNamespace(msg=headers))  # type: ignore[arg-type]


def _deadline(timeout: TimeoutArgument) -> Deadline:
    if isinstance(timeout, Deadline):
        return timeout
    if timeout is None:
        return Deadline(DEFAULT_SECONDS)
    if isinstance(timeout, int | float):
        return Deadline(timeout)
    raise ValueError("the timeout is one number or a Deadline: it covers connecting and reading")
