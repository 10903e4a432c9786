"""The steps of a consent: the question to an owner, the attempt that comes back, and the outcome."""

from dataclasses import dataclass, field

from app.join.attempts import Begun
from app.join.config import VendorConfig
from app.join.source import Source
from app.storage.join_tables import JoinAttemptRow
from vendors.kit.variants import Variant


@dataclass(frozen=True, slots=True)
class Question:
    """A new attempt, and how the owner is asked. url: the vendor's page; None if a form of this service asks."""

    begun: Begun
    source: Source
    variant: Variant
    vendor: str
    url: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that its browser has come back with, or with keys that a client's own page sends."""

    row: JoinAttemptRow
    source: Source
    config: VendorConfig
    variant: Variant
    verifier: str | None = field(default=None, repr=False)

    @property
    def company_state(self) -> str | None:
        """The state that is handed back to the company."""
        return self.row.company_state


@dataclass(frozen=True, slots=True)
class Outcome:
    """A consent that was given, or asked for by e-mail.

    grant_id: None if the client gets the tokens, and for an e-mail: any visitor may name an owner's address.
    """

    grant_id: str | None
    is_given: bool = True
