"""Reads the body of a request for an event of version 2, with the refusals of the published catalogue."""

from datetime import UTC, datetime
from math import ceil
from typing import Any

from sandbox.enphasevpp import errors
from sandbox.enphasevpp.constants import (
    FARTHEST_DAYS,
    GREATEST_TARGET,
    LEAST_TARGET,
    LONGEST_MINUTES,
    SHORTEST_MINUTES,
)
from sandbox.enphasevpp.events.event import Order
from sandbox.replies import Refused
from simulation import CommandMode

MINUTE, DAY = 60, 86_400
FUNCTIONS = ("BATTERY", "PV", "HP", "EVSE")
REFERENCES = ("ASSET", "SITE")
SIGN = "rate_watt must be positive for discharge events and negative for charge events"
NO_CHARGE = "Invalid request. For charge events, rate_watt should be negative value (non-zero)"
TARGET = f"target_soc should be between {LEAST_TARGET} and {GREATEST_TARGET} for BATTERY charge or discharge event"
NOT_SUPPORTED = "The site does not support the requested function"
TIME_FORMAT = "%Y-%m-%d %H:%M"
Body = dict[str, Any]


def refusal(text: str, more: str = "") -> Refused:
    """A refusal of the request's values."""
    return Refused(errors.error(400, text, more or text))


def order_of(body: Body, now: float) -> Order:
    """The event that the body asks for. Raises Refused."""
    program_id = _typed(body, "program_id", str)
    if not program_id:
        text = "program_id cannot be null"
        raise refusal(text, f"{text}. please provide program_id of the event")
    site_id = _site_id(body)
    _check_function(body)
    rate = _typed(body, "rate_watt", int)
    mode = _mode(_typed(body, "mode", str), rate)
    start, end = _times(body, now)
    return Order(
        program_id=program_id,
        site_id=site_id,
        mode=mode,
        rate_watt=rate,
        target_soc=_target(body, mode),
        start=start,
        end=end,
        superseded=_typed(body, "superseded", bool),
    )


def _typed(body: Body, name: str, kind: type) -> Any:
    """The member; None if it is missing or null."""
    value = body.get(name)
    if value is not None and type(value) is not kind:
        words = {str: "String", int: "Integer", bool: "Boolean", list: "Set"}
        raise refusal("Type Mismatch", f"Cannot cast the parameter {name} to required type {words[kind]}")
    return value


def _site_id(body: Body) -> str:
    sites, groups = _typed(body, "site_ids", list), _typed(body, "vpp_ids", list)
    if (sites is None) == (groups is None):
        raise refusal("either site_ids or vpp_ids must be passed. Both cannot be passed")
    if sites is None:
        raise refusal("vpp ids not supported currently. Provide only site ids")
    if len(sites) != 1:
        raise refusal("multiple site ids are not supported currently")
    if type(sites[0]) is not int:
        raise refusal("Type Mismatch", "Cannot cast the parameter site_ids to required type Integer")
    return str(sites[0])


def _check_function(body: Body) -> None:
    """Only the control of batteries is played."""
    functions, reference = _typed(body, "functions", list), _typed(body, "measuring_reference", str)
    if not functions:
        raise refusal("functions cannot be null")
    if reference is None:
        raise refusal("measuring_reference cannot be null")
    if len(functions) > 1:
        raise refusal("multiple functions are not supported currently. Provide only one function")
    for name, value, known in (("functions", functions[0], FUNCTIONS), ("measuring_reference", reference, REFERENCES)):
        if value not in known:
            raise refusal("Type Mismatch", f"Cannot cast the parameter {name} to required type {name}")
    if functions != ["BATTERY"]:
        raise refusal("program does not support this function")
    if reference == "SITE":
        raise refusal(NOT_SUPPORTED)


def _mode(mode: str | None, rate: int | None) -> str:
    """The mode, by default that of the sign of the power."""
    if mode is None and rate is None:
        raise refusal("Either mode or rate_watt is required for BATTERY function")
    if mode is None:
        mode = CommandMode.DISCHARGE_TO_LOAD_GRID if (rate or 0) > 0 else CommandMode.CHARGE_FROM_PV_GRID
        return mode if rate else CommandMode.IDLE
    if mode not in list(CommandMode):
        raise refusal("Invalid mode for BATTERY function")
    if rate is None:
        return mode
    if rate == 0 and CommandMode(mode).charges:
        raise refusal(NO_CHARGE)
    sign = (rate > 0) - (rate < 0)
    if sign != sign_of(mode):
        raise refusal(SIGN)
    return mode


def sign_of(mode: str) -> int:
    """The sign of the power in a mode: 1 discharges."""
    return 0 if mode == CommandMode.IDLE else -1 if CommandMode(mode).charges else 1


def _target(body: Body, mode: str) -> int | None:
    """The target of charging or discharging; holding has none, whatever the request says."""
    target = _typed(body, "target_soc", int)
    if mode == CommandMode.IDLE:
        return None
    if target is None:
        raise refusal("target_soc is required for BATTERY charge or discharge event")
    if not LEAST_TARGET <= target <= GREATEST_TARGET:
        raise refusal(TARGET)
    return int(target)


def _times(body: Body, now: float) -> tuple[float, float]:
    start = _instant(body, "start_time")
    if start is not None and start < now:
        text = "Start time cannot be in the past"
        moment = datetime.fromtimestamp(now, UTC)
        raise refusal(
            text, f"{text}. Event start time {body['start_time']} current time {moment:%a %b %d %H:%M:%S GMT %Y}"
        )
    start = MINUTE * ceil(now / MINUTE) if start is None else start
    if start > now + FARTHEST_DAYS * DAY:
        raise refusal(f"Event start time can be maximum {FARTHEST_DAYS} days from current time")
    end, duration = _instant(body, "end_time"), _typed(body, "duration", int)
    if (end is None) == (duration is None):
        raise refusal("either end_time or duration must be passed. Both cannot be passed")
    end = start + MINUTE * duration if end is None else end
    if end <= start:
        raise refusal("End time must be greater than start time")
    if end - start < MINUTE * SHORTEST_MINUTES:
        text = f"Event duration should not be less than {SHORTEST_MINUTES} Mins"
        raise refusal("Event duration out of range", text)
    if end - start > MINUTE * LONGEST_MINUTES:
        hours, minutes = divmod(LONGEST_MINUTES, 60)
        raise refusal("Event duration out of range", f"Event duration should not exceed {hours} Hours {minutes} Mins")
    return start, end


def _instant(body: Body, name: str) -> float | None:
    """A time in UTC, in whole minutes."""
    text = _typed(body, name, str)
    if text is None:
        return None
    try:
        return datetime.strptime(text, TIME_FORMAT).replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise refusal(f"{name} format should be yyyy-MM-dd HH:mm") from None
