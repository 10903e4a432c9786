"""The sandbox and the service as child processes that listen on loopback only, and the clients of the demo.

Each server is a separate process group, so that Ctrl-C in the terminal reaches the demo only, which then ends both.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from app import config, network

HOST = "127.0.0.1"
START_SECONDS = 60.0  # enough for a slow machine to start both servers
FLASK = (sys.executable, "-m", "flask", "--app", "wsgi")
# The clients: what owners are shown as the name, and the mode. `fleet` is that of the page /fleet, and has stored
# credentials.
CLIENTS = {
    "production": ("Demo Energy", "production"),
    "virtual": ("Demo, virtual", "virtual"),
    "fleet": ("Demo, fleet", "production"),
}


class Server:
    """A server in a child process."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], log: Path, url: str) -> None:
        """Starts it; `url` answers once it is ready."""
        self._log, self._url = log, url
        with log.open("w") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                command, env=environ, stdout=output, stderr=output, cwd=config.ROOT, start_new_session=True
            )

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def wait_until_ready(self) -> None:
        """Returns when the URL answers; ends the program when the server ended or takes too long."""
        end = time.monotonic() + START_SECONDS
        with loopback_session() as session:
            while self.is_running and time.monotonic() < end:
                try:
                    session.get(self._url, timeout=START_SECONDS)
                except requests.RequestException:
                    time.sleep(0.1)
                else:
                    return
        raise SystemExit(f"{self._url} does not answer. The end of its log:\n{self._log.read_text()[-2000:]}")

    def stop(self) -> None:
        """Ends the server and its child processes."""
        for sign, seconds in ((signal.SIGTERM, 5), (signal.SIGKILL, None)):
            try:
                os.killpg(self._process.pid, sign)
                self._process.wait(seconds)
            except ProcessLookupError:
                return
            except subprocess.TimeoutExpired:
                continue


@dataclass(frozen=True)
class Client:
    """A client of the service, as `flask clients create` made it."""

    id: str
    secret: str


@dataclass(frozen=True)
class Servers:
    """Both servers, ready, and the clients by name."""

    service_url: str
    sandbox_url: str
    clients: Mapping[str, Client]
    processes: Sequence[Server]
    environ: Mapping[str, str]
    """For commands on the service's data."""

    def wait_for_an_end(self) -> None:
        """Returns when one of the servers has ended."""
        while all(process.is_running for process in self.processes):
            time.sleep(0.2)


def loopback_session() -> requests.Session:
    """A session without proxies: they cannot reach ports of this machine's loopback."""
    session = requests.Session()
    session.trust_env = False
    return session


@contextmanager
def running(folder: Path) -> Iterator[Servers]:
    """Runs both servers for the length of the block; their data and logs are in `folder`."""
    environ = environment(folder)
    ports = checked_ports(environ)
    service_url, sandbox_url = (f"http://{HOST}:{port}" for port in ports)
    environ["SANDBOX_URL"] = sandbox_url
    gunicorn = (sys.executable, "-m", "gunicorn", "--bind", f"{HOST}:{ports[0]}", "wsgi:app")
    with stopped_at_end(Server([*FLASK, "sandbox"], environ, folder / "sandbox.log", f"{sandbox_url}/")) as sandbox:
        # Meanwhile the sandbox computes its fleet.
        clients = {name: create_client(*client, environ) for name, client in CLIENTS.items()}
        with stopped_at_end(Server(gunicorn, environ, folder / "service.log", f"{service_url}/health")) as service:
            for server in (sandbox, service):
                server.wait_until_ready()
            yield Servers(service_url, sandbox_url, clients, (sandbox, service), environ)


@contextmanager
def stopped_at_end(server: Server) -> Iterator[Server]:
    try:
        yield server
    finally:
        server.stop()


def environment(folder: Path) -> dict[str, str]:
    """The environment of both servers. An empty value also hides a value in a file .env."""
    present = config.environment()
    by_vendor = (config.VENDOR_URL, config.VENDOR_LIMIT)
    hidden = {name: "" for name in present if name.startswith(by_vendor) or name in config.NAMES}
    ports = {name: present.get(name, "") for name in ("PORT", "SANDBOX_PORT")}
    # The same ids on every machine, so that the README shows what a newcomer sees. gunicorn reads the number of
    # processes itself and fails on an empty one.
    fixed = {"INSTANCE_PATH": str(folder), "ID_KEY": "a key for the demo only, known to all", "WEB_CONCURRENCY": "2"}
    # Ctrl-C ends the demo at once.
    return {**os.environ, **hidden, **ports, **fixed, "DEMO_SIGN_IN": "true", "DRAIN_SECONDS": "0"}


def checked_ports(environ: Mapping[str, str]) -> tuple[int, int]:
    """The ports of the service and the sandbox; ends the program with one sentence if one of them cannot be used."""
    settings = config.load(environ)
    if settings.port == settings.sandbox_port:
        raise SystemExit(f"PORT and SANDBOX_PORT are both {settings.port}: set one of them to another.")
    network.refuse_used_port(HOST, settings.port, "PORT")
    network.refuse_used_port(HOST, settings.sandbox_port, "SANDBOX_PORT")
    return settings.port, settings.sandbox_port


def create_client(name: str, mode: str, environ: Mapping[str, str]) -> Client:
    """Makes a client by the command that the documentation names."""
    command = [*FLASK, "clients", "create", name, "--mode", mode]
    created = subprocess.run(command, env=environ, cwd=config.ROOT, check=True, stdout=subprocess.PIPE)  # noqa: S603
    client = json.loads(created.stdout)
    return Client(client["client_id"], client["client_secret"])
