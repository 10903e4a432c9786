"""`make bench`: compares this service with other implementations of the same job, in a quarter of an hour on loopback.

Each cell is run three times; the table has the median, the spread, and the ratio to aiohttp in the same scenario. Only
complete answers count; a row shows the number of incomplete ones. A row marked `!` was measured while something else
used the machine.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks import isolation, memory, nested, virtual_reads
from benchmarks.cells import Cell, measured
from benchmarks.flows import FLOWS, SITE_FLOWS, VENDORS
from benchmarks.servers import Server
from benchmarks.setup import OURS, PEERS, TWICE, Bench, credentials

HEAD = (
    f"{'':40} {'clients':>7} {'server':18} {'answers/s':>18} {'ratio':>6} {'p50 ms':>8} {'p99 ms':>8} "
    f"{'CPU ms':>7} {'MB':>5}"
)
ASYNC = ("aiohttp", TWICE, OURS, "fastapi+httpx", "fastify+undici")
FEW = ("aiohttp", OURS)
# Bounds on clients: with more, calls one after another would take minutes; with fewer, a second process would be idle.
MOST = {"flask, one by one": 16}
FEWEST = {TWICE: 64}


@dataclass(frozen=True)
class Scenario:
    """The size and pace of the clouds, and the servers that are compared, with their numbers of clients."""

    title: str
    clients: tuple[int, ...]
    servers: tuple[str, ...] = tuple(PEERS)
    vendors: tuple[str, ...] = VENDORS
    distinct: bool = True
    tls: bool = False
    inverters: int = 10
    """Of each vendor; the number of sites if sites are listed."""
    lists_sites: bool = False
    seconds: float = 2.0


SCENARIOS = (
    Scenario("6 vendors, 50 ms, 10 inverters each", (1, 16, 64, 256)),
    Scenario("the same over TLS", (1, 64), ASYNC, tls=True),
    Scenario("the same with equal credentials", (64, 256), FEW, distinct=False),
    Scenario("sites: 7 calls, 50 ms", (1, 64), ASYNC, lists_sites=True),
    Scenario("1 vendor", (64,), FEW, vendors=VENDORS[:1]),
    Scenario("3 vendors", (64,), FEW, vendors=VENDORS[:3]),
    Scenario("6 vendors, 1,000 inverters each", (1,), FEW, inverters=1_000, seconds=3.0),
    Scenario("6 vendors, 10,000 inverters each", (1,), FEW, inverters=10_000, seconds=4.0),
)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        for name in bench.without:
            print(f"{name} cannot run here: node and npm are needed")
        print(HEAD)
        for scenario in SCENARIOS:
            compare(bench, scenario)
        nested.measure()
        memory.measure(bench)
    isolation.measure()
    virtual_reads.measure()


def compare(bench: Bench, scenario: Scenario) -> None:
    """All rows of a scenario; every server sees the same clouds, one server at a time."""
    slow = {"site_delay": 0.05} if scenario.lists_sites else {"delay": 0.05}
    many = {"sites" if scenario.lists_sites else "inverters": scenario.inverters}
    with bench.clouds(**slow, **many, tls=scenario.tls) as clouds:
        for clients in scenario.clients:
            peer = None
            for name in scenario.servers:
                if name in bench.without or not FEWEST.get(name, 1) <= clients <= MOST.get(name, clients):
                    continue
                cell = cell_of(bench, scenario, name, clouds, clients)
                peer = cell if name == "aiohttp" else peer
                show(scenario.title, clients, name, cell, peer)


def cell_of(bench: Bench, scenario: Scenario, name: str, clouds: Server, clients: int) -> Cell:
    items = len(scenario.vendors) * scenario.inverters
    flows = SITE_FLOWS if scenario.lists_sites else FLOWS
    path = "/sites" if scenario.lists_sites and name == OURS else "/solar-inverters"
    with bench.server(name, clouds, flows) as (server, token):
        headers = token | credentials(scenario.vendors, distinct=scenario.distinct)
        return measured(server, clients, scenario.seconds, items, headers, path)


def show(title: str, clients: int, name: str, cell: Cell, peer: Cell | None) -> None:
    ratio = f"{cell.rate / peer.rate:.2f}" if peer and peer.rate else ""
    rate = f"{cell.rate:.0f} ({cell.slowest:.0f}-{cell.fastest:.0f})"
    print(
        f"{title:40} {clients:7} {name:18} {rate:>18} {ratio:>6} {cell.p50_ms:8.1f} {cell.p99_ms:8.1f} "
        f"{cell.cpu_ms:7.2f} {cell.memory_mb:5.0f}{' !' if cell.is_disturbed else ''}"
        + (f"  {cell.incomplete} not complete: {cell.example[:80]!r}" if cell.incomplete else ""),
        flush=True,
    )


if __name__ == "__main__":
    main()
