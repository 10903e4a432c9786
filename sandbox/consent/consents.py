"""Consents of owners: what each has decided about an application, and decides later, by the clock of the data."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sandbox.consent.owners import Owner


class State(StrEnum):
    """The states of a consent, in the order of its life."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    EXPIRED = "expired"
    REVOKED = "revoked"


# What an owner can decide, and the state in which it counts; in any other state it changes nothing.
DECISIONS = {State.ACCEPTED: State.PENDING, State.REJECTED: State.PENDING, State.REVOKED: State.ACCEPTED}


@dataclass(eq=False)
class Consent:
    """The consent of an owner to one application, named by its client id.

    answer_by: until when the owner can answer a request; None for a consent that was given at once.
    ends_at: when the access ends; None for access without an end. Both are epoch seconds.
    is_in_writing: whether the application asked by e-mail, and not in a browser.
    is_ready: whether it was there from the start.
    """

    client: str
    owner: Owner
    scopes: tuple[str, ...] = ()
    answer_by: float | None = None
    ends_at: float | None = None
    is_in_writing: bool = False
    is_ready: bool = False
    refreshes: int = 0
    decisions: list[tuple[float, State]] = field(default_factory=list)

    def state(self, now: float) -> State:
        """The state at that instant."""
        state = State.ACCEPTED if self.answer_by is None else State.PENDING
        for at, decision in sorted(self.decisions):
            is_late = state is State.PENDING and self.answer_by is not None and at >= self.answer_by
            if at <= now and not is_late and DECISIONS[decision] is state:
                state = decision
        end = {State.PENDING: self.answer_by, State.ACCEPTED: self.ends_at}.get(state)
        return state if end is None or now < end else State.EXPIRED


class Consents:
    """The consents of one vendor's owners. `counts`: how often each of its steps was taken."""

    def __init__(self, now: Callable[[], float]) -> None:
        """now: the clock of the data, in epoch seconds."""
        self.now = now
        self.counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._consents: list[Consent] = []

    def add(self, consent: Consent) -> Consent:
        """One more; older ones of the same owner stay as they are."""
        with self._lock:
            self._consents.append(consent)
        return consent

    def count(self, step: str) -> None:
        """One more of that step."""
        with self._lock:
            self.counts[step] += 1

    def newest_in_writing(self, client: str, email: str) -> Consent | None:
        """The owner's newest consent to a client that asked by e-mail."""
        held = [consent for consent in self._of(email) if consent.client == client and consent.is_in_writing]
        return held[-1] if held else None

    def given_in_writing(self, client: str) -> list[Owner]:
        """The owners whose consent by e-mail is in force."""
        now = self.now()
        return [
            consent.owner
            for consent in tuple(self._consents)
            if consent.client == client and consent.is_in_writing and consent.state(now) is State.ACCEPTED
        ]

    def decide(self, email: str, decision: State, at: float) -> int:
        """The owner decides on all consents at that instant; returns how many there are."""
        consents = self._of(email)
        with self._lock:
            for consent in consents:
                consent.decisions.append((at, decision))
        return len(consents)

    def forget(self) -> None:
        """Leaves what was there from the start, as it was then."""
        with self._lock:
            self.counts.clear()
            self._consents = [consent for consent in self._consents if consent.is_ready]
            for consent in self._consents:
                consent.decisions, consent.refreshes = [], 0

    def shown(self) -> list[dict[str, Any]]:
        """All of them, as JSON."""
        now = self.now()
        return [_shown(consent, now) for consent in tuple(self._consents)]

    def _of(self, email: str) -> list[Consent]:
        return [consent for consent in tuple(self._consents) if consent.owner.email.lower() == email.lower()]


def _shown(consent: Consent, now: float) -> dict[str, Any]:
    return {
        "client_id": consent.client,
        "owner": consent.owner.email,
        "scopes": list(consent.scopes),
        "state": consent.state(now),
        "answer_by": _iso(consent.answer_by),
        "ends_at": _iso(consent.ends_at),
        "refreshes": consent.refreshes,
        "is_in_writing": consent.is_in_writing,
        "is_ready": consent.is_ready,
    }


def _iso(t: float | None) -> str | None:
    return None if t is None else datetime.fromtimestamp(t, UTC).isoformat()
