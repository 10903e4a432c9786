"""Pages of intervals: of a device, or of all devices of a site."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from flask import current_app, g, request

from app.api import api_version, context, paging
from app.api.detail_members import KWH_DIGITS, PERCENT_DIGITS
from app.web.problems import Problem, invalid
from vendors.kit import Key, Level, NotOffered, Quality, Vendor
from vendors.kit.records import Keyed, Record
from vendors.kit.series.read import ReadUpTo, intervals
from vendors.kit.series.resample import Interval
from vendors.kit.series.windows import Asked, BadWindow, Window

Answer = tuple[dict[str, Any], int, dict[str, str]]

# The names of an interval's energies.
SOLAR = ("kwh",)
BATTERY = ("chargeKwh", "dischargeKwh")


class Reading:
    """The question to a vendor for one page, and what it found out about the window on the way."""

    def __init__(self, operation: str, wanted: Asked, size: int, now: datetime) -> None:
        self._operation, self._wanted, self._size, self._now = operation, wanted, size, now
        self.window: Window | None = None
        self.refusal: BadWindow | None = None
        self.is_offered = True

    def of(self, key: Key, vendor: Vendor) -> Iterator[Keyed]:
        """The intervals, and how far they reach."""
        try:
            series = getattr(vendor, self._operation)(key, self._wanted.level)
            self.window = window = self._wanted.widened(series.zone, self._now, series.since)
        except NotOffered:
            self.is_offered = False
        except BadWindow as refusal:
            self.refusal = refusal
        else:
            yield from intervals(series, window, self._size, self._now)


def answer(kind: type[Record], operation: str, id: str, query: dict[str, Any]) -> Answer:
    """A page of intervals. `operation`: the plugin's method, e.g. `site_solar_intervals`."""
    api_version.requested()
    now = datetime.now(UTC)
    level = Level(query.get("level", Level.HOUR))
    belongs = (g.client.id, request.path, level, str(query.get("start")), str(query.get("end")))
    reading = Reading(operation, _wanted(level, query, belongs), query.get("page_size", paging.DEFAULT_SIZE), now)
    inventory, deadline = context.the_inventory(), context.deadline()
    outcome = inventory.ask_one(kind, id, context.vendors(), deadline, context.mode(), reading.of)
    if not reading.is_offered:
        raise Problem(404, "not_offered", f"{outcome.vendor} does not offer intervals of {level} of this.")
    if reading.refusal:
        raise invalid(str(reading.refusal))
    found = [one for one in outcome.records if isinstance(one, Interval)]
    told = next((one.until for one in outcome.records if isinstance(one, ReadUpTo)), None)
    if reading.window is None or told is None:
        raise outcome.problem()
    page: dict[str, Any] = {
        "id": id,
        "summary_level": level.value,
        "intervals": [_written(one, operation, reading.window) for one in found],
    }
    if told < reading.window.end:
        page["next_page_token"] = _pages().token(f"{told.isoformat()} {reading.window.end.isoformat()}", belongs)
    if outcome.errors:
        page["errors"], page["error_details"] = outcome.errors, outcome.error_details
    return page, 200, {"Age": str(round(outcome.age))}


def _pages() -> paging.Pages:
    pages: paging.Pages = current_app.extensions["pages"]
    return pages


def _wanted(level: Level, query: dict[str, Any], belongs: tuple[str, ...]) -> Asked:
    """The window, or what a page token says is left of it: the present moves on between two pages."""
    if "page_token" not in query:
        return Asked(level, query.get("start"), query.get("end"))
    start, end = _pages().read(query["page_token"], belongs).split(" ")
    return Asked(level, datetime.fromisoformat(start), datetime.fromisoformat(end))


def _written(interval: Interval, operation: str, window: Window) -> dict[str, Any]:
    """An interval as JSON has it, with the offset of the site's clock."""
    names = BATTERY if "battery" in operation else SOLAR
    found: dict[str, Any] = {name: round(kwh, KWH_DIGITS) for name, kwh in zip(names, interval.kwh, strict=True)}
    found["start"] = interval.start.astimezone(window.zone).isoformat()
    found["end"] = interval.end.astimezone(window.zone).isoformat()
    found["quality"] = Quality(interval.quality).name.lower()
    if interval.soc_percent is not None:
        found["stateOfChargePercent"] = round(interval.soc_percent, PERCENT_DIGITS)
    if interval.reporting is not None:
        found["reporting"] = {"n": interval.reporting.n, "of": interval.reporting.of}
    return found
