"""The forms in which a vendor's credentials can be stored, as its plugin declares them."""

from collections.abc import Mapping
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Variant:
    """One form of stored credentials.

    members: the public name of each secret member -> the part of the `Credential` that it becomes.
    tokens: how an access token is made from these parts; None if they open the vendor as they are.
    needs_consent: whether the owner of the devices has to give consent before a token can be made.
    """

    type: str
    members: Mapping[str, str]
    tokens: ClientCredentials | None = None
    needs_consent: bool = False
