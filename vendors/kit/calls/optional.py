"""Optional calls (live values, production, logs), made concurrently. A failure is reported and the member left out."""

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from typing import Generic, TypeVar

from vendors.kit.deadline import Deadline
from vendors.kit.errors import Timeout, Unauthorized, VendorError

T = TypeVar("T")

# Time before the deadline that is left for the remaining work on a record.
GRACE_SECONDS = 0.25


class OptionalCall(Generic[T]):
    """An optional call in flight. `failed` is called with its failure, which the record survives."""

    def __init__(
        self,
        future: "Future[T | None]",
        deadline: Deadline,
        failed: Callable[[VendorError], None],
        waits_for: Callable[[], str],
    ) -> None:
        self._future, self._deadline, self._failed, self._waits_for = future, deadline, failed, waits_for

    def result(self) -> T | None:
        """The result of the call, or None after a failure, which is reported. Raises Unauthorized, since this caller
        may then not see the record at all."""
        try:
            return self._future.result(max(0.0, self._deadline.left() - GRACE_SECONDS))
        except NotYet:
            self._future.cancel()
            url = self._waits_for()
            failure: VendorError = Timeout(url, "" if url else "no call was made in time")
        except Unauthorized:
            raise
        except VendorError as error:
            failure = error
        self._failed(failure)
        return None
