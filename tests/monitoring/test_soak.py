"""Four minutes of faults through a deployed service, scraped as by Prometheus: makes the recording that the rules are
tested on. `python -m pytest -m soak tests/monitoring` writes tests/monitoring/recording.json.gz again."""

import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
import requests

from tests.monitoring.recording import PATH, load
from tests.monitoring.soak import SCRAPE_SECONDS, SPARED, VENDORS, Soak, repeatedly
from tests.processes import SECONDS

# With SPEED: 10 minutes, which are the window of a rate and the time that it must last.
LONG, SHORT = 32.0, 12.0


def lists(soak: Soak) -> None:
    """Lists of all vendors, as two customers."""
    soak.get("/solar-inverters", soak.headers)
    soak.get("/solar-inverters", soak.stranger)


def lists_with_stored_credentials(soak: Soak) -> None:
    """With the header as well, Solis sees two credentials: a breaker demands that several see an outage."""
    for _ in range(2):
        soak.get("/solar-inverters", {})
        soak.get(
            "/solar-inverters?vendor=solis", {name: soak.headers[name] for name in soak.headers if "solis" in name}
        )


@pytest.mark.soak
@pytest.mark.serial
def test_faults_are_recorded(tmp_path: Path, report: Callable[[str], None]) -> None:
    with ExitStack() as stack:
        soak = Soak(tmp_path, stack)
        stack.enter_context(repeatedly(soak.scrape, SCRAPE_SECONDS))
        with ExitStack() as clients:
            clients.enter_context(repeatedly(partial(lists, soak), 0.3, threads=4))
            clients.enter_context(repeatedly(partial(lists_with_stored_credentials, soak), 1.0))
            # Needs the database, as lists do not.
            clients.enter_context(repeatedly(partial(soak.get, "/vendor-credentials", {}), 0.5, threads=2))
            play(soak)
        crowd = partial(soak.get, "/solar-inverters", soak.headers, 60.0)
        with repeatedly(crowd, 0.05, threads=150), soak.phase("all request threads are in use", LONG):
            for vendor in ("sma", *VENDORS):
                soak.played.put(f"/faults/{vendor}", {"hang": True})
        with soak.phase("the service is stopped", SHORT, after=0.0):
            soak.process.send_signal(signal.SIGTERM)
    soak.recorder.write()
    recording = load()
    report(
        f"metrics: {len(recording.times)} scrapes of {len(recording.series)} series, "
        f"{PATH.stat().st_size // 1024} KiB, {len(recording.phases)} phases"
    )
    assert len(recording.phases) == 8


def play(soak: Soak) -> None:
    """The faults that one load plays."""
    with soak.phase("nothing fails", 25.0, after=0.0):
        pass
    with soak.phase("vendors fail", LONG):
        soak.played.put("/faults/solis", {"reset": True})
        soak.played.put("/faults/solaredge", {"status": 429, "headers": {"Retry-After": "120"}})
        soak.played.put("/faults/enphase", {"delay": 6.0})
        soak.played.put("/faults/sma", {"status": 500, "path": "/v1/*"})
    with soak.phase("tokens cannot be renewed, and Redis is down", LONG):
        soak.played.put("/faults/sma", {"status": 500, "path": "/oauth2/token"})
        requests.delete(f"{soak.played.url}/tokens/sma", timeout=SECONDS)
        soak.played.put("/faults/enphase", {"body": "<html>login</html>"})
        soak.valkey.stop()
    soak.valkey.start()
    with soak.phase("the database is down", LONG, after=0.0):
        soak.postgres.stop()
    soak.postgres.start()
    time.sleep(10.0)
    with soak.phase("a worker is killed", SHORT):
        soak.kill_a_worker()
    with repeatedly(partial(spend, soak), 0.5), soak.phase("a quota is spent", LONG):
        pass


def spend(soak: Soak) -> None:
    soak.get(f"/solar-inverters?vendor={SPARED}", soak.spared_headers)
