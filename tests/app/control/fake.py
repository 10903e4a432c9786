"""A vendor in memory that keeps events with their end, and whose battery obeys them, unless a test says otherwise."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from tests.vendors.support import BASE, TRANSPORT
from vendors.kit import (
    Battery,
    Bess,
    Forbidden,
    NotFound,
    Row,
    Series,
    Site,
    Stage,
    Timeout,
    Vendor,
    fixed_tiles,
)
from vendors.kit.calls.cloud import open_cloud
from vendors.kit.calls.reply_cache import ReplyCache
from vendors.kit.control import (
    Accepted,
    CannotExpress,
    Command,
    Control,
    Event,
    EventState,
    PlannedEvent,
)
from vendors.kit.errors import VendorDown

NAME, SITE, RATING_KW = "memory", "7", 5.0
NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
LONGEST = timedelta(hours=5)
SETTLES, TAKES_EFFECT = timedelta(minutes=1), timedelta(minutes=5)


class Lost(Timeout):
    """No answer has come, and the vendor may have acted."""

    is_uncertain = True


class NotSent(VendorDown):
    """The call was not made."""


class Clock:
    """The present of the service and of the vendor."""

    def __init__(self):
        self.now = NOON

    def __call__(self):
        return self.now

    def forward(self, **by):
        self.now += timedelta(**by)


@dataclass
class Cloud:
    """The vendor's side. A test sets how it goes wrong."""

    clock: Clock
    per_day: int = 400
    events: dict = field(default_factory=dict)
    calls: list = field(default_factory=list)
    programs: list = field(default_factory=lambda: ["summer"])
    obeys: bool = True
    hides: bool = False
    """New events are accepted, and not shown: they are kept in `hidden`."""
    hidden: list = field(default_factory=list)
    fails_with: object = None
    """The failure of the next writes; Lost with `makes` set is made all the same."""
    makes: bool = True
    cap_kw: float | None = None
    refuses: object = None
    """Whether the vendor refuses an event, given what is planned."""
    writes_until_late: int | None = None
    """The writes after which no time is left in a request."""
    down: object = None
    """The failure of every call."""

    @property
    def writes(self):
        return [call for call in self.calls if call[0] in ("add", "end")]

    def state_of(self, event):
        if event.state not in (EventState.SCHEDULED, EventState.RUNNING):
            return event.state
        if event.end <= self.clock.now:
            return EventState.ENDED
        return EventState.RUNNING if event.start <= self.clock.now else EventState.SCHEDULED

    def shown(self):
        states = {id: self.state_of(event) for id, event in self.events.items()}
        return [replace(self.events[id], state=state, text=state.value) for id, state in states.items()]

    def add(self, planned, text="made", **changes):
        id = f"event-{len(self.events) + 1}"
        kw = planned.kw if self.cap_kw is None or planned.kw is None else min(planned.kw, self.cap_kw)
        times = planned.start, planned.end
        event = Event(id, *times, planned.mode, kw, planned.limit_percent, EventState.SCHEDULED, text)
        self.events[id] = replace(event, **changes)
        return Accepted(id, text, kw)

    def change(self, id, **changes):
        """What the owner or the vendor does to an event."""
        self.events[id] = replace(self.events[id], **changes)

    def kw_at(self, at):
        """The power of all batteries; positive discharges."""
        if not self.obeys:
            return 0.0
        at_work = [
            event
            for event in self.events.values()
            if event.start <= at < event.end and event.state in (EventState.SCHEDULED, EventState.RUNNING)
        ]
        return at_work[-1].kw or 0.0 if at_work else 0.0


