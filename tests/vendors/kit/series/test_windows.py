"""Windows and boundaries, on the clocks of all time zones."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendors.kit import Level
from vendors.kit.series.windows import EARLIEST, LONGEST, BadWindow, RequestedWindow, interval_start, next_boundary

# Names that are no places: they may differ from one machine to the next.
ZONES = st.sampled_from(sorted(name for name in available_timezones() if "/" in name and "right/" not in name))
MOMENTS = st.datetimes(datetime(2015, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))
LEVELS = st.sampled_from(list(Level))
NOW = datetime(2026, 6, 17, 11, 22, tzinfo=UTC)
BERLIN, LORD_HOWE, SANTIAGO = map(ZoneInfo, ("Europe/Berlin", "Australia/Lord_Howe", "America/Santiago"))


def window(level, start, end, zone=BERLIN, now=NOW, since=None):
    return RequestedWindow(level, start, end).widened(zone, now, since)


@given(LEVELS, MOMENTS, ZONES)
def test_an_instant_lies_between_two_adjacent_boundaries(level, at, name):
    zone = ZoneInfo(name)
    before, after = interval_start(level, at, zone), next_boundary(level, at, zone)
    assert before <= at < after
    assert interval_start(level, before, zone) == before
    assert interval_start(level, after, zone) == after
    assert next_boundary(level, before, zone) == after


@given(MOMENTS, ZONES)
def test_boundaries_follow_the_clock(at, name):
    zone = ZoneInfo(name)
    assert interval_start(Level.QUARTER, at, zone).minute % 15 == 0
    assert interval_start(Level.HOUR, at, zone).astimezone(zone).minute == 0
    day = interval_start(Level.DAY, at, zone).astimezone(zone)
    assert day.date() == at.astimezone(zone).date()
    assert (day - timedelta(minutes=1)).astimezone(UTC).astimezone(zone).date() < day.date()
    assert interval_start(Level.MONTH, at, zone).astimezone(zone).day == 1


@given(MOMENTS, ZONES)
def test_coarse_boundaries_are_boundaries_of_all_finer_levels(at, name):
    zone = ZoneInfo(name)
    levels = [Level.MONTH, Level.DAY, Level.QUARTER]
    for coarse, fine in pairwise(levels):
        assert interval_start(fine, interval_start(coarse, at, zone), zone) == interval_start(coarse, at, zone)


@given(LEVELS, MOMENTS, st.timedeltas(timedelta(minutes=1), timedelta(days=20)), ZONES)
def test_a_widened_window_includes_every_interval_that_it_touches_and_no_other(level, start, span, name):
    zone, end = ZoneInfo(name), start + span
    widened = window(level, start, end, zone, now=end + timedelta(days=400))
    boundaries = list(widened.boundaries())
    assert boundaries[0] <= start < boundaries[1]
    assert boundaries[-2] < end <= boundaries[-1]
    assert boundaries == sorted(set(boundaries))
    assert window(level, widened.start, widened.end, zone, now=end + timedelta(days=400)) == widened


@pytest.mark.parametrize(
    ("zone", "day", "quarters", "hours"),
    [
        (BERLIN, (2026, 6, 17), 96, 24),
        (BERLIN, (2026, 3, 29), 92, 23),
        (BERLIN, (2025, 10, 26), 100, 25),
        # The hour in which the clock moves lasts 30 minutes less or more.
        (LORD_HOWE, (2025, 10, 5), 94, 23),
        (LORD_HOWE, (2026, 4, 5), 98, 24),
        (SANTIAGO, (2025, 9, 7), 92, 23),
    ],
)
def test_a_day_has_as_many_intervals_as_its_clock_makes_of_it(zone, day, quarters, hours):
    start = datetime(*day, 12, tzinfo=zone)
    for level, count in ((Level.QUARTER, quarters), (Level.HOUR, hours)):
        whole = window(Level.DAY, start, start + timedelta(hours=1), zone)
        boundaries = list(window(level, whole.start, whole.end, zone, now=whole.end).boundaries())
        assert len(boundaries) - 1 == count


def test_where_the_clock_moves_by_half_an_hour_an_hour_lasts_ninety_minutes():
    start = datetime(2026, 4, 5, 0, 30, tzinfo=LORD_HOWE)
    boundaries = list(window(Level.HOUR, start, start + timedelta(hours=3), LORD_HOWE).boundaries())
    assert timedelta(minutes=90) in [after - before for before, after in pairwise(boundaries)]


def test_a_time_without_an_offset_is_on_the_site_s_clock():
    naive = window(Level.HOUR, datetime(2026, 6, 1, 8), datetime(2026, 6, 1, 10))
    assert (naive.start, naive.end) == (datetime(2026, 6, 1, 6, tzinfo=UTC), datetime(2026, 6, 1, 8, tzinfo=UTC))
    doubled = window(Level.HOUR, datetime(2025, 10, 26, 2), datetime(2025, 10, 26, 5))
    assert doubled.start == datetime(2025, 10, 26, 0, tzinfo=UTC), "the earlier"
    skipped = window(Level.HOUR, datetime(2026, 3, 29, 2, 30), datetime(2026, 3, 29, 5))
    assert skipped.start == datetime(2026, 3, 29, 1, tzinfo=UTC), "moved forward"


def test_a_window_without_start_and_end_is_the_last_day_month_or_year():
    spans = {level: window(level, None, None) for level in Level}
    assert [round((span.end - span.start) / timedelta(days=1), 2) for span in spans.values()] == [
        1.01,
        1.04,
        32.0,
        395.0,
    ]
    assert all(span.end >= NOW for span in spans.values())


def test_the_future_and_the_time_before_the_site_are_cut_off():
    since = datetime(2026, 6, 17, 9, 40, tzinfo=UTC)
    cut = window(Level.HOUR, NOW - timedelta(days=2), NOW + timedelta(days=9), since=since)
    assert (cut.start, cut.end) == (since.replace(minute=0), NOW.replace(hour=12, minute=0))
    for start, end in ((NOW + timedelta(1), NOW + timedelta(2)), (since - timedelta(2), since - timedelta(1))):
        assert list(window(Level.HOUR, start, end, since=since).boundaries())[1:] == []


@pytest.mark.parametrize("level", list(Level))
def test_a_window_has_a_maximum_length_on_the_site_s_clock(level):
    start = (NOW.astimezone(BERLIN).replace(tzinfo=None) - LONGEST[level]).replace(tzinfo=BERLIN)
    assert window(level, start, NOW).start <= max(start, EARLIEST)
    with pytest.raises(BadWindow, match=r"^start: "):
        window(level, start - timedelta(hours=2), NOW)


@pytest.mark.parametrize("span", [timedelta(), timedelta(hours=-1)])
def test_a_window_must_end_after_its_start(span):
    with pytest.raises(BadWindow, match=r"^end: "):
        window(Level.HOUR, NOW - timedelta(hours=5), NOW - timedelta(hours=5) + span)


@pytest.mark.parametrize("at", [datetime.min.replace(tzinfo=timezone(timedelta(hours=9))), datetime.min])
def test_a_time_beyond_the_calendar_is_refused(at):
    with pytest.raises(BadWindow, match=r"^start: "):
        window(Level.MONTH, at, NOW, ZoneInfo("Asia/Tokyo"))


@pytest.mark.parametrize("level", list(Level))
@pytest.mark.parametrize("end", [datetime(9999, 12, 31, 23, 59, tzinfo=UTC), datetime(1, 1, 5, tzinfo=UTC)])
@pytest.mark.parametrize("name", ["Asia/Tokyo", "America/Phoenix"])
def test_an_end_that_some_clocks_cannot_show_is_refused_on_all(level, end, name):
    for start in (None, end - timedelta(hours=1)):
        with pytest.raises(BadWindow, match=r"^(start|end): "):
            window(level, start, end, ZoneInfo(name))
