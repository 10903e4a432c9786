"""Renewal of grants before they end, for those that no request uses."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select

from app.credentials.rows import GRANT_ID
from app.credentials.service import Credentials
from app.credentials.status import Status
from app.credentials.tokens import NOW
from app.storage.grant_table import GrantRow
from app.web.log import conceal
from vendors.kit import VendorError
from vendors.kit.calls.cloud import Cloud
from vendors.kit.deadline import Deadline

DAY_SECONDS = 86_400.0
CALL_SECONDS = 20.0
BATCH = 100


@dataclass(frozen=True, slots=True)
class Renewals:
    """Renews grants with their refresh token. A run that was interrupted is continued by the next one: what was renewed
    ends later, and is no longer due."""

    credentials: Credentials
    clouds: Mapping[str, Cloud]

    def count(self, days: float) -> int:
        """The number of grants that end within so many days."""
        query = select(func.count(GrantRow.id)).where(*_is_due(days))
        return self.credentials.transactions.read(lambda session: session.scalar(query)) or 0

    def due(self, days: float) -> Iterator[GrantRow]:
        """The grants that end within so many days, in the order of their ids."""
        last_id = ""
        while True:
            grants = self._batch(days, last_id)
            yield from grants
            if len(grants) < BATCH:
                return
            last_id = grants[-1].id

    def _batch(self, days: float, last_id: str) -> Sequence[GrantRow]:
        query = select(GrantRow).where(*_is_due(days), GrantRow.id > last_id).order_by(GrantRow.id).limit(BATCH)
        return self.credentials.transactions.read(lambda session: list(session.scalars(query)))

    def renew(self, grant: GrantRow) -> VendorError | None:
        """Renews a grant; the failure if that was not possible."""
        try:
            found = self.credentials.stored.find(grant.id, grant.client_id, GRANT_ID)
            token = self.credentials.tokens.read(grant.id)
            if found is None or token is None:
                return None  # It was deleted meanwhile.
            vendor, credential = found
            conceal(*credential.secrets, token.access)
            tokens = self.clouds[vendor].tokens
            if tokens is not None:
                tokens.replace(credential, token.access, Deadline(CALL_SECONDS), "")
        except VendorError as failure:
            return failure
        return None


def _is_due(days: float) -> tuple[ColumnElement[bool], ...]:
    return GrantRow.status == Status.ACTIVE, GrantRow.refresh_until <= NOW + days * DAY_SECONDS
