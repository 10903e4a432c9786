"""Series of every vendor against the truth of the fleet, in all time zones and on the odd days of the calendar.

The truth is the only oracle: at every level every interval with energy is there, and every interval is right.
"""

from datetime import UTC, datetime, timedelta

import pytest

from tests.data_faults import Vendors
from tests.services import PLAYED_VENDORS
from tests.truth import LEVELS, local
from vendors.kit import Level, Quality

KINDS = ("solar", "battery")
# Numbers of the fleet's sites.
BERLIN, PHOENIX, DELHI, ADELAIDE, LORD_HOWE, TROMSO, SANTIAGO, KATHMANDU = range(8)

# A moment, and the site whose clock is odd then.
ODD_DAYS = {
    "a normal day": (BERLIN, ("Europe/Berlin", 2026, 6, 17)),
    "the night with 23 hours": (BERLIN, ("Europe/Berlin", 2026, 3, 29)),
    "the night with 25 hours": (BERLIN, ("Europe/Berlin", 2025, 10, 26)),
    "half an hour forward": (LORD_HOWE, ("Australia/Lord_Howe", 2025, 10, 5)),
    "half an hour back": (LORD_HOWE, ("Australia/Lord_Howe", 2026, 4, 5)),
    "a day without midnight": (SANTIAGO, ("America/Santiago", 2025, 9, 7)),
    "a day whose last hour comes twice": (SANTIAGO, ("America/Santiago", 2026, 4, 4)),
    "a quarter of an hour off": (KATHMANDU, ("Asia/Kathmandu", 2026, 6, 17)),
    "half an hour off, in the south": (ADELAIDE, ("Australia/Adelaide", 2026, 4, 5)),
    "a day without daylight saving": (PHOENIX, ("America/Phoenix", 2026, 6, 17)),
    "the sun at midnight": (TROMSO, ("Europe/Oslo", 2026, 6, 17)),
    "no sun at noon": (TROMSO, ("Europe/Oslo", 2025, 12, 20)),
    "the end of a month": (DELHI, ("Asia/Kolkata", 2026, 4, 30)),
    "a leap day": (BERLIN, ("Europe/Berlin", 2024, 2, 29)),
}
# In kWh, by how much a day may differ from its hours. Solis' days are those of the inverters' clock, and its counters
# have steps of 0.1 kWh; Enphase's meter counts less than its microinverters.
DAY_OFF = {"solis": 1.0, "enphase": 0.2, "enphasevpp": 0.2}
each_vendor = pytest.mark.parametrize("name", PLAYED_VENDORS)
each_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(scope="module")
def vendors():
    with Vendors(sites=8) as opened:
        yield opened


@pytest.mark.one_in(17)
@each_vendor
@each_kind
@pytest.mark.parametrize("day", ODD_DAYS)
def test_every_quarter_and_hour_of_an_odd_day_is_right(vendors, name, kind, day):
    number, when = ODD_DAYS[day]
    start = local(*when) - timedelta(hours=5)
    with vendors(name).at(datetime(2026, 7, 1, 3, 7, tzinfo=UTC)) as vendor:
        for case in vendor.cases(number, kind):
            quarters = vendor.check(case, Level.QUARTER, start, start + timedelta(hours=36))
            hours = vendor.check(case, Level.HOUR, start, start + timedelta(hours=36))
            if quarters and hours:
                vendor.check_sums(case, quarters, hours)


@pytest.mark.one_in(11)
@each_vendor
@pytest.mark.parametrize("day", ODD_DAYS)
def test_sites_and_devices_can_be_read_on_an_odd_day(vendors, name, day):
    number, (zone, *when) = ODD_DAYS[day]
    for hour in (5, 20):
        with vendors(name).at(local(zone, *when, hour, 7).astimezone(UTC)) as vendor:
            cases = vendor.cases(number, "solar") + vendor.cases(number, "battery")
            for case in cases:
                operation = {"solar": "solar_inverter", "battery": "battery"}[case.kind] if case.device else "site"
                record = getattr(vendor.plugin, operation)(vendor.key(case))
                production = getattr(record, "recent_production", None)
                if production and vendor.is_fine:
                    (true,) = case.kwh(production.start, record.measured_at or vendor.now)
                    assert production.kwh == pytest.approx(true, abs=0.002), (case, hour)


@pytest.mark.one_in(17)
@each_vendor
@each_kind
@pytest.mark.parametrize("number", [BERLIN, PHOENIX, LORD_HOWE, SANTIAGO])
def test_every_day_and_month_is_right(vendors, name, kind, number):
    with vendors(name).at(datetime(2026, 7, 14, 15, 7, tzinfo=UTC)) as vendor:
        for case in vendor.cases(number, kind):
            zone = vendor.zone(case).key
            vendor.check(case, Level.DAY, local(zone, 2026, 2, 27), local(zone, 2026, 4, 7))
            vendor.check(case, Level.MONTH, local(zone, 2025, 2, 1), local(zone, 2026, 5, 2))


