"""A process that writes to the database as the service does, and reports each commit over a pipe."""

from itertools import count

from app.auth.clients import Clients
from app.storage.database import Database
from app.storage.id_table import IdRow, IdTable

BATCH = 40
"""Rows of one transaction."""


def upgrade(url, reports):
    """Creates the tables."""
    reports.send("begun")
    Database(url).upgrade()


def write(url, reports, name):
    """Writes clients, revocations and batches of ids without end; reports each with its kind and name."""
    database = Database(url)
    clients, id_table = Clients(database), IdTable(database)
    for number in count():
        client_id, _ = clients.create(name, "production", "v1")
        reports.send(("client", client_id))
        clients.revoke(client_id)
        reports.send(("revoked", client_id))
        batch = f"{name}-{number}"
        # Not `remember`, which returns before the rows are written: only commits are reported.
        id_table._write([IdRow(f"{batch}-{row}", batch, "solr", ("key",)) for row in range(BATCH)])
        reports.send(("batch", batch))
