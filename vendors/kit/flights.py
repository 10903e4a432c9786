"""Equal calls that are under way at the same time become one call."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from typing import Generic, TypeVar

from vendors.kit.deadline import Deadline

T = TypeVar("T")


class Flights(Generic[T]):
    """Calls under way by key. The first caller makes the call, the others wait for what it brings, failure included:
    were each waiter to try again after a failure, they would do so one after another."""

    def __init__(self) -> None:
        self._under_way: dict[bytes, Future[T]] = {}
        self._lock = threading.Lock()

    def share(self, key: bytes, call: Callable[[], T], deadline: Deadline) -> T:
        """The result of `call`, or of an equal one that began before. Raises TimeoutError at the deadline."""
        with self._lock:
            future = self._under_way.get(key)
            leads = future is None
            if future is None:
                future = self._under_way[key] = Future()
        if not leads:
            try:
                return future.result(deadline.left())
            except NotYet:
                raise TimeoutError("an equal call that began before has not ended") from None
        try:
            result = call()
        except BaseException as error:
            self._land(key)
            future.set_exception(error)
            raise
        self._land(key)
        future.set_result(result)
        return result

    def _land(self, key: bytes) -> None:
        with self._lock:
            del self._under_way[key]
