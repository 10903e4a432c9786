"""An event of one site, and how it stands at an instant. Instants are epoch seconds."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sandbox.batteries.happenings import Conditions, Happenings
from sandbox.enphasevpp.constants import ENDING_SECONDS, FAILURE_CODE, FAILURE_REASON, RETRY_SECONDS


class Status(StrEnum):
    """How an event stands."""

    SCHEDULED = "scheduled"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    STOPPED = "stopped"
    FAILED = "failed"
    DELETED = "deleted"
    OPTED_OUT = "optedout"


class Delivery(StrEnum):
    """How far the event's command has come."""

    SCHEDULED = "Scheduled"
    DELIVERED = "Delivered"
    FAILED = "Failed"
    CANCELLED = "Cancelled"


class Ending(NamedTuple):
    """When and how an event ends. delivered: when the gateway takes its command; None if it never does."""

    at: float
    status: Status
    delivered: float | None


@dataclass(frozen=True)
class Order:
    """An event as it is asked for; its power is never above the rated one."""

    program_id: str
    site_id: str
    mode: str
    rate_watt: int | None
    target_soc: int | None
    start: float
    end: float
    superseded: bool | None

    @property
    def name(self) -> str:
        """Its name, from its start."""
        return f"Event {datetime.fromtimestamp(self.start, UTC):%Y%m%d%H%M}"

    def covers(self, other: "Order") -> bool:
        """Whether it wants its site for the whole time of another event of the site."""
        return self.start <= other.start and other.end <= self.end


@dataclass(frozen=True)
class Event:
    """An event. deleted: when it was cancelled before its start, or displaced. ending: when it was asked to end.

    opted_out: when an operator took its site out of it. earlier_opt_outs: how often its owner had opted out when it was
    made, since a clock that stands gives both the same time.
    """

    id: str
    order: Order
    created: float
    conditions: Conditions
    deleted: float | None = None
    ending: float | None = None
    opted_out: float | None = None
    earlier_opt_outs: int = 0

    def fate(self, happenings: Happenings) -> Ending:
        """How it ends, as far as is known. The first of all reasons to end counts."""
        order = self.order
        reached = happenings.online_from(order.start + self.conditions.delay_seconds)
        is_reached = reached <= order.start + RETRY_SECONDS
        reasons = [(order.end, Status.COMPLETED)]
        if not is_reached:
            reasons.append((order.start + RETRY_SECONDS, Status.FAILED))
        if self.deleted is not None:
            reasons.append((self.deleted, Status.DELETED))
        if self.ending is not None:
            reasons.append((self.ending + ENDING_SECONDS, Status.STOPPED))
        opt_outs = [at for index, at in enumerate(happenings.opt_outs) if self._is_met_by_opt_out(index, at)]
        reasons += [(at, Status.OPTED_OUT) for at in (self.opted_out, *opt_outs) if at is not None]
        # An event that fails in its last minute has failed.
        at, status = min(reasons, key=lambda reason: (reason[0], reason[1] is Status.COMPLETED))
        return Ending(at, status, reached if is_reached and reached < at else None)

    def status(self, happenings: Happenings, now: float) -> Status:
        """How it stands."""
        ending = self.fate(happenings)
        if now >= ending.at:
            return ending.status
        return Status.IN_PROGRESS if now >= self.order.start else Status.SCHEDULED

    def shown(self, happenings: Happenings, now: float) -> dict[str, Any]:
        """As the API shows it; members without a value are left out."""
        order, ending = self.order, self.fate(happenings)
        status = self.status(happenings, now)
        members: dict[str, Any] = {
            "site_id": order.site_id,
            "event_status": status,
            "failure_code": FAILURE_CODE if status is Status.FAILED else None,
            "failure_reason": FAILURE_REASON if status is Status.FAILED else None,
            "start_time": _iso(order.start),
            "end_time": _iso(order.end),
            "created_at": _iso(self.created),
            "completed_at": _iso(ending.at) if status is Status.COMPLETED else None,
            "cancelled_at": _iso(ending.at) if status in (Status.DELETED, Status.STOPPED) else None,
            "cancellation_request": self._cancellation(now),
            "functions": ["BATTERY"],
            "duration": round((order.end - order.start) / 60),
            "mode": order.mode,
            "target_soc": order.target_soc,
            "rate_watt": order.rate_watt,
            "superseded": order.superseded,
            "command_delivery_status": _delivery(ending, status, now),
            "measuring_reference": "ASSET",
        }
        return {name: value for name, value in members.items() if value is not None}

    def _is_met_by_opt_out(self, index: int, at: float) -> bool:
        is_later = at > self.created or (at == self.created and index >= self.earlier_opt_outs)
        return is_later and at < self.order.end

    def _cancellation(self, now: float) -> str | None:
        if self.ending is None or now < self.ending:
            return None
        done = (now - self.ending) / ENDING_SECONDS
        return "submitted" if done < 0.5 else "in_progress" if done < 1 else "completed"


def _delivery(ending: Ending, status: Status, now: float) -> Delivery:
    if ending.delivered is not None and ending.delivered <= now:
        return Delivery.DELIVERED
    if status is Status.FAILED:
        return Delivery.FAILED
    return Delivery.SCHEDULED if status in (Status.SCHEDULED, Status.IN_PROGRESS) else Delivery.CANCELLED


def _iso(t: float) -> str:
    return datetime.fromtimestamp(t, UTC).isoformat(timespec="milliseconds")
