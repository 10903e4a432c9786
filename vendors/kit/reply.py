"""A vendor's reply as plugins see it."""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, TypeVar

import orjson

from vendors.kit.calls.progress import Progress
from vendors.kit.errors import BadReply
from vendors.kit.messages import RawReply
from vendors.kit.parsing import reading
from vendors.kit.parsing.projection import Shape

T = TypeVar("T")

# Errors that reading and converting a vendor's JSON can raise.
UNREADABLE = (KeyError, ValueError, TypeError, AttributeError, IndexError, RecursionError, OverflowError)


class Reply:
    """A successful reply. If it turns out to be unreadable, that is reported as BadReply and it leaves the cache.

    spoiled: called with the BadReply and the number of unreadable rows, or None if nothing could be read.
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
        # Bodies of errors have a different form.
        self._only = only if 200 <= raw.status < 300 else None
        self.parsed = parsed
        """The body as JSON, after its first reading. It is shared by equal calls, so never changed."""

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait, as in `RawReply`."""
        return self._raw.retry_after

    @property
    def json(self) -> Any:
        """The body as JSON. Raises BadReply if it is not JSON."""
        try:
            return self._load()
        except orjson.JSONDecodeError as error:
            raise self._unreadable("the answer is not JSON") from error

    @property
    def text(self) -> str:
        """The beginning of the body as text: for errors whose code is part of a sentence."""
        return self._raw.body[:500].decode(errors="replace")

    @property
    def json_object(self) -> reading.Raw:
        """The body if it is an object, else an empty object: for bodies of errors, which may have any form."""
        try:
            body = self._load()
        except orjson.JSONDecodeError:
            return {}
        return body if isinstance(body, Mapping) else {}

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

        optional: whether the last member of the path may be missing, which counts as an empty list.
        A row that cannot be converted is left out and reported after the sweep; all other rows are returned.
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
            # A reply with some good rows stays cached: it is not worth another call.
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


class WholeReply(Reply):
    """A reply as a plugin's hooks see it: with the members that its Shape leaves out."""

    def _load(self) -> Any:
        projected = super()._load()
        if self._only is None:
            return projected
        body = self._raw.body
        return WholeObject(projected, self._only, body) if isinstance(projected, dict) else _whole(body, projected)


class WholeObject(Mapping[str, Any]):
    """A projected object that parses its whole body once a member is read that the projection leaves out or cuts."""

    def __init__(self, projected: Mapping[str, Any], shape: Shape, body: bytes) -> None:
        self._projected, self._shape, self._body = projected, shape, body

    @cached_property
    def _whole(self) -> Mapping[str, Any]:
        whole: Mapping[str, Any] = _whole(self._body, self._projected)
        return whole

    def __getitem__(self, name: str) -> Any:
        return (self._projected if name in self._shape.whole_members else self._whole)[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._whole)

    def __len__(self) -> int:
        return len(self._whole)


def _whole(body: bytes, projected: Any) -> Any:
    """The JSON of the body; the projected members alone if one of the skipped members holds invalid text."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return projected


def _why(error: BaseException) -> str:
    """A text that names the missing member or reports a wrong type, without any of the vendor's values."""
    if isinstance(error, reading.WrongRecord):
        return "the answer is about another site or device"
    if isinstance(error, KeyError) and error.args and str(error.args[0]).isidentifier():
        return f"{str(error.args[0])[:60]} is missing"
    return "a member is missing or has a wrong type"
