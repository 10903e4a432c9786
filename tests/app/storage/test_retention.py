"""Retention: every table and key in Redis has its line, and `flask prune` deletes what is over."""

import json
import time
from contextlib import closing
from typing import Any

import pytest
import redis
from flask import Flask
from sqlalchemy import func, select

from app.config import ROOT
from app.storage import retention
from app.storage.credential_tables import VendorCredentialRow, VendorTokenRow
from app.storage.database import Base, ClientRow, Database, IdTableRow
from app.storage.grant_table import GrantRow
from app.storage.owned import OWNED
from app.storage.redis_ledger import SharedLedger
from app.storage.sign_in_code_table import SignInCodeRow
from tests.app.storage.rows import add_rows
from tests.app.support import run
from vendors.kit import Rate, ReportedQuota

DOCUMENT = ROOT / "docs/retention.md"


@pytest.fixture
def database(app: Flask) -> Database:
    of_app: Database = app.extensions["services"].database
    return of_app


def counts(database: Database) -> dict[str, int]:
    """The number of rows of every table."""
    with database.session() as session:
        return {
            name: session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in Base.metadata.tables.items()
        }


def pruned(app: Flask, *options: str) -> dict[str, Any]:
    result = run(app, "prune", *options)
    assert result.exit_code == 0, result.output
    members: dict[str, Any] = json.loads(result.stdout)
    return members


def test_every_table_has_a_line_and_every_line_a_table() -> None:
    assert set(retention.TABLES) == set(Base.metadata.tables)


def test_rows_of_revoked_clients_are_over_in_every_table_that_belongs_to_clients() -> None:
    order = list(retention.OVER)
    assert set(OWNED) < set(order)
    for row in order:
        referred = {key.column.table.name for key in row.__table__.foreign_keys}  # type: ignore[attr-defined]
        earlier = {other.__tablename__ for other in order[: order.index(row)]}
        assert not referred & earlier, f"{row.__tablename__} comes before {referred & earlier} in OVER"


def test_every_key_in_redis_has_a_line_and_an_end(redis_url: str) -> None:
    with closing(SharedLedger(redis_url)) as ledger:
        ledger.count(Rate(calls=2, seconds=60), "a group")
        ledger.hold("a group", time.time() + 60)
        ledger.refused("a group")
        ledger.guess("a group", time.time() + 60)
        ledger.report("a group", ReportedQuota(Rate(calls=2, seconds=60), 1))
        ledger.add("requests-of-client:1", 1, 60)
        ledger.hold("revoked:a client", time.time() + 3600)
    server = redis.Redis.from_url(redis_url, decode_responses=True)
    keys = list(server.scan_iter())
    assert keys
    for key in keys:
        assert key.startswith(tuple(retention.REDIS)), f"{key} has no line in app/storage/retention.py"
        assert 0 < server.ttl(key) <= 86_400, key
    assert {prefix for prefix in retention.REDIS for key in keys if key.startswith(prefix)} == set(retention.REDIS)


def test_the_page_has_every_line_and_no_other_page_says_how_long_something_is_kept() -> None:
    page = DOCUMENT.read_text()
    lines = [*retention.TABLES.values(), *retention.REDIS.values(), *retention.ELSEWHERE]
    for kept in lines:
        assert f"| {kept.place} | {kept.content} | {kept.ends} |" in page
    assert page.count("\n| ") == len(lines) + 2, "a head and its rule, and the lines of the registry"
    assert "retention.md" in (ROOT / "docs/security.md").read_text()
    assert "for how long |" not in (ROOT / "docs/security.md").read_text()


@pytest.mark.databases
def test_nothing_is_over_while_clients_use_it(app: Flask, database: Database) -> None:
    with database.session() as session:
        add_rows(session, "house", expires_at=int(time.time()) + 60)
    before = counts(database)
    assert set(before) == {name for name, count in before.items() if count}, "rows in every table"
    assert set(pruned(app)["rows"].values()) == {0}
    assert counts(database) == before


