"""Sends a plugin's request and translates what can go wrong into errors of the kit.

A requests.Session is not used: shared between callers, it would send one caller's cookies with another caller's calls;
it reads `.netrc`, and it follows redirects with the caller's credentials.
"""

import requests
from requests.exceptions import ContentDecodingError, InvalidHeader, InvalidURL, SSLError
from requests.structures import CaseInsensitiveDict

from vendors.kit.deadline import Deadline
from vendors.kit.errors import BackendError, BadReply, Refused, Timeout, VendorError
from vendors.kit.http.adapter import DeadlineAdapter
from vendors.kit.http.connection_pool import NotConnected
from vendors.kit.http.response_parser import BodyTooLarge
from vendors.kit.messages import RawReply, Request

USER_AGENT = "derapi-server"
# Kinds of failure, in the order in which they are checked.
MEANINGS: tuple[tuple[type[requests.RequestException], type[VendorError], str], ...] = (
    (BodyTooLarge, BadReply, "the answer is larger than 32 MiB"),
    (ContentDecodingError, BadReply, "the answer's compression is broken"),
    (SSLError, Refused, "no trustworthy TLS connection"),
    (InvalidURL, Refused, "the request cannot be sent"),
    (InvalidHeader, Refused, "the request cannot be sent"),
    (requests.RequestException, BackendError, "no connection, or it broke"),
)
# Failures before a connection was established: the host refused, was silent, unknown or not trusted.
UNREACHABLE = requests.ConnectTimeout, SSLError, NotConnected


class Transport:
    """Sends the calls to one vendor cloud; shared by all threads. The arguments are those of `DeadlineAdapter`."""

    def __init__(self, proxy_url: str = "", ca_file: str = "") -> None:
        self._adapter = DeadlineAdapter(proxy_url, ca_file)

    def fetch(self, request: Request, deadline: Deadline) -> RawReply:
        """The reply, whatever its status. Raises Timeout, BackendError, BadReply or Refused."""
        try:
            response = self._adapter.send(_prepared(request), timeout=deadline)
            return RawReply(response.status_code, response.headers, response.content, request.shown_url)
        except requests.RequestException as error:
            failure = _failure(error, request.shown_url, deadline)
            failure.unreachable = isinstance(error, UNREACHABLE)
            # Only the name of its class: the text may hold the URL with its query.
            failure.cause = type(error).__name__
        try:
            # Raised outside of the handler: otherwise its context would keep `error` alive, and with it the response.
            raise failure
        finally:
            # The error refers to this frame; without this, the frame would refer to the error.
            del failure


def _prepared(request: Request) -> requests.PreparedRequest:
    """The request as an object of requests, without its usual preparation.

    The preparation could invalidate a plugin's signature, and takes a fifth of a request's CPU (November 2026,
    docs/performance.md).
    """
    headers = CaseInsensitiveDict({"User-Agent": USER_AGENT, "Accept-Encoding": "gzip"} | request.headers)
    if request.body is not None:
        headers["Content-Length"] = str(len(request.body))
    prepared = requests.PreparedRequest()
    prepared.method, prepared.url, prepared.headers, prepared.body = request.method, request.url, headers, request.body
    return prepared


def _failure(error: requests.RequestException, url: str, deadline: Deadline) -> VendorError:
    if isinstance(error, requests.Timeout) or deadline.left() <= 0:
        return Timeout(url)
    meaning, reason = next((meaning, reason) for kind, meaning, reason in MEANINGS if isinstance(error, kind))
    return meaning(url, reason)
