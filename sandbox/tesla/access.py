"""Accounts, their tokens, and the token endpoint. Accounts, client and tokens are made up.

An access token lives eight hours. A refresh token works once: its answer brings the next one.
"""

import secrets
import threading
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
from flask import Response, request

from sandbox.replies import reply
from sandbox.tesla.constants import ACCESS_SECONDS, CONTENT_TYPE, REFRESH_SECONDS

CLIENT = "sandbox-tesla-client"
ENERGY_SCOPE = "energy_device_data"
OTHER_SCOPES = ("openid", "offline_access", "user_data", "vehicle_device_data")
# How long an expired token is remembered, so that its error differs from that of an unknown token.
REMEMBERED_SECONDS = 86_400


@dataclass(frozen=True)
class Account:
    """region: where it lives; "" is where the option `region` puts it."""

    name: str
    region: str = ""
    reads_energy: bool = True
    has_products: bool = True

    @property
    def scopes(self) -> list[str]:
        """The scopes of its tokens."""
        return [*OTHER_SCOPES, ENERGY_SCOPE] if self.reads_energy else list(OTHER_SCOPES)


OWNER = Account("owner")
EUROPEAN = Account("european", region="eu")
WITHOUT_SCOPE = Account("without-scope", reads_energy=False)
WITHOUT_PRODUCTS = Account("without-products", has_products=False)


@dataclass(frozen=True)
class _Held:
    account: Account
    expires: float


class Access:
    """The tokens of all accounts, in memory."""

    def __init__(self, real_time: Callable[[], float], home: Callable[[Account], str]) -> None:
        """home: the region that an account lives in now."""
        self._real_time = real_time
        self._home = home
        self._lock = threading.Lock()
        self._access: dict[str, _Held] = {}
        self._refresh: dict[str, _Held] = {}

    def issue(self, account: Account, *, opaque: bool = False) -> str:
        """A new access token: a JWT with a random signature, or an opaque text."""
        now = self._real_time()
        token = secrets.token_urlsafe(48) if opaque else self._jwt(account, int(now))
        with self._lock:
            self._access = {
                token: held for token, held in self._access.items() if held.expires > now - REMEMBERED_SECONDS
            }
            self._access[token] = _Held(account, now + ACCESS_SECONDS)
        return token

    def issue_refresh(self, account: Account) -> str:
        """A new refresh token."""
        now, token = self._real_time(), "NA_" + secrets.token_urlsafe(48)
        with self._lock:
            self._refresh = {token: held for token, held in self._refresh.items() if held.expires > now}
            self._refresh[token] = _Held(account, now + REFRESH_SECONDS)
        return token

    def bearer(self) -> tuple[Account | None, bool]:
        """The account whose good token the request carries; and whether there is none because it has expired."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        held = self._access.get(token.strip()) if scheme.lower() == "bearer" else None
        if held is None:
            return None, False
        is_expired = held.expires <= self._real_time()
        return None if is_expired else held.account, is_expired

    def token(self) -> Response:
        """Answers `POST /oauth2/v3/token`: a refresh token for a new pair."""
        grant, client = request.form.get("grant_type", ""), request.form.get("client_id", "")
        if grant != "refresh_token":
            return _refused("unsupported_grant_type" if grant else "invalid_request", "grant_type")
        if client != CLIENT:
            return _refused("unauthorized_client", "client_id")
        account = self._spend(request.form.get("refresh_token", ""))
        if account is None:
            return _refused("login_required", "The refresh token is unknown, used or expired", 401)
        answer = {
            "access_token": self.issue(account),
            "refresh_token": self.issue_refresh(account),
            "id_token": "",
            "expires_in": ACCESS_SECONDS,
            "token_type": "Bearer",
        }
        return reply(answer, headers={"Cache-Control": "no-store"}, content_type=CONTENT_TYPE)

    def _spend(self, token: str) -> Account | None:
        with self._lock:
            held = self._refresh.pop(token, None)
        return held.account if held and held.expires > self._real_time() else None

    def _jwt(self, account: Account, now: int) -> str:
        claims: dict[str, Any] = {
            "iss": "https://fleet-auth.example.invalid/oauth2/v3/nts",
            "azp": CLIENT,
            "sub": f"sandbox-{account.name}",
            "scp": account.scopes,
            "ou_code": self._home(account).upper(),
            "iat": now,
            "exp": now + ACCESS_SECONDS,
        }
        head = {"alg": "RS256", "typ": "JWT", "kid": "sandbox"}
        parts = (orjson.dumps(head), orjson.dumps(claims), secrets.token_bytes(32))
        return ".".join(urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def _refused(error: str, description: str, status: int = 400) -> Response:
    return reply({"error": error, "error_description": description}, status, content_type=CONTENT_TYPE)
