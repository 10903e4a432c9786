"""One cell of the table: a server under load in several runs, by clients in a separate process."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from math import nan
from statistics import median, quantiles

from benchmarks.servers import ROOT, TIMEOUT_SECONDS, Server, busy_seconds, python

RUNS = 3
# By path, a text that occurs in an answer once for each item.
COUNTS = {"/solar-inverters": "/solar-inverters/solr-", "/sites": "/sites/site-"}
# CPU seconds that other processes use per second of a run, from which on a row is marked.
DISTURBED = 0.15
_run: Iterator[int] = count(1)


@dataclass(frozen=True)
class Cell:
    """Answers a second (median, slowest and fastest run), latencies, and what one answer costs the server."""

    rate: float
    slowest: float
    fastest: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float
    memory_mb: float
    is_disturbed: bool
    incomplete: int = 0
    """Number of incomplete answers, which are not counted in the rate. `example` is the beginning of one of them."""
    example: str = ""


@dataclass(frozen=True)
class Run:
    latencies_ms: list[float]
    seconds: float
    cpu_seconds: float
    others_seconds: float
    incomplete: int = 0
    example: str = ""


def measured(server: Server, clients: int, seconds: float, items: int, headers: dict[str, str], path: str) -> Cell:
    """Measures a cell. `{n}` in a header becomes a new number in each request, so that no two credentials are equal."""
    # At least two clients, so that both processes of a server are warm.
    run_once(server, max(2, min(clients, 8)), 0.5, items, headers, path)
    runs = [run_once(server, clients, seconds, items, headers, path) for _ in range(RUNS)]
    latencies = sorted(ms for run in runs for ms in run.latencies_ms)
    rates = sorted(len(run.latencies_ms) / run.seconds for run in runs)
    answers = sum(len(run.latencies_ms) for run in runs)
    return Cell(
        rate=median(rates),
        slowest=rates[0],
        fastest=rates[-1],
        p50_ms=median(latencies or [nan]),
        p99_ms=quantiles(latencies, n=100)[98] if len(latencies) > 1 else nan,
        cpu_ms=1000 * sum(run.cpu_seconds for run in runs) / answers if answers else nan,
        memory_mb=server.memory_mb(),
        is_disturbed=any(run.others_seconds > DISTURBED * run.seconds for run in runs),
        incomplete=sum(run.incomplete for run in runs),
        example=max(run.example for run in runs),
    )


def run_once(server: Server, clients: int, seconds: float, items: int, headers: dict[str, str], path: str) -> Run:
    """Makes one run. Incomplete answers are counted separately: a server that refuses requests would look fast."""
    job = {
        "url": server.url + path,
        "headers": headers,
        "first": next(_run) * 1_000_000,
        "concurrency": clients,
        "seconds": seconds,
        "items": items,
        "counts": COUNTS[path],
    }
    cpu, busy = server.cpu_seconds(), busy_seconds()
    with subprocess.Popen(
        python("-m", "benchmarks.load"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    ) as process:
        out, _ = process.communicate(json.dumps(job).encode(), timeout=TIMEOUT_SECONDS + seconds)
    load = json.loads(out)
    cpu, busy = server.cpu_seconds() - cpu, busy_seconds() - busy
    others = busy - cpu - load["cpu_seconds"] - server.helpers_cpu_seconds()
    return Run(load["latencies_ms"], load["seconds"], cpu, others, load["incomplete"], load["example"])
