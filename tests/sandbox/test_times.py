"""Quarters and hours of a clock, on the days on which it changes."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from sandbox.times import clock_spans


def minutes_of(zone, first, last, step):
    """The lengths of the spans between two local times, in minutes."""
    start, end = (datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() for text in (first, last))
    spans = list(clock_spans(start, end, step, ZoneInfo(zone)))
    assert spans[0][0] <= start < spans[0][1]
    assert spans[-1][0] < end <= spans[-1][1]
    assert [span_end for _, span_end in spans[:-1]] == [span_start for span_start, _ in spans[1:]]
    return [(span_end - span_start) / 60 for span_start, span_end in spans]


@pytest.mark.parametrize(
    ("zone", "first", "last", "expected"),
    [
        ("Europe/Berlin", "2026-06-17T10:00", "2026-06-17T13:00", [60] * 3),
        ("Europe/Berlin", "2026-03-29T00:00", "2026-03-29T04:00", [60] * 3),
        ("Europe/Berlin", "2025-10-26T00:00", "2025-10-26T04:00", [60] * 5),
        ("Asia/Kathmandu", "2026-06-17T10:20", "2026-06-17T12:00", [60] * 2),
        ("Australia/Lord_Howe", "2025-10-05T00:00", "2025-10-05T04:00", [60, 90, 60]),
        ("Australia/Lord_Howe", "2026-04-05T00:00", "2026-04-05T04:00", [60, 90, 60, 60]),
    ],
)
def test_an_hour_lasts_until_the_next_full_hour_of_the_clock(zone, first, last, expected):
    assert minutes_of(zone, first, last, "hour") == expected


@pytest.mark.parametrize(
    ("zone", "day", "quarters"),
    [
        ("Europe/Berlin", ("2026-03-29T00:00", "2026-03-30T00:00"), 92),
        ("Australia/Lord_Howe", ("2025-10-05T00:00", "2025-10-06T00:00"), 94),
        ("Australia/Lord_Howe", ("2026-04-05T00:00", "2026-04-06T00:00"), 98),
        ("Asia/Kathmandu", ("2026-06-17T00:00", "2026-06-18T00:00"), 96),
    ],
)
def test_quarters_always_last_fifteen_minutes(zone, day, quarters):
    assert minutes_of(zone, *day, "15mins") == [15] * quarters
