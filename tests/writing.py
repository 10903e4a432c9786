"""What a process of the service writes to the database, told over a pipe as soon as it is committed."""

from itertools import count

from app.auth.clients import Clients
from app.storage.database import Database
from app.storage.id_table import IdRow, IdTable

BATCH = 40
"""Rows of one transaction."""


def upgrade(url, told):
    """Makes the tables."""
    told.send("begun")
    Database(url).upgrade()


def write(url, told, name):
    """Clients, revocations and batches of ids without end; tells ("client" | "revoked" | "batch", which) of each."""
    database = Database(url)
    clients, resources = Clients(database), IdTable(database)
    for number in count():
        client_id, _ = clients.create(name, "production", "v1")
        told.send(("client", client_id))
        clients.revoke(client_id)
        told.send(("revoked", client_id))
        batch = f"{name}-{number}"
        # Without the moment's patience of a list: only what is written is told.
        resources._write([IdRow(f"{batch}-{row}", batch, "solr", ("key",)) for row in range(BATCH)])
        told.send(("batch", batch))
