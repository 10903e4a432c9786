"""The applications that know this cloud, their tokens, and the token endpoint.

Keys, secrets and names are made up.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from flask import Blueprint, Response, request

from sandbox.enphase.constants import KILOWATT, MEGAWATT, PARTNER, TOKEN_SECONDS, WATT
from sandbox.enphase.systems.requests import bearer, client_credentials
from sandbox.replies import reply
from sandbox.tokens import Issued, Tokens

USERNAME, PASSWORD = "installer@example.com", "sandbox-password"
ALL_SYSTEMS, FIRST_SYSTEM, NO_SYSTEMS = "all", "first", "none"


@dataclass(frozen=True)
class Application:
    """An application with its API key and plan, and the systems that its token covers."""

    name: str
    plan: str
    systems: str = ALL_SYSTEMS

    @property
    def key(self) -> str:
        """The API key, to which quotas belong."""
        return f"sandbox-enphase-key-{self.name}"

    @property
    def client_id(self) -> str:
        """The name at the token endpoint."""
        return f"sandbox-enphase-{self.name}"

    @property
    def client_secret(self) -> str:
        """The secret at the token endpoint."""
        return f"sandbox-enphase-secret-{self.name}"


APPLICATIONS = (
    Application("partner", PARTNER),
    Application("watt", WATT),
    Application("kilowatt", KILOWATT),
    Application("megawatt", MEGAWATT),
    Application("second", PARTNER),
    Application("homeowner", KILOWATT, FIRST_SYSTEM),
    Application("empty", PARTNER, NO_SYSTEMS),
)
TOP = APPLICATIONS[0]
BY_KEY = {application.key: application for application in APPLICATIONS}
BY_CLIENT = {application.client_id: application for application in APPLICATIONS}


class Access:
    """The tokens of this cloud."""

    def __init__(self, real_time: Callable[[], float]) -> None:
        self.tokens = Tokens(TOKEN_SECONDS, real_time)
        self._codes: dict[str, str] = {}

    def headers(self, application: Application) -> dict[str, str]:
        """Both credentials of an application, with a fresh token."""
        token = self.tokens.issue(application.client_id).access
        return {"X-Authorization-enphase": f"Bearer {token}", "X-enphase-api-key": application.key}

    def holder(self) -> Application | None:
        """The application whose token the request carries."""
        return BY_CLIENT.get(self.tokens.client_of(bearer()) or "")

    def add_routes(self, blueprint: Blueprint) -> None:
        """The endpoints below the base of the cloud."""
        blueprint.get("/oauth/authorize")(self.authorize)
        blueprint.post("/oauth/token")(self.token)

    def authorize(self) -> Response:
        """Plays the owner who consents at once: leads back with a code that works once."""
        client, target = request.args.get("client_id", ""), request.args.get("redirect_uri", "")
        if client not in BY_CLIENT or not target or request.args.get("response_type") != "code":
            return _refusal("invalid_request", "client_id, redirect_uri and response_type=code are needed")
        code = secrets.token_urlsafe(6)
        self._codes[code] = client
        state = {"state": request.args["state"]} if "state" in request.args else {}
        return Response(status=302, headers={"Location": f"{target}?{urlencode({'code': code, **state})}"})

    def token(self) -> Response:
        """Answers `POST /oauth/token`, whose parameters may stand in the query or in a form."""
        client, secret = client_credentials()
        application = BY_CLIENT.get(client)
        if application is None or application.client_secret != secret:
            return _refusal("invalid_client", "Bad client credentials", 401)
        grants = {
            "authorization_code": self._has_code,
            "password": self._has_password,
            "refresh_token": self._has_refresh,
        }
        grant = request.values.get("grant_type", "")
        if grant not in grants:
            return _refusal("unsupported_grant_type" if grant else "invalid_request", "Unsupported grant type")
        if not grants[grant](application):
            return _refusal("invalid_grant", f"Invalid {grant.replace('_', ' ')}")
        return reply(_granted(self.tokens.issue(client)), headers={"Cache-Control": "no-store"})

    def _has_code(self, application: Application) -> bool:
        code = request.values.get("code", "")
        if self._codes.get(code) != application.client_id:
            return False
        del self._codes[code]
        return True

    def _has_password(self, application: Application) -> bool:
        """Only partner applications may use the installer's own password."""
        login = request.values.get("username"), request.values.get("password")
        return application.plan == PARTNER and login == (USERNAME, PASSWORD)

    def _has_refresh(self, application: Application) -> bool:
        return self.tokens.spend_refresh(request.values.get("refresh_token", ""), application.client_id)


def of_key() -> Application | None:
    """The application whose key the request carries, in a header or in the query."""
    return BY_KEY.get(request.headers.get("key") or request.args.get("key", ""))


def _granted(issued: Issued) -> dict[str, Any]:
    return {
        "access_token": issued.access,
        "token_type": "bearer",
        "refresh_token": issued.refresh,
        "expires_in": issued.lifetime,
        "scope": "read write",
        "enl_uid": "1000001",
        "enl_cid": "1001",
        "enl_password_last_changed": "1638870641",
        "is_internal_app": False,
        "app_type": "system",
        "jti": str(uuid4()),
    }


def _refusal(error: str, description: str, status: int = 400) -> Response:
    headers = {"WWW-Authenticate": "Basic"} if status == 401 else None
    return reply({"error": error, "error_description": description}, status, headers)
