"""Authorization codes (RFC 6749, section 4.1) and their proof keys (RFC 7636)."""

import secrets
import threading
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from sandbox.consent.consents import Consent, Consents, State

# No vendor states how long a code lives; RFC 6749 recommends ten minutes at most.
CODE_SECONDS = 600
# RFC 6749, 4.1.2: a code that is used twice should end the tokens that came of it. No vendor documents whether it does.
REPLAY_ENDS_TOKENS = True


@dataclass(frozen=True)
class AuthorizationRequest:
    """The parameters with which an application sends an owner to the page of consent.

    challenge: of the proof key; "" for none. months: for which access is asked, where the vendor has such a parameter.
    """

    client: str
    redirect_uri: str
    scopes: tuple[str, ...] = ()
    state: str | None = None
    challenge: str = ""
    months: int | None = None


class BadCode(Exception):
    """A code that cannot be redeemed; `fault` is "code", "redirect_uri" or "code_verifier"."""

    def __init__(self, fault: str) -> None:
        super().__init__(f"the code cannot be redeemed: {fault}")
        self.fault = fault


@dataclass
class _Code:
    request: AuthorizationRequest
    consent: Consent
    expires: float
    is_used: bool = False


class Codes:
    """The codes of one vendor, in memory. Each works once, within CODE_SECONDS of real time."""

    def __init__(self, consents: Consents, real_time: Callable[[], float]) -> None:
        self._consents, self._real_time = consents, real_time
        self._lock = threading.Lock()
        self._codes: dict[str, _Code] = {}

    def issue(self, request: AuthorizationRequest, consent: Consent) -> str:
        """A code for what was asked, and the consent that was given to it."""
        code = secrets.token_urlsafe(24)
        with self._lock:
            self._codes[code] = _Code(request, consent, self._real_time() + CODE_SECONDS)
        self._consents.count("codes")
        return code

    def redeem(self, code: str, client: str, redirect_uri: str | None, verifier: str = "") -> Consent:
        """The consent behind the code, which is spent afterwards. Raises BadCode.

        redirect_uri: None where the vendor does not ask for it again.
        """
        with self._lock:
            held = self._codes.get(code)
            if held is None or held.request.client != client or self._real_time() >= held.expires:
                raise BadCode("code")
            if held.is_used:
                self._end(held)
                raise BadCode("code")
            if redirect_uri not in (None, held.request.redirect_uri):
                raise BadCode("redirect_uri")
            if challenge_of(verifier) != held.request.challenge:
                raise BadCode("code_verifier")
            held.is_used = True
        self._consents.count("redeemed")
        return held.consent

    def _end(self, held: _Code) -> None:
        self._consents.count("replays")
        if REPLAY_ENDS_TOKENS:
            held.consent.decisions.append((self._consents.now(), State.REVOKED))


def challenge_of(verifier: str) -> str:
    """The challenge S256 of a verifier; "" of none."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=") if verifier else ""
