"""A vendor's reply as plugins see it, and what came of the sweep that it belongs to."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson

from vendors.kit import reading
from vendors.kit.errors import BadReply, VendorError
from vendors.kit.transport import RawReply

log = logging.getLogger(__name__)

T = TypeVar("T")

# What reading and converting foreign JSON can raise.
UNREADABLE = (KeyError, ValueError, TypeError, AttributeError, IndexError, RecursionError, OverflowError)


@dataclass(slots=True)
class Progress:
    """How far a sweep came, for the sentence that says what is missing."""

    failures: list[VendorError] = field(default_factory=list)
    done: int = 0
    of: int = 0
    unit: str = "sites"


class Reply:
    """A successful reply. What turns out to be unreadable is reported as BadReply and not kept for reuse."""

    def __init__(self, raw: RawReply, progress: Progress, discard: Callable[[], None]) -> None:
        self.status, self.headers, self.url = raw.status, raw.headers, raw.url
        self._body = raw.body
        self._progress = progress
        self._discard = discard
        self._parsed: Any = None

    @property
    def json(self) -> Any:
        """The body as JSON; raises BadReply when it is none."""
        if self._parsed is None:
            try:
                self._parsed = orjson.loads(self._body)
            except orjson.JSONDecodeError as error:
                raise self._unreadable("the answer is not JSON") from error
        return self._parsed

    def record(self, to: Callable[[Any], T]) -> T:
        """The whole reply converted by `to`."""
        try:
            return to(self.json)
        except UNREADABLE as error:
            raise self._unreadable(_why(error)) from error

    def rows(self, *path: str, to: Callable[[Any], T | None]) -> list[T]:
        """The rows below `path`, each converted by `to`; None from `to` leaves a row out.

        A row that cannot be converted is set aside and reported after the sweep; the others count.
        """
        raw_rows = self.record(lambda raw: reading.rows(raw, *path))
        converted: list[T] = []
        for raw in raw_rows:
            try:
                record = to(raw)
            except UNREADABLE as error:
                log.warning("unusable row at %s: %s", self.url, _why(error))
                self._progress.failures.append(BadReply(self.url, _why(error)))
                continue
            if record is not None:
                converted.append(record)
        return converted

    def _unreadable(self, why: str) -> BadReply:
        self._discard()
        log.warning("unreadable answer at %s: %s", self.url, why)
        return BadReply(self.url, why)


def _why(error: BaseException) -> str:
    """The name of the missing member, or that a type is wrong; nothing of the vendor's values."""
    if isinstance(error, KeyError) and error.args and str(error.args[0]).isidentifier():
        return f"{str(error.args[0])[:60]} is missing"
    return "a member is missing or has a wrong type"