class InMemory(Vendor):
    """The plugin of that vendor."""

    cloud = None
    hosts = {NAME: {"main": BASE}}
    stage = Stage.SERIES
    lag = timedelta(minutes=5)
    control = Control(400, TAKES_EFFECT, SETTLES)

    def sites(self):
        yield Site.listed(SITE, lambda raw: {"name": ""}, None)

    def devices(self, site=None):
        yield Battery.listed(("b",), "b", SITE, lambda raw: {"rated_power_kw": RATING_KW}, None)

    def site(self, key):
        self._note("site", key)
        kw = self.cloud.kw_at(self.cloud.clock.now)
        return Site(
            key=key, vendor_id=SITE, name="", bess=Bess(10.0, None, 50.0), charge_kw=max(0.0, -kw),
            discharge_kw=max(0.0, kw), measured_at=self.cloud.clock.now,
        )  # fmt: skip

    def site_battery_intervals(self, key, level):
        self._note("series", key)

        def read(start, end):
            rows, at = [], start
            while at < min(end, self.cloud.clock.now):
                minutes = [self.cloud.kw_at(at + timedelta(minutes=minute)) / 60 for minute in range(15)]
                charged, discharged = -sum(kw for kw in minutes if kw < 0), sum(kw for kw in minutes if kw > 0)
                rows.append(Row(at, at + QUARTER, (charged, discharged)))
                at += QUARTER
            return [rows]

        return Series(UTC, fixed_tiles(1, UTC, read), self.lag)

    @classmethod
    def planned_events(cls, interval, now):
        if interval.kw is not None and interval.kw > 100:
            raise CannotExpress("kw", "May be 100 at most.")
        start = max(interval.start, now)
        if interval.end - start < timedelta(minutes=5):
            raise CannotExpress("end", "Must be 5 minutes after the start at least.")
        sign = {Command.DISCHARGE: 1, Command.CHARGE: -1, Command.IDLE: 0}[interval.command]
        kw = None if interval.kw is None else sign * interval.kw
        events = []
        while start < interval.end:
            end = min(start + LONGEST, interval.end)
            events.append(PlannedEvent(start, end, interval.command.value, kw, interval.limit_percent))
            start = end
        return events

    def control_programs(self, key):
        self._note("programs", key)
        return self.cloud.programs

    def control_events(self, key, program, start, end):
        self._note("events", key)
        return [event for event in self.cloud.shown() if event.start <= end and start <= event.end]

    def add_control_event(self, key, program, planned):
        self._note("add", key)
        failure = self._failure()
        if self.cloud.refuses and self.cloud.refuses(planned):
            raise Forbidden(BASE)
        if failure is not None and not (failure.is_uncertain and self.cloud.makes):
            raise failure
        accepted = self.cloud.add(planned)
        if self.cloud.hides:
            self.cloud.hidden.append(self.cloud.events.pop(accepted.id))
        if failure is not None:
            raise failure
        return accepted

    def end_control_event(self, key, program, event):
        self._note("end", key)
        if (failure := self._failure()) is not None:
            raise failure
        before = self.cloud.state_of(self.cloud.events[event])
        now = self.cloud.clock.now
        if before is EventState.RUNNING:
            self.cloud.change(event, state=EventState.ENDED, end=now)
        else:
            self.cloud.change(event, state=EventState.REMOVED)
        return "ended"

    def _failure(self):
        failure = self.cloud.fails_with
        return failure() if failure else None

    def _note(self, call, key):
        self.cloud.calls.append((call, self.cloud.clock.now))
        if len(self.cloud.writes) == self.cloud.writes_until_late:
            self.client.deadline.at = 0.0
        if self.credential["token"] != "good":
            raise Forbidden(BASE)
        if key != (SITE,):
            raise NotFound(BASE)
        if self.cloud.down:
            raise self.cloud.down(BASE)


def opened(cloud):
    """The vendor for `create_app`, bound to this cloud."""
    control = replace(InMemory.control, writes_per_day=cloud.per_day)
    plugin = type("InMemory", (InMemory,), {"cloud": cloud, "control": control})
    return open_cloud(NAME, plugin, TRANSPORT, ReplyCache(), BASE)
