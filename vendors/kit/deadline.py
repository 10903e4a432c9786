"""The one deadline of a request, and the thread-local place where sockets find it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Deadline:
    """An instant on the monotonic clock by which everything for one request must be done."""

    def __init__(self, seconds: float) -> None:
        self.at = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds left, never below 0."""
        return max(0.0, self.at - time.monotonic())

    def timeout(self) -> float:
        """Seconds left for one blocking call; raises TimeoutError when there are none."""
        left = self.left()
        if left <= 0:
            raise TimeoutError("the deadline of the request has passed")
        return left


_thread = threading.local()


@contextmanager
def on_this_thread(deadline: Deadline) -> Iterator[None]:
    """Sockets that this thread reads from obey `deadline` until the block ends."""
    before = getattr(_thread, "deadline", None)
    _thread.deadline = deadline
    try:
        yield
    finally:
        _thread.deadline = before


def current() -> Deadline:
    """The deadline of this thread; LookupError outside `on_this_thread`."""
    deadline = getattr(_thread, "deadline", None)
    if deadline is None:
        raise LookupError("a vendor connection is used outside of a call with a deadline")
    return deadline  # type: ignore[no-any-return]
