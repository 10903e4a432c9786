"""Calls for series: one reply holds a site's own, or those of all its inverters or all its batteries."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from vendors.kit import Client, Level, Reply, Row, Site, within
from vendors.kit.parsing.reading import Raw
from vendors.kit.series.windows import QUARTER
from vendors.solaredge.records import FLOWS, NOON, PRESENT, PRODUCED, Present, to_rows, to_samples
from vendors.solaredge.windows import LocalWindow, instant, windows

RESOLUTIONS = {Level.QUARTER: "QUARTER_HOUR", Level.HOUR: "HOUR", Level.DAY: "DAY", Level.MONTH: "MONTH"}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Source:
    """Series of energies: their path, the member that holds them by serial number, and their names there.

    A site's own series has no such member: it is the reply, and its serial number is "".
    """

    path: str
    root: str
    members: tuple[str, ...]


SITE = Source("/v2/sites/{}/energy", "", PRODUCED)
INVERTERS = Source("/v2/sites/{}/inverters/telemetry", "inverters", PRODUCED)
STORAGE = Source("/v2/sites/{}/storage/telemetry", "storage", FLOWS)


def read_rows(client: Client, site: Site, source: Source, level: Level, window: LocalWindow) -> dict[str, list[Row]]:
    """Rows that begin in a window, by serial number."""
    resolution = RESOLUTIONS[level]
    begins, ends = (instant(at, site.clock) for at in window)

    def convert(series: Raw) -> list[Row]:
        return within(to_rows(series, source.members, site.clock, resolution), begins, ends)

    return _by_serial_number(_ask(client, site, source, resolution, window), source, convert)


def read_today(client: Client, site: Site, source: Source, today: datetime) -> dict[str, list[Row]]:
    """Hours from the site's midnight, which is `today`, up to now, by serial number."""
    found: dict[str, dict[datetime, Row]] = {}
    for window in windows(Level.HOUR, today, client.now, site.clock):
        for serial_number, rows in read_rows(client, site, source, Level.HOUR, window).items():
            # Two windows may hold the hour between them.
            found.setdefault(serial_number, {}).update({row.start: row for row in within(rows, today, client.now)})
    return {serial_number: list(rows.values()) for serial_number, rows in found.items()}


def read_years(client: Client, site: Site, source: Source, since: datetime) -> dict[str, list[float]]:
    """kWh of each year since then, up to now, by serial number; none where one is missing after a device's first."""
    first, last = since.astimezone(site.clock).year, client.now.astimezone(site.clock).year
    window = datetime(first, 1, 1), datetime(last + 1, 1, 1)
    begins = instant(window[0], site.clock)

    def convert(series: Raw) -> list[float]:
        # As with totals: at noon it is the same date for a site without a time zone.
        known = {
            sample.at: sample.kwh[0]
            for sample in to_samples(series, source.members)
            if begins <= sample.at + NOON and sample.at < client.now
        }
        years = {(at + NOON).astimezone(site.clock).year for at in known}
        return list(known.values()) if years and len(years) == last - min(years) + 1 else []

    return _by_serial_number(_ask(client, site, source, "YEAR", window), source, convert)


def read_present(
    client: Client, site: Site, source: Source, lag: timedelta, to: Callable[[Raw], list[Present]]
) -> dict[str, Present]:
    """The newest bucket that is over and of which anything is known, by serial number."""
    window = next(windows(Level.QUARTER, client.now - lag - QUARTER, client.now, site.clock))
    begins = instant(window[0], site.clock)

    def newest(series: Raw) -> Present | None:
        return next((one for one in reversed(to(series)) if begins < one.until <= client.now), None)

    told = _by_serial_number(_ask(client, site, source, PRESENT, window), source, newest)
    return {serial_number: present for serial_number, present in told.items() if present}


def _ask(client: Client, site: Site, source: Source, resolution: str, window: LocalWindow) -> Reply:
    start, end = (_as_asked(site, at) for at in window)
    params = {"resolution": resolution, "from": start, "to": end}
    if not source.root:
        # Telemetry is not documented to know a unit: it has power beside energy.
        params["unit"] = "WH"
    return client.get(
        source.path, site.vendor_id, params=params, freshness=client.freshness(instant(window[1], site.clock))
    )


def _as_asked(site: Site, at: datetime) -> str:
    """Times without an offset are the site's, whose clock we know from its time zone alone; else it is UTC's."""
    return at.isoformat() if site.timezone else at.isoformat() + "Z"


def _by_serial_number(reply: Reply, source: Source, to: Callable[[Raw], T]) -> dict[str, T]:
    """Each series converted, with the resolution that stands next to them; null is no series."""
    if not source.root:
        return {"": reply.record(lambda raw: to({source.members[0]: raw}))}

    def convert(raw: Raw) -> dict[str, T]:
        common = {"resolution": raw.get("resolution")}
        by_serial_number = {} if raw[source.root] is None else raw[source.root]
        return {name: to({**common, **(series or {})}) for name, series in by_serial_number.items()}

    return reply.record(convert)
