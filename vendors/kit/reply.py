"""A vendor's reply as plugins see it, and what came of the sweep that it belongs to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson

from vendors.kit.calls.reply_cache import ReplyRef
from vendors.kit.errors import BadReply, VendorError
from vendors.kit.messages import RawReply
from vendors.kit.parsing import reading
from vendors.kit.parsing.projection import Shape

T = TypeVar("T")

# What reading and converting foreign JSON can raise.
UNREADABLE = (KeyError, ValueError, TypeError, AttributeError, IndexError, RecursionError, OverflowError)


@dataclass(slots=True)
class Progress:
    """How far a sweep came, for the sentence that says what is missing."""

    failures: list[VendorError] = field(default_factory=list)
    counts: dict[str, list[int]] = field(default_factory=dict)
    """By what is counted, e.g. "sites": how many are done, and of how many."""

    age: float = 0.0
    """Seconds since the oldest reply that was reused."""
    is_stale: bool = False
    """Whether a reply was reused because a new one could not be had."""
    sources: list[ReplyRef] = field(default_factory=list)
    """The replies that were read."""

    def add(self, failure: VendorError) -> None:
        """One more failure, without what held it on its way: that would be whole answers, and tokens."""
        failure.__cause__ = failure.__context__ = failure.__traceback__ = None
        self.failures.append(failure)

    @property
    def missing(self) -> str:
        """ "12 of 14 sites", or "" when nothing says that any is missing."""
        counts = [(unit, done, of) for unit, (done, of) in list(self.counts.items()) if done < of]
        return ", ".join(f"{done} of {of} {unit}" for unit, done, of in counts)


class Reply:
    """A successful reply. What turns out to be unreadable is reported as BadReply and not kept for reuse.

    spoiled: learns of it, with the number of unreadable rows, or None where nothing could be read.
    """

    def __init__(
        self,
        raw: RawReply,
        progress: Progress,
        spoiled: Callable[[BadReply, int | None], None],
        only: Shape | None = None,
        parsed: Any = None,
    ) -> None:
        self.status, self.headers, self.url = raw.status, raw.headers, raw.url
        self._raw = raw
        self._progress = progress
        self._spoiled = spoiled
        # Errors have a form of their own.
        self._only = only if 200 <= raw.status < 300 else None
        self.parsed = parsed
        """The body as JSON, once somebody has asked for it. Read by many, changed by none."""

    @property
    def retry_after(self) -> float | None:
        """As of `RawReply`."""
        return self._raw.retry_after

    @property
    def json(self) -> Any:
        """The body as JSON; raises BadReply when it is none."""
        try:
            return self._load()
        except orjson.JSONDecodeError as error:
            raise self._unreadable("the answer is not JSON") from error

    @property
    def text(self) -> str:
        """The beginning of the body as text: for errors whose number stands in a sentence."""
        return self._raw.body[:500].decode(errors="replace")

    @property
    def about(self) -> reading.Raw:
        """The body as an object, empty when it is none: for the bodies of errors, which may be anything."""
        try:
            found = self._load()
        except orjson.JSONDecodeError:
            return {}
        return found if isinstance(found, Mapping) else {}

    def instead(self, json: Any) -> RawReply:
        """A successful reply to read in place of this one, e.g. an empty list where a vendor answers 404."""
        return RawReply(200, {}, orjson.dumps(json), self.url)

    def record(self, to: Callable[[Any], T]) -> T:
        """The whole reply converted by `to`."""
        try:
            return to(self.json)
        except UNREADABLE as error:
            raise self._unreadable(_why(error)) from error

    def rows(self, *path: str, to: Callable[[Any], T | None], optional: bool = False) -> list[T]:
        """The rows below `path`, each converted by `to`; None from `to` leaves a row out.

        optional: the last member of the path may be missing, which is the same as an empty list.
        A row that cannot be converted is set aside and reported after the sweep; the others count.
        """
        raw_rows = self.record(lambda raw: reading.rows(raw, *path, optional=optional))
        converted: list[T] = []
        failure, failed = None, 0
        for raw in raw_rows:
            try:
                record = to(raw)
            except UNREADABLE as error:
                failure = failure or BadReply(self.url, _why(error))
                failed += 1
                continue
            if record is not None:
                converted.append(record)
        if failure:
            self._progress.add(failure)
            # The next answer may be better; one with some good rows is not worth another call.
            self._spoiled(failure, None if failed == len(raw_rows) else failed)
        return converted

    def _load(self) -> Any:
        if self.parsed is None:
            body = self._raw.body
            self.parsed = self._only.read(body) if self._only else orjson.loads(body)
        return self.parsed

    def _unreadable(self, why: str) -> BadReply:
        failure = BadReply(self.url, why)
        self._spoiled(failure, None)
        return failure


def _why(error: BaseException) -> str:
    """The name of the missing member, or that a type is wrong; nothing of the vendor's values."""
    if isinstance(error, reading.AnotherThing):
        return "the answer is about another site or device"
    if isinstance(error, KeyError) and error.args and str(error.args[0]).isidentifier():
        return f"{str(error.args[0])[:60]} is missing"
    return "a member is missing or has a wrong type"
