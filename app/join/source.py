"""What an owner's consent is asked for by: a session, a flow, or a link that renews a grant."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from app.credentials.cipher import Sealed
from app.join import flows, sessions
from app.join.config import VendorConfig
from app.storage.database import Database
from app.storage.grant_table import GrantRow
from app.storage.join_tables import JoinAttemptRow, JoinFlowRow, JoinSessionRow


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
    the window is closed. grant: the grant whose owner is asked again, and link: the token of the link that asks.
    """

    kind: SourceKind
    row: str
    client_id: str
    vendors: Sequence[VendorConfig]
    sealed: Sealed | None = field(repr=False)
    stores: bool
    redirect_uri: str | None = None
    grant: GrantRow | None = None
    link: str = field(default="", repr=False)

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


def of_grant(grant: GrantRow, link: str = "") -> Source:
    """A grant whose owner is asked again, as a source."""
    config = VendorConfig(grant.stored.vendor, grant.stored.type, grant.credentials_id)
    return Source(SourceKind.GRANT, grant.id, grant.client_id, [config], None, True, grant=grant, link=link)


class Sources:
    """Finds the source of an attempt."""

    def __init__(self, database: Database, sessions: sessions.Sessions, flows: flows.Flows) -> None:
        self._database, self._sessions, self._flows = database, sessions, flows

    def of(self, attempt: JoinAttemptRow, link: str) -> Source | None:
        """The source; None if it has ended or was deleted. link: the token of the link of a grant."""
        if attempt.session_id:
            session = self._sessions.by_row(attempt.session_id)
            return of_session(session) if session else None
        if attempt.flow_id:
            flow = self._flows.of_any_client(attempt.flow_id)
            return of_flow(flow) if flow else None
        grant = self._database.get(GrantRow, attempt.grant_id or "")
        return of_grant(grant, link) if grant else None
