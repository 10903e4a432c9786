"""Pages of intervals: of a device, or of all devices of a site."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from flask import request

from app.api import api_version, context, paging
from app.api.detail_members import KWH_DIGITS, PERCENT_DIGITS
from app.api.services import services
from app.auth import bearer
from app.fleet.reading import ReadResult
from app.web.problems import Problem, invalid
from app.web.strict_api import ViewResult
from vendors.kit import Key, Level, NotOffered, Quality, Vendor
from vendors.kit.records import Keyed, Record
from vendors.kit.series.read import ReadUpTo, intervals
from vendors.kit.series.resample import Interval
from vendors.kit.series.windows import BadWindow, RequestedWindow, Window

# Members of an interval that hold its energies.
SOLAR = ("kwh",)
BATTERY = ("chargeKwh", "dischargeKwh")


class PageReader:
    """Reads one page of intervals from a vendor. Afterwards `window` is the requested window in whole intervals, unless
    the request was refused."""

    def __init__(self, operation: str, requested: RequestedWindow, size: int, now: datetime) -> None:
        self._operation, self._requested, self._size, self._now = operation, requested, size, now
        self.window: Window | None = None
        self.refusal: BadWindow | None = None
        self.is_offered = True

    def run(self, key: Key, vendor: Vendor) -> Iterator[Keyed]:
        """Yields the page's intervals and how far they reach (ReadUpTo)."""
        try:
            series = getattr(vendor, self._operation)(key, self._requested.level)
            self.window = window = self._requested.widened(series.zone, self._now, series.since)
        except NotOffered:
            self.is_offered = False
        except BadWindow as refusal:
            self.refusal = refusal
        else:
            yield from intervals(series, window, self._size, self._now)


def read(kind: type[Record], operation: str, id: str, query: dict[str, Any]) -> ViewResult:
    """A page of intervals. `operation`: the plugin's method, e.g. `site_solar_intervals`."""
    api_version.requested()
    level = Level(query.get("level", Level.HOUR))
    bound_to = (bearer.caller().id, request.path, level, str(query.get("start")), str(query.get("end")))
    size = query.get("page_size", paging.DEFAULT_SIZE)
    reader = PageReader(operation, _requested(level, query, bound_to), size, datetime.now(UTC))
    request_context = context.of_request()
    result = services().inventory.read(
        kind, id, request_context.access, request_context.deadline, request_context.mode, reader.run, expected=ReadUpTo
    )
    if not reader.is_offered:
        raise Problem(404, "not_offered", f"{result.vendor} does not offer {level} intervals for this id.")
    if reader.refusal:
        raise invalid(str(reader.refusal))
    page = _page(result, reader.window, operation, bound_to)
    return {"id": id, "summary_level": level.value} | page, 200, {"Age": str(round(result.age))}


def _requested(level: Level, query: dict[str, Any], bound_to: tuple[str, ...]) -> RequestedWindow:
    """The window of the query or, for a further page, what remains of it: its start and end are in the page token."""
    if "page_token" not in query:
        return RequestedWindow(level, query.get("start"), query.get("end"))
    start, end = services().pages.read(query["page_token"], bound_to).split(" ")
    return RequestedWindow(level, datetime.fromisoformat(start), datetime.fromisoformat(end))


def _page(result: ReadResult, window: Window | None, operation: str, bound_to: tuple[str, ...]) -> dict[str, Any]:
    """The intervals, the token of the next page, and errors; raises a Problem if the vendor gave nothing."""
    read_up_to = next((record.until for record in result.records if isinstance(record, ReadUpTo)), None)
    if window is None or read_up_to is None:
        raise result.problem()
    rows = [_members(record, operation, window) for record in result.records if isinstance(record, Interval)]
    page: dict[str, Any] = {"intervals": rows}
    if read_up_to < window.end:
        remaining = f"{read_up_to.isoformat()} {window.end.isoformat()}"
        page["next_page_token"] = services().pages.token(remaining, bound_to)
    if result.errors:
        page["errors"], page["error_details"] = result.errors, result.error_details
    return page


def _members(interval: Interval, operation: str, window: Window) -> dict[str, Any]:
    """The JSON members of an interval, with the offset of the site's clock."""
    names = BATTERY if "battery" in operation else SOLAR
    members: dict[str, Any] = {name: round(kwh, KWH_DIGITS) for name, kwh in zip(names, interval.kwh, strict=True)}
    members["start"] = interval.start.astimezone(window.zone).isoformat()
    members["end"] = interval.end.astimezone(window.zone).isoformat()
    members["quality"] = Quality(interval.quality).name.lower()
    if interval.soc_percent is not None:
        members["stateOfChargePercent"] = round(interval.soc_percent, PERCENT_DIGITS)
    if interval.reporting is not None:
        members["reporting"] = {"n": interval.reporting.n, "of": interval.reporting.of}
    return members
