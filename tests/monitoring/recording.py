"""Scrapes of /metrics over a soak with faults, as Prometheus would store them.

A second of the recording stands for SPEED seconds, so that minutes of faults play rules that are written for hours: its
times, and the values that are times, are stretched by that. Durations of requests and calls are as they were.
"""

import gzip
import json
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

PATH = Path(__file__).with_name("recording.json.gz")
SPEED = 20.0
# A value is used for this long after its scrape (Prometheus' default), unless a later scrape lacks it.
LOOKBACK_SECONDS = 300.0
# Values whose unit is a point in time.
TIMES = "_timestamp_seconds"


@dataclass(repr=False)
class Series:
    """One series: its value at each scrape, or None where it was not shown."""

    labels: tuple[tuple[str, str], ...]
    times: list[float]
    values: list[float | None]

    def at(self, time: float) -> float | None:
        """The value that an instant selector selects."""
        index = bisect_right(self.times, time) - 1
        return None if index < 0 or time - self.times[index] >= LOOKBACK_SECONDS else self.values[index]

    def within(self, after: float, until: float) -> list[tuple[float, float]]:
        """The samples that a range selector selects; its left border is open."""
        indices = range(bisect_right(self.times, after), bisect_right(self.times, until))
        return [(self.times[index], value) for index in indices if (value := self.values[index]) is not None]


@dataclass(repr=False)
class Recording:
    """times, phases: in stretched seconds since the first scrape. phases: by fault, when it began and ended."""

    times: list[float]
    phases: dict[str, tuple[float, float]]
    series: list[Series]

    @property
    def names(self) -> set[str]:
        """The names of all metrics with their suffixes."""
        return {dict(series.labels)["__name__"] for series in self.series}


class Recorder:
    """Takes scrapes and writes them as one compact file: of each series only its changes."""

    def __init__(self) -> None:
        self._times: list[float] = []
        self._phases: dict[str, list[float]] = {}
        self._changes: dict[str, list[tuple[int, float | None]]] = {}

    def begin(self, phase: str, time: float) -> None:
        self._phases[phase] = [time, time]

    def end(self, phase: str, time: float) -> None:
        self._phases[phase][1] = time

    def add(self, time: float, text: str | None) -> None:
        """Adds a scrape; None if it failed, after which no series but `up` has a value."""
        index = len(self._times)
        self._times.append(time)
        shown = {json.dumps({"__name__": "up", "job": "derapi"}): float(text is not None)}
        for family in text_string_to_metric_families(text or ""):
            for sample in family.samples:
                labels = json.dumps({"__name__": sample.name, **sample.labels}, sort_keys=True)
                shown[labels] = round(sample.value, 4)
        for labels in self._changes.keys() | shown.keys():
            changes, value = self._changes.setdefault(labels, []), shown.get(labels)
            if (changes[-1][1] if changes else None) != value:
                changes.append((index, value))

    def write(self, path: Path = PATH) -> None:
        start = self._times[0]
        content = {
            "start": start,
            "times": [round(time - start, 3) for time in self._times],
            "phases": {name: [round(time - start, 3) for time in times] for name, times in self._phases.items()},
            "series": [[json.loads(labels), changes] for labels, changes in sorted(self._changes.items())],
        }
        text = json.dumps(content, separators=(",", ":")).encode()
        path.write_bytes(gzip.compress(text, mtime=0))


def load(path: Path = PATH) -> Recording:
    """The recording, stretched."""
    content: dict[str, Any] = json.loads(gzip.decompress(path.read_bytes()))
    times = [SPEED * time for time in content["times"]]
    phases = {name: (SPEED * begin, SPEED * end) for name, (begin, end) in content["phases"].items()}
    series = [
        Series(tuple(sorted(labels.items())), times, _values(labels, changes, len(times), content["start"]))
        for labels, changes in content["series"]
    ]
    return Recording(times, phases, series)


def _values(
    labels: dict[str, str], changes: list[tuple[int, float | None]], count: int, start: float
) -> list[float | None]:
    values: list[float | None] = [None] * count
    ends = [index for index, _ in changes[1:]] + [count]
    is_time = labels["__name__"].endswith(TIMES)
    for (begin, value), end in zip(changes, ends, strict=True):
        if value is not None and is_time and value > 0:
            value = SPEED * (value - start)
        values[begin:end] = [value] * (end - begin)
    return values
