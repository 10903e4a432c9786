"""Isolation: how requests to healthy vendors fare with and without clients that wait for a hung vendor, in one run."""

import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from statistics import quantiles

import requests

from benchmarks.servers import TIMEOUT_SECONDS, python, running
from tests.ports import free_port
from tests.processes import BEYOND_REACH

STUCK, HEALTHY = 64, 8
HUNG = "solaredge"
VENDORS = ("sma", "solis")
SECONDS = 10.0
FAULTS: dict[str, dict[str, object]] = {"hangs": {"hang": True}, "drips": {"drip": {"part": "body", "every": 0.05}}}
DEADLINE, SITES = 5, 8


class SandboxedService:
    """The service in front of the sandbox, whose vendors can hang."""

    def __init__(self, folder: str, sites: int) -> None:
        self.folder, self.sites = folder, sites
        self.clouds_port, self.service_port = free_port(), free_port()
        self.clouds, self.service = (f"http://127.0.0.1:{port}" for port in (self.clouds_port, self.service_port))
        self.session = requests.Session()
        self.session.trust_env = False

    @contextmanager
    def up(self, **settings: object) -> Iterator["SandboxedService"]:
        flask = python("-m", "flask", "--app", "wsgi")
        environ = {
            "INSTANCE_PATH": self.folder,
            "DATABASE_URL": "",
            "WEB_CONCURRENCY": 2,
            "LOG_LEVEL": "ERROR",
            **BEYOND_REACH,
            "DRAIN_SECONDS": 0,
            **settings,
        }
        sandbox = [*flask, "sandbox", "--sites", str(self.sites), "--port", str(self.clouds_port)]
        gunicorn = python("-m", "gunicorn", "wsgi:app")
        with (
            running(sandbox, self.clouds_port, environ),
            running(gunicorn, self.service_port, {**environ, "SANDBOX_URL": self.clouds, "PORT": self.service_port}),
        ):
            create = [*flask, "clients", "create", "bench"]
            child_environ = {**os.environ, **{name: str(value) for name, value in environ.items()}}
            created = subprocess.run(create, env=child_environ, capture_output=True, check=True)
            client = json.loads(created.stdout)
            auth = (client["client_id"], client["client_secret"])
            form = {"grant_type": "client_credentials"}
            url = f"{self.service}/oauth2/token"
            token = self.session.post(url, data=form, auth=auth, timeout=TIMEOUT_SECONDS).json()
            self.session.headers["Authorization"] = f"Bearer {token['access_token']}"
            yield self

    def headers(self, vendors: tuple[str, ...]) -> dict[str, str]:
        accounts = self.session.get(self.clouds, timeout=TIMEOUT_SECONDS).json()["vendors"]
        return {name: value for vendor in vendors for name, value in accounts[vendor]["headers"].items()}

    def fault(self, vendor: str, fault: dict[str, object]) -> None:
        self.session.put(f"{self.clouds}/faults/{vendor}", json=fault, timeout=TIMEOUT_SECONDS).raise_for_status()


class Load:
    """Clients of the service, each of which sends one request after another."""

    def __init__(self, bench: "SandboxedService", deadline: float) -> None:
        self._bench, self._deadline = bench, deadline
        self._healthy = bench.headers(VENDORS)
        self._stuck = bench.headers((*VENDORS, HUNG))
        self._timeout_seconds = 4 * deadline
        self.incomplete = 0
        """Number of incomplete answers, which are not counted in the rates."""

    def healthy(self) -> list[float]:
        """Sends requests to healthy vendors; the seconds that each took."""
        ends = time.monotonic() + SECONDS
        with ThreadPoolExecutor(HEALTHY) as pool:
            return [
                took for client in [pool.submit(self._client, ends) for _ in range(HEALTHY)] for took in client.result()
            ]

    def _client(self, ends: float) -> list[float]:
        took = []
        with requests.Session() as session:
            while (started := time.monotonic()) < ends:
                answer = self._get(session, self._healthy)
                if answer["errors"]:
                    self.incomplete += 1
                else:
                    took.append(time.monotonic() - started)
        return took

    @contextmanager
    def stuck(self) -> Iterator[list[float]]:
        """Runs clients that also need the hung vendor and send one request per deadline; the seconds that each took."""
        stop, took = threading.Event(), list[float]()

        def client(number: int) -> None:
            stop.wait(self._deadline * number / STUCK)
            with requests.Session() as session:
                while not stop.is_set():
                    started = time.monotonic()
                    answer = self._get(session, self._stuck)
                    took.append(time.monotonic() - started)
                    self.incomplete += list(answer["errors"]) != [HUNG] or not answer["solar-inverters"]
                    stop.wait(max(0.0, self._deadline - took[-1]))

        with ThreadPoolExecutor(STUCK) as pool:
            clients = [pool.submit(client, number) for number in range(STUCK)]
            yield took
            stop.set()
            for client_result in clients:
                client_result.result()

    def _get(self, session: requests.Session, headers: dict[str, str]) -> dict[str, dict[str, str]]:
        headers = {"Authorization": str(self._bench.session.headers["Authorization"]), **headers}
        answer = session.get(f"{self._bench.service}/solar-inverters", headers=headers, timeout=self._timeout_seconds)
        body: dict[str, dict[str, str]] = answer.json()
        return body


def p95(took: list[float]) -> float:
    return quantiles(took, n=20)[-1]


def measure() -> None:
    """Prints rate and p95 of the healthy requests, alone and together with the stuck clients."""
    with (
        tempfile.TemporaryDirectory() as folder,
        SandboxedService(folder, SITES).up(REQUEST_DEADLINE=DEADLINE) as service,
    ):
        compare(service, DEADLINE)


def compare(bench: "SandboxedService", deadline: float) -> None:
    load = Load(bench, deadline)
    load.healthy()
    print(f"\n{HEALTHY} clients that do not use {HUNG}, alone and together with {STUCK} clients that do while it")
    print(f"{'':6} {'requests/s':>20} {'ratio':>6} {'p95 ms':>20} {'ratio':>6} {'stuck, slowest s':>17}")
    for name, fault in FAULTS.items():
        alone = load.healthy()
        bench.fault(HUNG, fault)
        with load.stuck() as waits:
            time.sleep(deadline / 2)
            together = load.healthy()
        bench.fault(HUNG, {})
        time.sleep(deadline)
        rates = [len(took) / SECONDS for took in (alone, together)]
        tails = [1000 * p95(took) for took in (alone, together)]
        print(
            f"{name:6} {rates[0]:9.0f} {rates[1]:10.0f} {rates[1] / rates[0]:6.2f} "
            f"{tails[0]:9.1f} {tails[1]:10.1f} {tails[1] / tails[0]:6.2f} {max(waits):17.1f}"
            + (f"  {load.incomplete} not complete" if load.incomplete else ""),
            flush=True,
        )
        load.incomplete = 0
