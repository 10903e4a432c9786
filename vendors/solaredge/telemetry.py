"""Calls for SolarEdge's series: their paths, the time that one call may cover, and replies by serial number."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import partial
from itertools import pairwise
from typing import TypeVar

from vendors.kit import (
    CalendarUnit,
    Client,
    Level,
    Quality,
    Reply,
    Row,
    Series,
    Site,
    Tile,
    day_start,
    next_period,
    period_start,
    wall_time,
    within,
)
from vendors.kit.parsing.reading import Raw
from vendors.solaredge.series import FLOWS, NOON, PRODUCED, to_rows, to_samples, with_replaced

RESOLUTION_NAMES = {Level.QUARTER: "QUARTER_HOUR", Level.HOUR: "HOUR", Level.DAY: "DAY", Level.MONTH: "MONTH"}
# Start and end, as the site's clock shows them.
LocalWindow = tuple[datetime, datetime]
# The calendar unit that one call covers; at the other levels it is a day or a part of a day.
UNIT_PER_CALL = {Level.DAY: CalendarUnit.MONTH, Level.MONTH: CalendarUnit.YEAR}
# Hours at which a day is cut, by level and whether the clock changes on it: one call gives 12 hours of quarters, or 24
# of hours.
CUTS = {(Level.QUARTER, False): (12,), (Level.QUARTER, True): (10, 20), (Level.HOUR, True): (12,)}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A call for energies: its path, the member that holds its series by serial number, and the members of a series.

    The series of a whole site has no such member: it is the reply, and its serial number is "".
    """

    path: str
    root: str
    members: tuple[str, ...]


SITE = Endpoint("/v2/sites/{}/energy", "", PRODUCED)
INVERTERS = Endpoint("/v2/sites/{}/inverters/telemetry", "inverters", PRODUCED)
STORAGE = Endpoint("/v2/sites/{}/storage/telemetry", "storage", FLOWS)


@dataclass(frozen=True, slots=True)
class Feed:
    """A series to read: of which site, by which call and at which level.

    replaced: serial numbers of batteries that were replaced. Their energy is added to that of the present ones, which
    count as reporting where they have none. is_mixed: whether the values include what batteries discharged; they are
    passed on unchanged, as derived.
    """

    site: Site
    endpoint: Endpoint
    level: Level
    serial_numbers: Sequence[str]
    replaced: Sequence[str] = ()
    is_mixed: bool = False


def series_of(feed: Feed, lag: timedelta, read: Callable[[LocalWindow], list[list[Row]]]) -> Series:
    """The series with a tile for each call, which `read` makes."""
    site = feed.site

    def tiles(start: datetime, end: datetime) -> Iterator[Tile]:
        for window in call_windows(feed.level, start, end, site.clock):
            yield Tile(*instants(window, site.clock), partial(read, window))

    nights = feed.endpoint is not STORAGE
    return Series(site.clock, tiles, lag, nights=nights, since=site.operational_since)


def read_devices(client: Client, feed: Feed, window: LocalWindow) -> list[list[Row]]:
    """Rows that begin in a window, a list for each present device."""
    by_serial_number = read_rows(client, feed.site, feed.endpoint, feed.level, window)
    devices = [by_serial_number.get(serial_number, []) for serial_number in feed.serial_numbers]
    for number, serial_number in enumerate(feed.replaced):
        index = number % len(devices)
        devices[index] = with_replaced(devices[index], by_serial_number.get(serial_number, []))
    if not feed.is_mixed:
        return devices
    return [[replace(row, quality=Quality.DERIVED) for row in rows] for rows in devices]


def read_rows(
    client: Client, site: Site, endpoint: Endpoint, level: Level, window: LocalWindow
) -> dict[str, list[Row]]:
    """Rows that begin in a window, by serial number."""
    resolution = RESOLUTION_NAMES[level]
    start, end = instants(window, site.clock)

    def convert(series: Raw) -> list[Row]:
        return within(to_rows(series, endpoint.members, site.clock, resolution), start, end)

    return read_series(client, site, endpoint, resolution, window, convert)


def read_today(client: Client, site: Site, endpoint: Endpoint, midnight: datetime) -> dict[str, list[Row]]:
    """Hours from the site's last midnight up to now, by serial number."""
    by_start: dict[str, dict[datetime, Row]] = {}
    for window in call_windows(Level.HOUR, midnight, client.now, site.clock):
        for serial_number, rows in read_rows(client, site, endpoint, Level.HOUR, window).items():
            # Two windows may hold the hour between them.
            hours = {row.start: row for row in within(rows, midnight, client.now)}
            by_start.setdefault(serial_number, {}).update(hours)
    return {serial_number: list(rows.values()) for serial_number, rows in by_start.items()}


