"""Gets an access token for a client's id and secret (RFC 6749, section 4.4), or for a refresh token (section 6)."""

import re
from dataclasses import replace
from typing import Protocol

from vendors.kit.calls.breaker import Breaker
from vendors.kit.calls.thread_pool import ThreadPool
from vendors.kit.credentials import Credential
from vendors.kit.deadline import Deadline
from vendors.kit.parsing.reading import Raw, number
from vendors.kit.reply import Reply
from vendors.kit.tokens.authorization_server import AuthorizationHosts, AuthorizationServer
from vendors.kit.tokens.refusals import ConsentLost, client_refusal, refresh_refusal
from vendors.kit.tokens.store import Token
from vendors.kit.variants import ClientCredentials, CodeGrant

# Assumed where an endpoint does not report a usable lifetime: the shortest that a vendor's tokens have. A token that
# expires earlier is refused, and then renewed.
ASSUMED_SECONDS = 300.0
# No token is trusted for longer, whatever its lifetime, so that a store forgets it in time.
LONGEST_SECONDS = 86_400.0
# A token has to fit into a header.
TOKEN = re.compile(r"[\x21-\x7e]{1,8000}")


class TokenEndpoint(Protocol):
    """A token endpoint, as a renewal uses it."""

    url: str
    breaker: Breaker
    """The breaker of its calls."""
    threads: ThreadPool | None
    """Where a renewal goes on when its request ends: for an endpoint whose answer must not be lost; else None."""

    def token(self, credential: Credential, deadline: Deadline, previous: Token | None) -> Token:
        """A new access token in place of `previous`, which may have expired. Raises VendorError."""


class ClientCredentialsEndpoint:
    """The token endpoint of a ClientCredentials grant."""

    threads: ThreadPool | None = None

    def __init__(self, server: AuthorizationServer, grant: ClientCredentials) -> None:
        self._server, self._grant = server, grant
        self.url, self.breaker = server.url, server.breaker

    def token(self, credential: Credential, deadline: Deadline, previous: Token | None = None) -> Token:
        """A new access token. Raises VendorError."""
        form = {"grant_type": "client_credentials"}
        if self._grant.scope:
            form["scope"] = self._grant.scope
        return self._server.post(credential, form, client_refusal, read_token, deadline)


class RefreshEndpoint:
    """The token endpoint of a CodeGrant, where a refresh token gives the next access token and refresh token."""

    def __init__(self, server: AuthorizationServer, grant: CodeGrant) -> None:
        self._server, self._grant = server, grant
        self.url, self.breaker = server.url, server.breaker
        self.threads: ThreadPool | None = server.threads

    def token(self, credential: Credential, deadline: Deadline, previous: Token | None = None) -> Token:
        """A new access token. Raises ConsentLost if no refresh token is accepted, or another VendorError."""
        refresh = previous.refresh if previous else None
        former = previous.former if previous else None
        if refresh is None:
            raise ConsentLost(self.url)
        try:
            return self._refreshed(credential, refresh, deadline)
        except ConsentLost:
            if former is None:
                raise
        return self._refreshed(credential, former, deadline)

    def _refreshed(self, credential: Credential, refresh: str, deadline: Deadline) -> Token:
        form = {"grant_type": "refresh_token", "refresh_token": refresh}
        token = self._server.post(
            credential,
            form,
            refresh_refusal,
            read_token_pair,
            deadline,
            has_secret=self._grant.has_refresh_secret,
            is_single_use=True,
        )
        if token.refresh is None:
            return replace(token, refresh=refresh)
        return replace(token, former=refresh) if self._grant.is_refresh_reusable else token


def read_token(reply: Reply) -> Token:
    """The access token of an answer. A refresh token is left out: a client with id and secret needs none."""
    return reply.record(to_token)


def read_token_pair(reply: Reply) -> Token:
    """The access token of an answer, and its refresh token if it has one."""
    return reply.record(to_token_pair)


def to_token(raw: Raw) -> Token:
    access = raw["access_token"]
    if not is_token(access):
        raise TypeError("access_token cannot stand in a header")
    seconds = number(raw, "expires_in") or 0.0
    return Token(access, min(seconds, LONGEST_SECONDS) if seconds > 0 else ASSUMED_SECONDS)


def to_token_pair(raw: Raw) -> Token:
    refresh = raw.get("refresh_token")
    return replace(to_token(raw), refresh=refresh if is_token(refresh) else None)


def is_token(value: object) -> bool:
    """Whether the value can be an access token or a refresh token."""
    return isinstance(value, str) and TOKEN.fullmatch(value) is not None


def endpoint_of(hosts: AuthorizationHosts, grant: ClientCredentials | CodeGrant) -> TokenEndpoint:
    """The endpoint at which a grant gives access tokens."""
    if isinstance(grant, ClientCredentials):
        encoding = "query" if grant.grant_in_query else "form"
        server = hosts.server(grant.urls[hosts.name], grant.authorization, encoding)
        return ClientCredentialsEndpoint(server, grant)
    return RefreshEndpoint(hosts.server(grant.token_urls[hosts.name], grant.authorization, grant.encoding), grant)
