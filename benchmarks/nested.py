"""The overhead of nested calls: one vendor with 100 sites and a call of 50 ms for each, 32 at a time."""

import time
from dataclasses import replace
from statistics import median

from benchmarks.servers import python, running
from tests.ports import free_port
from vendors.kit.calls.cloud import open_cloud
from vendors.kit.calls.reply_cache import ReplyCache
from vendors.kit.calls.sweep import Sweep
from vendors.kit.deadline import Deadline
from vendors.kit.http.transport import Transport
from vendors.kit.registry import discover

SITES, PARALLEL, DELAY, RUNS = 100, 32, 0.05, 5


def measure() -> None:
    """Prints the median time of a sweep, its ratio to the minimum, and the cost per site for growing numbers."""
    took = _sweeps(SITES, DELAY)
    minimum = 1000 * DELAY * -(-SITES // PARALLEL)
    print(f"\n{SITES} nested calls of {1000 * DELAY:.0f} ms, {PARALLEL} at a time: {median(took):.0f} ms", end=" ")
    print(f"({min(took):.0f}-{max(took):.0f}), {median(took) / minimum:.2f} x the minimum of {minimum:.0f} ms")
    per_site = [f"{sites:,}: {1000 * median(_sweeps(sites, 0.0)) / sites:.0f}" for sites in (1, 10, 100, 1000)]
    print(f"us per site, of a vendor that answers at once: {', '.join(per_site)}", flush=True)


def _sweeps(sites: int, delay: float) -> list[float]:
    port = free_port()
    with running(python("-m", "benchmarks.clouds", "--port", port, "--delay", delay, "--sites", sites), port, {}):
        return [sweep_ms(f"http://127.0.0.1:{port}/sma", sites) for _ in range(RUNS + 1)][1:]


def sweep_ms(url: str, sites: int) -> float:
    """Milliseconds of a sweep with new connections and an empty cache."""
    plugin = discover()["sma"]
    wide = type("Wide", (plugin,), {"limits": replace(plugin.limits, parallel=PARALLEL)})
    cloud = open_cloud("sma", wide, Transport(), ReplyCache(), url)
    credential = wide.credential_headers.read("sma", {"x-authorization-sma": "Bearer made-up"})
    started = time.perf_counter()
    sweep = Sweep(cloud.open(credential, Deadline(20)))
    sweep.run(lambda vendor: vendor.devices())
    assert sweep.failure is None, sweep.failure
    assert len(sweep.records) == sites * 10, len(sweep.records)
    return 1000 * (time.perf_counter() - started)
