"""Callers of vendors that hang, and everybody else, at a service as it is deployed."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

import sandbox
from sandbox.server import running
from tests.ports import free_port
from tests.processes import GUNICORN, clean, ended, read_until, started
from tests.services import Played

DEADLINE = 6
STUCK = 128
# The least time for one request to a healthy vendor; a slow machine has more.
GRACE = 4.0

pytestmark = pytest.mark.serial


@pytest.fixture
def service(tmp_path):
    """URL, headers of a client, and the clouds; two processes of 64 threads."""
    with running(sandbox.create_app(2, 1)) as clouds:
        port = free_port()
        environ = clean(PORT=port, INSTANCE_PATH=tmp_path, SANDBOX_URL=clouds, REQUEST_DEADLINE=DEADLINE)
        made = ended([*GUNICORN[:1], "-m", "flask", "--app", "wsgi", "clients", "create", "x"], environ)
        auth = tuple(made.stdout.split(f'"{name}": "')[1].split('"')[0] for name in ("client_id", "client_secret"))
        with started(GUNICORN, environ) as process:
            read_until(process, "listening")
            threading.Thread(target=process.stdout.read, daemon=True).start()
            url = f"http://127.0.0.1:{port}"
            form = {"grant_type": "client_credentials"}
            token = requests.post(f"{url}/oauth2/token", form, auth=auth, timeout=120).json()["access_token"]
            yield url, {"Authorization": f"Bearer {token}", "Cache-Control": "no-cache"}, Played(clouds)


@pytest.mark.exhaustive
def test_two_vendors_that_hang_stop_nobody_else(service):
    url, bearer, played = service
    stuck = [played.headers("sma"), played.headers("solaredge")]
    healthy = bearer | played.headers("tesla")

    def seconds():
        """How long a request to a healthy vendor takes."""
        begun = time.monotonic()
        answer = requests.get(f"{url}/solar-inverters", headers=healthy, timeout=120)
        assert (answer.status_code, answer.json()["errors"]) == (200, {}), answer.text
        return time.monotonic() - begun

    grace = max(GRACE, 20 * min(seconds() for _ in range(3)))
    for vendor in ("sma", "solaredge"):
        played.put(f"/faults/{vendor}", {"hang": True})
    stop = threading.Event()

    def hang(number):
        """Asks again and again; gives the slowest answer and the statuses."""
        slowest, statuses = 0.0, set()
        while not stop.is_set():
            started = time.monotonic()
            # Other credentials each, so that no call is shared.
            asked = {name: f"{value}{number}" for name, value in stuck[number % 2].items()}
            answer = requests.get(f"{url}/solar-inverters", headers=bearer | asked, timeout=120)
            slowest = max(slowest, time.monotonic() - started)
            statuses.add(answer.status_code)
        return slowest, statuses

    with ThreadPoolExecutor(STUCK) as pool:
        hanging = [pool.submit(hang, number) for number in range(STUCK)]
        time.sleep(2)
        took = [seconds() for _ in range(10)]
        stop.set()
        seen = [one.result() for one in hanging]
    assert sorted(took)[5] < grace, took
    # Those that did not get a thread for five seconds are told to come again.
    assert set().union(*(statuses for _, statuses in seen)) <= {200, 503}
    assert max(slowest for slowest, _ in seen) < DEADLINE + 5 + grace
