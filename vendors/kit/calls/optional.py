"""What a record can do without: live values, productions, logs. Asked beside each other; one that fails is left out."""

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from typing import Generic, TypeVar

from vendors.kit.deadline import Deadline
from vendors.kit.errors import Timeout, Unauthorized, VendorError

T = TypeVar("T")

# Kept for what has to be done with a record before its request's deadline.
GRACE_SECONDS = 0.25


class OptionalCall(Generic[T]):
    """A secondary call under way. `failed` learns of its failure, which the record survives."""

    def __init__(
        self,
        future: "Future[T]",
        deadline: Deadline,
        failed: Callable[[VendorError], None],
        waits_for: Callable[[], str],
    ) -> None:
        self._future, self._deadline, self._failed, self._waits_for = future, deadline, failed, waits_for

    def result(self) -> T | None:
        """What came, or None after a failure, which is reported. Raises Unauthorized: what is known of the
        record is then not for this caller."""
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
