"""Times that no calendar has, in place of all times of a vendor's reply."""

import json
import re
from dataclasses import fields, is_dataclass
from datetime import datetime

from vendors.kit.messages import RawReply

ISO = re.compile(r"\d{4}-\d\d(-\d\d([T ]\d\d:\d\d.*)?)?")
# Members in epoch seconds or milliseconds, by number or as text.
EPOCHS = {
    "dataTimestamp",
    "fisGenerateTime",
    "end_at",
    "event_start_time",
    "last_interval_end_at",
    "last_report_at",
    "last_report_date",
    "operational_at",
    "start_at",
}
# The empty time and the last time of some databases. The first has no date in UTC, the last none on a clock ahead of
# UTC.
ENDS = {
    "first": {"time": "0001-01-01T00:00:00+10:00", "bare": "0001-01-01T00:00:00", "date": "0001-01-01", "epoch": 0},
    "last": {
        "time": "9999-12-31T23:59:59-10:00",
        "bare": "9999-12-31T23:59:59",
        "date": "9999-12-31",
        "epoch": 253_402_300_799,
    },
}


def spoilt(raw, end):
    """The reply with an impossible time, that of ENDS by this name, wherever it has a time."""
    try:
        body = json.loads(raw.body)
    except ValueError:
        return raw
    text = json.dumps(timeless(body, ENDS[end]))
    assert text != json.dumps(body) or not ISO.search(raw.body.decode()), "nothing was changed"
    return RawReply(raw.status, raw.headers, text.encode(), raw.url)


def looks_like_epoch(value):
    """Whether a number lies between 2001 and 2065 in seconds or milliseconds, e.g. first in a row."""
    return type(value) in (int, float) and any(10**9 <= value / unit < 3 * 10**9 for unit in (1, 1000))


def timeless(value, end, name=""):
    """The JSON with an impossible time wherever it has a time."""
    if isinstance(value, dict):
        return {member: timeless(nested, end, member) for member, nested in value.items()}
    if isinstance(value, list):
        return [timeless(nested, end) for nested in value]
    if (name in EPOCHS and value is not None and str(value).isdecimal()) or looks_like_epoch(value):
        in_ms = len(str(int(value))) > 11
        return type(value)(end["epoch"] * (1000 if in_ms else 1))
    match = ISO.fullmatch(value) if isinstance(value, str) else None
    if not match:
        return value
    if not match[2]:
        return end["date"][: len(value)]
    return end["time" if re.search(r"(Z|[+-]\d\d:?\d\d)$", value) else "bare"]


def times(value):
    """All times in a record."""
    if isinstance(value, datetime):
        yield value
    elif is_dataclass(value):
        for member in fields(value):
            yield from times(getattr(value, member.name))
