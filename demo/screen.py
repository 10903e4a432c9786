"""The first screen: a terminal gets colours, a pipe the same as plain text. No line to be pasted is wrapped."""

from collections.abc import Sequence
from math import fsum
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from demo.drawing import chart, short_json
from demo.servers import Servers
from demo.shell import Variable
from demo.tour import DISCHARGE_FOR, Results, Step, VendorRow

# Wider, a command is hard to read.
MAX_COMMAND_WIDTH = 120
HEADING, COMMAND, ANSWER, BARS, ERROR = "bold", "cyan", "green", "yellow", "red"


class Links(NamedTuple):
    """Pages that the demo has prepared: the fleet view, signed in, and the consent of an owner."""

    fleet: str
    consent: str


class Screen:
    """Draws on a console, from top to bottom."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._width = min(console.width, MAX_COMMAND_WIDTH)

    def draw(self, results: Results, servers: Servers, commands: Path, links: Links) -> None:
        """The first screen. `commands`: the file with all commands."""
        product = ": one API over solar and battery vendors, here played by a sandbox"
        self._line(Text.assemble(("derapi-server", HEADING), product))
        self._vendors(results.vendors)
        shown = [results.listed, *results.made, results.yesterday]
        self._exports([variable for variable in results.variables if any(step.call.uses(variable) for step in shown)])
        self._heading("One list over two vendors; a vendor that failed would be in `errors`:")
        self._command(results.listed)
        self._answer(results.listed)
        self._heading("Virtual devices need no vendor: a site with a solar inverter and a battery:")
        site, *devices = results.made
        self._command(site)
        self._answer(site, "id", "name")
        for device in devices:
            self._command(device)
        self._chart(results.yesterday, site.answer["location"]["timezone"])
        self._dispatched(*results.dispatched)
        self._next(servers, commands, links)

    def _vendors(self, rows: Sequence[VendorRow]) -> None:
        table = Table(box=None, pad_edge=False, header_style=HEADING, padding=(0, 3, 0, 0))
        table.add_column("vendor")
        for title in ("sites", "inverters", "batteries", "answered in"):
            table.add_column(title, justify="right")
        for row in rows:
            answered = Text("; ".join(row.errors.values()), ERROR) if row.errors else f"{row.milliseconds:.0f} ms"
            style = HEADING if row is rows[-1] else None
            table.add_row(row.vendor, *map(str, row.counts), answered, style=style)
        self._console.print(table)

    def _exports(self, variables: Sequence[Variable]) -> None:
        minutes = min(variable.seconds for variable in variables if variable.seconds) // 60
        self._heading(f"Paste in a second terminal; the tokens live {minutes} minutes, then paste it again:")
        for variable in variables:
            self._line(variable.export, COMMAND)

    def _command(self, step: Step) -> None:
        self._line(step.call.curl(self._width), COMMAND)

    def _answer(self, step: Step, *members: str) -> None:
        self._line(short_json(step.answer, members, self._width), ANSWER)

    def _chart(self, step: Step, zone: str) -> None:
        intervals = step.answer["intervals"]
        total_kwh = fsum(interval["kwh"] for interval in intervals)
        self._heading(f"The virtual inverter's production yesterday, by the hour in {zone}, {total_kwh:.1f} kWh:")
        self._command(step)
        rows, axis = chart(intervals)
        for row in rows:
            self._line(row, BARS)
        self._line(axis, ANSWER)

    def _dispatched(self, plan: Step, battery: Step) -> None:
        """The plan and what came of it on one line; its commands are in the file, since the screen is full."""
        (interval,) = plan.answer["intervals"]
        minutes = DISCHARGE_FOR.seconds // 60
        order = f"Its battery is to {interval['command']} {interval['kw']} kW for {minutes} minutes, and does at once: "
        shown = short_json(battery.answer, ("dischargeKw",), self._width)
        self._line(Text.assemble((order, HEADING), (shown, ANSWER)))

    def _next(self, servers: Servers, commands: Path, links: Links) -> None:
        self._heading("Where to look next:")
        for purpose, place in (
            ("more commands, and the logs", commands),
            ("all operations, to try them", f"{servers.service_url}/apidocs/"),
            ("an owner's consent, two clicks", links.consent),
            ("5 vendors, once in 5 minutes", links.fleet),
        ):
            self._line(f"  {purpose:<31}{place}")
        urls = f"service {servers.service_url}, sandbox {servers.sandbox_url}"
        self._line(f"On loopback only, until Ctrl-C: {urls}", HEADING)

    def _heading(self, text: str) -> None:
        self._line(f"\n{text}", HEADING)

    def _line(self, text: str | Text, style: str = "") -> None:
        """Writes a line that only the terminal may wrap, so that it can be copied."""
        self._console.print(text, style=style, soft_wrap=True, markup=False)
