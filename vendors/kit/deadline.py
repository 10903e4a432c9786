"""The one deadline of a request."""

import time


class Deadline:
    """An instant on the monotonic clock by which all work for one request must end."""

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
