"""The demo as a real process, in a pipe and in a terminal, and its drawing."""

import fcntl
import json
import os
import pty
import re
import signal
import socket
import struct
import subprocess
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from io import StringIO
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from rich.console import Console

from demo.drawing import bars, chart, short_json
from demo.screen import Links, Screen
from demo.servers import Servers
from demo.shell import Call, Variable
from demo.tour import Results, Step, VendorRow
from tests.ports import free_port
from tests.processes import DEMO, SECONDS, clean, read_until, started

pytestmark = pytest.mark.exhaustive

WIDTH = 100
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOUR = re.compile(r"\x1b\[[0-9;]*\b[34][0-7]m")
LAST_LINE = "until Ctrl-C"


def environment(**settings: object) -> dict[str, str]:
    """Two free ports, and none of the variables by which a user chooses colours or a width."""
    chosen = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "TERM", "COLORTERM")
    environ = clean(PORT=free_port(), SANDBOX_PORT=free_port(), DATABASE_URL="postgresql://never.used/x", **settings)
    return {name: value for name, value in environ.items() if name not in chosen or name in settings}


def pasteable(output: str) -> list[str]:
    """The commands as printed: each export, and each curl with its continued lines."""
    return re.findall(r"^(?:export|curl) (?:.*\\\n)*.*$", output, re.M)


def pasted(*commands: str) -> list[dict[str, Any]]:
    """The responses that a terminal shows after these lines were pasted into it."""
    shell = subprocess.run(
        ["bash"], input="\n".join(commands), env=clean(), capture_output=True, text=True, check=True, timeout=SECONDS
    )
    assert shell.stderr == ""
    return decoded(shell.stdout)


def decoded(text: str) -> list[dict[str, Any]]:
    """JSON texts one after another."""
    answers, decoder = [], json.JSONDecoder()
    while text := text.lstrip():
        answer, end = decoder.raw_decode(text)
        answers.append(answer)
        text = text[end:]
    return answers


@dataclass(frozen=True)
class Running:
    """A demo that serves, and all that it has printed."""

    process: psutil.Process
    ports: set[int]
    output: str

    @property
    def commands(self) -> list[str]:
        return pasteable(self.output)


@contextmanager
def running(environ: dict[str, str]) -> Iterator[Running]:
    with started(DEMO, environ) as process:
        output = read_until(process, LAST_LINE)
        yield Running(psutil.Process(process.pid), {int(environ[name]) for name in ("PORT", "SANDBOX_PORT")}, output)


@pytest.fixture(scope="module")
def demo() -> Iterator[Running]:
    """The demo in a pipe."""
    with running(environment(COLUMNS=WIDTH)) as demo:
        yield demo


def test_the_lines_of_the_first_screen_can_be_pasted_and_answer_as_shown(demo: Running) -> None:
    # As a reader pastes all of it: the devices that the commands add must not change the energy that is shown.
    inverters, site, *devices, intervals = pasted(*demo.commands)
    assert short_json(inverters, (), WIDTH) in demo.output
    assert inverters["errors"] == {}
    rows, axis = chart(intervals["intervals"])
    assert "\n".join([*rows, axis]) in demo.output
    total_kwh = sum(interval["kwh"] for interval in intervals["intervals"])
    assert f"{total_kwh:.1f} kWh:" in demo.output
    shown_site = re.search(r'{"id": "(site-\w+)", "name": "Site 1"', demo.output)
    assert shown_site is not None
    assert site["id"] != shown_site[1]
    assert [device["siteID"] for device in devices] == [shown_site[1]] * 2
    assert 'is to discharge 3.0 kW for 15 minutes, and does at once: {"dischargeKw": 3.0, ...}' in demo.output


