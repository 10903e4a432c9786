"""Faults of Solis' data: silent devices, units, and counters that are reset or fall."""

from datetime import timedelta
from math import fsum

import pytest

from tests.data_faults import AFTERNOON, BERLIN, DELHI, PHOENIX, Vendors, hours_of_day, total_kwh, true_kwh
from tests.truth import local
from vendors.kit import Level, Quality


@pytest.fixture(scope="module")
def vendors():
    with Vendors() as opened:
        yield opened


@pytest.fixture
def faulty(vendors):
    return lambda fault: vendors.faulty("solis", fault)


def first_days_of_june(vendor, case):
    start = local(vendor.zone(case).key, 2026, 6, 1)
    return start, start + timedelta(days=9)


def test_1_a_device_that_never_reported_has_no_values(faulty):
    with faulty("fault-1") as vendor:
        case = vendor.cases(DELHI, "solar")[1]
        inverter = vendor.plugin.solar_inverter(vendor.key(case))
        assert (inverter.power_kw, inverter.recent_production, inverter.lifetime_production) == (None, None, None)
        assert vendor.read(case, Level.HOUR, *hours_of_day(vendor, case)) == []


def test_3_an_unknown_unit_is_no_value(faulty):
    with faulty("fault-3") as vendor:
        for case in vendor.cases(DELHI, "solar"):
            zone = vendor.zone(case).key
            third = (local(zone, 2026, 6, 3), local(zone, 2026, 6, 4))
            days = vendor.check(case, Level.DAY, *first_days_of_june(vendor, case), may_miss=[third])
            assert len(days) == 8


def test_4_the_factor_of_a_chart_is_part_of_its_unit(faulty):
    with faulty("fault-4") as vendor:
        for case in vendor.cases(DELHI, "solar"):
            assert vendor.check(case, Level.DAY, *first_days_of_june(vendor, case))


@pytest.mark.parametrize("kind", ["solar", "battery"])
def test_8_a_new_device_s_counter_and_a_row_of_zeros_are_no_energy(faulty, kind):
    with faulty("fault-8") as vendor:
        case = vendor.cases(DELHI if kind == "solar" else BERLIN, kind)[1]
        hours = vendor.read(case, Level.HOUR, *hours_of_day(vendor, case))
        assert min(min(hour.kwh) for hour in hours) >= 0
        for flow, true in enumerate(case.kwh(*hours_of_day(vendor, case))):
            assert fsum(hour.kwh[flow] for hour in hours) == pytest.approx(true, abs=0.3 + 0.01 * true)


def test_9_a_counter_that_falls_for_good_loses_one_step_and_reports_it(faulty):
    with faulty("fault-9") as vendor:
        case = vendor.cases(DELHI, "solar")[1]
        hours = vendor.read(case, Level.HOUR, *hours_of_day(vendor, case))
        assert Quality.PARTIAL in {hour.quality for hour in hours}
        assert total_kwh(hours) == pytest.approx(true_kwh(vendor, case), rel=0.02)
        assert total_kwh(hours) <= true_kwh(vendor, case) + 0.2


@pytest.mark.parametrize("level", [Level.QUARTER, Level.HOUR])
def test_9_apart_from_the_lost_step_the_counters_of_a_battery_that_fall_for_good_give_true_intervals(faulty, level):
    with faulty("fault-9") as vendor:
        for case in vendor.cases(BERLIN, "battery"):
            intervals = vendor.read(case, level, *hours_of_day(vendor, case))
            assert Quality.PARTIAL in {interval.quality for interval in intervals}
            vendor.check_each(case, intervals)


def test_16_the_hours_next_to_a_gap_are_partial_since_readings_do_not_lie_on_their_borders(faulty):
    with faulty("fault-16") as vendor:
        case = vendor.cases(DELHI, "solar")[1]
        hours = {hour.start: hour for hour in vendor.read(case, Level.HOUR, *hours_of_day(vendor, case))}
        for first in (9, 13):
            start, _ = hours_of_day(vendor, case, first=first)
            assert hours[start].quality is Quality.PARTIAL


def test_13_live_values_of_three_hours_ago_have_that_time(vendors):
    noon = AFTERNOON + timedelta(hours=7)
    with vendors.faulty("solis", "fault-13", noon) as vendor:
        case = vendor.cases(PHOENIX, "solar")[1]
        age = noon - vendor.plugin.solar_inverter(vendor.key(case)).measured_at
        assert timedelta(hours=3) <= age <= timedelta(hours=3, minutes=20)