@each_vendor
@each_kind
def test_windows_widen_to_whole_intervals_and_end_at_the_present(vendors, name, kind):
    now = datetime(2026, 6, 17, 11, 22, tzinfo=UTC)
    with vendors(name).at(now) as vendor:
        for case in vendor.cases(BERLIN, kind):
            for level in LEVELS:
                intervals = vendor.check(case, level, now - timedelta(hours=3, minutes=4), now + timedelta(days=2))
                if intervals:
                    assert intervals[0].start <= now - timedelta(hours=3, minutes=4) < intervals[0].end
                    assert intervals[-1].end >= now - vendor.plugin.lag - timedelta(hours=1)
                    assert intervals[-1].start < now
                    assert intervals[-1].quality is Quality.PARTIAL or intervals[-1].end <= now


@pytest.mark.one_in(13)
@each_vendor
@each_kind
@pytest.mark.parametrize("size", [1, 7])
def test_pages_hold_each_interval_once(vendors, name, kind, size):
    now = datetime(2026, 6, 17, 11, 22, tzinfo=UTC)
    with vendors(name).at(now) as vendor:
        for case in vendor.cases(BERLIN, kind)[:2]:
            for level, hours in ((Level.QUARTER, 14), (Level.HOUR, 30), (Level.DAY, 24 * 20), (Level.MONTH, 24 * 200)):
                start = now - timedelta(hours=hours)
                assert vendor.read(case, level, start, now, size) == vendor.read(case, level, start, now)


@each_vendor
@each_kind
def test_a_site_has_no_intervals_before_it_is_operational(vendors, name, kind):
    with vendors(name).at(datetime(2026, 7, 1, 3, 7, tzinfo=UTC)) as vendor:
        for case in vendor.cases(BERLIN, kind)[:1]:
            month_before = case.site.site.operational_since - timedelta(days=32)
            for level, days in {Level.QUARTER: 20, Level.HOUR: 60, Level.DAY: 300, Level.MONTH: 3000}.items():
                assert not vendor.read(case, level, month_before - timedelta(days=days), month_before)


@pytest.mark.one_in(5)
@each_vendor
@each_kind
@pytest.mark.parametrize("when", [(2026, 6, 17), (2026, 3, 29), (2025, 10, 26)])
def test_a_day_is_the_sum_of_its_hours_and_a_site_the_sum_of_its_devices(vendors, name, kind, when):
    with vendors(name).at(datetime(2026, 7, 1, 3, 7, tzinfo=UTC)) as vendor:
        days, lacks = [], vendor.plugin.lacks
        for case in vendor.cases(BERLIN, kind):
            start = local("Europe/Berlin", *when)
            hours = vendor.read(case, Level.HOUR, start, start + timedelta(days=1))
            day = vendor.read(case, Level.DAY, start, start + timedelta(days=1))
            if not hours or not day:
                continue
            days.append((case, day[0].kwh))
            sums = [sum(interval.kwh[which] for interval in hours) for which in range(len(day[0].kwh))]
            assert day[0].kwh == pytest.approx(sums, abs=DAY_OFF.get(name, 0.002) * case.devices)
        if not days:
            assert not vendor.cases(BERLIN, kind) or {f"site_{kind}_intervals", f"site_{kind}_intervals.day"} & lacks
        elif len(days) == 1 + days[0][0].devices:
            whole, *parts = [kwh for _, kwh in days]
            assert whole == pytest.approx([sum(column) for column in zip(*parts, strict=True)], abs=0.2)


@each_vendor
def test_the_lifetime_production_rises_by_what_was_produced_also_where_its_unit_changes(vendors, name):
    first, last = datetime(2026, 6, 16, 10, 3, tzinfo=UTC), datetime(2026, 6, 18, 10, 3, tzinfo=UTC)
    for number in (BERLIN, PHOENIX, DELHI):
        inverters = []
        for now in (first, last):
            with vendors(name).at(now) as vendor:
                case = vendor.cases(number, "solar")[1]
                inverters.append(vendor.plugin.solar_inverter(vendor.key(case)))
        before, after = inverters
        if before.lifetime_production is None:
            assert {"solar_inverter.lifetime_production", "solar_intervals.of_several"} & vendor.plugin.lacks
            continue
        # A record without a time has no rows of today yet, since there was no sun.
        (true,) = case.kwh(before.measured_at or first, after.measured_at or last)
        rose = after.lifetime_production.kwh - before.lifetime_production.kwh
        assert rose == pytest.approx(true, abs={"solis": 1.1}.get(name, 0.3))
