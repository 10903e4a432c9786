"""Access tokens of stored credentials in the database, and the leases under which they are renewed.

All times are those of the database's clock, and each change is a single statement: hosts whose clocks differ, and
processes that were killed, cannot renew a token twice at once or lose one.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TypeVar

from sqlalchemy import Update, exists, literal, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from app.credentials.cipher import TOKEN, Cipher, Sealed, Unreadable
from app.credentials.rows import owner_of
from app.credentials.status import Status
from app.fleet.vendor_problems import DatabaseUnavailable
from app.storage.column_types import DatabaseTime
from app.storage.credential_tables import VendorCredentialRow, VendorTokenRow
from app.storage.database import Database
from app.storage.grant_table import GrantRow
from vendors.kit.errors import Busy
from vendors.kit.tokens.store import Token

T = TypeVar("T")

NOW = DatabaseTime()
ACCESS, REFRESH, FORMER, MADE_WITH = "access", "refresh", "former", "made_with"
REFRESH_UNTIL = NOW + GrantRow.refresh_seconds
# A change may wait for the locks of others; a token that is not stored is lost.
CHANGE_SECONDS = 10.0


class TokensUnavailable(DatabaseUnavailable):
    """Access tokens cannot be read or stored."""

    says = "The service cannot reach its database, which holds the access tokens."


class DatabaseTokens:
    """The kit's TokenStore on the database."""

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database, self._cipher = database, cipher
        self.on_loss: Callable[[str], object] = lambda client_id: None
        """Called with the client whose grant was lost."""

    def read(self, row: str) -> Token | None:
        """The token that was written last; None if there is none that can be read."""
        query = select(
            VendorCredentialRow, VendorTokenRow.key_id, VendorTokenRow.ciphertext, VendorTokenRow.expires_at - NOW
        )
        query = query.join(VendorTokenRow, VendorTokenRow.id == VendorCredentialRow.id)
        query = query.where(VendorTokenRow.id == row, VendorTokenRow.ciphertext.is_not(None))
        stored: Any = self._answer(lambda: self._database.look_up(lambda session: session.execute(query).first()))
        if stored is None:
            return None
        credential, key_id, ciphertext, seconds = stored
        try:
            secrets = self._cipher.open(owner_of(credential, TOKEN), Sealed(key_id, ciphertext))
        except Unreadable:
            # The alarm is in the log. A new token takes its place.
            return None
        return Token(secrets[ACCESS], seconds, secrets.get(REFRESH), secrets[MADE_WITH], secrets.get(FORMER))

    def lease(self, row: str, holder: str, seconds: float) -> bool:
        """Takes the right to renew the token, for so many seconds; False while another renewal has it. Raises Busy if
        the credential was deleted: no wait for another renewal would end."""

        def take(session: Session) -> bool:
            dialect: Any = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
            lease = select(VendorCredentialRow.id, literal(holder), NOW + seconds).where(VendorCredentialRow.id == row)
            insert = dialect.insert(VendorTokenRow).from_select(["id", "lease_holder", "lease_until"], lease)
            is_free = or_(VendorTokenRow.lease_until.is_(None), VendorTokenRow.lease_until <= NOW)
            statement = insert.on_conflict_do_update(
                index_elements=[VendorTokenRow.id],
                set_={"lease_holder": insert.excluded.lease_holder, "lease_until": insert.excluded.lease_until},
                where=or_(is_free, VendorTokenRow.lease_holder == holder),
            )
            # Otherwise the number of rows is not known of an INSERT.
            options = {"preserve_rowcount": True}
            return session.connection().execute(statement, execution_options=options).rowcount > 0

        try:
            was_taken = self._change(take)
        except IntegrityError:
            # The credential was deleted while the lease was being taken.
            was_taken = False
        if not was_taken and self._answer(lambda: self._database.get(VendorCredentialRow, row)) is None:
            raise Busy(why="the credentials were deleted")
        return was_taken

    def write(self, row: str, holder: str, token: Token) -> bool:
        """Stores a renewed token and ends the lease; False, and stores nothing, if the lease is no longer the holder's
        or the credential was deleted."""
        credential = self._answer(lambda: self._database.get(VendorCredentialRow, row))
        if credential is None:
            return False
        values = token_values(self._cipher, credential, token)
        statement = _of_lease(row, holder).values(lease_holder=None, lease_until=None, **values)
        is_rotated = token.refresh is not None and credential.is_grant and self._is_new(row, token.refresh)

        def write(session: Session) -> bool:
            was_written = session.connection().execute(statement).rowcount > 0
            if was_written and is_rotated:
                session.execute(update(GrantRow).where(GrantRow.id == row).values(refresh_until=REFRESH_UNTIL))
            return was_written

        return self._change(write)

    def _is_new(self, row: str, refresh: str) -> bool:
        """Whether the vendor has given a new refresh token, which lives from now on."""
        present = self.read(row)
        return present is None or present.refresh != refresh

    def release(self, row: str, holder: str) -> None:
        """Ends the lease without a token, if the holder still has it."""
        statement = _of_lease(row, holder).values(lease_holder=None, lease_until=None)
        self._change(lambda session: session.connection().execute(statement).rowcount > 0)

    def lost(self, row: str) -> None:
        """Notes that the owner of a grant has to give consent again, unless that has happened: a new consent ends the
        lease of the renewal that has failed."""
        is_leased = exists().where(VendorTokenRow.id == row, VendorTokenRow.lease_holder.is_not(None))
        statement = update(GrantRow).where(GrantRow.id == row, is_leased).values(status=Status.NEEDS_CONSENT)
        client_ids = self._change(lambda session: session.scalars(statement.returning(GrantRow.client_id)).all())
        for client_id in client_ids:
            self.on_loss(client_id)

    def _change(self, change: Callable[[Session], T]) -> T:
        return self._answer(lambda: self._database.run(change, CHANGE_SECONDS))

    def _answer(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except IntegrityError:
            raise
        except SQLAlchemyError as error:
            raise TokensUnavailable(why=type(error).__name__) from error


def token_values(cipher: Cipher, row: VendorCredentialRow, token: Token) -> dict[str, Any]:
    """The columns of a token."""
    members = {ACCESS: token.access, REFRESH: token.refresh, FORMER: token.former, MADE_WITH: token.made_with}
    secrets = {name: value for name, value in members.items() if value is not None}
    return {**asdict(cipher.seal(owner_of(row, TOKEN), secrets)), "expires_at": NOW + token.seconds}


def _of_lease(row: str, holder: str) -> Update:
    """A change of a row whose lease the holder has. An expired one is still the holder's until another takes it."""
    return update(VendorTokenRow).where(VendorTokenRow.id == row, VendorTokenRow.lease_holder == holder)
