"""The applications that owners are asked to agree to: stored credentials of a client, or an id and secret inline."""

from app.credentials.cipher import Cipher, Unreadable
from app.credentials.opening import GRANTED
from app.credentials.rows import owner_of, sealed_in
from app.credentials.service import Credentials
from app.join.config import VendorConfig, opened
from app.join.failures import ConsentFailure, Reason
from app.join.source import Source
from app.web.log import conceal
from vendors.kit import Credential
from vendors.kit.variants import Variant


class Applications:
    """Opens the applications of sessions, flows and grants."""

    def __init__(self, cipher: Cipher, credentials: Credentials) -> None:
        self._cipher, self._stored, self.rules = cipher, credentials.stored, credentials.rules

    def open(self, source: Source, config: VendorConfig, variant: Variant) -> Credential:
        """The application's credential. Raises ConsentFailure."""
        try:
            if config.credentials_id is None:
                credential = Credential.stored(variant, self.inline(source, config))
            else:
                stored = self._stored.find(config.credentials_id, source.client_id)
                if stored is None:
                    raise ConsentFailure(Reason.NOT_SET_UP)
                credential = stored[1]
        except (Unreadable, KeyError) as error:
            raise ConsentFailure(Reason.NOT_SET_UP) from error
        conceal(*credential.secrets)
        return credential

    def inline(self, source: Source, config: VendorConfig) -> dict[str, str]:
        """The secret members that came inline, by their public names. Raises Unreadable."""
        if source.grant is None:
            return opened(self._cipher, source.client_id, source.row, source.sealed, config.vendor)
        row = source.grant.stored
        secrets = self._cipher.open(owner_of(row), sealed_in(row))
        return {name: value for name, value in secrets.items() if not name.startswith(GRANTED)}
