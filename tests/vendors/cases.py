"""Recorded cases of a vendor, `tests/vendors/<vendor>/cases.json`: replies, one read, and what it must give.

CONTRIBUTING.md describes the members of a case. Nothing here needs the vendor's plugin before a case is read.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, is_dataclass
from datetime import datetime
from functools import cache
from math import isclose
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from vendors.kit import Client, Level, ListRow, Quality, RawReply, Request, Vendor, VendorError
from vendors.kit.calls.sweep import Sweep
from vendors.kit.deadline import Deadline
from vendors.kit.records import Record
from vendors.kit.series.read import intervals
from vendors.kit.series.resample import Interval
from vendors.kit.series.windows import RequestedWindow

HERE = Path(__file__).parent
LISTS = ("sites", "devices")
DETAILS = ("site", "solar_inverter", "battery")
SERIES = ("solar_intervals", "battery_intervals", "site_solar_intervals", "site_battery_intervals")
# Intervals of one case: more than a page of the API holds.
MAX_INTERVALS = 10_000
# Of a number that went through a division by 1000.
TOLERANCE = 1e-9


@dataclass(frozen=True)
class RecordedReply:
    """A reply as the vendor gave it: a file of the vendor's folder, with status 200 unless the case names another."""

    file: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """One read over recorded replies, and the file with the expected records or the code of the expected failure."""

    vendor: str
    read: str
    replies: Mapping[str, RecordedReply]
    expected: str | None = None
    failure: str | None = None
    retry_after: float | None = None
    site: str | None = None
    key: tuple[str, ...] = ()
    level: str | None = None
    start: str | None = None
    end: str | None = None
    now: str | None = None

    @classmethod
    def of(cls, vendor: str, members: Mapping[str, Any]) -> "Case":
        """A case as `cases.json` has it."""
        replies = {
            path: RecordedReply(**reply) if isinstance(reply, dict) else RecordedReply(reply)
            for path, reply in members["replies"].items()
        }
        return cls(**{**members, "vendor": vendor, "replies": replies, "key": tuple(members.get("key", ()))})

    @property
    def name(self) -> str:
        """The vendor and what is expected: unique within the vendor's cases."""
        return f"{self.vendor}-{self.expected or f'{self.read}-{self.failure}-{self._last_file}'}"

    @property
    def _last_file(self) -> str:
        return Path(list(self.replies.values())[-1].file).stem if self.replies else "no-call"

    @property
    def files(self) -> tuple[str, ...]:
        """Files of the vendor's folder that the case needs."""
        expected = (f"{self.expected}.expected.json",) if self.expected else ()
        return (*dict.fromkeys(reply.file for reply in self.replies.values()), *expected)

    def expected_results(self) -> list[dict[str, Any]]:
        """The expected records or intervals, as JSON."""
        return [without_nulls(one) for one in json.loads(content(self.vendor, f"{self.expected}.expected.json"))]

    def set_clock(self, monkeypatch: Any) -> None:
        """Makes `now` the present of the plugin's calls."""
        if self.now:
            monkeypatch.setattr(Client, "now", datetime.fromisoformat(self.now))

    def results(self, plugin: Vendor) -> list[Any]:
        """The records or intervals that the plugin gives; failures are added to its progress."""
        if self.read in LISTS:
            sweep = Sweep(plugin)
            sweep.run(lambda vendor: map(record_of_row, getattr(vendor, self.read)(*[self.site] if self.site else [])))
            return sweep.records
        try:
            if self.read in SERIES:
                return self._intervals(plugin)
            return [getattr(plugin, self.read)(self.key)]
        except VendorError as failure:
            plugin.client.progress.add(failure)
            return []

    def _intervals(self, plugin: Vendor) -> list[Interval]:
        now = plugin.client.now
        level = Level(self.level or "")
        series = getattr(plugin, self.read)(self.key, level)
        window = RequestedWindow(level, _time(self.start), _time(self.end)).widened(series.zone, now, series.since)
        return [one for one in intervals(series, window, MAX_INTERVALS, now) if isinstance(one, Interval)]


