"""Memory of a process of the service: idle, at its peak, and some seconds later."""

import time

from benchmarks.cells import run_once
from benchmarks.flows import VENDORS
from benchmarks.setup import OURS, Bench, credentials

PAUSE_SECONDS = 5.0


def measure(bench: Bench) -> None:
    """Prints MB of the largest process, for many clients and for long lists."""
    print("\nMB of one process: idle, after a peak, and 5 s later")
    for title, clients, inverters in (("256 clients", 256, 10), ("60,000 inverters", 1, 10_000)):
        with bench.clouds(delay=0.05, inverters=inverters) as clouds, bench.server(OURS, clouds) as (server, token):
            headers = token | credentials(VENDORS)
            idle = server.memory_mb()
            peaks = []
            for _ in range(3):
                run_once(server, clients, 3.0, len(VENDORS) * inverters, headers, "/solar-inverters")
                peaks.append(server.memory_mb())
            time.sleep(PAUSE_SECONDS)
            print(f"{title:20} {idle:5.0f} {' '.join(f'{peak:5.0f}' for peak in peaks)} {server.memory_mb():5.0f}")
