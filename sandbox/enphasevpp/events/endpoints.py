"""The endpoints of events: version 2, and the opting out of version 1, which has no successor."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from flask import Response, request

from sandbox.enphase.systems.site import EnphaseSite
from sandbox.enphasevpp import errors
from sandbox.enphasevpp.constants import LIST_DAYS, LONGEST_LIST_DAYS, OPT_OUT_SECONDS
from sandbox.enphasevpp.events.book import EventBook, Overlap
from sandbox.enphasevpp.events.creation import NOT_SUPPORTED, order_of, refusal
from sandbox.enphasevpp.events.event import Event, Order, Status
from sandbox.enphasevpp.programs import Programs, paging
from sandbox.replies import Refused, reply

OVERLAPPING = (
    "Already event is scheduled/ongoing. If needed, cancel existing and create new event. "
    "Event time is conflicting with an existing event time."
)
NO_EVENTS, NOT_YOURS = "No events found", "You cannot access this event"
NO_CANCELLING = "Upcoming event cancellation is not allowed for this program"
NO_ENDING = "Ongoing event ending is not allowed for this program"
OVER = "Only scheduled or in_progress events can be deleted"
ASKED = "Cancellation request is already submitted/in_progress/completed for this event"
FLAGS = "Please check program feature flags"


class Events:
    """The endpoints, over the programs of the account that asks.

    count_write: counts a write of a site. deletes_overlapping: whether an event that overlaps another is taken and
    deleted at once, and not refused.
    """

    def __init__(
        self,
        book: EventBook,
        programs: Programs,
        now: Callable[[], float],
        count_write: Callable[[str], None],
        deletes_overlapping: Callable[[], bool],
    ) -> None:
        self._book = book
        self._programs = programs
        self._now = now
        self._count_write = count_write
        self._deletes_overlapping = deletes_overlapping

    def create(self) -> Response:
        """Makes an event. The answer is 200, not 201."""
        if request.mimetype != "application/json":
            raise refusal("Content-Type invalid", f"Content type {request.mimetype} not supported")
        body = request.get_json(silent=True)
        if not isinstance(body, dict):
            raise refusal(errors.TEXTS[400])
        for site_id in body.get("site_ids") or ():
            self._count_write(str(site_id))
        order = order_of(body, self._now())
        order = _capped(order, self._site(order))
        try:
            event = self._book.add(order, deletes_overlapping=self._deletes_overlapping())
        except Overlap:
            raise refusal(OVERLAPPING, "VppEvent could not be processed") from None
        return reply(_summary("Event created successfully", event))

    def show(self, event_id: str) -> Response:
        """One event."""
        event = self._visible(event_id)
        for seen in self._book.read(event.order.site_id):
            if seen.id == event_id:
                return reply(self._shown(seen))
        raise _unknown(event_id)

    def list_events(self) -> Response:
        """A page of the events of a program that begin on the days asked for, today and the next ones by default."""
        if "program_id" not in request.args:
            raise refusal("Missing Parameter", "Required String parameter program_id is not present")
        program_id = self._programs.owned(request.args["program_id"])
        start, end = _days(datetime.fromtimestamp(self._now(), UTC).date())
        page, size = paging("page_no", "page_size")
        sites, status = _asked_sites(), request.args.get("event_status")
        if status is not None and status not in list(Status):
            raise refusal("Invalid event status", f"Event statuses can be {', '.join(Status)}")
        events = [
            event
            for enrolled in self._programs.enrolled(program_id)
            if sites is None or enrolled.site_id == sites
            for event in self._book.read(enrolled.site_id)
            if event.order.program_id == program_id
            and start <= event.order.start < end
            and status in (None, self._book.status(event))
        ]
        events.sort(key=lambda event: event.order.start)
        shown = [self._shown(event) for event in events[(page - 1) * size : page * size]]
        return reply({"program_id": program_id, "total_count": len(events), "eventList": shown})

    def end(self, event_id: str) -> Response:
        """Cancels an event before its start, or asks for the end of one that runs, which takes a while."""
        with self._book.lock:
            event = self._visible(event_id)
            self._count_write(event.order.site_id)
            self._end(event)
        return reply(_summary("Event cancelled successfully", event))

    def _end(self, event: Event) -> None:
        status, rules = self._book.status(event), self._programs.rules()
        if event.ending is not None or event.deleted is not None:
            request_status = self._shown(event)["events"][0].get("cancellation_request", "completed")
            raise refusal(ASKED, f"{ASKED}. Cancellation request status is {request_status}")
        if status is Status.SCHEDULED:
            _demand(rules.may_cancel, NO_CANCELLING)
            self._book.change(replace(event, deleted=self._now()))
        elif status is Status.IN_PROGRESS:
            _demand(rules.may_end, NO_ENDING)
            self._book.change(replace(event, ending=self._now()))
        else:
            raise refusal(OVER, f"{OVER}. This event status is {status}")

    def opt_out(self, event_id: str) -> Response:
        """Takes a site out of an event, or back into it, until shortly before its start."""
        event, body = self._visible(event_id), request.get_json(force=True, silent=True) or {}
        site_id, is_out = body.get("site_id"), body.get("optout")
        if site_id is None or is_out is None:
            name = "site_id" if site_id is None else "optout"
            raise refusal(f"{name} cannot be null")
        if str(site_id) != event.order.site_id:
            more = f"No events found for event_id:{event_id} and site_id:{site_id}"
            raise Refused(errors.error(404, "No event found for this site_id", more))
        self._count_write(event.order.site_id)
        with self._book.lock:
            event = self._visible(event_id)
            self._check_opt_out(event, is_out)
            self._book.change(replace(event, opted_out=self._now() if is_out else None))
        message = f"Site Opted {'Out' if is_out else 'In'} successfully"
        return reply({"message": message, "event_id": event_id, "site_id": site_id})

    def _check_opt_out(self, event: Event, is_out: bool) -> None:
        status = self._book.status(event)
        text = None
        if status not in (Status.SCHEDULED, Status.OPTED_OUT):
            text = "Only scheduled events can be opted out or opted in"
        elif is_out == (status is Status.OPTED_OUT):
            text = f"This site is already opted {'out' if is_out else 'in'}"
        elif event.order.start - self._now() < OPT_OUT_SECONDS:
            within = f"within {OPT_OUT_SECONDS // 60} minutes from current time"
            text = f"Event cannot be opted out/opted in because its start time is {within}"
        if text is not None:
            raise Refused(errors.error(422, text, text))

    def _site(self, order: Order) -> EnphaseSite:
        """The site of an order, if it is enrolled in the program and has batteries that can be controlled."""
        program_id = self._programs.owned(order.program_id, 403)
        for seen in self._programs.enrolled(program_id):
            if seen.site_id == order.site_id:
                if not seen.batteries or seen.has_acbs:
                    raise refusal(NOT_SUPPORTED)
                return seen
        raise refusal(f"No enrollments found for the given program for some sites out of: [{order.site_id}]")

    def _visible(self, event_id: str) -> Event:
        """The event, if it is of a program of the account."""
        event = self._book.find(event_id)
        if event is None:
            raise _unknown(event_id)
        if not self._programs.owns(event.order.program_id):
            more = "This event is not belongs to programs which are mapped to your account"
            raise Refused(errors.error(403, NOT_YOURS, more))
        return event

    def _shown(self, event: Event) -> dict[str, Any]:
        order = event.order
        shown = event.shown(self._book.happenings(event), self._now())
        return {"event_id": event.id, "name": order.name, "program_id": order.program_id, "events": [shown]}


def _capped(order: Order, seen: EnphaseSite) -> Order:
    """The order with no more than the rated power."""
    if order.rate_watt is None:
        return order
    return replace(order, rate_watt=max(-seen.rated_w, min(seen.rated_w, order.rate_watt)))


def _summary(message: str, event: Event) -> dict[str, Any]:
    """The answer to a write."""
    order = event.order
    return {
        "message": message,
        "event_id": event.id,
        "name": order.name,
        "no_of_sites": 1,
        "program_id": order.program_id,
        "total_watts": abs(order.rate_watt or 0),
    }


def _unknown(event_id: str) -> Refused:
    return Refused(errors.error(404, NO_EVENTS, f"{NO_EVENTS} for event_id:{event_id}"))


def _demand(is_allowed: bool, text: str) -> None:
    if not is_allowed:
        raise Refused(errors.error(403, text, f"{text}. {FLAGS}"))


def _asked_sites() -> str | None:
    site_id = request.args.get("site_id")
    if site_id is not None and not site_id.isdecimal():
        raise refusal("Invalid siteId", "Site Id must be an integer")
    return site_id


def _days(today: date) -> tuple[float, float]:
    """Start and end of the days asked for, in UTC; the last one included."""
    first = _date("start_date") or today
    last = _date("end_date") or first + timedelta(days=LIST_DAYS)
    if last < first:
        raise refusal("Invalid date range", "Date range is invalid. end_date must be after start_date")
    if (last - first).days > LONGEST_LIST_DAYS:
        more = f"Date range is invalid. end_date cannot be more than {LONGEST_LIST_DAYS} days from start_date"
        raise refusal("Invalid date range", more)
    start, end = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in (first, last + timedelta(days=1)))
    return start.timestamp(), end.timestamp()


def _date(name: str) -> date | None:
    text = request.args.get(name)
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        more = f"{name} format is invalid. {name} must be in yyyy-MM-dd format"
        raise refusal(f"Invalid {name} format", more) from None