@pytest.mark.databases
def test_what_requests_in_flight_wrote_for_a_revoked_client_is_deleted(app: Flask, database: Database) -> None:
    soon = int(time.time()) + 60
    with database.session() as session:
        add_rows(session, "house", expires_at=soon)
        add_rows(session, "gone", expires_at=soon, revoked_at=1)
    counted = pruned(app, "--dry-run")
    assert counted["dry_run"] is True
    assert counts(database)["virtual_devices"] == 2, "a dry run deletes nothing"
    printed = pruned(app)
    assert printed["rows"] == counted["rows"]
    # The vendors' own ids stay: other clients may have stored them.
    assert printed["rows"] == {
        "vendor_tokens": 1,
        "consent_links": 1,
        "join_attempts": 1,
        "join_flows": 1,
        "join_origins": 1,
        "join_sessions": 1,
        "control_orders": 1,
        "grants": 1,
        "vendor_credentials": 1,
        "idempotency_keys": 1,
        "virtual_control_events": 1,
        "virtual_devices": 1,
        "virtual_sites": 1,
        "sign_in_codes": 1,
        "control_leases": 0,
        "resources": 2,
        "former_secrets": 0,
    }
    left = counts(database)
    assert left.pop("clients") == 2
    assert left.pop("resources") == 4
    # They belong to no client.
    assert left.pop("vendor_keys") == left.pop("control_leases") == 2
    assert set(left.values()) == {1}


@pytest.mark.databases
def test_what_has_an_end_is_deleted_after_it(app: Flask, database: Database) -> None:
    with database.session() as session:
        add_rows(session, "house", expires_at=int(time.time()) - 1)
    over = {name: count for name, count in pruned(app)["rows"].items() if count}
    assert over == {
        "consent_links": 1,
        "join_sessions": 1,
        "sign_in_codes": 1,
        "idempotency_keys": 1,
        "control_leases": 1,
    }
    with database.session() as session:
        assert session.scalars(select(SignInCodeRow)).all() == []


@pytest.mark.databases
@pytest.mark.parametrize("status", ["pending", "rejected", "expired", "revoked"])
def test_consents_by_mail_are_deleted_some_days_after_their_end(app: Flask, database: Database, status: str) -> None:
    now = int(time.time())
    with database.session() as session:
        for client, ends_at, kind in (
            ("over", now - retention.UNGIVEN_SECONDS - 1, status),
            ("ended", now - retention.UNGIVEN_SECONDS + 600, status),
            ("given", now - retention.UNGIVEN_SECONDS - 1, "active"),
        ):
            add_rows(session, client, expires_at=now + 60)
            grant = session.get_one(GrantRow, f"{client}-credential")
            grant.status, grant.ends_at = kind, ends_at
            session.get_one(VendorCredentialRow, grant.id).is_grant = True
    deleted = {name: count for name, count in pruned(app)["rows"].items() if count}
    assert deleted == {"grants": 1, "vendor_credentials": 1}
    left = counts(database)
    assert {left[name] for name in ("grants", "vendor_credentials", "vendor_tokens", "consent_links")} == {2}


@pytest.mark.databases
def test_hashes_of_former_secrets_end_with_their_validity(app: Flask, database: Database) -> None:
    now = int(time.time())
    over, valid = ({"sha256": number * 64, "expires_at": now + seconds} for number, seconds in (("1", -1), ("2", 60)))
    with database.session() as session:
        add_rows(session, "house", expires_at=now + 60)
        session.get_one(ClientRow, "house").former_secrets = [over, valid]
    assert pruned(app)["rows"]["former_secrets"] == 1
    with database.session() as session:
        assert session.get_one(ClientRow, "house").former_secrets == [valid]


def test_tokens_whose_credentials_are_gone_are_deleted(app: Flask, database: Database) -> None:
    """Another program may have deleted the credentials: SQLite's own deletes no tokens with them."""
    with database.session() as session:
        add_rows(session, "house", expires_at=int(time.time()) + 60)
    with closing(database.engine.raw_connection()) as connection:
        connection.cursor().execute("PRAGMA foreign_keys = OFF")
        connection.cursor().execute(f"DELETE FROM {VendorCredentialRow.__tablename__}")
        connection.cursor().execute("PRAGMA foreign_keys = ON")
    assert pruned(app)["rows"]["vendor_tokens"] == 1
    with database.session() as session:
        assert session.scalars(select(VendorTokenRow)).all() == []


def test_ids_of_virtual_devices_end_with_the_devices_and_ids_of_vendors_stay(app: Flask, database: Database) -> None:
    with database.session() as session:
        session.add(IdTableRow(id="solr-1", vendor="virtual", kind="solar_inverter", key=["deleted"]))
        session.add(IdTableRow(id="solr-2", vendor="sma", kind="solar_inverter", key=["deleted"]))
    assert pruned(app)["rows"]["resources"] == 1
    with database.session() as session:
        assert [row.id for row in session.scalars(select(IdTableRow))] == ["solr-2"]