def record_of_row(row: object) -> Record:
    """The record of a list row; lists of records would pass here and fail in the service."""
    assert isinstance(row, ListRow), f"lists yield rows: make them with {type(row).__name__}.listed(...)"
    return row.record()


class RecordedTransport:
    """The replies of a case in place of a transport. A call without a reply is answered with 404 and remembered.

    A key of `replies` is a path, with or without a query. Of those whose query parameters are all in the call, the one
    with the most parameters answers.
    """

    def __init__(self, case: Case) -> None:
        self._replies = [(*_path_and_params(key), reply) for key, reply in case.replies.items()]
        self._replies.sort(key=lambda reply: -len(reply[1]))
        self._bodies = {reply.file: content(case.vendor, reply.file) for reply in case.replies.values()}
        self.missing: list[str] = []

    def change(self, file: str, body: bytes) -> None:
        """From now on the reply recorded in this file has another body."""
        self._bodies[file] = body

    def fetch(self, request: Request, deadline: Deadline) -> RawReply:
        """The recorded reply to the call."""
        params = set(parse_qsl(request.query.removeprefix("?"), keep_blank_values=True))
        for path, needed, reply in self._replies:
            if path == request.path and needed <= params:
                headers = {name.lower(): value for name, value in reply.headers.items()}
                return RawReply(reply.status, headers, self._bodies[reply.file], request.shown_url)
        self.missing.append(request.path + request.query)
        return RawReply(404, {}, b"", request.shown_url)


def cases_of(vendor: str) -> list[Case]:
    """The cases of the vendor's folder; none without a `cases.json`."""
    path = HERE / vendor / "cases.json"
    return [Case.of(vendor, members) for members in json.loads(path.read_text())] if path.exists() else []


@cache
def content(vendor: str, file: str) -> bytes:
    """The bytes of a file in the vendor's folder."""
    return (HERE / vendor / file).read_bytes()


def plain(result: Any) -> dict[str, Any]:
    """A record or an interval as JSON has it, without members that are None."""
    members = {"record": type(result).__name__} if not isinstance(result, Interval) else {}
    if is_dataclass(result) and not isinstance(result, type):
        members |= asdict(result, dict_factory=_json_members)
    return without_nulls(json.loads(json.dumps(members, default=datetime.isoformat)))


def without_nulls(value: Any) -> Any:
    """The JSON value without null members, at any depth: absent and null mean the same in a record."""
    if isinstance(value, dict):
        return {name: without_nulls(member) for name, member in value.items() if member is not None}
    return [without_nulls(one) for one in value] if isinstance(value, list) else value


def differences(expected: Any, actual: Any, path: str = "") -> Iterator[str]:
    """A line for each member that differs, e.g. `0.bess.soc_percent: expected 55, got 54`."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for name in [*expected, *(name for name in actual if name not in expected)]:
            yield from differences(expected.get(name), actual.get(name), f"{path}.{name}".lstrip("."))
    elif isinstance(expected, list) and isinstance(actual, list):
        for number in range(max(len(expected), len(actual))):
            pair = (one[number] if number < len(one) else None for one in (expected, actual))
            yield from differences(*pair, f"{path}.{number}".lstrip("."))
    elif not _equal(expected, actual):
        yield f"{path or 'all'}: expected {json.dumps(expected)}, got {json.dumps(actual)}"


def _equal(expected: Any, actual: Any) -> bool:
    numbers = [one for one in (expected, actual) if isinstance(one, int | float) and not isinstance(one, bool)]
    return isclose(*numbers, rel_tol=TOLERANCE, abs_tol=TOLERANCE) if len(numbers) == 2 else expected == actual


def _json_members(members: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value.name.lower() if isinstance(value, Quality) else value for name, value in members}


def _path_and_params(key: str) -> tuple[str, set[tuple[str, str]]]:
    path, _, query = key.partition("?")
    return path, set(parse_qsl(query, keep_blank_values=True))


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
