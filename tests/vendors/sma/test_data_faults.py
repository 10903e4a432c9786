"""Faults of SMA's data: sets without rows, a spike after missing rows, and a lump after a gap."""

import pytest

from tests.data_faults import DELHI, Vendors, hours_of_day
from vendors.kit import Level, Quality

each_cloud = pytest.mark.parametrize("name", ["sma", "smasbox"])


@pytest.fixture(scope="module")
def vendors():
    with Vendors() as opened:
        yield opened


@each_cloud
def test_1_an_empty_set_is_no_zero(vendors, name):
    with vendors.faulty(name, "fault-1") as vendor:
        for case in vendor.cases(DELHI, "solar"):
            assert vendor.read(case, Level.QUARTER, *hours_of_day(vendor, case)) == []


@each_cloud
def test_15_a_spike_of_a_site_or_inverter_is_dropped_and_its_hour_is_partial(vendors, name):
    with vendors.faulty(name, "fault-15") as vendor:
        for case in vendor.cases(DELHI, "solar"):
            hours = vendor.check(case, Level.HOUR, *hours_of_day(vendor, case))
            spike, _ = hours_of_day(vendor, case, first=11)
            assert [hour.quality for hour in hours if hour.start <= spike < hour.end] == [Quality.PARTIAL]


@each_cloud
def test_16_the_hours_next_to_a_gap_are_whole(vendors, name):
    with vendors.faulty(name, "fault-16") as vendor:
        case = vendor.cases(DELHI, "solar")[1]
        hours = {hour.start: hour for hour in vendor.read(case, Level.HOUR, *hours_of_day(vendor, case))}
        for first in (9, 13):
            start, _ = hours_of_day(vendor, case, first=first)
            assert hours[start].quality is Quality.MEASURED
