"""Memory of worker processes whose vendor closes every connection, and sends oversized replies now and then."""

import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count

import psutil
import pytest
import requests

from tests.deployed import deployed
from tests.vendors.kit.servers import OK, serving

MEBIBYTE = 2**20
EXCHANGES = 2000
CLIENTS = 8
ACCOUNTS = 60
# Each worker caches a reply for each account, and has room for the largest concurrent replies.
GROWTH_MIB = 200

LARGE = json.dumps({"plants": [], "filled": "x" * MEBIBYTE}).encode()
CLOSED = OK + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(LARGE) + LARGE


class Closing:
    """A vendor that closes the connection after each reply, and sends an endless one now and then."""

    def __init__(self):
        self.numbers = count()

    def behave(self, connection, stopped, received):
        if next(self.numbers) % 10:
            connection.sendall(CLOSED)
            raise ConnectionAbortedError
        connection.sendall(OK + b"\r\n")
        while True:
            connection.sendall(LARGE)


def ask(url, headers, number):
    """The status of a list, and whether the vendor's reply was too large."""
    # A different account each time, since equal calls at the same time would be one exchange.
    credential = {"X-Authorization-sma": f"Bearer made-up-{number % ACCOUNTS}"}
    answer = requests.get(f"{url}/sites", headers=headers | credential, timeout=60)
    return answer.status_code, "Bad Gateway" in answer.text


@pytest.mark.soak
def test_two_thousand_closed_and_oversized_exchanges_leave_nothing_in_two_workers(tmp_path, report):
    closing = Closing()
    with (
        serving(closing.behave) as vendor,
        deployed(tmp_path, f"http://127.0.0.1:{vendor.port}") as (process, url, headers),
        ThreadPoolExecutor(CLIENTS) as pool,
    ):
        list(pool.map(partial(ask, url, headers), range(100)))
        before = memory_mib(process.pid)
        answers = list(pool.map(partial(ask, url, headers), range(EXCHANGES)))
        after = memory_mib(process.pid)
    oversized = sum(is_too_large for _, is_too_large in answers)
    report(f"memory of two workers: {before} -> {after} MiB over {EXCHANGES} exchanges, {oversized} of them oversized")
    assert {status for status, _ in answers} == {200}
    exchanges = next(closing.numbers)
    assert exchanges > 0.9 * EXCHANGES
    assert oversized > exchanges // 10 - 2 * CLIENTS
    assert after - before < GROWTH_MIB


def memory_mib(pid):
    return round(sum(child.memory_info().rss for child in psutil.Process(pid).children()) / MEBIBYTE)
