"""Events of the Grid Services API: the request that makes one, and what replies show of them.

Requests have times in whole minutes of UTC, without an offset.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import ceil, copysign
from typing import Any

from vendors.enphase.control import IDLE, LEAST_PERCENT, MINUTE, MOST_PERCENT, SIGNS
from vendors.kit import Accepted, Event, EventState, PlannedEvent, Reply
from vendors.kit.parsing.reading import Raw, kilo, number, optional_text, rating, rows, stamp, text

# An event that starts sooner is sent without a start, which means the next whole minute: the vendor demands a lead for
# a named start, and its length is documented nowhere.
LEAD = MINUTE
STATES = {
    "scheduled": EventState.SCHEDULED,
    "in_progress": EventState.RUNNING,
    "completed": EventState.ENDED,
    "stopped": EventState.ENDED,
    "failed": EventState.FAILED,
    "deleted": EventState.REMOVED,
    "optedout": EventState.OPTED_OUT,
}
BATTERIES = "BATTERY"
DAY, LONGEST_LIST = timedelta(days=1), timedelta(days=30)


def body_of(site: str, program: str | None, planned: PlannedEvent, least_percent: int, now: datetime) -> dict[str, Any]:
    """The request that makes an event. least_percent: how far to discharge if no limit is planned.

    An event that would displace another is not taken: what is at the vendor is ended first, or left.
    """
    body: dict[str, Any] = {
        "program_id": program,
        "site_ids": [int(site)],
        "measuring_reference": "ASSET",
        "functions": [BATTERIES],
        "mode": planned.mode,
        "end_time": _written(planned.end),
        "superseded": False,
    }
    if planned.start - now >= LEAD:
        body["start_time"] = _written(planned.start)
    if planned.kw is not None:
        body["rate_watt"] = round(planned.kw * 1000)
    if planned.mode != IDLE:
        unlimited = MOST_PERCENT if SIGNS[planned.mode] < 0 else least_percent
        body["target_soc"] = unlimited if planned.limit_percent is None else round(planned.limit_percent)
    return body


def _written(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def least_percent(program: Raw) -> int:
    """How far the batteries of a program may be discharged."""
    return min(MOST_PERCENT, max(LEAST_PERCENT, ceil(number(program, "min_allowed_soc") or 0)))


def to_accepted(planned: PlannedEvent, raw: Raw) -> Accepted:
    """The answer to a new event. That `total_watts` is the power to which it was capped is an assumption."""
    total_kw = rating(raw, "total_watts")
    kw = None
    if total_kw and planned.kw and total_kw < abs(planned.kw):
        kw = copysign(total_kw, planned.kw)
    return Accepted(text(raw, "event_id"), optional_text(raw, "message") or "", kw)


def page_of_events(site: str, read: int, raw: Raw) -> tuple[list[Event], bool]:
    """The events of a site's batteries on a page, and whether more than have been `read` so far are left.

    An event that cannot be read spoils the page: without it, an event could be made twice.
    """
    listed = rows(raw, "eventList")
    events = [
        to_event(text(event, "event_id"), at_site)
        for event in listed
        for at_site in rows(event, "events")
        if text(at_site, "site_id") == site and is_of_batteries(at_site)
    ]
    return events, bool(listed) and read < int(raw["total_count"])


def date_ranges(start: datetime, end: datetime) -> Iterator[dict[str, str]]:
    """Parameters of calls for the events of some time, each for as many dates as the vendor allows.

    The list is by dates, of which clock and of start or end is documented nowhere: a day more on both sides has all.
    """
    first, last = start.astimezone(UTC).date() - DAY, end.astimezone(UTC).date() + DAY
    while first < last:
        until = min(first + LONGEST_LIST, last)
        yield {"start_date": first.isoformat(), "end_date": until.isoformat()}
        first = until


def is_of_batteries(raw: Raw) -> bool:
    """Whether an event is for batteries. Version 1 of the API has one function in place of a list."""
    return BATTERIES in (raw.get("functions") or [raw["function"]])


def to_event(id: str, raw: Raw) -> Event:
    """An event as the list has it."""
    status = text(raw, "event_status")
    start, end = stamp(raw, "start_time"), stamp(raw, "end_time")
    if start is None or end is None or status not in STATES:
        raise ValueError("an event without a time or with an unknown status")
    mode, kw = optional_text(raw, "mode") or "", kilo(raw, "rate_watt")
    if mode in SIGNS and (kw is not None or mode == IDLE):
        # The powers of version 1 have no sign, and an event that holds may have none.
        kw = abs(kw or 0.0) * SIGNS[mode]
    return Event(
        id, start, end, mode, kw, number(raw, "target_soc"), STATES[status], text_of(raw, status), reason_of(raw)
    )


def text_of(raw: Raw, status: str) -> str:
    """Status, delivery and cancellation of an event in the vendor's words."""
    cancellation = optional_text(raw, "cancellation_request")
    words = (status, optional_text(raw, "command_delivery_status"), cancellation and f"cancellation {cancellation}")
    return ", ".join(filter(None, words))


def reason_of(raw: Raw) -> str:
    """Why an event failed, in the vendor's words."""
    return ": ".join(filter(None, (optional_text(raw, "failure_code"), optional_text(raw, "failure_reason"))))


def words_of(reply: Reply) -> str:
    """The sentence with which the vendor answers a write: some answers are JSON, and some are plain text."""
    return optional_text(reply.json_object, "message") or optional_text({"text": reply.text}, "text") or ""
