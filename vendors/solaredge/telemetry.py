"""Calls for series: one reply holds a site's own, or those of all its inverters or all its batteries."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from vendors.kit import Client, Level, Reply, Row, Site
from vendors.kit.reading import Raw
from vendors.kit.windows import QUARTER
from vendors.solaredge.shapes import FLOWS, PRODUCED, Present, buckets, to_samples, totals
from vendors.solaredge.windows import LocalWindow, instant, windows

RESOLUTIONS = {Level.QUARTER: "QUARTER_HOUR", Level.HOUR: "HOUR", Level.DAY: "DAY", Level.MONTH: "MONTH"}
STEPS = {Level.QUARTER: QUARTER, Level.HOUR: timedelta(hours=1)}

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
    """Rows of a window, by serial number."""

    def convert(series: Raw) -> list[Row]:
        if level.is_fine:
            return buckets(series, source.members, STEPS[level])
        return totals(series, source.members, site.clock, "day" if level is Level.DAY else "month")

    return _by_serial_number(_ask(client, site, source, RESOLUTIONS[level], window), source, convert)


def read_today(client: Client, site: Site, source: Source, today: datetime) -> dict[str, list[Row]]:
    """Hours since the site's midnight, which is `today`, by serial number."""
    found: dict[str, list[Row]] = {}
    for window in windows(Level.HOUR, today, client.now, site.clock):
        for serial_number, rows in read_rows(client, site, source, Level.HOUR, window).items():
            found.setdefault(serial_number, []).extend(rows)
    return found


def read_years(client: Client, site: Site, source: Source, since: datetime) -> dict[str, list[float]]:
    """kWh of each year since then, by serial number."""
    first, last = since.astimezone(site.clock).year, client.now.astimezone(site.clock).year
    reply = _ask(client, site, source, "YEAR", (datetime(first, 1, 1), datetime(last + 1, 1, 1)))
    return _by_serial_number(
        reply, source, lambda series: [sample.kwh[0] for sample in to_samples(series, source.members)]
    )


def read_present(
    client: Client, site: Site, source: Source, lag: timedelta, to: Callable[[Raw], Present | None]
) -> dict[str, Present]:
    """The newest quarter of which anything is known, by serial number."""
    window = next(windows(Level.QUARTER, client.now - lag - QUARTER, client.now, site.clock))
    reply = _ask(client, site, source, RESOLUTIONS[Level.QUARTER], window)
    told = _by_serial_number(reply, source, to)
    return {serial_number: present for serial_number, present in told.items() if present}


def _ask(client: Client, site: Site, source: Source, resolution: str, window: LocalWindow) -> Reply:
    start, end = (_as_asked(site, at) for at in window)
    params = {"resolution": resolution, "from": start, "to": end}
    if not source.root:
        # Telemetry is not documented to know a unit: it has power beside energy.
        params["unit"] = "WH"
    return client.get(source.path, site.vendor_id, params=params, kind=client.kind(instant(window[1], site.clock)))


def _as_asked(site: Site, at: datetime) -> str:
    """Times without an offset are the site's, whose clock we know from its time zone alone; else it is UTC's."""
    return at.isoformat() if site.timezone else at.isoformat() + "Z"


def _by_serial_number(reply: Reply, source: Source, to: Callable[[Raw], T]) -> dict[str, T]:
    if not source.root:
        return {"": reply.record(lambda raw: to({source.members[0]: raw}))}
    return reply.record(lambda raw: {name: to(series) for name, series in raw[source.root].items()})
