"""Grants: what owners of devices have granted to a client, used like stored credentials."""

import json
import secrets as random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import structlog
from sqlalchemy import Select, delete, select, update
from sqlalchemy.orm import Session

from app.credentials import consent_links, grant_limits
from app.credentials.cipher import Cipher
from app.credentials.opening import GRANTED, Opener, Source
from app.credentials.rows import GRANT_ID, new_id, owner_of, possible_id, sealed_in
from app.credentials.service import Credentials
from app.credentials.status import UNGIVEN, Status
from app.credentials.tokens import NOW, token_values
from app.storage.credential_tables import VendorCredentialRow, VendorTokenRow
from app.storage.grant_table import ConsentLinkRow, GrantRow
from vendors.kit import VendorError
from vendors.kit.calls.cloud import Cloud
from vendors.kit.consent.code_grant import Granted
from vendors.kit.deadline import Deadline
from vendors.kit.tokens.renewal import LEASE_SECONDS
from vendors.kit.variants import CLIENT_ID, BackChannel, Variant

logger = structlog.stdlib.get_logger(__name__)


# How long a consent by e-mail is pending if the vendor does not state its end.
PENDING_SECONDS = 30 * 86_400.0
# Bound on the call that ends a grant at its vendor.
REVOKE_SECONDS = 8.0
# The secret of a consent by e-mail: the owner's address, by which the vendor knows it.
ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class GrantFilters:
    """Filters of a list, combined with AND; both compare exactly."""

    vendor: str | None = None
    status: Status | None = None


@dataclass(frozen=True, slots=True)
class Deleted:
    """A grant was deleted here. revoked: whether its vendor has ended it; None if the vendor was not asked, because it
    has no endpoint for that, or no token was left."""

    revoked: bool | None


