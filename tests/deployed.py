"""The service as it is deployed: gunicorn with two worker processes, and one client."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.ports import free_port
from tests.processes import BEYOND_REACH, FLASK, GUNICORN, SECONDS, clean, ended, read_until, started


@contextmanager
def deployed(
    folder: Path, clouds_url: str, worker: str = "derapi", **settings: object
) -> Iterator[tuple[subprocess.Popen[str], str, dict[str, str]]]:
    """Starts the service; yields its process, its URL and the headers of a client that accepts no cached replies."""
    port = free_port()
    environ = clean(
        PORT=port,
        INSTANCE_PATH=folder,
        SANDBOX_URL=clouds_url,
        WEB_CONCURRENCY=2,
        WORKER=worker,
        LOG_LEVEL="WARNING",
        **{**BEYOND_REACH, **settings},
    )
    client = json.loads(ended([*FLASK, "clients", "create", "x"], environ).stdout)
    with started(GUNICORN, environ | {"LOG_LEVEL": "INFO"}) as process:
        read_until(process, "listening")
        assert process.stdout is not None
        # Reads the log, so that the service does not wait for a full pipe.
        threading.Thread(target=process.stdout.read, daemon=True).start()
        url = f"http://127.0.0.1:{port}"
        form = {"grant_type": "client_credentials"}
        auth = (client["client_id"], client["client_secret"])
        token = requests.post(f"{url}/oauth2/token", form, auth=auth, timeout=SECONDS).json()["access_token"]
        yield process, url, {"Authorization": f"Bearer {token}", "Cache-Control": "no-cache"}
