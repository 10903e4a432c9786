"""Rows that belong to a client, and that end with it."""

from sqlalchemy import delete, inspect
from sqlalchemy.orm import Session

from app.storage.control_tables import ControlOrderRow
from app.storage.credential_tables import VendorCredentialRow
from app.storage.database import Base
from app.storage.grant_table import GrantRow
from app.storage.join_tables import JoinAttemptRow, JoinFlowRow, JoinOriginRow, JoinSessionRow
from app.storage.once_tables import IdempotencyKeyRow
from app.storage.sign_in_code_table import SignInCodeRow
from app.storage.virtual_tables import VirtualControlEventRow, VirtualDeviceRow, VirtualSiteRow

# Every table with a column client_id, a table before those that it refers to.
OWNED: tuple[type[Base], ...] = (
    JoinAttemptRow,
    JoinSessionRow,
    JoinFlowRow,
    JoinOriginRow,
    ControlOrderRow,
    IdempotencyKeyRow,
    GrantRow,
    VendorCredentialRow,
    VirtualControlEventRow,
    VirtualDeviceRow,
    VirtualSiteRow,
    SignInCodeRow,
)


def delete_owned(session: Session, client_id: str) -> dict[str, int]:
    """Deletes all that belongs to a client; the number of rows by table.

    Tables that the database lacks are left out: a client can be revoked before `db upgrade` has made them.
    """
    connection = session.connection()
    existing = inspect(connection)
    tables = [row.metadata.tables[row.__tablename__] for row in OWNED if existing.has_table(row.__tablename__)]
    return {
        str(table.name): connection.execute(delete(table).where(table.c.client_id == client_id)).rowcount
        for table in tables
    }
