"""Migration 0005: clients of the former release keep their access, and its processes can go on making clients."""

from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256

import alembic.command
import alembic.config
import pytest
from sqlalchemy import text

from app.auth import scopes
from app.auth.clients import Clients
from app.storage.database import MIGRATIONS, Database

pytestmark = pytest.mark.databases
# As the former release writes it.
INSERT = text(
    "INSERT INTO clients (id, name, mode, api_version, secret_sha256, created_at) VALUES (:id, 'old', 'production', "
    "'v1', :hash, 1)"
)
HASH = sha256(b"x").hexdigest()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with closing(Database(database_url)) as opened:
        yield opened


def migrate(database: Database, to: str) -> None:
    config = alembic.config.Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        (alembic.command.downgrade if to == "0004" else alembic.command.upgrade)(config, to)


def insert(database: Database, client_id: str) -> None:
    with database.session() as session:
        session.execute(INSERT, {"id": client_id, "hash": HASH})


def test_clients_from_before_and_from_an_old_process_have_the_usual_scopes_and_their_secret(database: Database) -> None:
    database.upgrade()
    migrate(database, "0004")
    insert(database, "a" * 32)
    migrate(database, "0005")
    insert(database, "b" * 32)
    clients = Clients(database)
    for client_id in ("a" * 32, "b" * 32):
        client = clients.verified(client_id, "x")
        assert client is not None
        assert client.scopes == scopes.DEFAULT
    assert clients.rotate_secret("a" * 32, 60)
    assert clients.verified("a" * 32, "x")


def test_a_downgrade_keeps_the_clients_and_their_present_secret(database: Database) -> None:
    database.upgrade()
    clients = Clients(database)
    client_id, _ = clients.create("x", "production", "v1")
    secret = clients.rotate_secret(client_id, 60)
    migrate(database, "0004")
    database.upgrade()
    assert secret is not None
    assert clients.verified(client_id, secret)
