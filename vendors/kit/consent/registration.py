"""Registration of an application, which a vendor demands in each region before owners' tokens are good there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from vendors.kit.calls.client import Client
from vendors.kit.calls.reply_cache import Freshness
from vendors.kit.credentials import Credential
from vendors.kit.deadline import Deadline
from vendors.kit.tokens.authorization_server import AuthorizationHosts
from vendors.kit.tokens.endpoint import read_token
from vendors.kit.tokens.refusals import client_refusal
from vendors.kit.variants import ClientCredentials

Connect = Callable[[Credential, Deadline], Client]


@dataclass(frozen=True, slots=True)
class Registration:
    """How an application is registered.

    type: of the application's stored credentials.
    tokens: how the application gets a token for itself, with the public base URL of a region as `audience`.
    path: where the application's domain is posted, as the member `domain`.
    regions: where it is registered unless the operator names others.
    key_path: where the vendor reads the application's public key (P-256, as PEM) on that domain.
    """

    type: str
    tokens: ClientCredentials
    path: str
    regions: Sequence[str]
    key_path: str


class Registrar:
    """Registers applications at one vendor.

    audiences: public base URLs by region. connect: the calls with a credential.
    """

    def __init__(
        self, registration: Registration, hosts: AuthorizationHosts, audiences: Mapping[str, str], connect: Connect
    ) -> None:
        self.registration, self._audiences, self._connect = registration, audiences, connect
        tokens = registration.tokens
        self._server = hosts.server(tokens.urls[hosts.name], tokens.authorization, "form")

    @property
    def regions(self) -> Sequence[str]:
        """All regions of the vendor."""
        return tuple(self._audiences)

    def register(self, client: Credential, region: str, domain: str, deadline: Deadline) -> None:
        """Registers the application in a region, which may be done again. Raises VendorError."""
        form = {"grant_type": "client_credentials", "audience": self._audiences[region]}
        if self.registration.tokens.scope:
            form["scope"] = self.registration.tokens.scope
        token = self._server.post(client, form, client_refusal, read_token, deadline)
        connection = self._connect(client.opened(token.access, {}, region), deadline)
        # As a read, since a repetition changes nothing.
        connection.post_read(self.registration.path, body={"domain": domain}, freshness=Freshness.UNCACHED)
