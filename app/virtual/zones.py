"""Time zones of virtual sites, and the offsets from UTC that a client may post with them."""

from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

# For an offset without a zone: zones that have it all year. Whole hours have zones of their own, without daylight
# saving, whose names count west of UTC as positive.
FRACTIONAL = {
    -9.5: "Pacific/Marquesas",
    3.5: "Asia/Tehran",
    4.5: "Asia/Kabul",
    5.5: "Asia/Kolkata",
    5.75: "Asia/Kathmandu",
    6.5: "Asia/Yangon",
    8.75: "Australia/Eucla",
    9.5: "Australia/Darwin",
}
WHOLE_HOURS = range(-12, 15)
# In the database for machines on which no zone has been chosen yet; no place has it.
PLACEHOLDER = "Factory"


@cache
def known() -> frozenset[str]:
    """The IANA names of the pinned package of time zones.

    A machine's database may hold further names, such as localtime, which mean something else on each machine.
    """
    return frozenset(files("tzdata").joinpath("zones").read_text().split()) - {PLACEHOLDER}


def has_offset(zone: str, hours: float, now: datetime) -> bool:
    """Whether the zone's clock is so many hours ahead of UTC at some time of this year: now, or in its other season."""
    months = (datetime(now.year, month, 1, tzinfo=UTC) for month in range(1, 13))
    return any(_offset_hours(zone, at) == hours for at in (now, *months))


def with_offset(hours: float) -> str | None:
    """A zone that has this offset all year; None if there is none."""
    if hours in WHOLE_HOURS:
        return f"Etc/GMT{-int(hours):+d}" if hours else "Etc/UTC"
    return FRACTIONAL.get(hours)


def _offset_hours(zone: str, at: datetime) -> float:
    offset = at.astimezone(ZoneInfo(zone)).utcoffset() or timedelta(0)
    return offset / timedelta(hours=1)
