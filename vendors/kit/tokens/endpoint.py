"""Gets an access token from a vendor's token endpoint (RFC 6749, section 4.4), by the engine of all calls.

An endpoint has its own breaker, and a quota apart from that of the data: a hold on the data does not keep a token from
being renewed, and a hold on the endpoint does not keep a token that is still valid from being used.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import ClassVar
from urllib.parse import urlencode, urlsplit

from vendors.kit.calls.attempts import Attempts
from vendors.kit.calls.breaker import Breaker
from vendors.kit.calls.events import Observer
from vendors.kit.calls.ledger import Ledger
from vendors.kit.calls.progress import Progress
from vendors.kit.calls.quota import Quota
from vendors.kit.calls.reply_cache import Freshness, ReplyCache
from vendors.kit.calls.upstream import Upstream
from vendors.kit.credentials import Credential
from vendors.kit.deadline import Deadline
from vendors.kit.errors import Unauthorized, VendorError
from vendors.kit.http.transport import Transport
from vendors.kit.limits import Limits
from vendors.kit.messages import RawReply, Request
from vendors.kit.parsing.reading import Raw, number
from vendors.kit.reply import Reply
from vendors.kit.tokens.store import Token
from vendors.kit.variants import CLIENT_ID, CLIENT_SECRET, ClientCredentials

FORM = "application/x-www-form-urlencoded"
# Assumed where an endpoint does not report a usable lifetime: the shortest that a vendor's tokens have. A token that
# expires earlier is refused, and then renewed.
ASSUMED_SECONDS = 300.0
# No token is trusted for longer, whatever its lifetime, so that a store forgets it in time.
LONGEST_SECONDS = 86_400.0
# A token has to fit into a header.
TOKEN = re.compile(r"[\x21-\x7e]{1,8000}")
# Errors of a 400 that concern the form of the call (RFC 6749, section 5.2), and so not the stored id and secret.
MISTAKES_OF_THE_CALL = frozenset({"invalid_request", "unsupported_grant_type", "invalid_scope"})


class ClientRefused(Unauthorized):
    """The token endpoint does not accept the stored id and secret."""

    says = "The vendor does not accept the stored client id or secret."
    advice = stored_advice = "Correct the stored credentials: get id and secret from the vendor and update them."
    note = "the stored client id or secret is refused; correct the stored credentials"


class TokenCall:
    """The hooks of one call to a token endpoint."""

    limits: ClassVar[Limits] = Limits(parallel=2, group=(CLIENT_ID,))
    fresh_seconds: ClassVar[Mapping[Freshness, float]] = {}
    lag: ClassVar[timedelta] = timedelta()
    follows_308: ClassVar[bool] = False

    def __init__(self, credential: Credential, grant: ClientCredentials) -> None:
        self.credential = Credential({name: credential[name] for name in (CLIENT_ID, CLIENT_SECRET)})
        self._authorization = grant.authorization

    def sign(self, request: Request) -> None:
        """Adds id and secret to the header if the endpoint expects them there."""
        if self._authorization is not None:
            pair = f"{self.credential[CLIENT_ID]}:{self.credential[CLIENT_SECRET]}"
            request.headers["Authorization"] = self._authorization + b64encode(pair.encode()).decode()

    def failure(self, reply: Reply, request: Request) -> VendorError | None:
        """A refusal of id and secret, which endpoints answer with 400, 401 or 403."""
        is_mistake = reply.status == 400 and reply.json_object.get("error") in MISTAKES_OF_THE_CALL
        return ClientRefused(reply.url) if reply.status in (400, 401, 403) and not is_mistake else None

    def on_unauthorized(self, reply: Reply, request: Request) -> None:
        """Nothing: `failure` has found the meaning."""

    def spent(self, reply: Reply) -> None:
        """Nothing: no token endpoint reports a quota."""

    def reported_quota(self, reply: Reply) -> None:
        """Nothing, for the same reason."""


class TokenEndpoint:
    """The token endpoint of one grant."""

    def __init__(self, upstream: Upstream, path: str, grant: ClientCredentials) -> None:
        self._upstream, self._path, self._grant = upstream, path, grant
        (self._base,) = upstream.urls.values()
        self.url = self._base + path

    @property
    def breaker(self) -> Breaker:
        """The breaker of its calls."""
        return self._upstream.breakers[self._base]

    def token(self, credential: Credential, deadline: Deadline) -> Token:
        """A new access token. Raises VendorError."""
        owner = credential.fingerprint(self._upstream.secret)
        progress, hooks = Progress(), TokenCall(credential, self._grant)
        request = self._request(hooks.credential)
        raw, _ = Attempts(self._upstream, hooks, deadline, progress, owner).make(request)
        return self._read(raw, request, progress)

    def _request(self, client: Credential) -> Request:
        form = {"grant_type": "client_credentials"}
        if self._grant.scope:
            form["scope"] = self._grant.scope
        if self._grant.authorization is None:
            form |= {name: client[name] for name in (CLIENT_ID, CLIENT_SECRET)}
        text = urlencode(form)
        query, body = (f"?{text}", "") if self._grant.grant_in_query else ("", text)
        headers = {"Content-Type": FORM, "Accept": "application/json"}
        return Request("POST", self._base, self._path, query, body.encode(), headers, template=self._path)

    def _read(self, raw: RawReply, request: Request, progress: Progress) -> Token:
        report = partial(self._upstream.call_log.failed, request, raw=raw)
        return Reply(raw, progress, report).record(to_token)


def to_token(raw: Raw) -> Token:
    """The token of an answer. A refresh token is left out: a client with id and secret needs none."""
    access = raw["access_token"]
    if not isinstance(access, str) or not TOKEN.fullmatch(access):
        raise TypeError("access_token cannot stand in a header")
    seconds = number(raw, "expires_in") or 0.0
    return Token(access, min(seconds, LONGEST_SECONDS) if seconds > 0 else ASSUMED_SECONDS)


def endpoint_of(
    name: str,
    grant: ClientCredentials,
    base_url: str,
    transport: Transport,
    ledger: Ledger | None,
    secret: bytes,
    observers: tuple[Observer, ...] = (),
) -> TokenEndpoint:
    """The token endpoint of the vendor at its public address, or below `base_url`."""
    url = urlsplit(grant.urls[name])
    base = base_url.rstrip("/") or f"{url.scheme}://{url.netloc}"
    quota = Quota(f"{name}-tokens", TokenCall.limits.parallel, ledger=ledger)
    # Its replies are never cached.
    upstream = Upstream(
        name, {"main": base}, transport, ReplyCache(), quota, secret, observers=observers, is_for_tokens=True
    )
    return TokenEndpoint(upstream, url.path, grant)
