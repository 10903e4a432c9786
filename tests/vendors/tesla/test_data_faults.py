"""Faults of Tesla's data: histories of null, and times that are none."""

import pytest

from tests.data_faults import BERLIN, Vendors, hours_of_day
from vendors.kit import Level


@pytest.fixture(scope="module")
def vendors():
    with Vendors() as opened:
        yield opened


def test_1_a_null_series_is_no_zero(vendors):
    with vendors.faulty("tesla", "fault-1") as vendor:
        for kind in ("solar", "battery"):
            (case, *_) = vendor.cases(BERLIN, kind)
            assert not vendor.read(case, Level.HOUR, *hours_of_day(vendor, case))


def test_18_values_of_the_first_year_of_the_calendar_are_not_read(vendors):
    with vendors.faulty("tesla", "fault-18") as vendor:
        case = vendor.cases(BERLIN, "solar")[1]
        assert vendor.plugin.solar_inverter(vendor.key(case)).measured_at is None
        assert vendor.check(case, Level.QUARTER, *hours_of_day(vendor, case))
