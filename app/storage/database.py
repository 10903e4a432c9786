"""The database: SQLite by default, Postgres by setting. No session is open while a vendor is called."""

import contextvars
import fcntl
import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import alembic.command
import alembic.config
from sqlalchemy import JSON, BigInteger, Engine, Text, create_engine, event, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

logger = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).resolve().parent / "migrations"
# Connections per process. Two workers and a command stay below the 20 connections of Heroku's smallest Postgres.
CONNECTIONS = 8
# Look-ups of clients and ids, without which no request is answered, share no thread with longer work, which waits for
# locks and reads thousands of rows. Each thread holds one connection at most; the last one is for the writer of ids.
LOOK_UP_THREADS, WORK_THREADS = 4, 3
# How long a request waits for a look-up; a list is then answered without it.
READ_SECONDS = 2.0
# How much longer a caller waits for a commit that has begun when its time ends, to learn the result.
COMMIT_SECONDS = 2.0
# libpq takes any shorter connect_timeout for 2 seconds. The other values give up a host that vanished silently after
# some seconds, also in the middle of a result.
CONNECT_ARGS = {
    "connect_timeout": 2,
    "tcp_user_timeout": 5000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
}
UPGRADE_LOCK = 4_027_015_431  # any number, as long as it stays the same


T = TypeVar("T")


class Base(DeclarativeBase):
    """All tables."""


class ClientRow(Base):
    """A client of the API. Its secrets are kept as hashes only."""

    __tablename__ = "clients"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    mode: Mapped[str] = mapped_column(Text)  # "production" or "virtual"
    api_version: Mapped[str] = mapped_column(Text)  # applies when a request names none
    secret_sha256: Mapped[str] = mapped_column(Text)  # hexadecimal
    created_at: Mapped[int] = mapped_column(BigInteger)  # epoch seconds
    revoked_at: Mapped[int | None] = mapped_column(BigInteger)
    scopes: Mapped[str] = mapped_column(Text)  # with blanks between them
    # Secrets that were replaced: {"sha256": hexadecimal, "expires_at": epoch seconds} each.
    former_secrets: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    last_used_at: Mapped[int | None] = mapped_column(BigInteger)  # epoch seconds, some minutes late at most


class IdTableRow(Base):
    """Vendor and key behind a public id, and nothing else of the vendor's data."""

    __tablename__ = "resources"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    vendor: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    key: Mapped[list[str]] = mapped_column(JSON)


class Unanswered(SQLAlchemyError):
    """The database did not answer in time."""


class Database:
    """One engine and its sessions."""

    def __init__(self, url: str) -> None:
        # Threads, since drivers wait without end for a server that has stopped in the middle of a connection.
        self._look_ups = ThreadPoolExecutor(LOOK_UP_THREADS, thread_name_prefix="look-up")
        self._work = ThreadPoolExecutor(WORK_THREADS, thread_name_prefix="database")
        self.engine = _sqlite(url) if url.startswith("sqlite") else _postgres(url)
        # gunicorn loads the app before it forks: a child must not use its parent's connections.
        os.register_at_fork(after_in_child=lambda: self.engine.dispose(close=False))

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction: committed at the end, rolled back on an exception. Rows stay readable afterwards."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        """Ends its connections and threads."""
        self._look_ups.shutdown()
        self._work.shutdown()
        self.engine.dispose()

    def get(self, table: type[T], key: str) -> T | None:
        """The row with this primary key. Raises SQLAlchemyError, as a rule after READ_SECONDS at the latest."""
        return self.look_up(lambda session: session.get(table, key))

    def look_up(self, query: Callable[[Session], T]) -> T:
        """The result of a short query that a request cannot do without. Raises SQLAlchemyError as `get` does."""
        return self._run(self._look_ups, query, READ_SECONDS)

    def run(self, work: Callable[[Session], T], seconds: float) -> T:
        """The result of `work`, in a transaction. Raises SQLAlchemyError: Unanswered if it takes longer than `seconds`;
        the transaction is then rolled back."""
        return self._run(self._work, work, seconds)

    def start(self, work: Callable[[], object]) -> None:
        """Begins work with transactions in a thread of the database, and does not wait for it. Once the database is
        closed, nothing begins."""
        with suppress(RuntimeError):
            self._work.submit(work)

    def _run(self, threads: ThreadPoolExecutor, work: Callable[[Session], T], seconds: float) -> T:
        # Taken by the caller when it gives up, or by the thread when it commits: a caller that reports a failure would
        # make the change a second time.
        decision = threading.Lock()

        def transaction() -> T:
            with self.session() as session:
                result = work(session)
                session.flush()
                if not decision.acquire(blocking=False):
                    raise Unanswered("the caller has given up")
                return result

        # With the context of the request, whose id and secrets the log needs.
        running = threads.submit(partial(contextvars.copy_context().run, transaction))
        try:
            return running.result(seconds)
        except TimeoutError:
            running.cancel()
        if decision.acquire(blocking=False):
            raise Unanswered(f"no answer within {seconds:g} s")
        try:
            return running.result(COMMIT_SECONDS)
        except TimeoutError:
            raise Unanswered(f"no answer to the commit within {COMMIT_SECONDS:g} s") from None

    def upgrade(self, revision: str = "head") -> None:
        """Brings the tables up to date. Any number of processes may call this at once: they take turns."""
        self._migrate(alembic.command.upgrade, revision)

    def downgrade(self, revision: str) -> None:
        """Takes the tables back to an earlier revision; what only the newer ones hold is deleted."""
        self._migrate(alembic.command.downgrade, revision)

    def _migrate(self, command: Callable[[alembic.config.Config, str], None], revision: str) -> None:
        config = alembic.config.Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        with self._turn(), self.engine.connect() as connection:
            config.attributes["connection"] = connection
            command(config, revision)
        # Processes that are forked from this one must not find a connection here.
        self.engine.dispose()
        self.checkpoint()

    def checkpoint(self) -> None:
        """Moves what was committed from SQLite's log (WAL) into the file itself; nothing to do for Postgres.

        SQLite does so after some megabytes, and until then a copy of the file alone would lack it.
        """
        if self.engine.dialect.name != "sqlite":
            return
        try:
            # Does not wait: what another process is reading stays in the log until the next time.
            with closing(self.engine.raw_connection()) as connection:
                connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)")
        except (SQLAlchemyError, sqlite3.Error) as error:
            logger.warning("no checkpoint of the database was made: %s", error)
        self.engine.dispose()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        path = self.engine.url.database
        if self.engine.dialect.name != "sqlite" or path is None:
            with self.engine.begin() as holder:
                holder.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": UPGRADE_LOCK})
                yield
            return
        with open(f"{path}.lock", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            # Readers then do not wait for writers. The mode stays with the file; only a lone user can set it.
            with closing(self.engine.raw_connection()) as connection:
                connection.cursor().execute("PRAGMA journal_mode = WAL")
            yield


def _sqlite(url: str) -> Engine:
    engine = create_engine(url, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, record: object) -> None:
        # The driver would commit before each change of a table; a migration must be all or nothing.
        connection.isolation_level = None
        connection.execute("PRAGMA busy_timeout = 5000")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def _postgres(url: str) -> Engine:
    return create_engine(
        url,
        pool_size=CONNECTIONS // 2,
        max_overflow=CONNECTIONS // 2,
        pool_timeout=5,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args=CONNECT_ARGS,
    )
