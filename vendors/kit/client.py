"""What a plugin calls its vendor with: `get`, `read`, `pages`, `each`.

Deadline, retry, reuse of replies, size bounds, mapping of errors and partial results live here, once.
"""

import contextvars
import logging
import random
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlencode, urljoin

import orjson

from vendors.kit.deadline import Deadline
from vendors.kit.errors import BadReply, Timeout, VendorError, from_status
from vendors.kit.reply import UNREADABLE, Progress, Reply
from vendors.kit.transport import RawReply, Request

if TYPE_CHECKING:
    from vendors.kit.cloud import Cloud
    from vendors.kit.vendor import Vendor

log = logging.getLogger(__name__)

T = TypeVar("T")
Params = Mapping[str, str | int | Sequence[str]]

MAX_PAGES = 200
# One sweep retries so often at most, so that an outage of a vendor is not doubled by us.
MAX_RETRIES = 3
# A retry makes sense only if the vendor has a fair chance to answer it.
RETRY_NEEDS_SECONDS = 1.0
RETRY_PAUSE_SECONDS = (0.05, 0.25)

PATH_PART = re.compile(r"(?!\.+\Z)[A-Za-z0-9 ._~:@!$&'()*+,;=-]{1,200}\Z")


def fits_path(part: str) -> bool:
    """Whether an id can stand in a URL's path without leading anywhere else."""
    return PATH_PART.match(part) is not None


class Mode(Enum):
    """How replies that were kept are used."""

    REUSE = "while they are fresh"
    REFRESH = "not at all: ask anew"
    KEPT_ONLY = "only they: make no call"


class NotKept(VendorError):
    """In the mode KEPT_ONLY: there is no fresh reply to this call."""