def test_the_demo_listens_on_loopback_only(demo: Running) -> None:
    processes = [demo.process, *demo.process.children(recursive=True)]
    listening = {
        connection.laddr
        for process in processes
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    # The third is that of the company's page.
    assert len({address.port for address in listening} - demo.ports) == 1
    assert {address.ip for address in listening} == {"127.0.0.1"}


def test_a_pipe_gets_plain_text_that_fits_a_screen(demo: Running) -> None:
    assert "\x1b" not in demo.output
    lines = demo.output.splitlines()
    assert sum(-(-max(len(line), 1) // WIDTH) for line in lines) <= 50
    exports = [line for line in lines if line.startswith("export ")]
    assert all(len(line) <= WIDTH for line in lines if line not in exports)


def test_the_table_counts_what_each_vendor_lists(demo: Running) -> None:
    table = re.findall(r"^(\w.*?) +(\d+) +(\d+) +(\d+) +\d+ ms$", demo.output, re.M)
    *vendors, (together, *totals) = [(name, *map(int, counts)) for name, *counts in table]
    assert {"sma", "solis", "tesla"} <= {name for name, *_ in vendors}
    assert together == "all, in one request"
    assert totals == [sum(column) for column in list(zip(*vendors, strict=True))[1:]]
    assert min(totals) > 0


def test_the_last_lines_have_a_link_that_signs_in_to_a_fleet_over_several_vendors(demo: Running) -> None:
    link = demo.output.splitlines()[-2].split()[-1]
    page, _, code = link.partition("/fleet#code=")
    signed_in = requests.post(f"{page}/demo/sign-in", json={"code": code}, timeout=SECONDS).json()
    assert "client_secret" not in signed_in
    headers = {"Authorization": f"Bearer {signed_in['access_token']}", "api-version": "v2024-09-01"}
    listed = requests.get(f"{page}/sites", headers=headers, timeout=SECONDS).json()
    assert listed["errors"] == {}
    assert len(listed["sites"]) == 5 * 8
    assert requests.post(f"{page}/demo/sign-in", json={"code": code}, timeout=SECONDS).status_code == 403


def test_an_owner_gives_consent_at_the_link_and_the_page_afterwards_lists_the_owners_site(demo: Running) -> None:
    line = next(line for line in demo.output.splitlines() if "consent, two clicks" in line)

    def decided(decision: str) -> str:
        with requests.Session() as browser:
            asked = browser.get(line.split()[-1], params={"vendor": "tesla"}, timeout=SECONDS)
            form = {"decision": decision, "owner": "owner-1@example.com"}
            return browser.post(asked.url, form, timeout=SECONDS).text

    assert "<h1>Not connected</h1><p>The owner has refused." in decided("refuse")
    page = decided("allow")
    assert "<h1>Connected</h1>" in page
    listed = re.findall(r"<p>.+: (http://127.0.0.1:\d+/sites/site-\w+)</p>", page)
    exports = [command for command in demo.commands if command.startswith("export ")]
    try:
        command = re.search(r"<code>(.*)</code>", page)
        assert command is not None
        [answer] = pasted(*exports, unescape(command[1]))
        assert answer == {"sites": listed, "errors": {}}, page
        assert len(listed) == 1
    finally:
        # The other tests have the client without an owner.
        authorized = '-H "Authorization: Bearer $TOKEN"'
        [grants] = pasted(*exports, f"curl -s $API/grants {authorized}")
        pasted(*exports, f"curl -s -X DELETE $API/grants/{grants['grants'][0]['id']} {authorized}")


@pytest.mark.exhaustive
def test_the_file_of_all_commands_runs_in_a_shell_and_has_their_responses() -> None:
    with running(environment()) as demo:
        path = re.search(r"/\S+/commands\.sh", demo.output)
        assert path is not None
        script = Path(path[0]).read_text()
        answers = pasted(script)
    assert len(answers) == len(pasteable(script)) - script.count("\nexport") > len(demo.commands)
    assert [list(answer["errors"]) for answer in answers if answer.get("errors")] == [["solaredge"]]
    for answer in answers:
        assert f'#     "{next(iter(answer))}": ' in script
    assert "# Lives for 5 minutes;" in script


@pytest.mark.exhaustive
@pytest.mark.parametrize("stop_signal", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_ends_cleanly(stop_signal: signal.Signals) -> None:
    environ = environment()
    with started(DEMO, environ) as process:
        output = read_until(process, LAST_LINE)
        assert requests.get(f"http://127.0.0.1:{environ['PORT']}/health", timeout=SECONDS).status_code == 200
        process.send_signal(stop_signal)
        assert process.wait(timeout=SECONDS) == 0
    folder = re.search(r"(/\S+)/commands\.sh", output)
    assert folder is not None
    assert not Path(folder[1]).exists()
    for used_port in (environ["PORT"], environ["SANDBOX_PORT"]):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", int(used_port))) != 0, "a server was left behind"


@contextmanager
def in_terminal(columns: int, **settings: str) -> Iterator[str]:
    """Runs the demo in a terminal of this width; gives what it has written when it is ready."""
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environ = environment(TERM="xterm-256color", **settings)
    process = subprocess.Popen(DEMO, env=environ, stdin=terminal, stdout=terminal, stderr=terminal)
    os.close(terminal)
    try:
        output = b""
        while LAST_LINE.encode() not in output:
            output += os.read(controller, 65536)
        yield output.decode().replace("\r\n", "\n")
    finally:
        process.terminate()
        process.wait(timeout=SECONDS)
        os.close(controller)


@pytest.mark.exhaustive
def test_a_terminal_gets_colours_and_lines_that_can_be_copied() -> None:
    with in_terminal(60) as output:
        commands = pasteable(ESCAPE.sub("", output))
        assert len(pasted(*commands)) == 5
    assert COLOUR.search(output)
    exports = [command for command in commands if command.startswith("export")]
    assert max(map(len, exports)) > 150  # not wrapped by the demo, only by the terminal


@pytest.mark.exhaustive
def test_a_terminal_without_colours_gets_none() -> None:
    with in_terminal(WIDTH, NO_COLOR="1") as output:
        assert not COLOUR.search(output)


def test_bars_are_as_high_as_the_energy_and_only_zero_has_none() -> None:
    assert bars([0.0, 0.001, 2.0, 4.0], rows=2) == ["         ██", "   ▁▁ ██ ██"]
    assert bars([0.0, 0.0], rows=2) == ["", ""]


def test_the_axis_of_a_chart_has_the_hours_of_the_site_also_when_its_clock_is_set_back() -> None:
    starts = ["2026-10-25T01:00:00+02:00", "2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00"]
    rows, axis = chart([{"kwh": 12.34, "start": start} for start in starts])
    assert rows == ["12.3 kWh ██ ██ ██", "         ██ ██ ██", "         ██ ██ ██"]
    assert axis == "         01 02 02"


def test_a_command_is_broken_between_its_arguments() -> None:
    call = Call("/sites?a=1&b=2", headers={"X-Authorization-solis": "Basic $KEY"}, body={"name": "it's"})
    assert call.curl(60).splitlines() == [
        'curl -s "$API/sites?a=1&b=2" \\',
        '  -H "Authorization: Bearer $TOKEN" \\',
        '  -H "X-Authorization-solis: Basic $KEY" \\',
        """  -H Content-Type:application/json -d '{"name":"it'"'"'s"}'""",
    ]
    assert "\\" not in call.curl(400)
    assert Call("/plan", body={}, method="PUT").curl(400).split(" -X ")[1].startswith("PUT -H Content-Type")


def test_a_short_answer_has_the_first_of_a_list_and_the_named_members() -> None:
    answer = {"ids": ["a", "b", "c"], "errors": {}}
    assert short_json(answer, (), 60) == '{"ids": ["a", ... 2 more], "errors": {}}'
    assert short_json(answer, (), 30) == '{"ids": ["a", ... 2 more],\n "errors": {}}'
    assert short_json(answer, ("errors",), 60) == '{"errors": {}, ...}'


def test_a_vendor_that_failed_has_its_error_in_the_table() -> None:
    step = Step("", Call("/x"), {"id": "x", "name": "x", "location": {"timezone": "UTC"}})
    hours = Step("", Call("/y"), {"intervals": [{"kwh": 0.0, "start": "2026-01-01T00:00:00+00:00"}]})
    vendors = [VendorRow("acme", (1, 0, 0), 5.0, {"acme": "Timeout: http://127.0.0.1/acme"})]
    plan = Step("", Call("/z"), {"intervals": [{"command": "discharge", "kw": 3.0, "status": "sent"}]})
    battery = Step("", Call("/b"), {"dischargeKw": 3.0, "stateOfChargePercent": 100.0})
    results = Results([Variable("TOKEN", "x", seconds=60)], vendors, step, [step], hours, [plan, battery], [])
    output = StringIO()
    Screen(Console(file=output, width=WIDTH)).draw(
        results, Servers("http://a", "http://b", {}, (), {}), Path("commands"), Links("http://a/fleet", "http://a/join")
    )
    assert re.search(r"^acme +1 +0 +0 +Timeout: http://127.0.0.1/acme$", output.getvalue(), re.M)
