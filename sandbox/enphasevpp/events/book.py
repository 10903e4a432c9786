"""The events of this cloud: what is written, what reads show of it, and what the batteries get to do."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from uuid import uuid4

from sandbox.batteries.batteries import Batteries, Layer
from sandbox.batteries.happenings import Happenings
from sandbox.enphase.systems.site import SYSTEM_ID, SYSTEM_STEP
from sandbox.enphasevpp.events.creation import sign_of
from sandbox.enphasevpp.events.event import Event, Order, Status
from simulation import BatteryCommand

Known = dict[str, Event]


class Overlap(Exception):
    """The order wants its site at the time of an event that it does not supersede."""


@dataclass
class _Stale:
    """The events of a site before its latest write, and how many reads still show these."""

    events: Known
    reads: int


class EventBook:
    """The events by site, and by id in the order in which they were made.

    lock: to be held from the look at an event to its change.
    """

    def __init__(self, batteries: Batteries, now: Callable[[], float]) -> None:
        self._batteries = batteries
        self._now = now
        self.lock = batteries.lock
        self._events: defaultdict[str, Known] = defaultdict(dict)
        self._stale: dict[str, _Stale] = {}
        batteries.add_source(self)

    def add(self, order: Order, *, deletes_overlapping: bool) -> Event:
        """Makes an event. Raises Overlap, unless an event that may not be is made and deleted at once."""
        now, number = self._now(), _number(order.site_id)
        known = len(self._batteries.happenings(number).opt_outs)
        event = Event(str(uuid4()), order, now, self._batteries.conditions(number), earlier_opt_outs=known)
        with self.lock:
            rivals = [rival for rival in self._events[order.site_id].values() if self._is_rival(order, rival)]
            if rivals and not order.superseded:
                if not deletes_overlapping:
                    raise Overlap
                event = replace(event, deleted=now)
            if not event.conditions.drops:
                displaced = [
                    replace(rival, deleted=now) for rival in rivals if order.superseded and order.covers(rival.order)
                ]
                self._write(order.site_id, [*displaced, event])
        return event

    def change(self, event: Event) -> None:
        """Puts an event in the place of the one with its id."""
        with self.lock:
            self._write(event.order.site_id, [event])

    def find(self, event_id: str) -> Event | None:
        """The event as it really is."""
        with self.lock:
            return next((known[event_id] for known in self._events.values() if event_id in known), None)

    def read(self, site_id: str) -> list[Event]:
        """The events of a site as a read shows them: after a write perhaps as they were before it."""
        with self.lock:
            stale = self._stale.get(site_id)
            if stale is None or stale.reads == 0:
                return list(self._events[site_id].values())
            stale.reads -= 1
            return list(stale.events.values())

    def happenings(self, event: Event) -> Happenings:
        """Happenings at the event's site."""
        return self._batteries.happenings(_number(event.order.site_id))

    def status(self, event: Event) -> Status:
        """How the event stands now."""
        return event.status(self.happenings(event), self._now())

    def layers(self, number: int, happenings: Happenings) -> Iterator[Layer]:
        """The commands of the events, each from the time at which it reaches the battery until it ends."""
        with self.lock:
            events = list(self._events[_site_id(number)].values())
        for event in events:
            ending = event.fate(happenings)
            if ending.delivered is not None and not event.conditions.ignores:
                yield Layer(ending.delivered, ending.at, _command(event))

    def forget(self) -> None:
        """Takes back all events."""
        with self.lock:
            self._events.clear()
            self._stale.clear()

    def _is_rival(self, order: Order, event: Event) -> bool:
        """Whether the order wants the site while the event is scheduled or runs."""
        last = event.fate(self.happenings(event)).at
        return self._now() < last and order.start < last and event.order.start < order.end

    def _write(self, site_id: str, events: list[Event]) -> None:
        number = _number(site_id)
        known = self._events[site_id]
        self._stale[site_id] = _Stale(dict(known), self._batteries.conditions(number).stale_reads)
        known.update({event.id: event for event in events})
        self._batteries.obey(number)


def _command(event: Event) -> BatteryCommand:
    """The event's power; at most what the conditions leave of it, and of the rated power where it names none."""
    order, most_kw = event.order, event.conditions.most_kw
    kw = None if order.rate_watt is None else order.rate_watt / 1000
    if most_kw is not None:
        asked_kw = kw if kw is not None else most_kw * sign_of(order.mode)
        kw = max(-most_kw, min(most_kw, asked_kw))
    return BatteryCommand(order.start, order.end, kw, order.mode, order.target_soc)


def _number(site_id: str) -> int:
    """The number in the fleet of the site with that id."""
    return (int(site_id) - SYSTEM_ID) // SYSTEM_STEP


def _site_id(number: int) -> str:
    return str(SYSTEM_ID + SYSTEM_STEP * number)
