"""The clients: how their secrets are stored and how long look-ups are cached."""

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.auth import scopes
from app.auth.clients import CACHE_SECONDS, ApiClient, Clients

pytestmark = pytest.mark.databases


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def clients(app: Flask, now: list[float]) -> Clients:
    return Clients(app.extensions["services"].database, clock=lambda: now[0])


@pytest.fixture
def elsewhere(app: Flask) -> Clients:
    """The same clients in another process, without a shared ledger."""
    return Clients(app.extensions["services"].database)


def test_secrets_have_256_bits_and_only_their_hash_is_stored(app: Flask, clients: Clients) -> None:
    client_id, secret = clients.create("one", "production", "v1")
    assert len(secret) == 43  # 32 bytes in base64
    assert clients.create("two", "production", "v1")[1] != secret
    with app.extensions["services"].database.engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM clients")).all()
    assert secret not in str(rows)
    assert client_id in str(rows)


def test_only_a_clients_own_complete_secret_is_right(clients: Clients) -> None:
    first_id, secret = clients.create("first", "production", "v1")
    second_id, other_secret = clients.create("second", "virtual", "v1")
    verified = clients.verified(first_id, secret)
    assert verified is not None
    assert verified.id == first_id
    for wrong in ("", secret[:-1], secret + "x", secret.upper(), other_secret):
        assert clients.verified(first_id, wrong) is None
    assert clients.verified(second_id, secret) is None
    assert clients.verified(first_id.upper(), secret) is None


def test_a_client_is_found_with_its_mode_and_version(clients: Clients) -> None:
    client_id, _ = clients.create("name", "virtual", "v2024-09-01")
    assert clients.find(client_id) == ApiClient(client_id, "name", "virtual", "v2024-09-01", scopes.DEFAULT)
    assert clients.find("unknown") is None


def test_a_look_up_is_cached_for_less_than_five_seconds(clients: Clients, elsewhere: Clients, now: list[float]) -> None:
    assert CACHE_SECONDS < 5
    client_id, _ = clients.create("name", "production", "v1")
    assert clients.find(client_id) is not None
    assert elsewhere.revoke(client_id)
    now[0] = CACHE_SECONDS - 0.1
    assert clients.find(client_id) is not None
    now[0] = CACHE_SECONDS
    assert clients.find(client_id) is None


def test_the_process_that_revokes_a_client_refuses_it_at_once(clients: Clients) -> None:
    client_id, _ = clients.create("name", "production", "v1")
    other, _ = clients.create("other", "production", "v1")
    assert clients.find(client_id) is not None
    assert clients.revoke(client_id)
    assert clients.find(client_id) is None
    assert clients.find(other) is not None


def test_a_revocation_is_permanent_and_keeps_its_first_time(clients: Clients) -> None:
    client_id, secret = clients.create("name", "production", "v1")
    assert clients.revoke(client_id)
    first = clients.all()[0].revoked_at
    assert clients.revoke(client_id)
    assert clients.all()[0].revoked_at == first
    assert first is not None
    assert clients.verified(client_id, secret) is None
    assert not clients.revoke("unknown")


def test_while_the_database_is_down_only_clients_that_were_seen_before_are_let_in(
    app: Flask, clients: Clients, elsewhere: Clients, now: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, _ = clients.create("seen", "production", "v1")
    unseen, _ = clients.create("unseen", "production", "v1")
    revoked, _ = clients.create("revoked", "production", "v1")
    elsewhere.revoke(revoked)
    assert clients.find(seen)
    assert clients.find(revoked) is None

    def down(*query: object) -> None:
        raise OperationalError("", {}, Exception())

    monkeypatch.setattr(app.extensions["services"].database, "get", down)
    now[0] += 60
    assert clients.find(seen)
    assert clients.find(revoked) is None
    with pytest.raises(OperationalError):
        clients.find(unseen)
