"""Steps 7 and 8 of a call: gets the access token of a stored credential, and lets the plugin sign with it."""

import threading
from typing import Protocol

from vendors.kit.calls.hooks import Hooks
from vendors.kit.credentials import Credential
from vendors.kit.deadline import Deadline
from vendors.kit.errors import Unauthorized
from vendors.kit.messages import Request
from vendors.kit.tokens.store import Token
from vendors.kit.variants import Variant


class ConsentMissing(Unauthorized):
    """Credentials of this form open nothing until the owner of the devices has agreed."""

    hides_ids = False
    # It stays until the owner agrees, and must not hide a failure of other credentials that came meanwhile.
    severity = 1
    says = "These stored credentials open nothing yet."
    advice = stored_advice = "Send the owner's token in this vendor's X-Authorization header."

    def __init__(self, variant: Variant) -> None:
        super().__init__(why=f"this form of stored credentials ({variant.type}) needs the owner's authorization")


class AccessTokens(Protocol):
    """The access tokens of stored credentials: `vendors.kit.tokens.source.TokenSource`."""

    def get(self, credential: Credential, deadline: Deadline) -> str: ...

    def replace(self, credential: Credential, refused: str, deadline: Deadline, call: str) -> bool: ...

    def refused_again(self, credential: Credential, call: str) -> None: ...

    def accepted(self, credential: Credential) -> None: ...

    def stamped(self, credential: Credential, token: Token) -> Token: ...


class Signer:
    """Signs the calls of one request to one vendor."""

    def __init__(self, hooks: Hooks, tokens: AccessTokens | None, deadline: Deadline) -> None:
        self._hooks, self._tokens, self._deadline = hooks, tokens, deadline
        self._credential = hooks.credential
        self._signing = threading.Lock()

    def token(self) -> str:
        """Step 7, token: the access token of a stored credential, or "" if it needs none. Raises VendorError."""
        if self._credential.variant and self._credential.lacks_consent:
            raise ConsentMissing(self._credential.variant)
        if not self._credential.has_tokens or self._tokens is None:
            return ""
        return self._tokens.get(self._credential, self._deadline)

    def sign(self, request: Request, token: str) -> None:
        """Step 8, sign: the plugin adds what authenticates."""
        request.token = token
        if not token:
            self._hooks.sign(request)
            return
        # Concurrent calls may have different tokens, and `sign` reads the token from the credential.
        with self._signing:
            self._hooks.credential = self._credential.with_token(token)
            self._hooks.sign(request)

    def renew(self, request: Request) -> bool:
        """Whether a call that was answered with 401 is worth another attempt, since there is another token."""
        if not request.token or self._tokens is None:
            return False
        return self._tokens.replace(self._credential, request.token, self._deadline, request.template)

    def refused_again(self, request: Request) -> None:
        """Notes that the vendor has answered 401 with the new token as well."""
        if self._tokens is not None:
            self._tokens.refused_again(self._credential, request.template)

    def accepted(self, request: Request) -> None:
        """Notes that the vendor has accepted the token of a call."""
        if request.token and self._tokens is not None:
            self._tokens.accepted(self._credential)
