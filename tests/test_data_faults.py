"""Well-formed and wrong: what vendors' data were seen to do, switched on in the played clouds over a clean day.

The numbers are those of sandbox/data_faults.py. Faults that come by nature are in tests/test_truth.py.
"""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from math import fsum

import pytest

from tests.truth import local, vendor_of
from vendors.kit import Level, Quality

# A site with a battery in use, one without, and a large one with several inverters; and their clean day.
BERLIN, PHOENIX, DELHI = range(3)
DAY = (2026, 6, 17)
NOW = datetime(2026, 6, 19, 3, 7, tzinfo=UTC)
SMA = ("sma", "smasbox")
ENPHASE = ("enphase", "enphasevpp")


@pytest.fixture(scope="module")
def vendors():
    opened, contexts = {}, []

    def vendor(name):
        if name not in opened:
            context = vendor_of(name, 3)
            opened[name] = context.__enter__()
            contexts.append(context)
        return opened[name]

    yield vendor
    for context in contexts:
        context.__exit__(None, None, None)


@pytest.fixture
def faulty(vendors):
    """A vendor at a moment, with a fault of its data."""

    @contextmanager
    def opened(name, number, now=NOW):
        with vendors(name).at(now) as vendor, vendor.account.fault(data=f"fault-{number}"):
            yield vendor

    return opened


def day(vendor, case, **of):
    """The clean day on the clock of a case's site, or a part of it: hours."""
    zone = vendor.zone(case).key
    start = local(zone, *DAY)
    return start + timedelta(hours=of.get("first", 0)), start + timedelta(hours=of.get("last", 24))


def total(found):
    return fsum(one.kwh[0] for one in found)


def true_kwh(vendor, case, **of):
    return case.kwh(*day(vendor, case, **of))[0]


@pytest.mark.parametrize("name", SMA)
def test_1_an_empty_set_of_sma_is_no_zero(faulty, name):
    with faulty(name, 1) as vendor:
        for case in vendor.cases(DELHI, "solar"):
            assert vendor.read(case, Level.QUARTER, *day(vendor, case)) == []


@pytest.mark.parametrize("name", ["solaredge"])
def test_1_a_null_bucket_is_a_gap_and_a_zero_beside_it_stays(faulty, name):
    with faulty(name, 1) as vendor:
        for case in vendor.cases(DELHI, "solar"):
            start, end = day(vendor, case)
            noon = day(vendor, case, first=12, last=13)
            found = vendor.check(case, Level.QUARTER, start, end, may_miss=[noon])
            assert not [one for one in found if noon[0] <= one.start < noon[1]]
            assert 0.0 in [one.kwh[0] for one in found]


@pytest.mark.parametrize("name", ENPHASE)
def test_1_zeros_at_the_end_of_a_lifetime_are_days_not_yet_known(faulty, name):
    with faulty(name, 1) as vendor:
        (case, *_) = vendor.cases(DELHI, "solar")
        start = NOW - timedelta(days=9)
        found = vendor.check(case, Level.DAY, start, NOW, may_miss=[(NOW - timedelta(days=4), NOW)])
        assert all(one.kwh[0] > 0 for one in found)


def test_1_a_null_series_of_tesla_is_no_zero(faulty):
    with faulty("tesla", 1) as vendor:
        for kind in ("solar", "battery"):
            (case, *_) = vendor.cases(BERLIN, kind)
            assert not vendor.read(case, Level.HOUR, *day(vendor, case))


def test_1_a_device_of_solis_that_never_reported_has_no_values(faulty):
    with faulty("solis", 1) as vendor:
        case = vendor.cases(DELHI, "solar")[1]
        inverter = vendor.plugin.solar_inverter(vendor.key(case))
        assert (inverter.power_kw, inverter.recent_production, inverter.lifetime_production) == (None, None, None)
        assert vendor.read(case, Level.HOUR, *day(vendor, case)) == []


def test_3_values_in_a_larger_unit_are_the_same_energy(faulty):
    with faulty("solaredge", 3) as vendor:
        for kind in ("solar", "battery"):
            for case in vendor.cases(BERLIN, kind):
                assert vendor.check(case, Level.QUARTER, *day(vendor, case))


def test_3_an_unknown_unit_is_no_value(faulty):
    with faulty("solis", 3) as vendor:
        for case in vendor.cases(DELHI, "solar"):
            zone = vendor.zone(case).key
            third = (local(zone, 2026, 6, 3), local(zone, 2026, 6, 4))
            found = vendor.check(case, Level.DAY, local(zone, 2026, 6, 1), local(zone, 2026, 6, 10), may_miss=[third])
            assert len(found) == 8