def read_years(client: Client, site: Site, endpoint: Endpoint, since: datetime) -> dict[str, list[float]]:
    """Energy in kWh of each year since then, by serial number; no years if one is missing after a device's first."""
    first, last = since.astimezone(site.clock).year, client.now.astimezone(site.clock).year
    window = datetime(first, 1, 1), datetime(last + 1, 1, 1)
    start = instant(window[0], site.clock)

    def convert(series: Raw) -> list[float]:
        # As with totals, the date is taken at noon for the sake of sites without a time zone.
        known = {
            sample.at: sample.kwh[0]
            for sample in to_samples(series, endpoint.members)
            if start <= sample.at + NOON and sample.at < client.now
        }
        years = {(at + NOON).astimezone(site.clock).year for at in known}
        return list(known.values()) if years and len(years) == last - min(years) + 1 else []

    return read_series(client, site, endpoint, "YEAR", window, convert)


def read_series(
    client: Client, site: Site, endpoint: Endpoint, resolution: str, window: LocalWindow, convert: Callable[[Raw], T]
) -> dict[str, T]:
    """Each series of a window, converted, by serial number."""
    start, end = (local_text(site, at) for at in window)
    params = {"resolution": resolution, "from": start, "to": end}
    if not endpoint.root:
        # For telemetry no unit is documented, since it holds powers as well as energies.
        params["unit"] = "WH"
    freshness = client.freshness(instant(window[1], site.clock))
    reply = client.get(endpoint.path, site.vendor_id, params=params, freshness=freshness)
    return by_serial_number(reply, endpoint, convert)


def local_text(site: Site, at: datetime) -> str:
    """A time without an offset is the site's, whose clock is known by its time zone only; without one it is UTC."""
    return at.isoformat() if site.timezone else at.isoformat() + "Z"


def by_serial_number(reply: Reply, endpoint: Endpoint, convert: Callable[[Raw], T]) -> dict[str, T]:
    """Each series converted, with the resolution that the reply names for all; null is no series."""
    if not endpoint.root:
        return {"": reply.record(lambda raw: convert({endpoint.members[0]: raw}))}

    def convert_all(raw: Raw) -> dict[str, T]:
        common = {"resolution": raw.get("resolution")}
        all_series = {} if raw[endpoint.root] is None else raw[endpoint.root]
        return {serial_number: convert({**common, **(series or {})}) for serial_number, series in all_series.items()}

    return reply.record(convert_all)


def call_windows(level: Level, start: datetime, end: datetime, clock: tzinfo) -> Iterator[LocalWindow]:
    """The windows of the calls that cover the time between two instants: parts of a day, a month or a year each.

    Days on which the clock changes are cut finer, since it is documented nowhere whether the vendor's limits are hours
    of the clock or elapsed ones; and no window begins or ends in the hours in which clocks change.
    """
    unit = UNIT_PER_CALL.get(level, CalendarUnit.DAY)
    first = period_start(unit, start.astimezone(clock).date())
    while day_start(first, clock) < end:
        after = next_period(unit, first)
        changes_clock = unit is CalendarUnit.DAY and not has_24_hours(first, after, clock)
        cuts = CUTS.get((level, changes_clock), ())
        borders = [datetime.combine(first, time(hour)) for hour in (0, *cuts)] + [datetime.combine(after, time())]
        yield from (window for window in pairwise(borders) if instant(window[1], clock) > start)
        first = after


def has_24_hours(day: date, after: date, clock: tzinfo) -> bool:
    """Whether the date has 24 hours, also as its clock shows them: a clock may skip the midnight after it."""
    start, end = day_start(day, clock), day_start(after, clock)
    shown = wall_time(end, clock) - wall_time(start, clock)
    return end - start == shown == timedelta(days=1)


def instant(at: datetime, clock: tzinfo) -> datetime:
    """A time on the site's clock as an instant in UTC."""
    return at.replace(tzinfo=clock).astimezone(UTC)


def instants(window: LocalWindow, clock: tzinfo) -> tuple[datetime, datetime]:
    """Start and end of a window as instants in UTC."""
    return instant(window[0], clock), instant(window[1], clock)
