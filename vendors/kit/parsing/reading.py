"""Reads members of vendors' JSON, whose types and values cannot be trusted.

Required members are read with `text`, `rows` and `as_object`, which raise KeyError or TypeError; the kit turns these
into BadReply. All other members are optional, and a value of a wrong type counts as absent: a site must not be lost
because its start date is odd.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, tzinfo
from math import isfinite
from typing import Any
from zoneinfo import ZoneInfo

Raw = Mapping[str, Any]

FLAGS: Mapping[str | float, bool] = {"true": True, "false": False, "1": True, "0": False, 1: True, 0: False}
MAX_TEXT = 300
MOST_OFFSET_HOURS = 14
# No solar inverter fed a grid before these years, and none has a later date. Vendors write epoch 0, year 1 and year
# 9999 for "none"; in some time zones the last two have no date.
YEARS = range(1980, 2100)

# Factors to kW or kWh. A value with a unit that is not listed is left out.
POWER_UNITS = {"W": 0.001, "KW": 1.0, "MW": 1000.0}
ENERGY_UNITS = {"WH": 0.001, "KWH": 1.0, "MWH": 1000.0, "GWH": 1e6}


class WrongRecord(ValueError):
    """The reply is about another site or device than the request."""


def text(raw: Raw, name: str) -> str:
    """A required, non-empty text; whole numbers are written in decimal, so ids of 19 digits stay whole."""
    value = raw[name]
    if type(value) is str and value.isalnum() and len(value) <= MAX_TEXT:
        return value  # Fast path: nearly all texts consist of letters and digits, which need no cleaning.
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TypeError(f"{name} is not a text")
    cleaned = str(value).strip()
    if not cleaned:
        raise KeyError(name)
    if not str(value).isprintable() or len(str(value)) > MAX_TEXT:
        # Without such a character an id would be a different id.
        raise TypeError(f"{name} has characters that an id cannot have")
    return cleaned


def optional_text(raw: Raw, name: str) -> str | None:
    """A text without control characters and with single spaces between its words, or None."""
    value = raw.get(name)
    if value is None:
        return None
    if type(value) is str and value.isalnum() and len(value) <= MAX_TEXT:
        return value
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    cleaned = str(value)
    if not cleaned.isprintable():
        cleaned = "".join(char for char in cleaned if char.isprintable())
    return " ".join(cleaned.split())[:MAX_TEXT] or None


def number(raw: Raw, name: str) -> float | None:
    """A finite number, which may be written as text; else None."""
    value = raw.get(name)
    if type(value) is float:
        return value if isfinite(value) else None
    if value is None or isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        result = float(value)
    except (ValueError, OverflowError):
        return None
    return result if isfinite(result) else None


def number_at(values: Any, index: int) -> float | None:
    """The number at an index of a list, read like `number`; None where the list is too short or missing."""
    is_present = isinstance(values, Sequence) and not isinstance(values, str) and -len(values) <= index < len(values)
    return number({"at": values[index]}, "at") if is_present else None


def flag(raw: Raw, name: str) -> bool | None:
    """A truth value, which may be written as text or as 0 or 1; None for anything else."""
    value = raw.get(name)
    if isinstance(value, str):
        return FLAGS.get(value.strip().lower())
    return FLAGS.get(value) if isinstance(value, int | float) else None


def positive(raw: Raw, name: str) -> float | None:
    """A number above 0, else None: for ratings, in which 0 means that none was entered."""
    value = number(raw, name)
    return value if value is not None and value > 0 else None


def kilo(raw: Raw, name: str) -> float | None:
    """A number in W or Wh, converted to kW or kWh."""
    value = number(raw, name)
    return None if value is None else value / 1000


def rating(raw: Raw, *names: str) -> float | None:
    """The first of these nameplate values (W or Wh) that is above 0, converted to kW or kWh; None if there is none."""
    return next((value / 1000 for name in names if (value := positive(raw, name)) is not None), None)


def charge_and_discharge(net_kw: float | None) -> tuple[float | None, float | None]:
    """One signed power, positive while the battery charges, as power into and out of it; both None when unknown."""
    return (None, None) if net_kw is None else (max(0.0, net_kw), max(0.0, -net_kw))


def power_kw(raw: Raw, name: str, unit: str) -> float | None:
    """A power above 0 in kW; `unit` is the member that holds its unit. None when the unit is unknown."""
    value = positive(raw, name)
    factor = POWER_UNITS.get((optional_text(raw, unit) or "").upper().removesuffix("P"))
    return None if value is None or factor is None else value * factor


def energy_kwh(raw: Raw, name: str, unit: str) -> float | None:
    """An energy in kWh; `unit` is the member that holds its unit. None when the unit is unknown."""
    value = number(raw, name)
    factor = ENERGY_UNITS.get((optional_text(raw, unit) or "").upper())
    return None if value is None or factor is None else value * factor


def moment(raw: Raw, name: str, clock: tzinfo = UTC) -> datetime | None:
    """An ISO time as aware datetime; a time without an offset is on `clock`. None for anything else."""
    try:
        return stamp({name: optional_text(raw, name) or ""}, name, clock)
    except (KeyError, ValueError):
        return None


def stamp(raw: Raw, name: str, clock: tzinfo | None = None) -> datetime | None:
    """The ISO time of a row as aware datetime; None for a time outside of YEARS, which no row can have.

    Raises ValueError, TypeError or KeyError for a value that is no time, and ValueError for a time without an offset
    unless `clock` is given.
    """
    at = datetime.fromisoformat(text(raw, name))
    if at.tzinfo is None:
        if clock is None:
            # Python would take it as a time on this server's clock.
            raise ValueError("a time without an offset")
        at = at.replace(tzinfo=clock)
    return at if at.year in YEARS else None


def calendar_date(raw: Raw, name: str) -> date | None:
    """The date of a row, written `2026-06-17`, or `2026-06` for the first of a month; None for a date outside of YEARS.

    Raises ValueError, TypeError or KeyError for a value that is no date.
    """
    label = text(raw, name)
    day = date.fromisoformat(label if len(label) > len("2026-06") else f"{label}-01")
    return day if day.year in YEARS else None


def zone(raw: Raw, name: str) -> ZoneInfo | None:
    """The time zone with this IANA name, legacy ones included; else None."""
    try:
        return ZoneInfo(optional_text(raw, name) or "")
    except (ValueError, OSError, KeyError):
        return None


def offset_hours(raw: Raw, name: str) -> float | None:
    """Hours by which a clock is ahead of UTC; None for an offset that no time zone has."""
    value = number(raw, name)
    return value if value is not None and abs(value) <= MOST_OFFSET_HOURS else None


def zone_name(raw: Raw, name: str) -> str | None:
    """An IANA name of a time zone; None for any other text."""
    zone_info = zone(raw, name)
    return zone_info.key if zone_info else None


def mapping(raw: Raw, name: str) -> Raw:
    """A nested object; empty if it is absent or of another type, since some vendors write "" or [] for "none"."""
    value = raw.get(name)
    return value if isinstance(value, Mapping) else {}


def by_member(raw: Raw, name: str, member: str) -> dict[str, Raw]:
    """The objects of a list, by the text of one member; empty if there is no list. Other values are skipped."""
    values = raw.get(name)
    objects = [row for row in values if isinstance(row, Mapping)] if isinstance(values, list) else []
    return {key: row for row in objects if (key := optional_text(row, member)) is not None}


def check_id(raw: Any, name: str, id: str) -> None:
    """Raises WrongRecord if the member holds another id; a reply without the member is accepted."""
    reported = optional_text(raw, name) if isinstance(raw, Mapping) else None
    if reported not in (None, id):
        raise WrongRecord


def as_object(value: Any) -> Raw:
    """A required object, for a converter that returns it unread. Raises TypeError for anything else."""
    if not isinstance(value, Mapping):
        raise TypeError("it is not an object")
    return value


def epoch(raw: Raw, name: str) -> datetime | None:
    """A time in epoch seconds as aware datetime in UTC; else None."""
    seconds = number(raw, name)
    try:
        at = datetime.fromtimestamp(seconds or 0.0, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return at if at.year in YEARS else None


def rows(raw: Any, *path: str, optional: bool = False) -> list[Any]:
    """The list at the end of `path`; empty if `optional` and the last member is missing."""
    for depth, name in enumerate(path, 1):
        if not isinstance(raw, Mapping):
            raise TypeError("the answer is not an object")
        if optional and depth == len(path) and raw.get(name) is None:
            return []
        raw = raw[name]
    if not isinstance(raw, list):
        raise TypeError(f"{path[-1] if path else 'the answer'} is not a list")
    return raw
