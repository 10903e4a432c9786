"""State shared by several processes and hosts, in Redis: calls made, limit groups on hold, and revoked clients.

A Redis that is slow, full, down or restarted never fails a request: this process then goes on alone for some seconds.
"""

import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

import redis
from limits import RateLimitItemPerSecond
from limits.errors import StorageError
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter

from vendors.kit import Rate
from vendors.kit.calls.quota import Ledger

logger = logging.getLogger(__name__)

T = TypeVar("T")

PREFIX = "derapi:held:"
REFUSED = "derapi:refused:"
# Longer than a hold, so that the count still exists when the next call is refused, for every process.
REFUSED_SECONDS = 180
# A vendor call takes far longer than this; a Redis that takes longer is treated as down.
TIMEOUT_SECONDS = 0.2
ALONE_SECONDS = 5.0


class SharedLedger(Ledger):
    """The ledger of all processes that use the same Redis."""

    def __init__(self, url: str, ticks: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        options: Any = {"socket_timeout": TIMEOUT_SECONDS, "socket_connect_timeout": TIMEOUT_SECONDS}
        self._redis = redis.Redis.from_url(url, decode_responses=True, **options)
        self._shared = MovingWindowRateLimiter(RedisStorage(url, wrap_exceptions=True, **options))
        self._ticks = ticks
        self._alone_until = 0.0

    @property
    def is_shared(self) -> bool:
        """Whether Redis answers, as far as this process knows."""
        return self._with_redis(lambda: bool(self._redis.ping()), False)

    def count(self, rate: Rate, group: str) -> float:
        def shared() -> float:
            limit = RateLimitItemPerSecond(rate.calls, rate.seconds)
            if self._shared.hit(limit, group):
                return 0.0
            return self._shared.get_window_stats(limit, group).reset_time

        seconds = self._with_redis(shared, None)
        # Counted in this process as well: a Redis that goes down, or comes back empty, must not renew the budget.
        return seconds or super().count(rate, group)

    def held_until(self, group: str) -> float:
        here = super().held_until(group)
        there = self._with_redis(lambda: self._redis.get(PREFIX + group), None)
        return max(here, float(there or 0.0))

    def hold(self, group: str, until: float) -> None:
        super().hold(group, until)
        left = until - time.time()
        if left > 0 and until > float(self._with_redis(lambda: self._redis.get(PREFIX + group), None) or 0.0):
            self._with_redis(lambda: self._redis.set(PREFIX + group, until, px=max(1, int(left * 1000))), None)

    def refused(self, group: str) -> int:
        def shared() -> int:
            with self._redis.pipeline() as steps:
                steps.incr(REFUSED + group)
                steps.expire(REFUSED + group, REFUSED_SECONDS)
                return int(steps.execute()[0])

        here = super().refused(group)
        return self._with_redis(shared, 0) or here

    def forgive(self, group: str) -> None:
        super().forgive(group)
        self._with_redis(lambda: self._redis.delete(REFUSED + group), 0)

    def _with_redis(self, ask: Callable[[], T], otherwise: T) -> T:
        if self._ticks() < self._alone_until:
            return otherwise
        try:
            return ask()
        except (redis.RedisError, StorageError, OSError) as error:
            logger.warning("Redis does not answer, this process goes on alone: %s", type(error).__name__)
            self._alone_until = self._ticks() + ALONE_SECONDS
            return otherwise
