"""The servers that are measured: this service and its peers, each in front of the same fake clouds."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import requests
import trustme

from benchmarks.flows import FLOWS, VENDORS, Flow
from benchmarks.servers import ROOT, Server, python, running
from tests.ports import free_port
from tests.processes import BEYOND_REACH

NODE = ROOT / "benchmarks/peers/node"
OURS = "this service"
PEERS_FOLDER = ROOT / "benchmarks/peers"
GUNICORN = ("-m", "gunicorn", "--bind", "127.0.0.1:{port}", "--workers", "2", "-k")
FLASK = (*GUNICORN, "gthread", "--threads", "64", "benchmarks.peers.flask_peer:app")
TWICE = "aiohttp, twice"
# By name: the command, and additions to its environment.
PEERS: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "aiohttp": (("-m", "benchmarks.peers.aiohttp_peer", "{port}"), {}),
    TWICE: ((*GUNICORN, "aiohttp.GunicornUVLoopWebWorker", "benchmarks.peers.aiohttp_peer:make_app"), {}),
    OURS: (("-m", "gunicorn", "wsgi:app"), {}),
    "fastapi+httpx": (("-m", "benchmarks.peers.fastapi_peer", "{port}"), {}),
    "fastify+undici": (("node", "server.js", "{port}"), {}),
    "flask, pool": (FLASK, {"WAY": "pool"}),
    "flask, one by one": (FLASK, {"WAY": "sequential"}),
}
CREDENTIALS = {
    "X-Authorization-sma": "Bearer sma-{n}",
    "X-Authorization-solis": "Basic {basic}",
    "X-Authorization-solaredge": "solaredge-{n}",
    "X-Authorization-enphase": "Bearer enphase-{n}",
    "X-enphase-api-key": "key-{n}",
    "X-Authorization-enphasevpp": "Bearer enphasevpp-{n}",
    "X-enphasevpp-api-key": "key-{n}",
    "X-Authorization-tesla": "Bearer tesla-{n}",
}


def credentials(vendors: tuple[str, ...] = VENDORS, *, distinct: bool = True) -> dict[str, str]:
    """Headers for these vendors; the same in every request unless `distinct`."""
    headers = {name: value for name, value in CREDENTIALS.items() if vendor_of(name) in vendors}
    if distinct:
        return headers
    return {name: value.replace("{n}", "1").replace("{basic}", "MTptYWRlLXVw") for name, value in headers.items()}


def vendor_of(header: str) -> str:
    """The vendor in a header's name: `X-Authorization-<vendor>` or `X-<vendor>-api-key`."""
    parts = header.split("-")
    return parts[1] if header.endswith("-api-key") else parts[2]


class Bench:
    """Runs clouds and servers with a temporary folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        authority = trustme.CA()
        self.ca_file = folder / "ca.pem"
        authority.cert_pem.write_to_path(self.ca_file)
        leaf = authority.issue_cert("127.0.0.1", "localhost")
        self._certificate, self._key = folder / "leaf.pem", folder / "leaf.key"
        leaf.cert_chain_pems[0].write_to_path(self._certificate)
        leaf.private_key_pem.write_to_path(self._key)
        self.without = [] if self._has_node() else ["fastify+undici"]
        """Peers that this machine cannot run."""

    @staticmethod
    def _has_node() -> bool:
        if shutil.which("node") is None or shutil.which("npm") is None:
            return False
        if not (NODE / "node_modules").exists():
            npm = subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=NODE, capture_output=True, check=False)
            return npm.returncode == 0
        return True

    @contextmanager
    def clouds(
        self, *, delay: float = 0.0, site_delay: float = 0.0, inverters: int = 10, sites: int = 1, tls: bool = False
    ) -> Iterator[Server]:
        port = free_port()
        command = python("-m", "benchmarks.clouds", "--port", port, "--delay", delay, "--inverters", inverters)
        command += ["--sites", str(sites), "--site-delay", str(site_delay)]
        if tls:
            command += ["--certificate", str(self._certificate), "--key", str(self._key)]
        with running(command, port, {}) as server:
            server.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
            yield server

    @contextmanager
    def server(
        self, name: str, clouds: Server, flows: Mapping[str, Flow] = FLOWS, **settings: object
    ) -> Iterator[tuple[Server, dict[str, str]]]:
        """Runs a server; yields it with the headers of a client. A peer finds its calls in its environment."""
        port = free_port()
        arguments, environ = PEERS[name]
        command = [part.format(port=port) for part in arguments]
        # Peers run in another folder, since gunicorn would read this project's gunicorn.conf.py.
        folder = ROOT if name == OURS else NODE if command[0] == "node" else PEERS_FOLDER
        ca_file = str(self.ca_file) if clouds.url.startswith("https") else ""
        if name == OURS:
            environ = self._settings(port, clouds, ca_file) | {key: str(value) for key, value in settings.items()}
        else:
            calls = json.dumps({vendor: asdict(flow) for vendor, flow in flows.items()})
            environ = {**environ, "CLOUDS": clouds.url, "CA_FILE": ca_file, "FLOWS": calls, "PYTHONPATH": str(ROOT)}
        with running(command if command[0] == "node" else python(*command), port, environ, folder) as server:
            server.helpers = [clouds]
            server.helpers_cpu_seconds()
            yield server, self._token(server, environ) if name == OURS else {}

    def _settings(self, port: int, clouds: Server, ca_file: str) -> dict[str, str]:
        return {
            "PORT": str(port),
            "SANDBOX_URL": clouds.url,
            "VENDOR_CA_FILE": ca_file,
            "INSTANCE_PATH": str(self._folder / "instance"),
            "DATABASE_URL": "",
            "REDIS_URL": "",
            "WEB_CONCURRENCY": "2",
            "LOG_LEVEL": "ERROR",
            **BEYOND_REACH,
            "DRAIN_SECONDS": "0",
        }

    @staticmethod
    def _token(server: Server, environ: dict[str, str]) -> dict[str, str]:
        command = python("-m", "flask", "--app", "wsgi", "clients", "create", "bench")
        created = subprocess.run(command, env={**os.environ, **environ}, cwd=ROOT, capture_output=True, check=True)
        client = json.loads(created.stdout)
        auth = (client["client_id"], client["client_secret"])
        form = {"grant_type": "client_credentials"}
        answer = requests.post(f"{server.url}/oauth2/token", form, auth=auth, timeout=20)
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}
