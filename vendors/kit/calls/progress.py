"""How far a sweep has come."""

from dataclasses import dataclass, field

from vendors.kit.calls.reply_cache import ReplyRef
from vendors.kit.errors import VendorError


@dataclass(slots=True)
class Progress:
    """How far a sweep has come, for the sentence that says what is missing."""

    failures: list[VendorError] = field(default_factory=list)
    counts: dict[str, list[int]] = field(default_factory=dict)
    """By unit, e.g. "sites": how many are done, and of how many."""

    age: float = 0.0
    """Seconds since the oldest reused reply was fetched."""
    is_stale: bool = False
    """Whether a stale reply was reused because a new one could not be had."""
    sources: list[ReplyRef] = field(default_factory=list)
    """The replies that were read."""

    def add(self, failure: VendorError) -> None:
        """Adds a failure without its traceback and cause: their frames hold whole replies, and tokens."""
        failure.__cause__ = failure.__context__ = failure.__traceback__ = None
        self.failures.append(failure)

    @property
    def missing(self) -> str:
        """ "12 of 14 sites", or "" when nothing is known to be missing."""
        counts = [(unit, done, of) for unit, (done, of) in list(self.counts.items()) if done < of]
        return ", ".join(f"{done} of {of} {unit}" for unit, done, of in counts)
