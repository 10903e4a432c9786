"""`make bench`: how long lists take through the service, beside the same calls made one vendor after another.

The service runs under gunicorn with one worker, the vendors' clouds in the sandbox, both on loopback; the peer is
this process, which sweeps the same clouds with the same plugins without the service. Each cell is the median of
several runs with its smallest and largest; the ratio is service by peer, pair by pair.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from statistics import median

import requests

from benchmarks import isolation
from vendors.kit import Deadline, Replies, Sweep, Transport, open_cloud
from vendors.kit.registry import discover

RUNS = 5
PATIENCE = 60
DEADLINE = 5
VENDORS = ("sma", "smasbox", "solaredge", "solis")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


def with_(environ: Mapping[str, object]) -> dict[str, str]:
    """The environment of this process and more."""
    return {**os.environ, **{name: str(value) for name, value in environ.items()}}


@contextmanager
def running(command: list[str], url: str, **environ: object) -> Iterator[None]:
    """A server as a child process, from its first answer to the end of the block."""
    process = subprocess.Popen(command, env=with_(environ), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends and process.poll() is None:
            try:
                requests.get(url, timeout=1)
                break
            except requests.RequestException:
                time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)


class Bench:
    """The service and the clouds behind it."""

    def __init__(self, folder: str, sites: int) -> None:
        self.folder, self.sites = folder, sites
        self.clouds = f"http://127.0.0.1:{free_port()}"
        self.service = f"http://127.0.0.1:{free_port()}"
        self.session = requests.Session()
        self.session.trust_env = False

    @contextmanager
    def up(self, **settings: object) -> Iterator["Bench"]:
        flask = [sys.executable, "-m", "flask", "--app", "wsgi"]
        own = {"INSTANCE_PATH": self.folder, "DATABASE_URL": "", "WEB_CONCURRENCY": 1, "LOG_LEVEL": "ERROR", **settings}
        sandbox = [*flask, "sandbox", "--sites", str(self.sites), "--port", self.clouds.rpartition(":")[2]]
        gunicorn = [sys.executable, "-m", "gunicorn", "wsgi:app"]
        port = self.service.rpartition(":")[2]
        with (
            running(sandbox, self.clouds, **own),
            running(gunicorn, f"{self.service}/health", **own, SANDBOX_URL=self.clouds, PORT=port),
        ):
            create = [*flask, "clients", "create", "bench"]
            made = subprocess.run(create, env=with_(own), capture_output=True, check=True)
            client = json.loads(made.stdout)
            auth = (client["client_id"], client["client_secret"])
            form = {"grant_type": "client_credentials"}
            token = self.session.post(f"{self.service}/oauth2/token", data=form, auth=auth, timeout=PATIENCE).json()
            self.session.headers["Authorization"] = f"Bearer {token['access_token']}"
            yield self

    def headers(self, vendors: tuple[str, ...]) -> dict[str, str]:
        found = self.session.get(self.clouds, timeout=PATIENCE).json()["vendors"]
        return {name: value for vendor in vendors for name, value in found[vendor]["headers"].items()}

    def listed(self, vendors: tuple[str, ...], headers: dict[str, str]) -> int:
        """Through the service, with fresh calls; the number of inverters."""
        headers = headers | {"Cache-Control": "no-cache"}
        answer = self.session.get(f"{self.service}/solar-inverters", headers=headers, timeout=PATIENCE).json()
        assert answer["errors"] == {}, answer["errors"]
        return len(answer["solar-inverters"])

    def swept(self, vendors: tuple[str, ...], headers: dict[str, str]) -> int:
        """The peer: one vendor after another."""
        count = 0
        for name in vendors:
            plugin = discover()[name]
            cloud = open_cloud(name, plugin, Transport(), Replies(), f"{self.clouds}/{name}")
            sweep = Sweep(cloud.open(plugin.credential_headers.read(name, headers), Deadline(PATIENCE)))
            sweep.run(lambda vendor: vendor.devices())
            assert sweep.failure is None, sweep.failure
            count += sum(type(record).__name__ == "SolarInverter" for record in sweep.records)
        return count

    def fault(self, vendor: str, fault: dict[str, object]) -> None:
        self.session.put(f"{self.clouds}/faults/{vendor}", json=fault, timeout=PATIENCE).raise_for_status()


def timed(call: Callable[[], int]) -> tuple[float, int]:
    started = time.perf_counter()
    count = call()
    return 1000 * (time.perf_counter() - started), count


def row(bench: Bench, title: str, vendors: tuple[str, ...]) -> None:
    headers = bench.headers(vendors)
    bench.listed(vendors, headers)
    service, peer, count = [], [], 0
    for _ in range(RUNS):
        took, count = timed(lambda: bench.listed(vendors, headers))
        alone, same = timed(lambda: bench.swept(vendors, headers))
        assert count == same, "the service and the peer must do the same job"
        service.append(took)
        peer.append(alone)
    ratio = median(one / other for one, other in zip(service, peer, strict=True))
    cells = [f"{median(cell):7.0f} ({min(cell):.0f}-{max(cell):.0f})" for cell in (service, peer)]
    print(f"{title:44} {count:6} {cells[0]:>22} {cells[1]:>22} {ratio:7.2f}", flush=True)


def main() -> None:
    print(f"{'list':44} {'items':>6} {'service ms':>22} {'one by one ms':>22} {'ratio':>7}")
    with tempfile.TemporaryDirectory() as folder, Bench(folder, 8).up() as bench:
        row(bench, "4 vendors, 8 sites each", VENDORS)
        for vendor in VENDORS:
            bench.fault(vendor, {"delay": 0.2})
        row(bench, "4 vendors, 8 sites each, 200 ms a call", VENDORS)
    with tempfile.TemporaryDirectory() as folder, Bench(folder, 1000).up() as bench:
        row(bench, "solis, 1,000 sites", ("solis",))
        row(bench, "4 vendors, 1,000 sites each", VENDORS)
    with (
        tempfile.TemporaryDirectory() as folder,
        Bench(folder, 8).up(WEB_CONCURRENCY=2, REQUEST_DEADLINE=DEADLINE) as bench,
    ):
        isolation.measure(bench, DEADLINE)


if __name__ == "__main__":
    main()
