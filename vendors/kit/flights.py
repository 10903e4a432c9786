"""Equal calls that are under way at the same time become one call."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from typing import Generic, TypeVar

from vendors.kit.deadline import Deadline
from vendors.kit.errors import Busy, Timeout, VendorError

T = TypeVar("T")

# What must be left for one more try.
WORTH_SECONDS = 1.0


class Follows(Exception):
    """Another's call has failed so."""

    def __init__(self, failure: VendorError) -> None:
        super().__init__()
        self.failure = failure


class Flights(Generic[T]):
    """Calls under way by key. The first caller makes the call, the others wait for what it brings, failure included:
    were each waiter to try again after a failure, they would do so one after another."""

    def __init__(self) -> None:
        self._under_way: dict[bytes, Future[T] | None] = {}
        self._lock = threading.Lock()

    def share(self, key: bytes, call: Callable[[], T], deadline: Deadline) -> T:
        """The result of `call`, or of an equal one that began before. Raises TimeoutError at the deadline.

        A call that ended because of its caller's own deadline is made once more, if there is more time here.
        """
        try:
            return self._share(key, call, deadline)
        except Follows as follows:
            if not (isinstance(follows.failure, Timeout | Busy) and deadline.left() >= WORTH_SECONDS):
                raise follows.failure from None
        try:
            return self._share(key, call, deadline)
        except Follows as follows:
            raise follows.failure from None

    def _share(self, key: bytes, call: Callable[[], T], deadline: Deadline) -> T:
        with self._lock:
            leads = key not in self._under_way
            # Only for one who waits: nearly all calls are nobody else's.
            future = None if leads else self._under_way[key] or Future()
            self._under_way[key] = future
        if future:
            try:
                return future.result(deadline.left())
            except NotYet:
                raise TimeoutError("an equal call that began before has not ended") from None
            except VendorError as failure:
                raise Follows(failure) from None
        try:
            result = call()
        except BaseException as error:
            if waiting := self._land(key):
                waiting.set_exception(error)
            raise
        if waiting := self._land(key):
            waiting.set_result(result)
        return result

    def _land(self, key: bytes) -> Future[T] | None:
        with self._lock:
            return self._under_way.pop(key)
