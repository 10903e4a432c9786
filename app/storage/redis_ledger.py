"""State shared by several processes and hosts, in Redis: calls made, limit groups on hold, revoked clients, and counts
of callers' requests.

A Redis that is slow, full, down or restarted never fails a request: for ALONE_SECONDS the process then uses its own
counts and holds alone.
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

from vendors.kit import Rate, ReportedQuota
from vendors.kit.calls.ledger import Ledger
from vendors.kit.calls.quota_state import Usage

logger = logging.getLogger(__name__)

T = TypeVar("T")

HELD_PREFIX = "derapi:held:"
COUNT_PREFIX = "derapi:count:"
GUESSED_PREFIX = "derapi:guessed:"
REFUSED_PREFIX = "derapi:refused:"
REPORTED_PREFIX = "derapi:reported:"
# Expiry of a group's count of 429s. Longer than a hold: otherwise the count would start again from 1 after each hold.
REFUSED_SECONDS = 180
# A Redis that does not answer within this time, short compared with a vendor call, is treated as down.
TIMEOUT_SECONDS = 0.2
# After a failure Redis is not queried for this long.
ALONE_SECONDS = 5.0


class SharedLedger(Ledger):
    """The ledger of all processes that use the same Redis."""

    def __init__(self, url: str, ticks: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        options: Any = {"socket_timeout": TIMEOUT_SECONDS, "socket_connect_timeout": TIMEOUT_SECONDS}
        self._redis = redis.Redis.from_url(url, decode_responses=True, **options)
        self._storage = RedisStorage(url, wrap_exceptions=True, **options)
        self._limiter = MovingWindowRateLimiter(self._storage)
        self._ticks = ticks
        self._alone_until = 0.0

    def close(self) -> None:
        """Closes the connections to Redis."""
        self._redis.close()
        self._storage.storage.close()

    @property
    def is_shared(self) -> bool:
        """Whether Redis answers, as far as this process knows."""
        return self._with_redis(lambda: bool(self._redis.ping()), False)

    def count(self, rate: Rate, group: str) -> float:
        def count_in_redis() -> float:
            limit = RateLimitItemPerSecond(rate.calls, rate.seconds)
            if self._limiter.hit(limit, group):
                return 0.0
            return self._limiter.get_window_stats(limit, group).reset_time

        free_at = self._with_redis(count_in_redis, None)
        # Counted in this process as well: a Redis that goes down, or comes back empty, must not renew the budget.
        return free_at or super().count(rate, group)

    def usage(self, rate: Rate, group: str) -> Usage:
        def read_in_redis() -> Usage:
            limit = RateLimitItemPerSecond(rate.calls, rate.seconds)
            frees_at, left = self._limiter.get_window_stats(limit, group)
            spent = rate.calls - left
            return Usage(spent, frees_at if spent else None)

        here = super().usage(rate, group)
        shared = self._with_redis(read_in_redis, None)
        # As in `count`, the higher of both counts: a Redis that came back empty knows less than this process.
        return here if shared is None else max(shared, here, key=lambda usage: usage.spent)

    def held_until(self, group: str) -> float:
        return max(super().held_until(group), self._held_in_redis(group))

    def hold(self, group: str, until: float) -> None:
        super().hold(group, until)
        left = until - time.time()
        if left > 0 and until > self._held_in_redis(group):
            self._remember(HELD_PREFIX + group, until, left)

    def guess(self, group: str, until: float) -> None:
        self._remember(GUESSED_PREFIX + group, until, until - time.time())
        super().guess(group, until)

    def guessed(self, group: str) -> float:
        in_redis = self._with_redis(lambda: self._redis.get(GUESSED_PREFIX + group), None)
        return max(super().guessed(group), float(in_redis or 0.0))

    def report(self, group: str, reported: ReportedQuota, seconds: float = 0.0) -> bool:
        is_newest = super().report(group, reported, seconds)
        if is_newest:
            text = f"{reported.rate.calls} {reported.rate.seconds} {reported.left}"
            self._remember(REPORTED_PREFIX + group, text, reported.rate.seconds)
        return is_newest

    def reported(self, group: str) -> ReportedQuota | None:
        text = self._with_redis(lambda: self._redis.get(REPORTED_PREFIX + group), None)
        if text is None:
            return super().reported(group)
        calls, seconds, left = map(int, text.split())
        return ReportedQuota(Rate(calls, seconds), left)

    def refused(self, group: str) -> int:
        def count_in_redis() -> int:
            with self._redis.pipeline() as pipeline:
                pipeline.incr(REFUSED_PREFIX + group)
                pipeline.expire(REFUSED_PREFIX + group, REFUSED_SECONDS)
                return int(pipeline.execute()[0])

        count_here = super().refused(group)
        return self._with_redis(count_in_redis, 0) or count_here

    def forgive(self, group: str) -> None:
        super().forgive(group)
        self._with_redis(lambda: self._redis.delete(REFUSED_PREFIX + group), 0)

    def add(self, counter: str, amount: int, seconds: int) -> int:
        """Adds to a counter that is forgotten after some seconds; its value, or 0 if Redis does not answer."""
        return self._with_redis(lambda: self._storage.incr(COUNT_PREFIX + counter, seconds, amount), 0)

    def _remember(self, key: str, value: float | str, seconds: float) -> None:
        """Writes a value that expires after so many seconds."""
        self._with_redis(lambda: self._redis.set(key, value, px=max(1, int(seconds * 1000))), None)

    def _held_in_redis(self, group: str) -> float:
        return float(self._with_redis(lambda: self._redis.get(HELD_PREFIX + group), None) or 0.0)

    def _with_redis(self, query: Callable[[], T], fallback: T) -> T:
        """The result of the query; the fallback if Redis fails or has failed within ALONE_SECONDS."""
        if self._ticks() < self._alone_until:
            return fallback
        try:
            return query()
        except (redis.RedisError, StorageError, OSError) as error:
            logger.warning("Redis does not answer, this process goes on alone: %s", type(error).__name__)
            self._alone_until = self._ticks() + ALONE_SECONDS
            return fallback
