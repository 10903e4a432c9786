"""The demo as a real process."""

import re
import signal
import socket
from pathlib import Path

import pytest
import requests

from tests.ports import free_port
from tests.processes import DEMO, clean, read_until, started


@pytest.mark.exhaustive  # the tests of the README run it as well
@pytest.mark.parametrize("stop_signal", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_shows_real_responses_and_ends_cleanly(stop_signal: signal.Signals) -> None:
    port, sandbox_port = free_port(), free_port()
    environ = clean(PORT=port, SANDBOX_PORT=sandbox_port, DATABASE_URL="postgresql://never.used/x")
    with started(DEMO, environ) as process:
        output = read_until(process, "until Ctrl-C")
        assert requests.get(f"http://127.0.0.1:{port}/health", timeout=120).status_code == 200
        process.send_signal(stop_signal)
        assert process.wait(timeout=120) == 0
    assert output.count('"solar-inverters": [') == 2
    assert '"solis": "Unauthorized: http://127.0.0.1' in output
    for variable in ("SMA_TOKEN=$(curl", "\nTOKEN=$(curl", '"Authorization: Bearer $TOKEN"', "Bearer $SMA_TOKEN"):
        assert variable in output
    folder = re.search(r"logs are in (\S+)\.", output)
    assert folder is not None
    assert not Path(folder[1]).exists()
    for used_port in (port, sandbox_port):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", used_port)) != 0, "a server was left behind"
