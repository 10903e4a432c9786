"""Well-formed and wrong: faults of the data that dialects declare, switched on in their emulators over a clean day.

Every test runs for each vendor whose dialect declares the fault. What only one vendor's data do is tested in
tests/vendors/<vendor>/test_data_faults.py; faults that come by nature, such as odd days, in tests/test_truth.py.
"""

from datetime import timedelta

import pytest

from tests.data_faults import (
    AFTERNOON,
    BERLIN,
    DECLARED,
    DELHI,
    KINDS,
    MORNING,
    NOW,
    PHOENIX,
    Vendors,
    each_vendor_with,
    hours_of_day,
    read_records,
    readable_series,
    total_kwh,
    true_kwh,
    watched_change,
)
from vendors.kit import BadReply, Level, Quality

LEVELS = (Level.QUARTER, Level.HOUR, Level.DAY)


@pytest.fixture(scope="module")
def vendors():
    with Vendors() as opened:
        yield opened


@pytest.mark.one_in(7)
@pytest.mark.parametrize(("name", "fault"), [(name, fault) for name, faults in DECLARED.items() for fault in faults])
def test_a_fault_of_the_data_changes_answers_and_makes_no_measured_interval_wrong(vendors, name, fault):
    with (
        vendors.with_options(name, **vendors(name).dialect.data_fault_options.get(fault, {})),
        vendors.faulty(name, fault, MORNING) as vendor,
        watched_change(vendor.dialect, fault) as changed_paths,
    ):
        for number in (BERLIN, PHOENIX):
            read_records(vendor, number)
        for kind in KINDS:
            for case in vendor.cases(BERLIN, kind)[:2]:
                for intervals in readable_series(vendor, case):
                    vendor.check_each(case, intervals, trusts_derived=False)
    assert changed_paths, "the fault changed no answer that the plugin reads"


@each_vendor_with("fault-11")
def test_11_rows_that_come_twice_or_in_any_order_count_once(vendors, name):
    with vendors.faulty(name, "fault-11") as vendor:
        for kind in KINDS:
            for case in vendor.cases(BERLIN, kind)[:2]:
                vendor.check(case, Level.QUARTER, *hours_of_day(vendor, case))


@each_vendor_with("fault-11")
def test_11_rows_that_come_twice_change_nothing_of_the_present_and_of_today(vendors, name):
    """Nor of what is not yet known: the newest bucket is null, and is there once more as 0."""

    def single_records(vendor):
        cases = vendor.cases(BERLIN, "solar")[0], vendor.cases(BERLIN, "solar")[1], vendor.cases(BERLIN, "battery")[1]
        operations = ("site", "solar_inverter", "battery")
        return [
            getattr(vendor.plugin, operation)(vendor.key(case))
            for operation, case in zip(operations, cases, strict=True)
        ]

    for now in [AFTERNOON + timedelta(minutes=15 * number) for number in range(3)]:
        with vendors(name).at(now) as vendor:
            clean = single_records(vendor)
        with vendors.faulty(name, "fault-11", now) as vendor:
            assert single_records(vendor) == clean


@each_vendor_with("fault-12")
def test_12_a_battery_s_power_has_a_direction_whatever_its_sign(vendors, name):
    directions = set()
    for hour in range(0, 24, 3):
        with vendors.faulty(name, "fault-12", NOW + timedelta(hours=hour)) as vendor:
            case = vendor.cases(BERLIN, "battery")[-1]
            battery = vendor.plugin.battery(vendor.key(case))
            if battery.charge_kw is None:
                continue
            assert battery.charge_kw >= 0
            assert battery.discharge_kw >= 0
            assert 0 in (battery.charge_kw, battery.discharge_kw)
            directions |= {("in", battery.charge_kw > 0), ("out", battery.discharge_kw > 0)}
            charge_kwh, discharge_kwh = case.kwh(vendor.now - timedelta(minutes=40), vendor.now)
            assert charge_kwh > 0 or not battery.charge_kw
            assert discharge_kwh > 0 or not battery.discharge_kw
    assert directions >= {("in", True), ("out", True)}


