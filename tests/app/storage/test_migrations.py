"""Migrations: forward and back with rows in every table, and rules that let the former release's processes go on."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from flask import Flask
from sqlalchemy import Engine, MetaData, create_engine, insert, inspect, select, text

from app.storage.database import MIGRATIONS, Base, Database
from tests.app.storage.rows import add_rows
from tests.app.support import run

Rows = Mapping[str, Sequence[Mapping[str, Any]]]
SCRIPTS: list[Script] = list(ScriptDirectory(str(MIGRATIONS)).walk_revisions())[::-1]
REVISIONS = [script.revision for script in SCRIPTS]


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database of the newest revision."""
    with closing(Database(database_url)) as database:
        database.upgrade()
        yield database


def tables(database: Database) -> MetaData:
    """The tables as they are in the database."""
    metadata = MetaData()
    metadata.reflect(database.engine)
    metadata.remove(metadata.tables["alembic_version"])
    database.engine.dispose()
    return metadata


def rows(database: Database, metadata: MetaData) -> Rows:
    """All rows, as the database has them."""
    with database.engine.connect() as connection:
        return {
            table.name: sorted((dict(row._mapping) for row in connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }


def without(known: Rows, metadata: MetaData) -> Rows:
    """Those parts of rows for which there are tables and columns."""
    return {
        table.name: sorted(({name: row[name] for name in table.columns.keys()} for row in known[table.name]), key=repr)  # noqa: SIM118 - columns are no mapping
        for table in metadata.sorted_tables
    }


@pytest.mark.databases
def test_rows_survive_every_step_back_and_forward_and_former_releases_can_write(database: Database) -> None:
    with database.session() as session:
        add_rows(session, "house", expires_at=1)
    newest = tables(database)
    known = rows(database, newest)
    assert set(known) == set(Base.metadata.tables)
    assert all(known.values()), "rows in every table"
    former = {REVISIONS[-1]: newest}
    for revision in REVISIONS[-2::-1]:
        database.downgrade(revision)
        former[revision] = tables(database)
        assert rows(database, former[revision]) == without(known, former[revision]), revision
    for revision in REVISIONS:
        database.upgrade(revision)
        assert set(tables(database).tables) == set(former[revision].tables)
        assert rows(database, former[REVISIONS[0]]) == without(known, former[REVISIONS[0]]), revision
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    for revision, metadata in former.items():
        write_as_before(database, metadata, newest, without(known, metadata))
        assert rows(database, metadata) == without(known, metadata), revision


def write_as_before(database: Database, former: MetaData, newest: MetaData, known: Rows) -> None:
    """Empties the tables, and writes rows as a release did that knew only the former columns."""
    with database.engine.begin() as connection:
        for table in reversed(newest.sorted_tables):
            connection.execute(table.delete())
        for table in former.sorted_tables:
            connection.execute(insert(table), known[table.name])


def test_the_command_takes_the_tables_back_only_if_confirmed(app: Flask) -> None:
    assert run(app, "db", "downgrade", REVISIONS[0]).exit_code == 1
    engine = app.extensions["services"].database.engine
    assert set(Base.metadata.tables) < set(inspect(engine).get_table_names())
    assert run(app, "db", "downgrade", REVISIONS[0], "--yes").exit_code == 0
    assert set(inspect(engine).get_table_names()) == {"clients", "resources", "alembic_version"}
    assert run(app, "db", "upgrade").exit_code == 0
    assert set(Base.metadata.tables) < set(inspect(engine).get_table_names())
    unknown = run(app, "db", "downgrade", "9999", "--yes")
    assert (unknown.exit_code, len(unknown.stderr.splitlines())) == (1, 1)


@dataclass(frozen=True)
class Schema:
    """Columns of every table by name, and the columns of its unique constraints."""

    columns: Mapping[str, Mapping[str, Any]]
    unique: Mapping[str, set[tuple[str | None, ...]]]

    @classmethod
    def of(cls, engine: Engine) -> "Schema":
        inspector = inspect(engine)
        names = inspector.get_table_names()
        columns = {table: {column["name"]: column for column in inspector.get_columns(table)} for table in names}
        unique = {
            table: {tuple(key["column_names"]) for key in inspector.get_unique_constraints(table)} for table in names
        }
        engine.dispose()
        return cls(columns, unique)


def refusals(before: Schema, after: Schema) -> list[str]:
    """Changes of a migration on which statements of the former release would fail."""
    faults = [f"the table {table} is gone" for table in before.columns.keys() - after.columns.keys()]
    for table in before.columns.keys() & after.columns.keys():
        old, new = before.columns[table], after.columns[table]
        faults += [f"{table}.{name} is gone" for name in old.keys() - new.keys()]
        faults += [f"{table}.{name} {why}" for name, column in new.items() if (why := refusal(old.get(name), column))]
        faults += [
            f"{table} has a new unique constraint on {key}" for key in after.unique[table] - before.unique[table]
        ]
    return faults


def refusal(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> str:
    """Why a column refuses what the former release writes; empty if it does not."""
    if old is None:
        return "" if new["nullable"] or new["default"] is not None else "is new, and a row without it is refused"
    if str(old["type"]) != str(new["type"]):
        return "has another type"
    return "must no longer be NULL" if old["nullable"] and not new["nullable"] else ""


@pytest.mark.parametrize("script", SCRIPTS, ids=REVISIONS)
def test_a_migration_refuses_nothing_that_the_former_release_does_unless_it_says_so(
    script: Script, tmp_path: Path
) -> None:
    with closing(Database(f"sqlite:///{tmp_path / 'derapi.db'}")) as database:
        if script.down_revision:
            database.upgrade(str(script.down_revision))
        before = Schema.of(database.engine)
        database.upgrade(script.revision)
        faults = refusals(before, Schema.of(database.engine))
    noted = getattr(script.module, "CONTRACTS", "")
    assert not faults or len(noted) > 20, f"{script.revision} needs CONTRACTS = ..., see docs/upgrade.md: {faults}"
    assert faults or not noted, "nothing is dropped: no note is needed"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("ALTER TABLE clients RENAME COLUMN name TO title", "clients.name is gone"),
        ("ALTER TABLE clients DROP COLUMN mode", "clients.mode is gone"),
        ("DROP TABLE sites", "the table sites is gone"),
        ("ALTER TABLE clients ADD COLUMN color TEXT NOT NULL DEFAULT 'red'", None),
        ("ALTER TABLE clients ADD COLUMN color TEXT", None),
        ("CREATE TABLE more (id TEXT PRIMARY KEY, name TEXT NOT NULL)", None),
        (
            "DROP TABLE sites; CREATE TABLE sites (id TEXT PRIMARY KEY, size INTEGER NOT NULL, color TEXT NOT NULL)",
            "sites.color is new, and a row without it is refused",
        ),
        ("DROP TABLE sites; CREATE TABLE sites (id TEXT PRIMARY KEY, size TEXT)", "sites.size has another type"),
        (
            "DROP TABLE sites; CREATE TABLE sites (id TEXT PRIMARY KEY, size INTEGER NOT NULL)",
            "sites.size must no longer be NULL",
        ),
        (
            "DROP TABLE sites; CREATE TABLE sites (id TEXT PRIMARY KEY, size INTEGER UNIQUE)",
            "sites has a new unique constraint on ('size',)",
        ),
    ],
)
def test_a_made_up_migration_that_the_former_release_cannot_bear_is_noticed(
    change: str, fault: str | None, tmp_path: Path
) -> None:
    def made(*changes: str) -> Engine:
        engine = create_engine(f"sqlite:///{tmp_path / str(len(changes))}")
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE clients (id TEXT PRIMARY KEY, name TEXT, mode TEXT)"))
            connection.execute(text("CREATE TABLE sites (id TEXT PRIMARY KEY, size INTEGER)"))
            for statement in changes:
                connection.execute(text(statement))
        return engine

    faults = refusals(Schema.of(made()), Schema.of(made(*change.split("; "))))
    assert (fault in faults) if fault else faults == []
