"""Faults of SolarEdge's data: buckets of null, larger units, batteries behind inverters, alerts that are over."""

from datetime import timedelta

import pytest

from tests.data_faults import AFTERNOON, BERLIN, DELHI, PHOENIX, Vendors, hours_of_day
from vendors.kit import Level, Quality

NOON_IN_PHOENIX = AFTERNOON + timedelta(hours=7)


@pytest.fixture(scope="module")
def vendors():
    with Vendors() as opened:
        yield opened


@pytest.fixture
def faulty(vendors):
    return lambda fault, *now: vendors.faulty("solaredge", fault, *now)


def test_1_a_null_bucket_is_a_gap_and_a_zero_next_to_it_stays(faulty):
    with faulty("fault-1") as vendor:
        for case in vendor.cases(DELHI, "solar"):
            noon = hours_of_day(vendor, case, first=12, last=13)
            quarters = vendor.check(case, Level.QUARTER, *hours_of_day(vendor, case), may_miss=[noon])
            assert not [quarter for quarter in quarters if noon[0] <= quarter.start < noon[1]]
            assert 0.0 in [quarter.kwh[0] for quarter in quarters]


def test_3_values_in_a_larger_unit_are_the_same_energy(faulty):
    with faulty("fault-3") as vendor:
        for kind in ("solar", "battery"):
            for case in vendor.cases(BERLIN, kind):
                assert vendor.check(case, Level.QUARTER, *hours_of_day(vendor, case))


def test_13_a_last_bucket_of_null_is_not_the_present(faulty, vendors):
    with vendors("solaredge").at(NOON_IN_PHOENIX) as vendor:
        key = vendor.key(vendor.cases(PHOENIX, "solar")[0])
        clean = vendor.plugin.site(key).measured_at
    with faulty("fault-13", NOON_IN_PHOENIX) as vendor:
        assert clean - vendor.plugin.site(key).measured_at == timedelta(minutes=15)


def test_13_a_lifetime_whose_last_year_is_null_is_left_out(faulty, vendors):
    with vendors("solaredge").at(NOON_IN_PHOENIX) as vendor:
        key = vendor.key(vendor.cases(PHOENIX, "solar")[1])
        assert vendor.plugin.solar_inverter(key).lifetime_production.kwh > 0
    with faulty("fault-13", NOON_IN_PHOENIX) as vendor:
        assert vendor.plugin.solar_inverter(key).lifetime_production is None


def test_14_the_energy_of_an_inverter_with_a_battery_behind_it_is_reported_as_derived(faulty):
    with faulty("fault-14") as vendor:
        for case in vendor.cases(DELHI, "solar")[:2]:
            quarters = vendor.read(case, Level.QUARTER, *hours_of_day(vendor, case))
            assert {quarter.quality for quarter in quarters} == {Quality.DERIVED}
            assert len(quarters) == 96


def test_alerts_that_are_over_are_not_reported(vendors):
    with vendors.with_options("solaredge", alerts=True) as vendor:
        case = vendor.cases(DELHI, "solar")[1]
        errors = vendor.plugin.solar_inverter(vendor.key(case)).recent_errors
    assert [message.text for message in errors.found] == ["EQUIPMENT: DC Isolation"]
