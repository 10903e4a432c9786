"""The memory of worker processes whose vendor closes every connection, and answers too much now and then."""

import json
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import psutil
import pytest
import requests

from tests.test_shutdown import service
from tests.vendors.kit.servers import OK, serving

MEBIBYTE = 2**20
EXCHANGES = 2000
CLIENTS = 8
ACCOUNTS = 60
# Each worker keeps a reply of each account, and room for the largest that come at once.
GROWTH_MIB = 200

LARGE = json.dumps({"plants": [], "filled": "x" * MEBIBYTE}).encode()
CLOSED = OK + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(LARGE) + LARGE


@pytest.mark.soak
def test_two_thousand_closed_and_oversized_exchanges_leave_nothing_in_two_workers(tmp_path, report):
    numbers = count()

    def behave(connection, stopped, received):
        if next(numbers) % 10:
            connection.sendall(CLOSED)
            raise ConnectionAbortedError
        connection.sendall(OK + b"\r\n")
        while True:
            connection.sendall(LARGE)

    with serving(behave) as vendor, service(tmp_path, f"http://127.0.0.1:{vendor.port}") as (process, url, headers):

        def ask(number):
            # Equal calls at the same time would be one exchange.
            credential = {"X-Authorization-sma": f"Bearer made-up-{number % ACCOUNTS}"}
            answer = requests.get(f"{url}/sites", headers=headers | credential, timeout=60)
            return answer.status_code, "Bad Gateway" in answer.text

        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(ask, range(100)))
            before = memory_mib(process.pid)
            seen = list(pool.map(ask, range(EXCHANGES)))
            after = memory_mib(process.pid)
    oversized = sum(is_too_large for _, is_too_large in seen)
    report(f"memory of two workers: {before} -> {after} MiB over {EXCHANGES} exchanges, {oversized} of them oversized")
    assert {status for status, _ in seen} == {200}
    made = next(numbers)
    assert made > 0.9 * EXCHANGES
    assert oversized > made // 10 - 2 * CLIENTS
    assert after - before < GROWTH_MIB


def memory_mib(pid):
    return round(sum(child.memory_info().rss for child in psutil.Process(pid).children()) / MEBIBYTE)