@each_vendor_with("fault-13")
def test_13_old_values_keep_the_time_of_the_vendor(vendors, name):
    reads = {"site": 0, "solar_inverter": 1}

    def times(vendor):
        cases = vendor.cases(PHOENIX, "solar")
        return {
            operation: getattr(vendor.plugin, operation)(vendor.key(cases[index])).measured_at
            for operation, index in reads.items()
        }

    noon = AFTERNOON + timedelta(hours=7)
    with vendors(name).at(noon) as vendor:
        clean = times(vendor)
    with vendors.faulty(name, "fault-13", noon) as vendor:
        assert all(time < clean[operation] for operation, time in times(vendor).items())


@each_vendor_with("fault-16")
def test_16_what_came_in_a_lump_after_a_gap_is_no_quarter_s(vendors, name):
    with vendors.faulty(name, "fault-16") as vendor:
        case = vendor.cases(DELHI, "solar")[1]
        gap = hours_of_day(vendor, case, first=10, last=13)
        quarters = vendor.check(case, Level.QUARTER, *hours_of_day(vendor, case), may_miss=[gap])
        assert not [quarter for quarter in quarters if gap[0] <= quarter.start < gap[1]]
        assert quarters
        (day,) = vendor.check(case, Level.DAY, *hours_of_day(vendor, case))
        assert day.kwh[0] == pytest.approx(true_kwh(vendor, case), abs=0.3)


@each_vendor_with("fault-16")
def test_16_what_was_measured_next_to_a_gap_counts_at_every_level(vendors, name):
    with vendors.faulty(name, "fault-16") as vendor:
        case = vendor.cases(DELHI, "solar")[1]
        gap = hours_of_day(vendor, case, first=10, last=13)
        quarters = vendor.check(case, Level.QUARTER, *hours_of_day(vendor, case), may_miss=[gap])
        hours = vendor.check(case, Level.HOUR, *hours_of_day(vendor, case), may_miss=[gap])
        assert total_kwh(hours) == pytest.approx(total_kwh(quarters), abs=1e-6)
        by_start = {hour.start: hour for hour in hours}
        for first in (9, 13):
            start, end = hours_of_day(vendor, case, first=first, last=first + 1)
            (true,) = case.kwh(start, end)
            # The readings of a counter do not lie on the borders: some minutes of these hours belong to the gap.
            assert by_start[start].quality in (Quality.PARTIAL, Quality.MEASURED)
            assert 0.8 * true <= by_start[start].kwh[0] <= true + 0.15


@each_vendor_with("fault-17")
def test_17_rows_of_another_date_are_neither_today_s_nor_in_the_way_of_that_date_s(vendors, name):
    with vendors.faulty(name, "fault-17", AFTERNOON) as vendor:
        case = vendor.cases(BERLIN, "solar")[1]
        start, end = hours_of_day(vendor, case)
        inverter = vendor.plugin.solar_inverter(vendor.key(case))
        oldest = AFTERNOON - vendor.plugin.lag - timedelta(minutes=15)
        assert oldest < inverter.measured_at <= AFTERNOON
        assert inverter.recent_production.start == end
        (least,), (most,) = case.kwh(end, oldest), case.kwh(end, AFTERNOON)
        assert least <= inverter.recent_production.kwh <= most
        for level in LEVELS:
            assert vendor.check(case, level, start - timedelta(days=1), AFTERNOON)


@each_vendor_with("fault-19")
def test_19_devices_that_were_replaced_or_come_twice_change_nothing(vendors, name):
    def everything(vendor):
        cases = [vendor.cases(BERLIN, kind)[0] for kind in KINDS]
        site = vendor.plugin.site(vendor.key(cases[0]))
        intervals = [vendor.check(case, Level.HOUR, *hours_of_day(vendor, case, last=12)) for case in cases]
        keys = sorted(record.key for record in vendor.account.sweep("devices").records)
        return keys, (site.bess, site.charge_kw, site.discharge_kw), intervals

    with vendors(name).at(NOW) as vendor:
        clean = everything(vendor)
    assert None not in clean[1]
    with vendors.faulty(name, "fault-19") as vendor:
        assert everything(vendor) == clean


@each_vendor_with("fault-20")
def test_20_an_answer_about_another_site_is_not_read(vendors, name):
    with vendors(name).at(NOW) as vendor:
        case = vendor.cases(BERLIN, "solar")[0]
        key = vendor.key(case)
    with vendors.faulty(name, "fault-20") as vendor:
        window = hours_of_day(vendor, case)
        with pytest.raises(BadReply) as raised:
            next(iter(vendor.plugin.site_solar_intervals(key, Level.HOUR).tiles(*window))).read()
    assert raised.value.why == "the answer is about another site or device"
