"""The accounts of utilities, their tokens and programs, and the token endpoint. All keys and secrets are made up."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Response, request

from sandbox.enphase.systems.requests import bearer, client_credentials
from sandbox.enphasevpp import errors
from sandbox.replies import reply
from sandbox.tokens import Tokens

LIFETIME = 3600
FORM = "application/x-www-form-urlencoded"
BAD_TOKEN_REQUEST = (
    "Query parameter grant_type must be client_credentials. "
    f"Request header Content-Type must be {FORM}. "
    "Request header Accept must be application/json. "
    "Request header Authorization must be Base64 encoded value of clientId:clientSecret. Please check your request"
)
# The second holds the first site of the first program once more, and the last one, which the first does not hold.
DEMO, PILOT, WAITING = "All Systems*_Sandbox_Demo_Program_Utility_MA", "Peak Shaving* Pilot", "Sandbox Waiting List"


@dataclass(frozen=True)
class Account:
    """An account with its API key and the programs that it owns."""

    name: str
    programs: tuple[str, ...]

    @property
    def key(self) -> str:
        """The API key."""
        return f"sandbox-enphasevpp-key-{self.name}"

    @property
    def client_id(self) -> str:
        """The name at the token endpoint."""
        return f"sandbox-enphasevpp-{self.name}"

    @property
    def client_secret(self) -> str:
        """The secret at the token endpoint."""
        return f"sandbox-enphasevpp-secret-{self.name}"


ACCOUNTS = (
    Account("utility", (DEMO, PILOT, WAITING)),
    Account("second", (PILOT,)),
    Account("empty", (WAITING,)),
    Account("new", ()),
)
MAIN = ACCOUNTS[0]
BY_KEY = {account.key: account for account in ACCOUNTS}
BY_CLIENT = {account.client_id: account for account in ACCOUNTS}


class Access:
    """The tokens of this cloud."""

    def __init__(self, real_time: Callable[[], float]) -> None:
        self.tokens = Tokens(LIFETIME, real_time)

    def headers(self, account: Account) -> dict[str, str]:
        """Both credentials of an account, with a fresh token."""
        token = self.tokens.issue(account.client_id).access
        return {"X-Authorization-enphasevpp": f"Bearer {token}", "X-enphasevpp-api-key": account.key}

    def holder(self) -> Account | None:
        """The account whose token the request carries."""
        return BY_CLIENT.get(self.tokens.client_of(bearer()) or "")

    def token(self) -> Response:
        """Answers `POST /auth/oauth2/token`: client credentials, and no refresh token."""
        client, secret = client_credentials()
        if client not in BY_CLIENT or BY_CLIENT[client].client_secret != secret or request.mimetype != FORM:
            return errors.error(400, "Invalid parameter or headers", BAD_TOKEN_REQUEST)
        if request.values.get("grant_type") != "client_credentials":
            text = "grant_type is not provided or invalid"
            return errors.error(401, text, f"{text}. Please check your request")
        token = self.tokens.issue(client)
        answer = {"access_token": token.access, "expires_in": token.lifetime, "token_type": "Bearer"}
        return reply(answer, headers={"Cache-Control": "no-store"})


def of_key() -> Account | None:
    """The account whose key the request carries."""
    return BY_KEY.get(request.headers.get("x-api-key", ""))
