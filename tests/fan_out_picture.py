"""Draws docs/fan-out.svg, the picture of the README: the calls of one request, as they were measured.

`.venv/bin/python -m tests.fan_out_picture` measures once more. The vendors are the sandbox's, and each takes its time.
"""

import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

import sandbox
from app.config import ROOT, Settings
from sandbox.application import warm_up
from sandbox.server import running
from tests.services import Played, Service

DOCUMENT = ROOT / "docs/fan-out.svg"
SITES = 4
DEADLINE_SECONDS = 0.6
# Seconds that each vendor takes for a call; the last one hangs.
DELAYS = {"enphase": 0.06, "sma": 0.11, "solaredge": 0.08, "solis": 0.17, "tesla": 0.13}
HANGS = "enphasevpp"
WIDTH, LEFT, RIGHT, TOP, ROW, BAR = 760, 110, 140, 64, 30, 5
COLOURS = {"call": "#0b6b4f", "lost": "#b3261e", "ink": "#16211c", "muted": "#55635c", "line": "#dde4e0"}


@dataclass(frozen=True)
class Call:
    """A call of a vendor, in seconds since the request began. `ended` is None for a call without an answer."""

    vendor: str
    began: float
    ended: float | None


class Recorder:
    """A WSGI application that notes when each call of a vendor begins and ends."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app, self._lock = app, threading.Lock()
        self._calls: list[tuple[str, float, float | None]] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        vendor, began = environ["PATH_INFO"].split("/")[1], time.monotonic()
        hangs = vendor == HANGS
        if hangs:
            self._note(vendor, began, None)
        answer = self._app(environ, start_response)
        if not hangs:
            self._note(vendor, began, time.monotonic())
        return answer

    def _note(self, *call: Any) -> None:
        with self._lock:
            self._calls.append(call)

    def since(self, start: float) -> list[Call]:
        """The calls of vendors that began after the instant, in their order."""
        calls = [call for call in self._calls if call[1] >= start and (call[0] in DELAYS or call[0] == HANGS)]
        relative = (Call(vendor, began - start, ended and ended - start) for vendor, began, ended in calls)
        return sorted(relative, key=lambda call: call.began)


def measure() -> tuple[list[Call], float, int]:
    """The calls of one request for the solar inverters of all vendors, its seconds, and the number of inverters."""
    app = sandbox.create_app(SITES, 1)
    warm_up(app)
    recorder = Recorder(app.wsgi_app)
    app.wsgi_app = recorder  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory() as folder, running(app) as url:
        service, played = Service(settings(folder, url)), Played(url)
        headers = played.headers(*DELAYS, HANGS) | {"Cache-Control": "no-cache"}
        service.inverters(headers)  # opens the connections
        slow_down(played)
        start = time.monotonic()
        ids, errors = service.inverters(headers)
        seconds = time.monotonic() - start
        assert list(errors) == [HANGS], errors
        service.app.extensions["services"].close()
        return recorder.since(start), seconds, len(ids)


def settings(folder: str, sandbox_url: str) -> Settings:
    return Settings(
        secret_key="s" * 32,
        id_key="i" * 32,
        database_url=f"sqlite:///{folder}/derapi.db",
        embedded=True,
        log_level="ERROR",
        sandbox_url=sandbox_url,
        request_deadline=DEADLINE_SECONDS,
    )


def slow_down(played: Played) -> None:
    """Gives each vendor its delay, and lets one hang."""
    for vendor, seconds in DELAYS.items():
        played.put(f"/faults/{vendor}", {"delay": seconds})
    played.put(f"/faults/{HANGS}", {"hang": True})


def draw(calls: list[Call], seconds: float, inverters: int) -> str:
    """The picture. Colours are attributes, so that it needs no style and looks the same everywhere."""
    vendors = [*DELAYS, HANGS]
    bottom = TOP + ROW * len(vendors)
    per_second = (WIDTH - LEFT - RIGHT) / seconds
    title = f"One request to {len(vendors)} vendors, {len(calls)} calls: {inverters} inverters in {seconds:.2f} s"
    parts = [text(20, 32, title, "ink", 17, "600"), *grid(bottom, seconds, per_second)]
    for number, vendor in enumerate(vendors):
        middle = TOP + ROW * number + ROW / 2
        parts.append(text(LEFT - 12, middle + 4, vendor, "ink", 13, anchor="end"))
        parts += row([call for call in calls if call.vendor == vendor], middle, seconds, per_second)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 36}" role="img" '
        f'font-family="system-ui, sans-serif"><title>{escape(title)}</title>'
        f'<rect width="{WIDTH}" height="{bottom + 36}" rx="12" fill="#ffffff"/>{"".join(parts)}</svg>\n'
    )


def grid(bottom: float, seconds: float, per_second: float) -> Iterator[str]:
    """A line for each tenth of a second."""
    for tenth in range(int(seconds * 10) + 1):
        x = LEFT + tenth / 10 * per_second
        yield f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{bottom}" stroke="{COLOURS["line"]}"/>'
        yield text(x, bottom + 18, f"{tenth / 10:g} s", "muted", 11, anchor="middle")


def row(calls: list[Call], middle: float, seconds: float, per_second: float) -> Iterator[str]:
    """A vendor's calls, and what came of them."""
    yield from bars(calls, middle, seconds, per_second)
    if any(call.ended is None for call in calls):
        yield text(WIDTH - RIGHT + 10, middle + 4, "deadline: in errors", "lost", 12)
    else:
        last = max(call.ended or 0 for call in calls)
        words = f"{len(calls)} call{'s' * (len(calls) != 1)}, {last:.2f} s"
        yield text(WIDTH - RIGHT + 10, middle + 4, words, "muted", 12)


def bars(calls: list[Call], middle: float, seconds: float, per_second: float) -> Iterator[str]:
    """A bar for each call; calls at the same time lie below each other."""
    free_at: list[float] = []
    placed: list[tuple[Call, float, int]] = []
    for call in calls:
        ended = seconds if call.ended is None else call.ended
        lane = next((number for number, free in enumerate(free_at) if free <= call.began), len(free_at))
        free_at[lane : lane + 1] = [ended]
        placed.append((call, ended, lane))
    top = middle - len(free_at) * (BAR + 1) / 2
    for call, ended, lane in placed:
        y = top + lane * (BAR + 1)
        colour = COLOURS["lost" if call.ended is None else "call"]
        x, width = LEFT + call.began * per_second, (ended - call.began) * per_second - 1
        yield f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{BAR}" rx="2" fill="{colour}"/>'


def text(x: float, y: float, words: str, colour: str, size: int, weight: str = "400", anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" '
        f'fill="{COLOURS[colour]}">{escape(words)}</text>'
    )


if __name__ == "__main__":
    DOCUMENT.write_text(draw(*measure()))
