"""Single flight: equal concurrent calls share one call."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from typing import Generic, TypeVar

from vendors.kit.deadline import Deadline
from vendors.kit.errors import Busy, Timeout

T = TypeVar("T")

# A waiter repeats a failed call only if it has at least this much time left.
WORTH_SECONDS = 1.0


class SingleFlight(Generic[T]):
    """Calls in flight, by key. The first caller makes the call; the waiters share its result, failure included: if each
    waiter tried again after a failure, they would do so one after another."""

    def __init__(self) -> None:
        self._in_flight: dict[bytes, Future[T] | None] = {}
        self._lock = threading.Lock()

    def share(
        self, key: bytes, call: Callable[[], T], deadline: Deadline, joined: Callable[[], None] | None = None
    ) -> T:
        """The result of `call`, or of an equal call that began before. Raises TimeoutError at the deadline.

        joined: called when this caller waits for an equal call.
        A call that failed at its caller's deadline is made once more, if this caller has time left.
        """
        may_try_again = True
        while True:
            future = self._join(key)
            if future is None:
                return self._lead(key, call)
            if joined:
                joined()
            try:
                failure = future.exception(deadline.left())
            except NotYet:
                raise TimeoutError("an equal call that began before has not ended") from None
            if failure is None:
                return future.result()
            if not (may_try_again and isinstance(failure, Timeout | Busy) and deadline.left() >= WORTH_SECONDS):
                try:
                    raise failure
                finally:
                    # The error's traceback refers to this frame: a cycle.
                    del failure, future
            may_try_again = False

    def _join(self, key: bytes) -> Future[T] | None:
        """The future of the equal call in flight; None if there is none, and this call is now in flight."""
        with self._lock:
            if key not in self._in_flight:
                self._in_flight[key] = None
                return None
            # Created only when a second caller waits, since nearly all calls have one caller.
            future = self._in_flight[key] = self._in_flight[key] or Future()
            return future

    def _lead(self, key: bytes, call: Callable[[], T]) -> T:
        try:
            result = call()
        except BaseException as error:
            self._fail(key, error)
            raise
        if waiting := self._land(key):
            waiting.set_result(result)
        return result

    def _fail(self, key: bytes, error: BaseException) -> None:
        # A separate frame: the caller's frame is in the error's traceback, and would refer to the error by the future.
        if waiting := self._land(key):
            waiting.set_exception(error)

    def _land(self, key: bytes) -> Future[T] | None:
        with self._lock:
            return self._in_flight.pop(key)
