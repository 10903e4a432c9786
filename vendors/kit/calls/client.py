"""The calls that a plugin can make: `get`, `post_read`, `write`, `pages`, `each`, `optional`.

The engine adds deadline, retry, cache, size bounds, errors and partial results.
"""

import contextvars
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import orjson

from vendors.kit.calls.hooks import Hooks
from vendors.kit.calls.optional import OptionalCall
from vendors.kit.calls.pipeline import Calls
from vendors.kit.calls.reply_cache import Freshness
from vendors.kit.calls.single_use import mark_uncertain
from vendors.kit.errors import BadReply, NotOffered, PluginFault, RateLimited, Timeout, VendorDown, VendorError
from vendors.kit.messages import Request
from vendors.kit.parsing.ids_in_paths import fits_path
from vendors.kit.parsing.projection import Shape
from vendors.kit.reply import Reply

logger = logging.getLogger(__name__)

T = TypeVar("T")
Params = Mapping[str, str | int | tuple[str, ...]]

MAX_PAGES = 200


class Client:
    """Calls to one vendor with one caller's credential, during one request. It keeps its plugin alive, and all clients
    of a plugin share their calls."""

    def __init__(self, vendor: Hooks, calls: Calls) -> None:
        self._vendor, self._calls = vendor, calls
        self.deadline, self.progress = calls.deadline, calls.progress

    @property
    def answered(self) -> bool:
        """Whether the vendor has answered a call of this request with success, cached replies not counted."""
        return self._calls.answered

    @property
    def waits_for(self) -> str:
        """URL of the call that has been in flight for longest, else of the last call; "" before the first call."""
        return self._calls.waits_for

    @property
    def now(self) -> datetime:
        """The present, in UTC."""
        return datetime.now(UTC)

    def freshness(self, end: datetime) -> Freshness:
        """Freshness of a series until `end`: the past no longer changes, the present does."""
        return Freshness.CLOSED if end < self.now - self._vendor.lag else Freshness.TODAY

    def get(
        self,
        path: str,
        *ids: str,
        params: Params | None = None,
        freshness: Freshness = Freshness.INVENTORY,
        only: Shape | None = None,
    ) -> Reply:
        """Reply to a GET of `path`, in which each `{}` stands for one of `ids`, percent-encoded.

        freshness: how long the reply may be reused.
        only: the members of the reply that are read.
        """
        return self._calls.make(lambda: self._request("GET", path, ids, _query_of(params), None, only), freshness)

    def post_read(
        self, path: str, *ids: str, body: Any, freshness: Freshness = Freshness.INVENTORY, only: Shape | None = None
    ) -> Reply:
        """Reply to a POST of compact JSON that only reads, so that it may be repeated and its reply cached."""
        content = orjson.dumps(body)
        return self._calls.make(lambda: self._request("POST", path, ids, "", content, only), freshness)

    def write(self, method: str, path: str, *ids: str, body: Any = None, read: Callable[[Reply], T]) -> T:
        """What `read` makes of the reply to a call that changes something there. `body` is sent as compact JSON.

        The call is made once: never repeated, shared or cached. If its failure `is_uncertain`, it may have been obeyed.
        """
        content = None if body is None else orjson.dumps(body)
        request = self._request(method, path, ids, "", content, None)
        request.is_single_use = True
        with mark_uncertain(request):
            return self._read(lambda: read(self._calls.write(request)))

    def optional(self, call: Callable[[], T]) -> OptionalCall[T]:
        """Starts optional calls of a record; `result()` waits for them, and is None if they fail.

        Several may be in flight, as many as the vendor allows. `call` must not use `each`.
        """
        last: Callable[[], T | None] = self._calls.last_in(call, None)
        future = self._at_once(last) if self._calls.makes_none else self._start(last)
        return OptionalCall(future, self.deadline, self._set_aside, lambda: self.waits_for)

    def pages(self, fetch: Callable[[int], tuple[Iterable[T], bool]]) -> Iterator[T]:
        """Rows of fetch(1), fetch(2), ... while its second value says that there are more.

        After MAX_PAGES it raises BadReply, since a vendor's page counter may be wrong.
        """
        for number in range(1, MAX_PAGES + 1):
            rows, more = fetch(number)
            yield from rows
            if not more:
                return
        raise BadReply(why=f"more than {MAX_PAGES} pages")

    def each(
        self,
        items: Iterable[str],
        call: Callable[[str], Iterable[T]],
        unit: str = "sites",
        *,
        one_call: bool = False,
    ) -> Iterator[T]:
        """Rows of call(item) for all items, in the order in which the vendor answers.

        one_call: whether each item takes exactly one call, so that its cost is known before its reply.

        As many at a time as the vendor allows. An item that fails is set aside and reported after the
        sweep; a refused credential or a spent quota ends it. `call` must do its work before it returns.
        """
        if one_call:
            call = self._calls.last_in(call, ())
        waiting = list(items)
        count = self.progress.counts.setdefault(unit, [0, 0])
        count[1] += len(waiting)
        left = len(waiting)
        for rows in self._parts(waiting, call):
            left -= 1
            if rows is None:
                continue
            try:
                yield from rows
            except GeneratorExit:
                # The caller needs no more rows, so the remaining items are not missing.
                count[0] += 1
                count[1] -= left
                raise
            count[0] += 1

    def _parts(self, waiting: list[str], call: Callable[[str], Iterable[T]]) -> Iterator[Iterable[T] | None]:
        """The rows of each item as it is done; None for an item that failed."""
        if len(waiting) == 1:
            # A single item: its failure ends the sweep, and its work needs no other thread, which would take an eighth
            # more CPU (November 2026, docs/performance.md).
            yield call(waiting[0])
            return
        if self._calls.makes_none:
            # No call takes time, and hung calls may occupy the pool.
            for item in waiting:
                yield self._outcome(self._at_once(partial(_rows_of, call, item)), [])
            return
        yield from self._concurrently(waiting, call)

    def _concurrently(self, waiting: list[str], call: Callable[[str], Iterable[T]]) -> Iterator[list[T] | None]:
        waiting.reverse()
        running: set[Future[list[T]]] = set()
        try:
            while waiting or running:
                while waiting and len(running) < self._vendor.limits.parallel:
                    running.add(self._start(partial(_rows_of, call, waiting.pop())))
                done, running = wait(running, self.deadline.left(), FIRST_COMPLETED)
                if not done:
                    self.progress.add(Timeout(self.waits_for))
                    return
                for future in done:
                    yield self._outcome(future, waiting)
        finally:
            for future in running:
                future.cancel()

    def _at_once(self, call: Callable[[], T]) -> "Future[T]":
        future: Future[T] = Future()
        try:
            future.set_result(self._read(call))
        except VendorError as error:
            future.set_exception(error)
        return future

    def _start(self, call: Callable[[], T]) -> "Future[T]":
        threads = self._calls.upstream.call_threads
        return threads.submit(partial(contextvars.copy_context().run, self._read, call))

    def _read(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except (VendorError, NotOffered):
            raise
        except Exception:
            logger.exception("a vendor module failed in a part of its calls")
            # Raised outside of the handler: as its context the other error would keep its frames, which hold replies.
        raise PluginFault(self.waits_for, "the vendor module failed")

    def _set_aside(self, error: VendorError) -> None:
        """Reports a failure that the sweep survives."""
        self.progress.add(error)
        if isinstance(error, RateLimited | VendorDown):
            # Cached replies still come: they cost no call.
            self._calls.only_cached()

    def _outcome(self, future: "Future[list[T]]", waiting: list[str]) -> list[T] | None:
        try:
            return future.result()
        except VendorError as error:
            self._set_aside(error)
            if error.stops_the_sweep and not isinstance(error, RateLimited | VendorDown):
                waiting.clear()
            return None

    def _request(
        self, method: str, path: str, ids: Sequence[str], query: str, body: bytes | None, only: Shape | None
    ) -> Request:
        base = self._calls.upstream.home(self._vendor.credential)
        for part in ids:
            if not fits_path(part):
                raise BadReply(base + path, "an id cannot stand in a URL")
        template = path
        if ids:
            path = path.format(*[part if part.isalnum() else quote(part, safe="") for part in ids])
        return Request(method, base, path, query, body, only=only, template=template)


def _query_of(params: Params | None) -> str:
    return _query(tuple(params.items())) if params else ""


@lru_cache(maxsize=1024)
def _query(params: tuple[tuple[str, str | int | tuple[str, ...]], ...]) -> str:
    return "?" + urlencode(params, doseq=True)


def _rows_of(call: Callable[[str], Iterable[T]], item: str) -> list[T]:
    return list(call(item))
