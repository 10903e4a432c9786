"""The progress of a sweep: failures, counts, and the cached replies it has read."""

from dataclasses import dataclass, field

from vendors.kit.calls.reply_cache import ReplyRef
from vendors.kit.errors import VendorError


@dataclass(slots=True)
class Progress:
    """Failures and counts of a sweep, from which the message about missing records is made."""

    failures: list[VendorError] = field(default_factory=list)
    counts: dict[str, list[int]] = field(default_factory=dict)
    """By unit, e.g. "sites": the number of finished items, and of all."""

    age: float = 0.0
    """Seconds since the oldest reused reply was fetched."""
    is_stale: bool = False
    """Whether a stale reply was reused because the vendor gave no new reply."""
    reply_refs: list[ReplyRef] = field(default_factory=list)
    """The replies that were read."""

    def add(self, failure: VendorError) -> None:
        """Adds a failure without its traceback and cause: their frames hold whole replies, and tokens."""
        failure.__cause__ = failure.__context__ = failure.__traceback__ = None
        self.failures.append(failure)

    @property
    def missing(self) -> str:
        """ "12 of 14 sites", or "" when nothing is known to be missing."""
        counts = list(self.counts.items())
        return ", ".join(f"{done} of {total} {unit}" for unit, (done, total) in counts if done < total)
