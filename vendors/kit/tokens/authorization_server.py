"""Calls to an endpoint of a vendor's authorization server, by the engine of all calls.

An endpoint has its own breaker, and a quota apart from that of the data: a hold on the data does not keep a token from
being renewed, and a hold on the endpoint does not keep a token that is still valid from being used.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import ClassVar, TypeVar
from urllib.parse import urlencode, urlsplit

import orjson

from vendors.kit.calls.attempts import Attempts
from vendors.kit.calls.breaker import Breaker
from vendors.kit.calls.events import Observer
from vendors.kit.calls.ledger import Ledger
from vendors.kit.calls.progress import Progress
from vendors.kit.calls.quota import Quota
from vendors.kit.calls.reply_cache import Freshness, ReplyCache
from vendors.kit.calls.signer import AccessTokens
from vendors.kit.calls.single_use import mark_uncertain
from vendors.kit.calls.upstream import Upstream
from vendors.kit.credentials import Credential
from vendors.kit.deadline import Deadline
from vendors.kit.errors import BadReply, VendorError
from vendors.kit.http.transport import Transport
from vendors.kit.limits import Limits
from vendors.kit.messages import RawReply, Request
from vendors.kit.reply import Reply
from vendors.kit.variants import CLIENT_ID, CLIENT_SECRET

FORM, JSON = "application/x-www-form-urlencoded", "application/json"

Refusal = Callable[[Reply], VendorError | None]
T = TypeVar("T")


class AuthorizationCall:
    """The hooks of one call to an authorization server."""

    limits: ClassVar[Limits] = Limits(parallel=4, group=(CLIENT_ID,))
    fresh_seconds: ClassVar[Mapping[Freshness, float]] = {}
    lag: ClassVar[timedelta] = timedelta()
    follows_308: ClassVar[bool] = False

    def __init__(self, client: Credential, refusal: Refusal, authorization: str | None) -> None:
        self.credential, self._refusal, self._authorization = client, refusal, authorization

    def sign(self, request: Request) -> None:
        """Adds id and secret to the header if the endpoint expects them there."""
        if self._authorization is not None:
            pair = f"{self.credential[CLIENT_ID]}:{self.credential[CLIENT_SECRET]}"
            request.headers["Authorization"] = self._authorization + b64encode(pair.encode()).decode()

    def failure(self, reply: Reply, request: Request) -> VendorError | None:
        """A refusal of the client, code or refresh token."""
        return self._refusal(reply)

    def on_unauthorized(self, reply: Reply, request: Request) -> None:
        """Nothing: `failure` has found the meaning."""

    def spent(self, reply: Reply) -> None:
        """Nothing: no authorization server reports a quota."""

    def reported_quota(self, reply: Reply) -> None:
        """Nothing, for the same reason."""


class AuthorizationServer:
    """One endpoint of an authorization server, to which parameters are posted.

    authorization, encoding: as for CodeGrant.
    """

    def __init__(self, upstream: Upstream, path: str, authorization: str | None, encoding: str) -> None:
        self._upstream, self._path, self._authorization, self._encoding = upstream, path, authorization, encoding
        (self._base,) = upstream.urls.values()
        self.url = self._base + path
        self.threads = upstream.call_threads

    @property
    def breaker(self) -> Breaker:
        """The breaker of its calls."""
        return self._upstream.breakers[self._base]

    def post(
        self,
        client: Credential,
        parameters: Mapping[str, str],
        refusal: Refusal,
        read: Callable[[Reply], T],
        deadline: Deadline,
        *,
        has_secret: bool = True,
        is_single_use: bool = False,
    ) -> T:
        """What `read` makes of the reply to the parameters and the client's id and secret. Raises VendorError.

        has_secret: whether the client authenticates; else its id alone is sent.
        is_single_use: whether the call must not be repeated blindly. A failure of a call that may have arrived is then
        `is_uncertain` and not retried.
        """
        pair = (CLIENT_ID, CLIENT_SECRET) if has_secret else (CLIENT_ID,)
        credential = Credential({name: client[name] for name in pair})
        in_header = self._authorization is not None and has_secret
        if not in_header:
            parameters = {**parameters, **{name: client[name] for name in pair}}
        hooks = AuthorizationCall(credential, refusal, self._authorization if in_header else None)
        request, progress = self._request(parameters), Progress()
        request.is_single_use = is_single_use
        attempts = Attempts(self._upstream, hooks, deadline, progress, client.fingerprint(self._upstream.secret))
        with mark_uncertain(request):
            raw, _ = attempts.make(request)
            return read(Reply(raw, progress, partial(self._report, request, raw)))

    def _request(self, parameters: Mapping[str, str]) -> Request:
        query, content_type, body = "", FORM, b""
        if self._encoding == "json":
            content_type, body = JSON, orjson.dumps(dict(parameters))
        elif self._encoding == "query":
            query = "?" + urlencode(parameters)
        else:
            body = urlencode(parameters).encode()
        headers = {"Content-Type": content_type, "Accept": JSON}
        return Request("POST", self._base, self._path, query, body, headers, template=self._path)

    def _report(self, request: Request, raw: RawReply, failure: BadReply, rows: int | None) -> None:
        self._upstream.call_log.failed(request, failure, rows, raw=raw)


@dataclass(frozen=True)
class AuthorizationHosts:
    """The hosts of a vendor's authorization server: their public addresses, or `base_url` in place of each."""

    name: str
    base_url: str
    transport: Transport
    ledger: Ledger | None = None
    secret: bytes = field(default=b"", repr=False)
    observers: tuple[Observer, ...] = ()

    def url(self, public: str) -> str:
        """The URL in use for a public one."""
        parts = urlsplit(public)
        return (self.base_url.rstrip("/") or f"{parts.scheme}://{parts.netloc}") + parts.path

    def upstream(self, public: str, tokens: AccessTokens | None = None) -> tuple[Upstream, str]:
        """The upstream of a URL, and the path on it. `tokens`: the access tokens that its calls need."""
        path = urlsplit(public).path
        base = self.url(public).removesuffix(path)
        quota = Quota(f"{self.name}-tokens", AuthorizationCall.limits.parallel, ledger=self.ledger)
        # Its replies are never cached.
        upstream = Upstream(
            self.name,
            {"main": base},
            self.transport,
            ReplyCache(),
            quota,
            self.secret,
            tokens=tokens,
            observers=self.observers,
            is_for_tokens=True,
        )
        return upstream, path

    def server(self, public: str, authorization: str | None, encoding: str) -> AuthorizationServer:
        """The endpoint at a URL."""
        return AuthorizationServer(*self.upstream(public), authorization, encoding)
