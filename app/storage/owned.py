"""Rows that belong to a client, and that end with it."""

from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.storage.credential_tables import VendorCredentialRow
from app.storage.database import Base
from app.storage.virtual_tables import VirtualDeviceRow, VirtualSiteRow

# Every table with a column client_id, a table before those that it refers to.
OWNED: tuple[type[Base], ...] = (VendorCredentialRow, VirtualDeviceRow, VirtualSiteRow)


def delete_owned(session: Session, client_id: str) -> dict[str, int]:
    """Deletes all that belongs to a client; the number of rows by table."""
    deleted = {}
    for row in OWNED:
        table = row.metadata.tables[row.__tablename__]
        result = session.connection().execute(delete(table).where(table.c.client_id == client_id))
        deleted[str(table.name)] = result.rowcount
    return deleted
