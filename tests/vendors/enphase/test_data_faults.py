"""Faults of the data of both of Enphase's clouds: days not yet known, silent microinverters, nested rows."""

from datetime import timedelta

import pytest

from tests.data_faults import BERLIN, DELHI, NOW, PHOENIX, Vendors, hours_of_day, total_kwh, true_kwh
from vendors.kit import Level, Quality

each_cloud = pytest.mark.parametrize("name", ["enphase", "enphasevpp"])


@pytest.fixture(scope="module")
def vendors():
    with Vendors() as opened:
        yield opened


@each_cloud
def test_1_zeros_at_the_end_of_a_lifetime_are_days_not_yet_known(vendors, name):
    with vendors.faulty(name, "fault-1") as vendor:
        (case, *_) = vendor.cases(DELHI, "solar")
        days = vendor.check(case, Level.DAY, NOW - timedelta(days=9), NOW, may_miss=[(NOW - timedelta(days=4), NOW)])
        assert all(day.kwh[0] > 0 for day in days)


@each_cloud
def test_10_silent_microinverters_are_reported_and_their_energy_is_not_made_up(vendors, name):
    with vendors.faulty(name, "fault-10") as vendor:
        (case, *_) = vendor.cases(DELHI, "solar")
        hours = vendor.read(case, Level.HOUR, *hours_of_day(vendor, case))
        lit = [hour for hour in hours if hour.reporting]
        assert lit
        assert all(hour.reporting.n == hour.reporting.of - 4 for hour in lit)
        assert {hour.quality for hour in lit} == {Quality.PARTIAL}
        assert total_kwh(hours) < true_kwh(vendor, case)


@each_cloud
def test_21_rows_may_come_in_a_list_of_lists(vendors, name):
    with vendors.faulty(name, "fault-21") as vendor:
        for kind in ("solar", "battery"):
            for case in vendor.cases(BERLIN, kind)[:2]:
                assert vendor.check(case, Level.QUARTER, *hours_of_day(vendor, case))


@each_cloud
def test_no_data_for_the_last_hours_of_a_system_whose_gateway_is_down_is_no_failure(vendors, name):
    with vendors.with_options(name, gateway_down=True, refuses_no_data=True) as vendor:
        for case in vendor.cases(PHOENIX, "solar")[:2]:
            assert vendor.read(case, Level.QUARTER, NOW - timedelta(hours=3), NOW) == []
