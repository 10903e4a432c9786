"""States of consents by e-mail, for which vendors are asked again, at most once per interval over all processes."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import structlog
from sqlalchemy import ColumnElement, false, or_, select, update
from sqlalchemy.orm import Session

from app.credentials.grants import ADDRESS, GrantStore
from app.credentials.service import Credentials
from app.credentials.status import Status
from app.credentials.tokens import NOW
from app.storage.credential_tables import VendorCredentialRow
from app.storage.grant_table import GrantRow
from app.web.log import conceal
from vendors.kit import VendorError
from vendors.kit.calls.cloud import Cloud
from vendors.kit.consent.back_channel import Consent
from vendors.kit.deadline import Deadline
from vendors.kit.variants import BackChannel

logger = structlog.stdlib.get_logger(__name__)

# For one request: the consents that are asked for, and the time for all of them.
MAX_LOOKS, LOOK_SECONDS = 5, 5.0
STATUSES = {
    "pending": Status.PENDING,
    "accepted": Status.ACTIVE,
    "rejected": Status.REJECTED,
    "expired": Status.EXPIRED,
    "revoked": Status.REVOKED,
}
# An accepted consent may be revoked.
CHANGING = Status.PENDING, Status.ACTIVE


@dataclass(frozen=True, slots=True)
class PendingConsents:
    """Asks vendors what owners have decided."""

    credentials: Credentials
    grants: GrantStore
    clouds: Mapping[str, Cloud]

    def look(self, client_id: str, id: str | None = None) -> None:
        """Asks for some of a client's consents that are due, or only for this grant's. A vendor that fails changes
        nothing."""
        deadline = Deadline(LOOK_SECONDS)
        for grant in self.due(client_id, id, MAX_LOOKS):
            if deadline.left() <= 0:
                return
            self.ask(grant, deadline)

    def due(self, client_id: str | None = None, id: str | None = None, count: int = 1_000) -> Iterator[GrantRow]:
        """The grants whose state the vendor may be asked for now: of this client or of all, or only this one."""
        query = select(GrantRow).where(_is_due(), GrantRow.status.in_(CHANGING), self._is_by_mail())
        if client_id is not None:
            query = query.where(GrantRow.client_id == client_id)
        if id is not None:
            query = query.where(GrantRow.id == id)
        query = query.order_by(GrantRow.poll_at, GrantRow.id).limit(count)
        yield from self.credentials.transactions.read(lambda session: list(session.scalars(query)))

    def ask(self, grant: GrantRow, deadline: Deadline) -> Status | None:
        """The status now, after one call; None if another process asks, or the vendor does not answer."""
        row = grant.stored
        variant = self.credentials.rules.find(row.vendor, row.type)
        channel = variant.consent if variant else None
        if not isinstance(channel, BackChannel) or not self._claim(grant, channel.poll_seconds):
            return None
        is_over = grant.status == Status.PENDING and grant.ends_at is not None and grant.ends_at <= time.time()
        status, poll_seconds = Status.PENDING, float(channel.poll_seconds)
        try:
            consent = self._answer(grant, deadline)
            status, poll_seconds = STATUSES[consent.state], consent.poll_seconds
        except VendorError as failure:
            logger.warning("a consent by e-mail was not read", row=grant.id, code=failure.code)
            if not is_over:
                return None
        if is_over and status is Status.PENDING:
            # Also where the vendor never knew the address, and so does not end it.
            status = Status.EXPIRED
        self.grants.set_status(grant, status, poll_seconds)
        return status

    def _answer(self, grant: GrantRow, deadline: Deadline) -> Consent:
        row = grant.stored
        secrets = self.grants.secrets(grant)
        conceal(secrets[ADDRESS])
        found = self.credentials.stored.find(grant.credentials_id or "", grant.client_id)
        if found is None:
            raise VendorError(why="the application's stored credentials are gone")
        return self.clouds[row.vendor].back_channels[row.type].look(found[1], secrets[ADDRESS], deadline)

    def _claim(self, grant: GrantRow, seconds: float) -> bool:
        claim = update(GrantRow).where(GrantRow.id == grant.id, _is_due()).values(poll_at=NOW + seconds)

        def make(session: Session) -> bool:
            return session.connection().execute(claim).rowcount > 0

        return self.credentials.transactions.read(make)

    def _is_by_mail(self) -> ColumnElement[bool]:
        variants = self.credentials.rules.variants
        types = [
            (vendor, type)
            for vendor, of_vendor in variants.items()
            for type, variant in of_vendor.items()
            if isinstance(variant.consent, BackChannel)
        ]
        return or_(
            false(),
            *(
                GrantRow.stored.has((VendorCredentialRow.vendor == vendor) & (VendorCredentialRow.type == type))
                for vendor, type in types
            ),
        )


def _is_due() -> ColumnElement[bool]:
    return or_(GrantRow.poll_at.is_(None), GrantRow.poll_at <= NOW)