def test_4_the_factor_of_a_chart_is_part_of_its_unit(faulty):
    with faulty("solis", 4) as vendor:
        for case in vendor.cases(DELHI, "solar"):
            zone = vendor.zone(case).key
            assert vendor.check(case, Level.DAY, local(zone, 2026, 6, 1), local(zone, 2026, 6, 10))


@pytest.mark.parametrize("kind", ["solar", "battery"])
def test_8_a_new_device_s_counter_and_a_row_of_zeros_are_no_energy(faulty, kind):
    with faulty("solis", 8) as vendor:
        case = vendor.cases(DELHI if kind == "solar" else BERLIN, kind)[1]
        found = vendor.read(case, Level.HOUR, *day(vendor, case))
        assert min(min(one.kwh) for one in found) >= 0
        for which, true in enumerate(case.kwh(*day(vendor, case))):
            step = 0.3 + 0.01 * true
            assert fsum(one.kwh[which] for one in found) == pytest.approx(true, abs=step)


def test_9_a_counter_that_falls_for_good_loses_one_step_and_says_so(faulty):
    with faulty("solis", 9) as vendor:
        case = vendor.cases(DELHI, "solar")[1]
        found = vendor.read(case, Level.HOUR, *day(vendor, case))
        assert [one.quality for one in found if one.quality is Quality.PARTIAL]
        assert total(found) == pytest.approx(true_kwh(vendor, case), rel=0.02)
        assert total(found) <= true_kwh(vendor, case) + 0.2


@pytest.mark.parametrize("name", ENPHASE)
def test_10_silent_microinverters_are_told_and_their_energy_is_not_made_up(faulty, name):
    with faulty(name, 10) as vendor:
        (case, *_) = vendor.cases(DELHI, "solar")
        found = vendor.read(case, Level.HOUR, *day(vendor, case))
        told = [one for one in found if one.reporting]
        if not told:
            pytest.skip("this site is metered")
        assert all(one.reporting.n == one.reporting.of - 4 for one in told)
        assert {one.quality for one in told} == {Quality.PARTIAL}
        assert total(found) < true_kwh(vendor, case)


@pytest.mark.parametrize(("name", "number"), [(name, 11) for name in (*SMA, *ENPHASE, "solis", "solaredge", "tesla")])
def test_11_rows_that_come_twice_or_in_any_order_count_once(faulty, name, number):
    with faulty(name, number) as vendor:
        for kind in ("solar", "battery"):
            for case in vendor.cases(BERLIN, kind)[:2]:
                vendor.check(case, Level.QUARTER, *day(vendor, case))


@pytest.mark.parametrize(("name", "hours"), [("solis", range(24)), *((name, range(0, 24, 6)) for name in ENPHASE)])
def test_12_a_battery_s_power_has_a_direction_whatever_its_sign(faulty, name, hours):
    directions = set()
    for hour in hours:
        with faulty(name, 12, NOW + timedelta(hours=hour)) as vendor:
            case = vendor.cases(BERLIN, "battery")[-1]
            battery = vendor.plugin.battery(vendor.key(case))
            if battery.charge_kw is None:
                continue
            assert battery.charge_kw >= 0
            assert battery.discharge_kw >= 0
            assert 0 in (battery.charge_kw, battery.discharge_kw)
            charge, discharge = case.kwh(vendor.now - timedelta(minutes=15), vendor.now - timedelta(minutes=8))
            if charge > 0.05 and not discharge:
                directions.add("in")
                assert battery.charge_kw > 0
            if discharge > 0.05 and not charge:
                directions.add("out")
                assert battery.discharge_kw > 0
    assert directions or name != "solis"


def test_13_old_values_keep_the_time_of_the_vendor(faulty):
    noon = datetime(2026, 6, 18, 20, tzinfo=UTC)
    for name, read in (("solis", "solar_inverter"), ("tesla", "site")):
        with faulty(name, 13, noon) as vendor:
            case = vendor.cases(PHOENIX, "solar")[1 if read == "solar_inverter" else 0]
            record = getattr(vendor.plugin, read)(vendor.key(case))
            assert timedelta(hours=3) <= noon - record.measured_at <= timedelta(hours=3, minutes=20)


