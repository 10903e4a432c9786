"""Reading the JSON bodies and query parameters of the control endpoints, with errors that name the field."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any


class BadField(ValueError):
    """A field that is unknown, missing, or not what was expected."""

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(f"{field}: {expected}")
        self.field = field


def an_object(raw: Any, known: Mapping[str, Any] | set[str], field: str = "body") -> dict[str, Any]:
    """The JSON object itself, if it has known members only."""
    if not isinstance(raw, dict):
        raise BadField(field, "a JSON object is expected")
    for name in raw:
        if name not in known:
            raise BadField(str(name), f"unknown; known are {', '.join(sorted(known))}")
    return raw


def number(least: float, most: float) -> Callable[[str, Any], float]:
    """A check for a number between the two, both included."""

    def check(field: str, raw: Any) -> float:
        if isinstance(raw, bool) or not isinstance(raw, int | float) or not least <= raw <= most:
            raise BadField(field, f"a number from {least} to {most} is expected")
        return float(raw)

    return check


def whole(least: int, most: int) -> Callable[[str, Any], int]:
    """A check for a whole number between the two, both included."""

    def check(field: str, raw: Any) -> int:
        if isinstance(raw, bool) or not isinstance(raw, int) or not least <= raw <= most:
            raise BadField(field, f"a whole number from {least} to {most} is expected")
        return raw

    return check


def text(field: str, raw: Any) -> str:
    """The text itself."""
    if not isinstance(raw, str):
        raise BadField(field, "text is expected")
    return raw


def flag(field: str, raw: Any) -> bool:
    """True or false."""
    if not isinstance(raw, bool):
        raise BadField(field, "true or false is expected")
    return raw


def one_of(values: Sequence[str]) -> Callable[[str, Any], str]:
    """A check for one of the texts."""

    def check(field: str, raw: Any) -> str:
        if raw not in values:
            raise BadField(field, f"one of {', '.join(values)} is expected")
        return str(raw)

    return check


def instant(field: str, raw: Any) -> float:
    """Epoch seconds of an ISO 8601 time with an offset; a `+` that a query string turned into a blank is mended."""
    expected = "an ISO 8601 time with an offset is expected, such as 2026-06-21T12:00:00Z"
    if not isinstance(raw, str):
        raise BadField(field, expected)
    try:
        moment = datetime.fromisoformat(raw[:10] + raw[10:].replace(" ", "+"))
    except ValueError:
        raise BadField(field, expected) from None
    if moment.tzinfo is None:
        raise BadField(field, expected)
    return moment.timestamp()
