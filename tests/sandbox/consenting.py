"""Owners and applications at the vendors' pages of consent and token endpoints, written after the vendors' documents.

It shares no code with the sandbox.
"""

from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from werkzeug.test import TestResponse

from tests.sandbox.callers import Caller

BACK = "http://127.0.0.1:8000/join/back"
OWNERS_SCOPES = "openid offline_access energy_device_data"


@dataclass(frozen=True)
class Form:
    """One vendor's own: the parameters of its page, and where its token endpoint has the credentials and parameters."""

    token: str
    query: dict[str, str] = field(default_factory=dict)
    basic: bool = False
    json: bool = False
    code: dict[str, str] = field(default_factory=dict)


FORMS = {
    "enphase": Form("/oauth/token", basic=True),
    "tesla": Form("/oauth2/v3/token", {"scope": OWNERS_SCOPES}, code={"audience": "http://localhost/tesla"}),
    "sma": Form("/oauth2/token", {"scope": "offline_access"}, basic=True),
    "smasbox": Form("/oauth2/token", {"scope": "offline_access"}),
    "solaredge": Form("/v2/oauth2/token", {"scope": "SITE_DATA DEVICE_DATA", "access_duration": "24"}, json=True),
}
LISTS = {
    "enphase": "/api/v4/systems",
    "tesla": "/api/1/products",
    "sma": "/v1/plants",
    "smasbox": "/v1/plants",
}


class Application:
    """An application that asks owners for consent at one vendor."""

    def __init__(self, caller: Caller, vendor: str) -> None:
        self.http, self.vendor, self.form = caller.http, vendor, FORMS[vendor]
        self.known: dict[str, str] = caller.vendors[vendor]["consent"]
        self.id, self.secret = self.known["clientID"], self.known["clientSecret"]
        self.page = urlsplit(self.known["url"]).path

    def query(self, **changes: str) -> dict[str, str]:
        """The parameters of the page; a change to "" leaves one out."""
        usual = {
            "response_type": "code",
            "client_id": self.id,
            "redirect_uri": BACK,
            "state": "st 1&x",
            **self.form.query,
        }
        return {name: value for name, value in (usual | changes).items() if value}

    def show(self, **changes: str) -> TestResponse:
        """The page."""
        return self.http.get(self.page, query_string=self.query(**changes))

    def decide(self, owner: int | str = 0, decision: str = "allow", **changes: str) -> TestResponse:
        """Sends the form as the owner of that site."""
        email = f"owner-{owner}@example.com" if isinstance(owner, int) else owner
        form = {"owner": email, "decision": decision}
        return self.http.post(self.page, query_string=self.query(**changes), data=form)

    def callback(self, owner: int | str = 0, **changes: str) -> dict[str, str]:
        """The members of the callback after the owner has allowed it."""
        return members(self.decide(owner, **changes))

    def post(self, **parameters: str) -> TestResponse:
        """A call of the token endpoint with the application's credentials."""
        path, secret = f"/{self.vendor}{self.form.token}", {"client_id": self.id, "client_secret": self.secret}
        if self.form.basic:
            return self.http.post(path, data=parameters, auth=(self.id, self.secret))
        if self.form.json:
            return self.http.post(path, json={**secret, **parameters})
        return self.http.post(path, data={**secret, **parameters})

    def redeem(self, code: str, **changes: str) -> TestResponse:
        """The exchange of a code for tokens."""
        usual = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, **self.form.code}
        return self.post(**{name: value for name, value in {**usual, **changes}.items() if value})

    def tokens(self, owner: int | str = 0, **changes: str) -> dict[str, Any]:
        """The tokens of an owner who has allowed it."""
        answer = self.redeem(self.callback(owner, **changes)["code"])
        assert answer.status_code == 200, answer.text
        return dict(answer.json)  # type: ignore[arg-type]

    def refresh(self, token: str) -> TestResponse:
        """The exchange of a refresh token."""
        return self.post(grant_type="refresh_token", refresh_token=token)

    def get(self, path: str, access: str, prefix: str = "") -> TestResponse:
        """A call of the vendor's API with an access token."""
        headers = {"Authorization": f"Bearer {access}"}
        if "apiKey" in self.known:
            headers["key"] = self.known["apiKey"]
        return self.http.get(f"/{self.vendor}{prefix}{path}", headers=headers)

    def works(self, access: str, number: int = 0) -> bool:
        """Whether the access token opens the vendor."""
        path = LISTS.get(self.vendor, f"/v2/sites/{1_000_001 + 13 * number}")
        return self.get(path, access).status_code == 200

    def decides_later(self, owner: str, state: str, after: float = 0) -> TestResponse:
        """The owner decides at the vendor."""
        body = {"owner": owner, "state": state, "after_seconds": after}
        return self.http.put(f"/consents/{self.vendor}", json=body)

    def counts(self) -> dict[str, int]:
        """What the sandbox counted."""
        answer: dict[str, Any] = self.http.get(f"/consents/{self.vendor}").json  # type: ignore[assignment]
        return dict(answer["counts"])


def members(answer: TestResponse) -> dict[str, str]:
    """The members with which the owner is sent back to the application."""
    assert answer.status_code == 302, answer.text
    location = answer.headers["Location"]
    assert location.startswith(BACK + "?")
    return dict(parse_qsl(urlsplit(location).query, keep_blank_values=True))


def challenge(verifier: str) -> str:
    """RFC 7636, S256."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")