class Client:
    """Calls to one vendor with one caller's credential, during one request."""

    def __init__(self, cloud: "Cloud", vendor: "Vendor", deadline: Deadline, mode: Mode) -> None:
        self._cloud, self._vendor = cloud, vendor
        self.deadline = deadline
        self._mode = mode
        self._retries_left = MAX_RETRIES
        self._called = ""
        self._under_way: list[str] = []
        self.answered = False
        """Whether the vendor has answered any call of this request with success, reused replies not counted."""
        self.progress = Progress()

    @property
    def waits_for(self) -> str:
        """URL of the call that has been under way for longest, else of the last one; "" before the first."""
        return next(iter(self._under_way), self._called)

    def get(self, path: str, *ids: str, params: Params | None = None, kind: str = "inventory") -> Reply:
        """Reply to GET. `{}` in `path` stand for `ids`, which are quoted; `kind` says how long it stays fresh."""
        return self._call(lambda: self._request("GET", path, ids, params, None), kind)

    def read(self, path: str, *ids: str, body: Any, kind: str = "inventory") -> Reply:
        """Reply to a POST of compact JSON that only reads, so that it may be repeated and its reply kept."""
        content = orjson.dumps(body)
        return self._call(lambda: self._request("POST", path, ids, None, content), kind)

    def pages(self, fetch: Callable[[int], tuple[Iterable[T], bool]]) -> Iterator[T]:
        """Rows of fetch(1), fetch(2), ... while its second value says that there are more.

        After MAX_PAGES the rest is reported as missing: a vendor's page counter cannot keep us for ever.
        """
        for number in range(1, MAX_PAGES + 1):
            found, more = fetch(number)
            yield from found
            if not more:
                return
        raise BadReply(why=f"more than {MAX_PAGES} pages")

    def each(self, items: Iterable[str], call: Callable[[str], Iterable[T]], unit: str = "sites") -> Iterator[T]:
        """Rows of call(item) for all items, in the order in which the vendor answers.

        As many at a time as the vendor allows. An item that fails is set aside and reported after the
        sweep; a refused credential or a spent quota ends it. `call` must do its work before it returns.
        """
        waiting = list(items)
        count = self.progress.counts.setdefault(unit, [0, 0])
        count[1] += len(waiting)
        if len(waiting) == 1:
            # No other item to go on with: its failure is the caller's, and its work needs no other thread.
            yield from call(waiting[0])
            count[0] += 1
            return
        waiting.reverse()
        running: set[Future[list[T]]] = set()
        try:
            while waiting or running:
                while waiting and len(running) < self._vendor.limits.parallel:
                    running.add(self._start(call, waiting.pop()))
                done, running = wait(running, self.deadline.left(), FIRST_COMPLETED)
                if not done:
                    self.progress.failures.append(Timeout(self.waits_for))
                    return
                for future in done:
                    yield from self._outcome(future, waiting, count)
        finally:
            for future in running:
                future.cancel()

    def _start(self, call: Callable[[str], Iterable[T]], item: str) -> "Future[list[T]]":
        context = contextvars.copy_context()
        return self._cloud.calls.submit(context.run, self._rows_of, call, item)

    def _rows_of(self, call: Callable[[str], Iterable[T]], item: str) -> list[T]:
        try:
            return list(call(item))
        except UNREADABLE as error:
            log.exception("a vendor module could not read the answers for one item")
            raise BadReply(self.waits_for, "the answer could not be read") from error

    def _outcome(self, future: "Future[list[T]]", waiting: list[str], count: list[int]) -> list[T]:
        try:
            found = future.result()
        except VendorError as error:
            self.progress.failures.append(error)
            if error.stops_the_sweep:
                waiting.clear()
            return []
        count[0] += 1
        return found

    def _request(
        self, method: str, path: str, ids: Sequence[str], params: Params | None, body: bytes | None
    ) -> Request:
        base = self._cloud.home(self._vendor.credential)
        for part in ids:
            if not fits_path(part):
                raise BadReply(base + path, "an id cannot stand in a URL")
        path = path.format(*(quote(part, safe="") for part in ids))
        query = "?" + urlencode(params, doseq=True) if params else ""
        return Request(method, base + path + query, path, body)

    def _call(self, make: Callable[[], Request], kind: str) -> Reply:
        request = make()
        store, key = self._cloud.replies, self._cloud.replies.key(self._cloud.name, self._vendor.credential, request)
        kept = None if self._mode is Mode.REFRESH else store.get(key, self._vendor.fresh[kind])
        if kept:
            return Reply(kept, self.progress, lambda: None)
        if self._mode is Mode.KEPT_ONLY:
            raise NotKept(request.shown_url)
        raw = self._fetch_with_retry(request, make)
        previous = store.put(key, raw)
        return Reply(raw, self.progress, lambda: store.take_back(key, raw, previous))

    def _fetch_with_retry(self, request: Request, make: Callable[[], Request]) -> RawReply:
        try:
            return self._fetch(request)
        except VendorError as error:
            if not error.retriable or self._retries_left <= 0 or self.deadline.left() < RETRY_NEEDS_SECONDS:
                raise
        self._retries_left -= 1
        pause = random.uniform(*RETRY_PAUSE_SECONDS)  # noqa: S311 - spreads the retries, guards no secret
        time.sleep(pause * self._cloud.pause)
        return self._fetch(make())

    def _fetch(self, request: Request) -> RawReply:
        raw = self._send(request)
        if raw.status == 308:
            target = self._moved_to(request, raw)
            raw = self._send(target) if target else raw
        elif raw.status == 421:
            raw = self._from_another_region(request) or raw
        verdict = self._vendor.failure(Reply(raw, self.progress, lambda: None), request)
        if isinstance(verdict, RawReply):
            return verdict
        failure = verdict or from_status(raw.status, raw.url, raw.retry_after)
        if failure:
            raise failure
        self.answered = True
        return raw

    def _send(self, request: Request) -> RawReply:
        self._called = request.shown_url
        if self.deadline.left() <= 0:
            raise Timeout(request.shown_url)
        self._vendor.sign(request)
        started = time.perf_counter()
        self._under_way.append(request.shown_url)
        try:
            raw = self._cloud.transport.fetch(request, self.deadline)
        finally:
            self._under_way.remove(request.shown_url)
        took_ms = (time.perf_counter() - started) * 1000
        log.debug("%s %s answered %d in %.0f ms", request.method, request.shown_url, raw.status, took_ms)
        return raw

    def _moved_to(self, request: Request, raw: RawReply) -> Request | None:
        """The request to follow a 308 with, for a vendor that moves its ids so, and only below its own base."""
        if request.method != "GET" or not self._vendor.follows_308:
            return None
        location = urljoin(request.url, raw.headers.get("location", ""))
        path = location.removeprefix(request.base).partition("?")[0]
        if not location.startswith(request.base + "/") or not all(map(fits_path, path.split("/")[1:])):
            return None
        return Request("GET", location, path)

    def _from_another_region(self, request: Request) -> RawReply | None:
        """The reply of the region in which this account lives; each other one is asked once, and it is remembered."""
        for base in self._cloud.urls.values():
            if base == request.base:
                continue
            url = base + request.url.removeprefix(request.base)
            raw = self._send(Request(request.method, url, request.path, request.body))
            if raw.status != 421:
                self._cloud.remember_home(self._vendor.credential, base)
                return raw
        return None
