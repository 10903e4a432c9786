"""The writes that a site may still take: each wears a device, or counts for the vendor."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil

from app.control.orders import BUDGET_PERIOD
from app.web.problems import Problem


@dataclass
class Budget:
    """The writes of a site within the last 24 hours, of all clients. times: of these writes, in their order."""

    per_day: int
    times: Sequence[datetime] = field(default_factory=list)
    taken: int = 0

    @property
    def used(self) -> int:
        """The writes of the last 24 hours, with those of this request."""
        return len(self.times) + self.taken

    @property
    def left(self) -> int:
        return max(0, self.per_day - self.used)

    def take(self, *, ends: bool) -> bool:
        """Counts a write that begins; False if there is no room for it. For a write that ends an event there always is:
        a battery must not run on because its budget is spent."""
        if self.left == 0 and not ends:
            return False
        self.taken += 1
        return True

    def require(self, writes: int, now: datetime) -> None:
        """Raises a 429 Problem if there is no room for so many writes."""
        if writes <= self.left:
            return
        detail = (
            f"The plan takes {writes} writes, and of the {self.per_day} that a site may take within 24 hours "
            f"{self.left} are left. Nothing was changed."
        )
        if writes > self.per_day:
            wait = 86_400
        else:
            wait = max(1, ceil((self.times[writes - self.left - 1] + BUDGET_PERIOD - now).total_seconds()))
        headers = {"Retry-After": str(wait)}
        raise Problem(
            429, "write_budget_spent", detail, headers=headers, retryAfter=wait, limit=self.per_day, used=self.used
        )
