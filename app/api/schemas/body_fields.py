"""JSON bodies of requests, and the fields of their members."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import marshmallow as ma

from vendors.kit.series.windows import BadWindow, instant

EXAMPLE = "2026-06-01T00:00:00Z"


class RequestBody(ma.Schema):
    """A JSON object in a request. Members that it does not know are refused by name."""

    error_messages = {"type": "Must be a JSON object.", "unknown": "There is no such member."}


class Number(ma.fields.Float):
    """A finite JSON number; marshmallow's field also takes texts and truth values."""

    # For the infinite values that numbers beyond a float become.
    default_error_messages = {"special": "The number is too large."}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.make_error("invalid", input=value)
        number: float = super()._deserialize(value, attr, data, **kwargs)
        return number + 0.0  # Makes 0 of -0.


class Time(ma.fields.Field[datetime]):
    """An ISO 8601 time with a date. It needs an offset unless `naive` is true."""

    default_error_messages = {
        "invalid": f"Must be an ISO 8601 time, such as {EXAMPLE}.",
        "naive": f"Must be a time with an offset, such as {EXAMPLE}.",
    }

    def __init__(self, *, naive: bool = False, **options: Any) -> None:
        shape = {"type": "string", "example": EXAMPLE} | ({} if naive else {"format": "date-time"})
        super().__init__(**options | {"metadata": shape | options.get("metadata", {})})
        self._naive = naive

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        try:
            if not isinstance(value, str) or "T" not in value:
                raise ValueError
            time = datetime.fromisoformat(value)
        except ValueError:
            raise self.make_error("invalid") from None
        if time.tzinfo is not None:
            return in_calendar(time)
        if not self._naive:
            raise self.make_error("naive")
        return time


def in_calendar(time: datetime, zone: str = "UTC") -> datetime:
    """The instant in UTC; a time without an offset is on the zone's clock."""
    try:
        return instant("", time, ZoneInfo(zone))
    except BadWindow:
        raise ma.ValidationError("This is no time of a calendar.") from None
