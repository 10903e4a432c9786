"""Answers of SolarEdge and Enphase that are of other times, about other things, in other forms, or about nothing.

As in tests/test_data_faults.py, where the other faults are; the numbers are those of sandbox/data_faults.py.
"""

from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from tests.test_data_faults import BERLIN, DELHI, ENPHASE, NOW, PHOENIX, day
from tests.truth import vendor_of
from vendors.kit import BadReply, Level


@pytest.fixture(scope="module")
def vendors():
    opened = {}
    with ExitStack() as stack:

        def vendor(name):
            if name not in opened:
                opened[name] = stack.enter_context(vendor_of(name, 3))
            return opened[name]

        yield vendor


@pytest.fixture
def faulty(vendors):
    """A vendor at a moment, with a fault of its data."""

    @contextmanager
    def opened(name, number, now=NOW):
        with vendors(name).at(now) as vendor, vendor.account.fault(data=f"fault-{number}"):
            yield vendor

    return opened


@pytest.fixture
def with_options(vendors):
    """A vendor at a moment, some of whose oddities are switched on."""

    @contextmanager
    def opened(name, **options):
        played = vendors(name).account.played
        played.put(f"/options/{name}", options)
        try:
            with vendors(name).at(NOW) as vendor:
                yield vendor
        finally:
            played.put(f"/options/{name}", {})

    return opened


BESIDES = pytest.mark.parametrize("name", ["solaredge", *ENPHASE])
AFTERNOON = datetime(2026, 6, 18, 13, 2, tzinfo=UTC)


@BESIDES
def test_17_rows_of_another_date_are_neither_today_s_nor_in_the_way_of_theirs(faulty, name):
    with faulty(name, 17, AFTERNOON) as vendor:
        case = vendor.cases(BERLIN, "solar")[1]
        start, end = day(vendor, case)
        inverter = vendor.plugin.solar_inverter(vendor.key(case))
        known_until = AFTERNOON - timedelta(minutes=32)
        assert inverter.recent_production.start == end
        assert inverter.recent_production.kwh == pytest.approx(case.kwh(end, known_until)[0], rel=0.1)
        assert known_until - timedelta(minutes=15) < inverter.measured_at <= AFTERNOON
        for level in (Level.QUARTER, Level.HOUR, Level.DAY):
            assert vendor.check(case, level, start - timedelta(days=1), AFTERNOON)


@pytest.mark.parametrize("name", ["solaredge", "sma", "solis", "tesla", *ENPHASE])
def test_11_rows_that_come_twice_change_nothing_of_the_present_and_of_today(faulty, vendors, name):
    """Of what is not yet known as well: the newest bucket is null, and was there before as 0."""

    def told(vendor):
        sun, battery = (vendor.cases(BERLIN, kind)[1] for kind in ("solar", "battery"))
        plugin = vendor.plugin
        reads = (plugin.site(vendor.key(vendor.cases(BERLIN, "solar")[0])), plugin.solar_inverter(vendor.key(sun)))
        return *reads, plugin.battery(vendor.key(battery))

    moments = [AFTERNOON + timedelta(minutes=15 * number) for number in range(3)]
    for now in moments:
        with vendors(name).at(now) as vendor:
            whole = told(vendor)
        with faulty(name, 11, now) as vendor:
            assert told(vendor) == whole


@BESIDES
def test_19_devices_that_were_replaced_or_come_twice_change_nothing(faulty, vendors, name):
    def told(vendor):
        cases = [vendor.cases(BERLIN, kind)[0] for kind in ("solar", "battery")]
        site = vendor.plugin.site(vendor.key(cases[0]))
        start = day(vendor, cases[0])[0]
        found = [vendor.check(case, Level.HOUR, start, start + timedelta(hours=12)) for case in cases]
        keys = sorted(record.key for record in vendor.account.sweep("devices").records)
        return keys, (site.bess, site.charge_kw, site.discharge_kw), found

    with vendors(name).at(NOW) as vendor:
        whole = told(vendor)
    assert None not in whole[1]
    with faulty(name, 19) as vendor:
        assert told(vendor) == whole


@BESIDES
def test_20_an_answer_about_another_site_is_not_read(faulty, vendors, name):
    with vendors(name).at(NOW) as vendor:
        case = vendor.cases(BERLIN, "solar")[0]
        key = vendor.key(case)
    with faulty(name, 20) as vendor, pytest.raises(BadReply) as raised:
        next(iter(vendor.plugin.site_solar_intervals(key, Level.HOUR).tiles(*day(vendor, case)))).read()
    assert raised.value.why == "the answer is about another site or device"


@pytest.mark.parametrize("name", ENPHASE)
def test_21_rows_may_come_in_a_list_of_lists(faulty, name):
    with faulty(name, 21) as vendor:
        for kind in ("solar", "battery"):
            for case in vendor.cases(BERLIN, kind)[:2]:
                assert vendor.check(case, Level.QUARTER, *day(vendor, case))


@pytest.mark.parametrize("name", ENPHASE)
def test_no_data_for_that_time_is_no_failure(with_options, name):
    """The last hours of a system whose gateway is down."""
    with with_options(name, gateway_down=True, refuses_no_data=True) as vendor:
        for case in vendor.cases(PHOENIX, "solar")[:2]:
            assert vendor.read(case, Level.QUARTER, NOW - timedelta(hours=3), NOW) == []


def test_alerts_that_are_over_are_not_told(with_options):
    with with_options("solaredge", alerts=True) as vendor:
        case = vendor.cases(DELHI, "solar")[1]
        told = vendor.plugin.solar_inverter(vendor.key(case)).recent_errors
    assert [message.text for message in told.found] == ["EQUIPMENT: DC Isolation"]
