"""A service that listens on a socket, and the official SDK's client of it."""

import json
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import requests
from derapi import AuthenticatedClient

from tests.ports import free_port
from tests.processes import FLASK, GUNICORN, SECONDS, clean, ended, read_until, started


@contextmanager
def sdk_service(folder: Path, database_url: str, mode: str, **settings: object) -> Iterator[tuple[str, str]]:
    """The service in two processes; yields its URL and the token of a client of this mode."""
    port = free_port()
    settings = {"SECRET_KEY": "s" * 32, "ID_KEY": "i" * 32, "DATABASE_URL": database_url} | settings
    environ = clean(PORT=port, INSTANCE_PATH=folder, WEB_CONCURRENCY=2, **settings)
    assert ended([*FLASK, "db", "upgrade"], environ).returncode == 0
    create = ["clients", "create", "x", "--mode", mode, "--scopes", "read credentials control"]
    client = json.loads(ended([*FLASK, *create], environ).stdout)
    with started(GUNICORN, environ | {"LOG_LEVEL": "INFO"}) as process:
        read_until(process, "listening")
        assert process.stdout is not None
        # Reads the log, so that the service does not wait for a full pipe.
        threading.Thread(target=process.stdout.read, daemon=True).start()
        url, auth = f"http://127.0.0.1:{port}", (client["client_id"], client["client_secret"])
        form = {"grant_type": "client_credentials"}
        yield url, requests.post(f"{url}/oauth2/token", form, auth=auth, timeout=SECONDS).json()["access_token"]


def sdk_client(url: str, token: str) -> AbstractContextManager[AuthenticatedClient]:
    """The SDK's client as its own tests make it."""
    headers = {"api-version": "v2024-09-01"}
    return AuthenticatedClient(url, token=token, headers=headers, raise_on_unexpected_status=True, timeout=SECONDS)
