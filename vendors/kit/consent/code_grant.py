"""Consent of an owner in a browser: the page of the vendor, the exchange of the code, and revocation."""

import base64
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import quote, urlencode

import orjson

from vendors.kit.credentials import Credential
from vendors.kit.deadline import Deadline
from vendors.kit.errors import Forbidden, NotFound, Unauthorized, VendorError
from vendors.kit.parsing.reading import Raw, optional_text, positive
from vendors.kit.reply import Reply
from vendors.kit.tokens.authorization_server import AuthorizationHosts
from vendors.kit.tokens.endpoint import to_token_pair
from vendors.kit.tokens.refusals import CodeRefused, client_refusal, code_refusal
from vendors.kit.tokens.store import Token
from vendors.kit.variants import CodeGrant

logger = logging.getLogger(__name__)

DAY_SECONDS = 86_400.0
# Bound on the call that ends a grant that is not kept.
DISCARD_SECONDS = 5.0

AskOwner = Callable[[Credential, Deadline], str | None]


@dataclass(frozen=True, slots=True)
class Granted:
    """What an owner has granted.

    parts: those of the credential that came with the callback. region: of the owner's account, if the vendor has
    several. account: the vendor's identity of the owner's account. refresh_seconds: life of the refresh token.
    """

    token: Token
    parts: Mapping[str, str] = field(default_factory=dict, repr=False)
    region: str | None = None
    account: str | None = field(default=None, repr=False)
    refresh_seconds: float | None = None


class ConsentEndpoint:
    """Consent in a browser at one vendor, for one of its variants.

    audience: the public base URL of the vendor's first region. find_region, find_account: ask the vendor for the region
    and the identity of an owner's account.
    """

    def __init__(
        self,
        grant: CodeGrant,
        hosts: AuthorizationHosts,
        audience: str,
        find_region: AskOwner,
        find_account: AskOwner,
    ) -> None:
        self.grant, self._audience = grant, audience
        self._find_region, self._find_account = find_region, find_account
        name = hosts.name
        self._authorize_url = hosts.url(grant.authorize_urls[name])
        self._tokens = hosts.server(grant.token_urls[name], grant.authorization, grant.encoding)
        revoke_url = grant.revoke_urls.get(name)
        self._revocation = hosts.server(revoke_url, grant.authorization, grant.encoding) if revoke_url else None

    def authorize_url(self, client_id: str, redirect_uri: str, state: str, verifier: str | None) -> str:
        """The vendor's page, to which the owner's browser is sent. The verifier counts where the vendor has PKCE."""
        query = {"response_type": "code", "client_id": client_id, "redirect_uri": redirect_uri, "state": state}
        if self.grant.scope:
            query["scope"] = self.grant.scope
        if self.grant.has_pkce and verifier is not None:
            query |= {"code_challenge": challenge(verifier), "code_challenge_method": "S256"}
        return f"{self._authorize_url}?{urlencode({**query, **self.grant.parameters}, quote_via=quote)}"

    def exchange(
        self,
        client: Credential,
        code: str,
        redirect_uri: str,
        verifier: str | None,
        callback: Mapping[str, str],
        deadline: Deadline,
    ) -> Granted:
        """The grant for a code. It is sent once, whatever happens. Raises VendorError.

        client: the application, as it is stored or came inline. callback: the parameters of the callback, which the
        browser may have changed.
        """
        parts = self._parts(callback)
        token, answer = self._tokens.post(
            client, self._form(code, redirect_uri, verifier), code_refusal, read_answer, deadline, is_single_use=True
        )
        owner = client.opened(token.access, parts)
        try:
            account = self._checked_account(owner, deadline) if parts else self._account(answer)
        except VendorError:
            self.discard(client, token)
            raise
        return Granted(
            token=token,
            parts=parts,
            region=self._region(owner, deadline),
            account=account,
            refresh_seconds=self._refresh_seconds(answer) if token.refresh else None,
        )

    def revoke(self, credential: Credential, token: Token, deadline: Deadline) -> bool:
        """Ends a grant at the vendor; False if the vendor has no endpoint for it. Raises VendorError."""
        if self._revocation is None:
            return False
        form = {self.grant.revoke_member: token.refresh or token.access}
        self._revocation.post(credential, form, client_refusal, lambda reply: None, deadline)
        return True

    def discard(self, client: Credential, token: Token) -> None:
        """Ends a grant that is not kept, if the vendor has an endpoint for it and answers."""
        try:
            self.revoke(client, token, Deadline(DISCARD_SECONDS))
        except VendorError as failure:
            logger.warning("a grant that is not kept was not ended at its vendor: %s", failure.code)

    def _parts(self, callback: Mapping[str, str]) -> dict[str, str]:
        lacking = [name for name in self.grant.callback_members if not callback.get(name)]
        if lacking:
            raise CodeRefused(self._tokens.url, f"the callback lacks {', '.join(lacking)}")
        return {part: callback[name] for name, part in self.grant.callback_members.items()}

    def _form(self, code: str, redirect_uri: str, verifier: str | None) -> dict[str, str]:
        form = {"grant_type": "authorization_code", "code": code}
        if self.grant.has_redirect_uri:
            form["redirect_uri"] = redirect_uri
        if self.grant.has_pkce and verifier is not None:
            form["code_verifier"] = verifier
        return form | ({"audience": self._audience} if self.grant.audience else {})

    def _region(self, owner: Credential, deadline: Deadline) -> str | None:
        try:
            return self._find_region(owner, deadline)
        except VendorError:
            # A call to the wrong region finds the right one later; the grant must not be lost for it.
            return None

    def _checked_account(self, owner: Credential, deadline: Deadline) -> str:
        """The account that the vendor names. Raises CodeRefused if the token does not open what the callback names."""
        try:
            account = self._find_account(owner, deadline)
        except (Unauthorized, Forbidden, NotFound) as error:
            raise CodeRefused(error.url, "the token does not open what the callback names") from error
        if account is None:
            raise CodeRefused(self._tokens.url, "the vendor does not confirm what the callback names")
        return account

    def _account(self, answer: Raw) -> str | None:
        claims = (claims_of(answer.get(name)) for name in ("id_token", "access_token"))
        members = (optional_text(raw, self.grant.account) for raw in (answer, *claims))
        return next((member for member in members if member), None) if self.grant.account else None

    def _refresh_seconds(self, answer: Raw) -> float | None:
        if seconds := positive(answer, "refresh_expires_in"):
            return seconds
        return self.grant.refresh_days * DAY_SECONDS if self.grant.refresh_days else None


def read_answer(reply: Reply) -> tuple[Token, Raw]:
    """The token of an answer, and all members of it."""
    return reply.record(to_token_pair), reply.json_object


def challenge(verifier: str) -> str:
    """The code challenge of a verifier by S256 (RFC 7636, section 4.2)."""
    return base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def claims_of(token: object) -> Raw:
    """The claims of a JWT, whose signature is not checked: it comes from the vendor itself; {} for another text."""
    parts = token.split(".") if isinstance(token, str) else []
    if len(parts) != 3:
        return {}
    try:
        claims = orjson.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return {}
    return claims if isinstance(claims, dict) else {}
