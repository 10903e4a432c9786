"""Faults of the database as one line with the remedy, for the operator who starts the service or a command."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError

NO_TABLES = "The database lacks tables of this version: run `flask --app wsgi db upgrade`"
FULL = "The database's disk is full: make room and try again"
READ_ONLY = "The database is read-only for this user: give it the right to write, also to the folder of an SQLite file"
DAMAGED = "The database file is damaged or no SQLite database: put a backup in its place"
HELD = "The database is held by another process: try again shortly"
UNREACHABLE = "The database cannot be reached: check that it is there, and DATABASE_URL"
# Errors by SQLite's names and Postgres's states (SQLSTATE); the first pattern that fits counts.
SENTENCES = (
    (re.compile("42P01|42703|3F000"), NO_TABLES),
    (re.compile("SQLITE_FULL|53100"), FULL),
    (re.compile("SQLITE_READONLY|25006|42501"), READ_ONLY),
    (re.compile("SQLITE_NOTADB|SQLITE_CORRUPT"), DAMAGED),
    (re.compile("SQLITE_BUSY|SQLITE_LOCKED|55P03"), HELD),
    (re.compile("SQLITE_CANTOPEN|08|28|3D|57P"), UNREACHABLE),
)
MAX_CAUSE = 200  # characters


class DatabaseFault(Exception):
    """The database could not be used; the message is one line."""


@contextmanager
def in_one_line() -> Iterator[None]:
    """Turns what drivers, migrations and the system raise in the block into a DatabaseFault."""
    try:
        yield
    except CommandError as error:
        # The only command error that an operator can cause: the tables have a version without a migration here.
        why = "The tables are of a newer version than this program: update it"
        raise DatabaseFault(f"{why} ({_first_line(error)}).") from error
    except (SQLAlchemyError, sqlite3.Error) as error:
        cause = getattr(error, "orig", None) or error
        raise DatabaseFault(f"{_sentence(cause)} ({_first_line(cause)}).") from error
    except OSError as error:
        if not error.filename:
            raise
        raise DatabaseFault(f"{UNREACHABLE} and INSTANCE_PATH ({error.strerror}: {error.filename}).") from error


def _sentence(error: BaseException) -> str:
    # SQLite has one error name for all faults of a statement; the service's own statements fit its own tables.
    if re.match("no such (table|column)|table .* has no column", str(error)):
        return NO_TABLES
    name = str(getattr(error, "sqlite_errorname", None) or getattr(error, "sqlstate", None) or "")
    for pattern, sentence in SENTENCES:
        if pattern.match(name):
            return sentence
    # An error without a name did not come from a database: no connection could be made, or none was free.
    return "The database failed" if name else UNREACHABLE


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:MAX_CAUSE] if lines else type(error).__name__
