"""What callers who wait for a hung vendor cost the others: healthy requests with and without them, in one run."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from statistics import quantiles
from typing import TYPE_CHECKING

import requests

if TYPE_CHECKING:
    from benchmarks.__main__ import Bench

STUCK, HEALTHY = 64, 8
HUNG = "solaredge"
VENDORS = ("sma", "solis")
SECONDS = 12.0
ROUNDS = 3


class Load:
    """Requests through the service, sent one after another by some clients each."""

    def __init__(self, bench: "Bench", deadline: float) -> None:
        self._bench, self._deadline = bench, deadline
        self._healthy = bench.headers(VENDORS)
        self._stuck = bench.headers((*VENDORS, HUNG))
        self._patience = 4 * deadline

    def healthy(self) -> list[float]:
        """Seconds that each request took."""
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
                took.append(time.monotonic() - started)
                assert answer["errors"] == {}, answer["errors"]
        return took

    @contextmanager
    def stuck(self) -> Iterator[list[float]]:
        """Clients that send one request per deadline to the hung vendor as well; seconds that each request took."""
        stop, took = threading.Event(), list[float]()

        def client(number: int) -> None:
            stop.wait(self._deadline * number / STUCK)
            with requests.Session() as session:
                while not stop.is_set():
                    started = time.monotonic()
                    answer = self._get(session, self._stuck)
                    took.append(time.monotonic() - started)
                    assert list(answer["errors"]) == [HUNG], answer["errors"]
                    assert answer["solar-inverters"], "the healthy part is there"
                    stop.wait(max(0.0, self._deadline - took[-1]))

        with ThreadPoolExecutor(STUCK) as pool:
            clients = [pool.submit(client, number) for number in range(STUCK)]
            yield took
            stop.set()
            for ended in clients:
                ended.result()

    def _get(self, session: requests.Session, headers: dict[str, str]) -> dict[str, dict[str, str]]:
        headers = {"Authorization": str(self._bench.session.headers["Authorization"]), **headers}
        answer = session.get(f"{self._bench.service}/solar-inverters", headers=headers, timeout=self._patience)
        found: dict[str, dict[str, str]] = answer.json()
        return found


def p95(took: list[float]) -> float:
    return quantiles(took, n=20)[-1]


def measure(bench: "Bench", deadline: float) -> None:
    """Prints throughput and p95 of the healthy requests, alone and beside the stuck ones."""
    load = Load(bench, deadline)
    load.healthy()
    print(f"\n{HEALTHY} clients that do not use {HUNG}, alone and beside {STUCK} clients that do while it hangs")
    print(f"{'round':6} {'requests/s':>20} {'ratio':>6} {'p95 ms':>20} {'ratio':>6} {'stuck, slowest s':>17}")
    for number in range(ROUNDS):
        alone = load.healthy()
        bench.fault(HUNG, {"hang": True})
        with load.stuck() as waits:
            time.sleep(deadline / 2)
            beside = load.healthy()
        bench.fault(HUNG, {})
        time.sleep(deadline)
        rates = [len(took) / SECONDS for took in (alone, beside)]
        tails = [1000 * p95(took) for took in (alone, beside)]
        print(
            f"{number + 1:<6} {rates[0]:9.0f} {rates[1]:10.0f} {rates[1] / rates[0]:6.2f} "
            f"{tails[0]:9.1f} {tails[1]:10.1f} {tails[1] / tails[0]:6.2f} {max(waits):17.1f}",
            flush=True,
        )
