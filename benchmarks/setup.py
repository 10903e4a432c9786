"""What is measured: this service and its peers, each before the same fake clouds."""

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

NODE = ROOT / "benchmarks/peers/node"
OURS = "this service"
PEERS_FOLDER = ROOT / "benchmarks/peers"
GUNICORN = ("-m", "gunicorn", "--bind", "127.0.0.1:{port}", "--workers", "2", "-k")
FLASK = (*GUNICORN, "gthread", "--threads", "64", "benchmarks.peers.flask_peer:app")
TWICE = "aiohttp, twice"
# Name: the command, and what it is told by its environment.
PEERS: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "aiohttp": (("-m", "benchmarks.peers.aiohttp_peer", "{port}"), {}),
    TWICE: ((*GUNICORN, "aiohttp.GunicornUVLoopWebWorker", "benchmarks.peers.aiohttp_peer:made"), {}),
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
    """Headers for these vendors; the same in every request, unless distinct."""
    found = {name: value for name, value in CREDENTIALS.items() if name.split("-")[-1] in vendors or "api-key" in name}
    wanted = {name: value for name, value in found.items() if "api-key" not in name or name.split("-")[1] in vendors}
    if distinct:
        return wanted
    return {name: value.replace("{n}", "1").replace("{basic}", "MTptYWRlLXVw") for name, value in wanted.items()}


class Bench:
    """Makes clouds and servers in a folder of its own."""

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
            made = subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=NODE, capture_output=True, check=False)
            return made.returncode == 0
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
        """The server, and the headers by which it knows its clients. Peers are told what to call."""
        port = free_port()
        arguments, environ = PEERS[name]
        command = [part.format(port=port) for part in arguments]
        # Not in our folder: gunicorn would take our settings.
        folder = ROOT if name == OURS else NODE if command[0] == "node" else PEERS_FOLDER
        ca_file = str(self.ca_file) if clouds.url.startswith("https") else ""
        if name == OURS:
            environ = self._settings(port, clouds, ca_file) | {key: str(value) for key, value in settings.items()}
        else:
            told = json.dumps({vendor: asdict(flow) for vendor, flow in flows.items()})
            environ = {**environ, "CLOUDS": clouds.url, "CA_FILE": ca_file, "FLOWS": told, "PYTHONPATH": str(ROOT)}
        with running(command if command[0] == "node" else python(*command), port, environ, folder) as server:
            server.friends = [clouds]
            server.friends_cpu_seconds()
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
        }

    @staticmethod
    def _token(server: Server, environ: dict[str, str]) -> dict[str, str]:
        command = python("-m", "flask", "--app", "wsgi", "clients", "create", "bench")
        made = subprocess.run(command, env={**os.environ, **environ}, cwd=ROOT, capture_output=True, check=True)
        client = json.loads(made.stdout)
        auth = (client["client_id"], client["client_secret"])
        form = {"grant_type": "client_credentials"}
        answer = requests.post(f"{server.url}/oauth2/token", form, auth=auth, timeout=20)
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}
