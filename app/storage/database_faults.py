"""Why the database could not be used, in one line with what to do, for those who start the service or its commands."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError

_NO_TABLES = "The database lacks tables of this version: run `flask --app wsgi db upgrade`"
_FULL = "The database's disk is full: make room and try again"
_READ_ONLY = "The database is read-only for this user: give it the right to write, also to the folder of an SQLite file"
_DAMAGED = "The database file is damaged or no SQLite database: put a backup in its place"
_HELD = "The database is held by another process: try again shortly"
_UNREACHABLE = "The database cannot be reached: check that it is there, and DATABASE_URL"
# Errors by SQLite's names and Postgres's states (SQLSTATE); the first pattern that fits counts.
_SENTENCES = (
    (re.compile("42P01|42703|3F000"), _NO_TABLES),
    (re.compile("SQLITE_FULL|53100"), _FULL),
    (re.compile("SQLITE_READONLY|25006|42501"), _READ_ONLY),
    (re.compile("SQLITE_NOTADB|SQLITE_CORRUPT"), _DAMAGED),
    (re.compile("SQLITE_BUSY|SQLITE_LOCKED|55P03"), _HELD),
    (re.compile("SQLITE_CANTOPEN|08|28|3D|57P"), _UNREACHABLE),
)
_MAX_CAUSE = 200  # characters


class DatabaseFault(Exception):
    """The database could not be used; the message is one line."""


@contextmanager
def in_one_line() -> Iterator[None]:
    """Turns what drivers, migrations and the system raise in the block into a DatabaseFault."""
    try:
        yield
    except CommandError as error:
        # The only one that a user can cause: the tables have a version of which there is no migration here.
        why = "The tables are of a newer version than this program: update it"
        raise DatabaseFault(f"{why} ({_first_line(error)}).") from error
    except (SQLAlchemyError, sqlite3.Error) as error:
        cause = getattr(error, "orig", None) or error
        raise DatabaseFault(f"{_sentence(cause)} ({_first_line(cause)}).") from error
    except OSError as error:
        if not error.filename:
            raise
        raise DatabaseFault(f"{_UNREACHABLE} and INSTANCE_PATH ({error.strerror}: {error.filename}).") from error


def _sentence(error: BaseException) -> str:
    # SQLite has one name for all faults of a statement, and ours fit our own tables.
    if re.match("no such (table|column)|table .* has no column", str(error)):
        return _NO_TABLES
    name = str(getattr(error, "sqlite_errorname", None) or getattr(error, "sqlstate", None) or "")
    for pattern, sentence in _SENTENCES:
        if pattern.match(name):
            return sentence
    # Without a name it is no answer of a database: no connection came about, or none was free.
    return "The database failed" if name else _UNREACHABLE


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:_MAX_CAUSE] if lines else type(error).__name__
