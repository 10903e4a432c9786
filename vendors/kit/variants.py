"""The forms in which a vendor's credentials can be stored, as its plugin declares them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

# Names of parts: of a client at a token endpoint, and of an access token.
CLIENT_ID, CLIENT_SECRET, TOKEN = "client_id", "client_secret", "token"
# The members of such a client, as in `Variant.members`.
OAUTH_CLIENT: Mapping[str, str] = {"clientID": CLIENT_ID, "clientSecret": CLIENT_SECRET}


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """A token endpoint that gives an access token for a client's id and secret (RFC 6749, section 4.4).

    These are the parts `client_id` and `client_secret`; the token becomes the part `token`.

    urls: vendor name -> URL of the endpoint. At VENDOR_URL_<NAME> and in the sandbox its path is below that URL.
    authorization: text before the base64 of id and secret in the header Authorization; None: both go in the form.
    grant_in_query: whether the grant is expected in the query and not in the form.
    """

    urls: Mapping[str, str]
    scope: str = ""
    authorization: str | None = None
    grant_in_query: bool = False

    @property
    def token_urls(self) -> Mapping[str, str]:
        return self.urls


@dataclass(frozen=True, slots=True)
class CodeGrant:
    """Consent of an owner in a browser, and the tokens that follow from it (RFC 6749, sections 4.1 and 6).

    The application's id and secret are the parts `client_id` and `client_secret`; the access token becomes the part
    `token`.

    authorize_urls, token_urls, revoke_urls: vendor name -> URL. At VENDOR_URL_<NAME> and in the sandbox their paths are
    below that URL.
    scope: asked for at the vendor's page of consent; "" for none.
    parameters: further ones of that page, e.g. {"locale": "en-US"}.
    authorization: as for ClientCredentials.
    encoding: where the token endpoint expects its parameters: "form", "query" or "json".
    has_pkce: whether the vendor takes a code challenge (RFC 7636, S256).
    audience: whether the exchange of a code names the public base URL of the first region as `audience`.
    has_redirect_uri: whether the exchange of a code repeats the redirect URI.
    callback_members: members that the vendor adds to the callback, and the part of the credential that each becomes.
    `Vendor.account_id` asks the vendor whether the token opens them.
    account: the member that identifies the owner's account: of the token answer, or of the claims of the tokens if they
    are JWTs; "" if the vendor names none, or with callback_members.
    refresh_days: days for which a refresh token lives; None if the vendor states none.
    is_refresh_reusable: whether the vendor takes a refresh token again whose answer was lost.
    has_refresh_secret: whether the client authenticates for a refresh; else its id alone is sent.
    revoke_member: the parameter with which the revocation endpoint expects the refresh token.
    """

    authorize_urls: Mapping[str, str]
    token_urls: Mapping[str, str]
    revoke_urls: Mapping[str, str] = field(default_factory=dict)
    scope: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    authorization: str | None = None
    encoding: str = "form"
    has_pkce: bool = False
    audience: bool = False
    has_redirect_uri: bool = True
    callback_members: Mapping[str, str] = field(default_factory=dict)
    account: str = ""
    refresh_days: int | None = None
    is_refresh_reusable: bool = False
    has_refresh_secret: bool = True
    revoke_member: str = "token"


@dataclass(frozen=True, slots=True)
class BackChannel:
    """Consent of an owner by e-mail: the application asks with its own token, the owner decides hours later, and the
    application's own token then sees the owner's sites.

    urls: vendor name -> base URL of the consents. path: the path of the consents; below it that of each, by the owner's
    address. poll_seconds: how often a consent may be asked for, unless the vendor says so.
    """

    urls: Mapping[str, str]
    path: str
    poll_seconds: int


@dataclass(frozen=True, slots=True)
class TypedKeys:
    """Keys that the owner gets at the vendor and types in: the members, with the label of each."""

    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OwnersPassword:
    """Consent by the owner's password at the vendor, for which this service never asks: credentials of this form open
    nothing, and the owner's token comes in the vendor's header."""


ConsentForm = CodeGrant | BackChannel | TypedKeys | OwnersPassword


@dataclass(frozen=True, slots=True)
class Variant:
    """One form of stored credentials.

    members: the public name of each secret member -> the part of the `Credential` that it becomes.
    tokens: how an access token is made from these parts; None if they open the vendor as they are.
    consent: how an owner gives consent to it. With a CodeGrant, stored credentials of this form open nothing by
    themselves, and each consent is a grant, which is used like stored credentials.
    """

    type: str
    members: Mapping[str, str]
    tokens: ClientCredentials | None = None
    consent: ConsentForm | None = None

    @property
    def needs_consent(self) -> bool:
        """Whether stored credentials of this form open nothing before an owner has given consent."""
        return isinstance(self.consent, CodeGrant | OwnersPassword)

    @property
    def token_grant(self) -> ClientCredentials | CodeGrant | None:
        """How the service gets access tokens for it; None if it gets none."""
        return self.consent if isinstance(self.consent, CodeGrant) else self.tokens
