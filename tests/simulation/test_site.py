"""A site over the borders of its service and of its local days."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from math import fsum
from zoneinfo import ZoneInfo

import pytest

from simulation import Battery, Site

MakeSite = Callable[..., Site]
ClockChanges = Callable[[ZoneInfo, int], list[date]]
Midnight = Callable[[ZoneInfo, date], float]


def energies(site: Site, t: float) -> tuple[float, float, float, float]:
    return site.pv_kwh(t), site.charge_kwh(t), site.discharge_kwh(t), site.load_kwh(t)


def test_nothing_is_counted_before_the_site_is_operational(make_site: MakeSite) -> None:
    started = datetime(2021, 6, 5, 12, tzinfo=ZoneInfo("Europe/Berlin"))
    site = make_site("Berlin", Battery(10.0, "Self Consumption"), since=started)
    t = started.timestamp()
    for before in (0.0, t - 3 * 365 * 86_400, t - 86_400, t - 1, t):
        assert energies(site, before) == (0, 0, 0, 0)
    assert site.soc_percent(t - 1) is None
    assert site.soc_percent(t) is not None
    assert 0 < site.pv_kwh(t + 300) < 8 / 12
    assert 0 < site.load_kwh(t + 300) < 1
    assert site.charge_kwh(t + 86_400) > 0


def test_a_later_start_takes_away_exactly_what_came_before_it(make_site: MakeSite) -> None:
    early = make_site("Delhi", Battery(10.0, "Savings"))
    started = datetime(2020, 2, 29, 13, 30, tzinfo=UTC)
    late = make_site("Delhi", Battery(10.0, "Savings"), since=started)
    t = datetime(2024, 2, 29, 9, tzinfo=UTC).timestamp()
    for whole, before, rest in zip(
        energies(early, t), energies(early, started.timestamp()), energies(late, t), strict=True
    ):
        assert whole - before == pytest.approx(rest, abs=1e-8)


@pytest.mark.parametrize("since", [datetime(2014, 12, 31, 23, tzinfo=UTC), datetime(2020, 1, 1)])
def test_a_start_before_the_history_or_without_a_zone_is_refused(make_site: MakeSite, since: datetime) -> None:
    with pytest.raises(ValueError, match="operational_since"):
        make_site("Berlin", since=since)


def test_the_history_reaches_back_to_the_first_moment_of_2015_in_the_earliest_zone(
    make_site: MakeSite,
) -> None:
    first = datetime(2015, 1, 1, tzinfo=ZoneInfo("Pacific/Kiritimati"))
    site = make_site("Kiritimati", Battery(10.0, "Self Consumption"), since=first)
    t = first.timestamp()
    assert site.pv_kwh(t + 86_400) > 1
    assert site.discharge_kwh(t + 3 * 86_400) > 1
    assert site.soc_percent(t) is not None


def test_a_site_without_a_battery_has_no_flows_and_no_level(make_site: MakeSite) -> None:
    site = make_site("Phoenix")
    t = datetime(2024, 6, 1, 20, tzinfo=UTC).timestamp()
    assert site.pv_kwh(t) > 0
    assert site.charge_kwh(t) == site.discharge_kwh(t) == 0
    assert site.soc_percent(t) is None


QUARTERS_OF_CHANGE_DAYS = {
    "Berlin": [92, 100],
    "Lord Howe": [98, 94],
    "Adelaide": [100, 92],
    "Santiago": [100, 92],
    "Cairo": [92, 100],
    "Chatham Islands": [100, 92],
    "St. John's": [92, 100],
}


@pytest.mark.parametrize("name", QUARTERS_OF_CHANGE_DAYS)
@pytest.mark.parametrize("mode", ["Self Consumption", "Savings"])
def test_the_quarters_of_a_clock_change_day_add_up_to_the_day(
    make_site: MakeSite, clock_changes: ClockChanges, midnight: Midnight, name: str, mode: str
) -> None:
    site = make_site(name, Battery(10.0, mode))
    zone = ZoneInfo(site.place.timezone)
    counts = []
    for day in clock_changes(zone, 2024):
        start, end = midnight(zone, day), midnight(zone, day + timedelta(days=1))
        borders = [start + 900 * quarter for quarter in range(int((end - start) / 900) + 1)]
        assert borders[-1] == end
        counts.append(len(borders) - 1)
        for energy in (site.pv_kwh, site.charge_kwh, site.discharge_kwh, site.load_kwh):
            parts = [energy(b) - energy(a) for a, b in pairwise(borders)]
            assert min(parts) >= 0
            assert fsum(parts) == pytest.approx(energy(end) - energy(start), abs=1e-9)
            assert fsum(parts) > 0.5
    assert counts == QUARTERS_OF_CHANGE_DAYS[name]


@pytest.mark.parametrize(
    ("name", "minutes"), [("Delhi", 330), ("Kathmandu", 345), ("Adelaide", 570), ("St. John's", -210)]
)
def test_places_of_half_and_quarter_hour_zones_produce_in_the_middle_of_their_local_day(
    make_site: MakeSite, midnight: Midnight, name: str, minutes: int
) -> None:
    site = make_site(name)
    zone = ZoneInfo(site.place.timezone)
    day = date(2024, 6, 20) if minutes == 570 else date(2024, 1, 20)
    assert datetime(day.year, day.month, day.day, tzinfo=zone).utcoffset() == timedelta(minutes=minutes)
    start = midnight(zone, day)
    hours = [site.pv_kwh(start + 3600 * h + 3600) - site.pv_kwh(start + 3600 * h) for h in range(24)]
    assert sum(hours[:6]) == sum(hours[19:]) == 0
    assert all(hour > 0 for hour in hours[9:15])


def test_the_load_is_the_same_every_day_and_highest_in_the_evening(make_site: MakeSite) -> None:
    site = make_site("Glasgow")
    midnight_by_the_sun = datetime(2024, 10, 26, tzinfo=UTC).timestamp() + 4.3 * 240
    hours = [
        site.load_kwh(midnight_by_the_sun + 3600 * (h + 1)) - site.load_kwh(midnight_by_the_sun + 3600 * h)
        for h in range(48)
    ]
    assert hours[:24] == pytest.approx(hours[24:])
    assert fsum(hours[:24]) == pytest.approx(site.load_kwh_per_day)
    assert hours.index(max(hours)) in range(17, 21)
    assert min(hours) > 0


def test_the_load_is_steady_within_an_hour_by_the_sun(make_site: MakeSite) -> None:
    site = make_site("Glasgow")
    midnight_by_the_sun = datetime(2024, 10, 26, tzinfo=UTC).timestamp() + 4.3 * 240
    borders = [site.load_kwh(midnight_by_the_sun + 900 * n) for n in range(97)]
    quarters = [b - a for a, b in pairwise(borders)]
    for hour in range(24):
        assert quarters[4 * hour : 4 * hour + 4] == pytest.approx([quarters[4 * hour]] * 4)
