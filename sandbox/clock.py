"""The time of the fleet's data, by which consents and refresh tokens end as well.

Access tokens, codes, signatures and quotas never read it: they live in real time.
"""

from collections.abc import Callable


class Clock:
    """Real time, unless it was set: then it stands still, so that every answer can be repeated."""

    def __init__(self, real_time: Callable[[], float]) -> None:
        self._real_time = real_time
        self._standing: float | None = None

    def now(self) -> float:
        """Epoch seconds."""
        return self._real_time() if self._standing is None else self._standing

    def set(self, now: float | None) -> None:
        """Stands at that instant; None lets it run with real time again."""
        self._standing = now