class GrantStore:
    """Reads and changes grants. Every method sees those of one client only.

    id_key: from which the key of the hashes of owners' accounts is derived.
    """

    def __init__(self, cipher: Cipher, credentials: Credentials, clouds: Mapping[str, Cloud], id_key: str) -> None:
        self._transactions, self._rules, self._tokens = credentials.transactions, credentials.rules, credentials.tokens
        self._stored = credentials.stored
        self._cipher, self._clouds = cipher, clouds
        # Not from CREDENTIAL_KEYS: an account is to be found again after their rotation.
        self._account_key = blake2b(id_key.encode(), person=b"derapi-accounts").digest()

    def add(
        self,
        client_id: str,
        vendor: str,
        type: str,
        *,
        credentials_id: str | None,
        secrets: Mapping[str, str],
        granted: Granted | None,
        name: str | None,
        status: Status | None,
        replaces: str | None = None,
        link: str = "",
        expires_at: datetime | None = None,
    ) -> GrantRow:
        """Stores what an owner has granted. Raises a 409 Problem at the limit, or LinkEnded.

        A grant that the same account has given to the same application is renewed, and keeps its id; a consent of
        another account makes a new grant, also if it should replace one.

        secrets: by the public names of the variant's members, unless the application is the stored one with
        `credentials_id`; ADDRESS for a consent by e-mail. granted: None for typed keys and for a consent by e-mail.
        replaces: the grant whose owner was asked again. link: the token of the link that asked, which is used by this.
        status: None for a consent by e-mail of which the vendor names no state: a new grant is pending, and one that
        exists is not changed. expires_at: the end of a consent by e-mail that is not given.
        """
        parts = {GRANTED + part: value for part, value in granted.parts.items()} if granted else {}
        account = granted.account if granted else json.dumps(sorted(secrets.items()))
        variant = self._rules.find(vendor, type)
        application = "" if credentials_id or variant is None else _inline_application(variant, secrets)
        account_hash = self._account_hash(vendor, type, application, account) if account else None
        state = status or Status.PENDING

        def add(session: Session) -> GrantRow:
            if link:
                consent_links.use(session, link)
            grant = self._same_account(session, client_id, account_hash, credentials_id, replaces)
            if grant is not None and status is None:
                return grant
            if grant is None:
                if state in UNGIVEN:
                    grant_limits.refuse_beyond_ungiven(session, client_id)
                grant = self._new(session, client_id, vendor, type, name)
            row = session.get_one(VendorCredentialRow, grant.id)
            sealed = self._cipher.seal(owner_of(row), {**secrets, **parts})
            row.key_id, row.ciphertext, row.name = sealed.key_id, sealed.ciphertext, name or row.name
            grant.credentials_id, grant.status, grant.account_hash = credentials_id, state, account_hash
            grant.consented_at = datetime.now(UTC) if state is Status.ACTIVE else None
            if variant is not None and isinstance(variant.consent, BackChannel):
                grant.poll_at = NOW + variant.consent.poll_seconds
                grant.ends_at = expires_at.timestamp() if expires_at else NOW + PENDING_SECONDS
            session.execute(delete(VendorTokenRow).where(VendorTokenRow.id == grant.id))
            session.execute(delete(ConsentLinkRow).where(ConsentLinkRow.grant_id == grant.id))
            if granted is not None:
                grant.region, grant.refresh_seconds = granted.region, granted.refresh_seconds
                self._store_token(session, row, grant, granted)
            session.flush()
            session.refresh(grant)
            return grant

        return self._transactions.change(client_id, add)

    def rows_after(self, client_id: str, filters: GrantFilters, after: str, count: int) -> list[GrantRow]:
        """The first grants whose ids follow `after`."""
        query = select(GrantRow).where(GrantRow.client_id == client_id, GrantRow.id > after)
        if filters.status is not None:
            query = query.where(GrantRow.status == filters.status)
        if filters.vendor is not None:
            query = query.where(GrantRow.stored.has(VendorCredentialRow.vendor == filters.vendor))
        query = query.order_by(GrantRow.id).limit(count)
        return self._transactions.read(lambda session: list(session.scalars(query)))

    def find(self, client_id: str, id: str) -> GrantRow | None:
        """The grant; None if the client has none with this id."""
        return self._transactions.read(lambda session: session.scalars(_one(client_id, id)).first())

    def delete(
        self,
        client_id: str,
        id: str,
        deadline: Deadline | None = None,
        before: Callable[[Session], None] = lambda session: None,
    ) -> Deleted | None:
        """Ends a grant at its vendor, and deletes it here in any case; None if the client has none with this id.

        before: called in a transaction before anything is ended, and again in the one that deletes."""
        grant = self.find(client_id, id)
        if grant is None:
            return None
        self._transactions.change(client_id, before)
        revoked = self._revoke(grant, deadline or Deadline(REVOKE_SECONDS))
        return Deleted(revoked) if self._remove(client_id, id, before) else None

    def _remove(self, client_id: str, id: str, before: Callable[[Session], None]) -> bool:
        statement = delete(VendorCredentialRow).where(
            VendorCredentialRow.client_id == client_id, VendorCredentialRow.id == possible_id(id, GRANT_ID)
        )

        def remove(session: Session) -> bool:
            before(session)
            return session.connection().execute(statement).rowcount > 0

        return self._transactions.change(client_id, remove)

    def set_status(self, grant: GrantRow, status: Status, poll_seconds: float) -> None:
        """Notes the state that a vendor has reported for a consent by e-mail, and when it may be asked again."""
        changed: dict[str, Any] = {} if status == grant.status else {"status": status}
        if changed and status is Status.ACTIVE:
            changed["consented_at"] = datetime.now(UTC)
        elif changed:
            changed["ends_at"] = NOW
        statement = update(GrantRow).where(GrantRow.id == grant.id).values(poll_at=NOW + poll_seconds, **changed)
        self._transactions.change(grant.client_id, lambda session: session.execute(statement))

    def secrets(self, grant: GrantRow) -> dict[str, str]:
        """The secrets of a grant. Raises Unreadable."""
        return self._cipher.open(owner_of(grant.stored), sealed_in(grant.stored))

    def _revoke(self, grant: GrantRow, deadline: Deadline) -> bool | None:
        """Whether the vendor has ended the grant; None if it has no endpoint for that, or there is no token."""
        row, cloud = grant.stored, self._clouds.get(grant.stored.vendor)
        consent = cloud.consents.get(row.type) if cloud else None
        if consent is None:
            return None
        try:
            # So that no renewal replaces the token meanwhile. The lease ends with the row.
            self._tokens.lease(row.id, random.token_hex(16), LEASE_SECONDS)
            token, opened = self._tokens.read(row.id), self._stored.find(row.id, row.client_id, GRANT_ID)
            return (consent.revoke(opened[1], token, deadline) or None) if token and opened else None
        except VendorError as failure:
            logger.warning("a grant was not ended at its vendor", row=row.id, code=failure.code)
            return False

    def _account_hash(self, vendor: str, type: str, application: str, account: str) -> str:
        text = json.dumps([vendor, type, application, account])
        return blake2b(text.encode(), key=self._account_key, digest_size=32).hexdigest()

    @staticmethod
    def _same_account(
        session: Session, client_id: str, account_hash: str | None, credentials_id: str | None, replaces: str | None
    ) -> GrantRow | None:
        """The grant of the same account and application, first of all that whose owner was asked again."""
        if account_hash is None:
            return None
        query = select(GrantRow).where(GrantRow.client_id == client_id, GrantRow.account_hash == account_hash)
        same = [
            grant
            for grant in session.scalars(query.order_by(GrantRow.id))
            if grant.id == replaces or grant.credentials_id == credentials_id
        ]
        return max(same, key=lambda grant: grant.id == replaces, default=None)

    @staticmethod
    def _new(session: Session, client_id: str, vendor: str, type: str, name: str | None) -> GrantRow:
        grant_limits.refuse_beyond(session, client_id)
        of_vendor = select(GrantRow).where(
            GrantRow.client_id == client_id, GrantRow.stored.has(VendorCredentialRow.vendor == vendor)
        )
        row = VendorCredentialRow(id=new_id(GRANT_ID), client_id=client_id, vendor=vendor, type=type, is_grant=True)
        row.created_at = datetime.now(UTC)
        row.name = name or f"{vendor} owner {grant_limits.count(session, of_vendor) + 1}"
        row.key_id = row.ciphertext = ""
        grant = GrantRow(id=row.id, client_id=client_id)
        grant.status = Status.PENDING
        session.add(row)
        session.flush()
        session.add(grant)
        return grant

    def _store_token(self, session: Session, row: VendorCredentialRow, grant: GrantRow, granted: Granted) -> None:
        """Stores the first token. A renewal that is under way loses its lease, and cannot write over it."""
        application = session.get(VendorCredentialRow, grant.credentials_id) if grant.credentials_id else None
        credential = Opener(self._cipher, self._rules).open(Source(row, grant, application))
        tokens = self._clouds[row.vendor].tokens
        token = tokens.stamped(credential, granted.token) if tokens else granted.token
        session.add(VendorTokenRow(id=row.id, **token_values(self._cipher, row, token)))
        grant.refresh_until = NOW + granted.refresh_seconds if granted.refresh_seconds else None


def _one(client_id: str, id: str) -> Select[GrantRow]:
    return select(GrantRow).where(GrantRow.client_id == client_id, GrantRow.id == possible_id(id, GRANT_ID))


def _inline_application(variant: Variant, secrets: Mapping[str, str]) -> str:
    """The id of an application that came inline; "" where there is none, as with typed keys."""
    return next((secrets[name] for name, part in variant.members.items() if part == CLIENT_ID and name in secrets), "")