def test_13_a_last_bucket_of_null_is_not_the_present(faulty, vendors):
    noon = datetime(2026, 6, 18, 20, tzinfo=UTC)
    with vendors("solaredge").at(noon) as vendor:
        key = vendor.key(vendor.cases(PHOENIX, "solar")[0])
        whole = vendor.plugin.site(key).measured_at
    with faulty("solaredge", 13, noon) as vendor:
        assert whole - vendor.plugin.site(key).measured_at == timedelta(minutes=15)


def test_13_a_lifetime_whose_last_year_is_null_is_left_out(faulty, vendors):
    noon = datetime(2026, 6, 18, 20, tzinfo=UTC)
    with vendors("solaredge").at(noon) as vendor:
        key = vendor.key(vendor.cases(PHOENIX, "solar")[1])
        assert vendor.plugin.solar_inverter(key).lifetime_production.kwh > 0
    with faulty("solaredge", 13, noon) as vendor:
        assert vendor.plugin.solar_inverter(key).lifetime_production is None


def test_14_an_inverter_with_a_battery_behind_it_gives_what_it_gives_and_says_derived(faulty):
    with faulty("solaredge", 14) as vendor:
        for case in vendor.cases(DELHI, "solar")[:2]:
            found = vendor.read(case, Level.QUARTER, *day(vendor, case))
            assert {one.quality for one in found} == {Quality.DERIVED}
            assert len(found) == 96


@pytest.mark.parametrize("name", SMA)
def test_15_a_spike_is_dropped_and_the_rest_is_partial(faulty, name):
    with faulty(name, 15) as vendor:
        for case in vendor.cases(DELHI, "solar")[1:]:
            found = vendor.check(case, Level.HOUR, *day(vendor, case))
            hit = [one for one in found if one.start <= day(vendor, case, first=11)[0] < one.end]
            assert [one.quality for one in hit] == [Quality.PARTIAL]


@pytest.mark.parametrize("name", [*SMA, "solis"])
def test_16_what_came_in_a_lump_after_a_gap_is_no_quarter_s(faulty, name):
    with faulty(name, 16) as vendor:
        case = vendor.cases(DELHI, "solar")[1]
        gap = day(vendor, case, first=10, last=13)
        quarters = vendor.check(case, Level.QUARTER, *day(vendor, case), may_miss=[gap])
        assert not [one for one in quarters if gap[0] <= one.start < gap[1]]
        assert quarters
        (whole,) = vendor.check(case, Level.DAY, *day(vendor, case))
        assert whole.kwh[0] == pytest.approx(true_kwh(vendor, case), abs=0.3)


def test_17_rows_of_another_date_are_neither_today_s_nor_in_the_way_of_that_date_s(faulty):
    afternoon = datetime(2026, 6, 18, 13, 2, tzinfo=UTC)
    with faulty("tesla", 17, afternoon) as vendor:
        case = vendor.cases(BERLIN, "solar")[1]
        start, end = day(vendor, case)
        produced = vendor.plugin.solar_inverter(vendor.key(case)).recent_production
        assert produced.start == end
        assert produced.kwh == pytest.approx(case.kwh(end, afternoon - timedelta(minutes=7))[0], abs=0.1)
        for level in (Level.QUARTER, Level.HOUR, Level.DAY):
            assert vendor.check(case, level, start - timedelta(days=1), afternoon)


def test_18_what_has_no_time_in_the_calendar_says_nothing(faulty):
    with faulty("tesla", 18) as vendor:
        case = vendor.cases(BERLIN, "solar")[1]
        inverter = vendor.plugin.solar_inverter(vendor.key(case))
        assert inverter.measured_at is None
        assert vendor.check(case, Level.QUARTER, *day(vendor, case))


@pytest.mark.parametrize("name", [*SMA, "solis"])
def test_16_what_was_measured_beside_a_gap_counts_at_every_level(faulty, name):
    with faulty(name, 16) as vendor:
        case = vendor.cases(DELHI, "solar")[1]
        gap = day(vendor, case, first=10, last=13)
        quarters = vendor.check(case, Level.QUARTER, *day(vendor, case), may_miss=[gap])
        hours = vendor.check(case, Level.HOUR, *day(vendor, case), may_miss=[gap])
        assert total(hours) == pytest.approx(total(quarters), abs=1e-6)
        by_start = {one.start: one for one in hours}
        for hour in (9, 13):
            start, end = day(vendor, case, first=hour, last=hour + 1)
            (true,) = case.kwh(start, end)
            # The readings of a counter lie beside the borders: some minutes of these hours belong to the gap.
            assert by_start[start].quality is (Quality.PARTIAL if name == "solis" else Quality.MEASURED)
            assert 0.8 * true <= by_start[start].kwh[0] <= true + 0.15
