"""Consent of an owner by e-mail: the application asks and looks with its own access token."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, ClassVar
from urllib.parse import quote

import orjson

from vendors.kit.calls.attempts import Attempts
from vendors.kit.calls.progress import Progress
from vendors.kit.calls.reply_cache import Freshness
from vendors.kit.calls.signer import AccessTokens
from vendors.kit.credentials import Credential
from vendors.kit.deadline import Deadline
from vendors.kit.errors import Refused, VendorError
from vendors.kit.limits import Limits
from vendors.kit.messages import Request
from vendors.kit.parsing.ids_in_paths import fits_path
from vendors.kit.parsing.reading import Raw, moment, positive, text
from vendors.kit.reply import Reply
from vendors.kit.tokens.authorization_server import JSON, AuthorizationHosts
from vendors.kit.variants import CLIENT_ID, TOKEN, BackChannel

STATES = frozenset({"pending", "accepted", "rejected", "expired", "revoked"})
# Statuses with which the vendor may answer that a consent of this owner exists; unverified.
MAY_EXIST = frozenset({400, 409})


@dataclass(frozen=True, slots=True)
class Consent:
    """State of a consent that an owner was asked for: one of STATES.

    poll_seconds: how long to wait before the next look.
    """

    state: str
    expires_at: datetime | None
    poll_seconds: float


class MayExist(Refused):
    """The owner was not asked, perhaps because a consent exists."""


class BackChannelCall:
    """The hooks of one call about a consent."""

    limits: ClassVar[Limits] = Limits(group=(CLIENT_ID,))
    fresh_seconds: ClassVar[Mapping[Freshness, float]] = {}
    lag: ClassVar[timedelta] = timedelta()
    follows_308: ClassVar[bool] = False

    def __init__(self, client: Credential) -> None:
        self.credential = client

    def sign(self, request: Request) -> None:
        """Adds the access token of the application. Here, since a renewed token leads to a request without headers."""
        request.headers |= {"Authorization": f"Bearer {self.credential[TOKEN]}", "Accept": JSON}
        if request.body is not None:
            request.headers["Content-Type"] = JSON

    def failure(self, reply: Reply, request: Request) -> VendorError | None:
        """A refusal to ask an owner, which may mean that a consent exists."""
        may_exist = request.method == "POST" and reply.status in MAY_EXIST
        return MayExist(reply.url, f"the vendor answered {reply.status}") if may_exist else None

    def on_unauthorized(self, reply: Reply, request: Request) -> None:
        """Nothing: the application is refused."""

    def spent(self, reply: Reply) -> None:
        """Nothing: no quota is reported."""

    def reported_quota(self, reply: Reply) -> None:
        """Nothing, for the same reason."""


class BackChannelEndpoint:
    """Consent by e-mail at one vendor. The owner's address stands in no log, error or metric.

    tokens: the access tokens of applications.
    """

    def __init__(self, channel: BackChannel, hosts: AuthorizationHosts, tokens: AccessTokens | None) -> None:
        self._channel = channel
        self._upstream, self._path = hosts.upstream(channel.urls[hosts.name] + channel.path, tokens)
        (self._base,) = self._upstream.urls.values()

    def ask(self, client: Credential, address: str, deadline: Deadline) -> Consent:
        """Asks the owner with this address, and returns the state. If a consent exists, returns its state."""
        body = orjson.dumps({"loginHint": address})
        request = Request("POST", self._base, self._path, body=body, template=self._path)
        try:
            return self._make(client, request, deadline)
        except MayExist:
            pass
        return self.look(client, address, deadline)

    def look(self, client: Credential, address: str, deadline: Deadline) -> Consent:
        """The present state. Raises NotFound if this owner was not asked, or another VendorError."""
        if not fits_path(address):
            raise Refused(self._base + self._path, "the address cannot stand in a URL")
        path, template = f"{self._path}/{quote(address, safe='')}", self._path + "/{}"
        request = Request("GET", self._base, path, template=template, has_private_path=True)
        return self._make(client, request, deadline)

    def _make(self, client: Credential, request: Request, deadline: Deadline) -> Consent:
        hooks, progress = BackChannelCall(client), Progress()
        owner = client.fingerprint(self._upstream.secret)
        raw, _ = Attempts(self._upstream, hooks, deadline, progress, owner).make(request)
        report: Any = partial(self._upstream.call_log.failed, request, raw=raw)
        return Reply(raw, progress, report).record(self._to_consent)

    def _to_consent(self, raw: Raw) -> Consent:
        state = text(raw, "state").lower()
        if state not in STATES:
            raise ValueError("state is unknown")
        expires_at = moment(raw, "expirationDate", UTC)
        return Consent(state, expires_at, positive(raw, "interval") or float(self._channel.poll_seconds))
