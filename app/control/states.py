"""The states of an order: where it may go from each, and what moves it there. docs/control.md shows this table."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How far an order is. It is the first word of `status`."""

    SCHEDULED = "scheduled"
    SENT = "sent"
    ACCEPTED = "accepted"
    TAKEN = "taken"
    VERIFIED = "verified"
    NOT_APPLIED = "not-applied"
    UNPROVEN = "unproven"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    EXTERNAL = "external"
    FAILED = "failed"


class EventStep(StrEnum):
    """How far one event of an order is."""

    PLANNED = "planned"
    """To be sent."""
    SENT = "sent"
    """A call was begun to make it; its answer has not come, or was lost."""
    ACCEPTED = "accepted"
    TAKEN = "taken"
    """A read-back has shown it."""
    ENDING = "ending"
    """A call was begun to end it; its answer has not come, or was lost."""
    OVER = "over"
    """Nothing of it is left to be done: it was ended or removed, it has failed, or it was never made."""


# Steps of events that the vendor has, or may have.
AT_VENDOR = (EventStep.SENT, EventStep.ACCEPTED, EventStep.TAKEN, EventStep.ENDING)


@dataclass(frozen=True)
class Meaning:
    """A state in words, and the states that may follow."""

    means: str
    moved_by: str
    """The cause that moves an order here."""
    next: tuple[State, ...] = ()

    @property
    def is_final(self) -> bool:
        return not self.next


SEEN = (State.VERIFIED, State.NOT_APPLIED, State.UNPROVEN)
WITHDRAWN = (State.CANCELLED, State.SUPERSEDED)
STATES: Mapping[State, Meaning] = {
    State.SCHEDULED: Meaning(
        "It is written down, and the vendor does not have it yet.",
        "a PUT; a read-back that shows that a lost write has made nothing; or a refusal while the event before it ends",
        (State.SENT, State.EXPIRED, *WITHDRAWN, State.FAILED),
    ),
    State.SENT: Meaning(
        "A write was begun, and its answer has not come. It is not repeated before a read-back.",
        "a write, before its call",
        (
            State.SCHEDULED,
            State.ACCEPTED,
            State.TAKEN,
            State.EXPIRED,
            *SEEN,
            *WITHDRAWN,
            State.EXTERNAL,
            State.FAILED,
        ),
    ),
    State.ACCEPTED: Meaning(
        "The vendor has said yes to all its events.",
        "the vendor's answer to a write",
        (State.TAKEN, *SEEN, *WITHDRAWN, State.EXTERNAL, State.FAILED),
    ),
    State.TAKEN: Meaning(
        "A later read-back shows all its events.",
        "a read-back",
        (*SEEN, *WITHDRAWN, State.EXTERNAL, State.FAILED),
    ),
    State.VERIFIED: Meaning(
        "The measured power or energy is that of the order; the receipt names the rule.", "a read-back or series"
    ),
    State.NOT_APPLIED: Meaning(
        "Something else was seen: other power or energy, or never its event.", "a read-back or series"
    ),
    State.UNPROVEN: Meaning(
        "No read-back came in time, and the vendor has no series that shows what flowed.",
        "a read-back after its end",
    ),
    State.EXPIRED: Meaning("Its end has passed, and the vendor never had it.", "the first GET or PUT after its end"),
    State.CANCELLED: Meaning(
        "A PUT with an empty list has withdrawn it, or the deletion of what opens its site.",
        "the vendor's answer to the write that ends its events; at once if there are none",
    ),
    State.SUPERSEDED: Meaning(
        "A PUT with another list has replaced it.",
        "the vendor's answer to the write that ends its events; at once if there are none",
    ),
    State.EXTERNAL: Meaning(
        "The vendor, its app or the owner has changed or ended its event.", "a read-back that shows it"
    ),
    State.FAILED: Meaning(
        "The vendor has refused it for good, or has reported that its event failed.",
        "the vendor's answer to a write; a read-back",
    ),
}
FINAL = frozenset(state for state, meaning in STATES.items() if meaning.is_final)


class WrongMove(Exception):
    """A move that the table does not have, which is a bug."""


def check(before: str, after: State) -> None:
    """Raises WrongMove unless an order may go from one state to the other; to stay is no move."""
    if before != after and after not in STATES[State(before)].next:
        raise WrongMove(f"an order does not go from {before} to {after}")
