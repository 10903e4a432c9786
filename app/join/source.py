"""What an owner's consent is asked for by: a session, a flow, or a link that renews a grant."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from app.credentials.cipher import Sealed
from app.join import flows, sessions
from app.join.config import VendorConfig
from app.storage.join_tables import JoinFlowRow, JoinSessionRow


class SourceKind(StrEnum):
    """The kind of a source."""

    SESSION = "session"
    FLOW = "flow"
    GRANT = "grant"

    @property
    def column(self) -> str:
        """The column of an attempt that refers to its source."""
        return f"{self.value}_id"


@dataclass(frozen=True, slots=True)
class Source:
    """A session, flow or grant to be renewed, as the pages and the engine see it.

    row: its key in the database. stores: whether what is granted is kept. redirect_uri: where the owner ends; None if
    the window is closed. replaces: the grant that a consent to the same account replaces.
    """

    kind: SourceKind
    row: str
    client_id: str
    vendors: Sequence[VendorConfig]
    sealed: Sealed | None = field(repr=False)
    stores: bool
    redirect_uri: str | None = None
    replaces: str | None = None

    def find(self, vendor: str) -> VendorConfig | None:
        """The configuration of a vendor; None if this source is not for it."""
        return next((config for config in self.vendors if config.vendor == vendor), None)


def of_session(row: JoinSessionRow) -> Source:
    """A session as a source."""
    configs = [VendorConfig(**members) for members in row.vendors]
    return Source(SourceKind.SESSION, row.id, row.client_id, configs, sessions.sealed_in(row), row.stores)


def of_flow(row: JoinFlowRow) -> Source:
    """A flow as a source."""
    configs = [VendorConfig(**members) for members in row.vendors]
    return Source(SourceKind.FLOW, row.id, row.client_id, configs, flows.sealed_in(row), True, row.redirect_uri)
