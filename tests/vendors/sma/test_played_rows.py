"""Plants whose rows last a quarter of an hour or an hour, played over the fleet and held against its truth."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from tests.truth import local, vendor_of
from vendors.kit import Level, Quality

BERLIN, DELHI = 0, 2
NOW = datetime(2026, 6, 19, 3, 7, tzinfo=UTC)
DAY = ("Europe/Berlin", 2026, 6, 17)


@pytest.fixture(scope="module")
def sma():
    with vendor_of("sma", 3) as vendor:
        yield vendor


@contextmanager
def played(sma, resolution, now=NOW):
    sma.account.played.put("/options/sma", {"resolution": resolution})
    try:
        with sma.at(now) as vendor:
            yield vendor
    finally:
        sma.account.played.put("/options/sma", {})


@pytest.mark.parametrize(("number", "zone"), [(BERLIN, "Europe/Berlin"), (DELHI, "Asia/Kolkata")])
@pytest.mark.parametrize("kind", ["solar", "battery"])
def test_hours_of_rows_of_an_hour_are_true_and_measured(sma, number, zone, kind):
    start = local(zone, *DAY[1:])
    with played(sma, "OneHour") as vendor:
        for case in vendor.cases(number, kind)[:2]:
            found = vendor.check(case, Level.HOUR, start, start + timedelta(days=1))
            assert len(found) == 24 or kind == "solar"
            assert {one.quality for one in found} == {Quality.MEASURED}


def test_quarters_of_rows_of_an_hour_have_its_energy_spread_and_say_so(sma):
    start = local(*DAY)
    with played(sma, "OneHour") as vendor:
        (case, *_) = vendor.cases(BERLIN, "solar")
        hours = vendor.read(case, Level.HOUR, start, start + timedelta(days=1))
        quarters = vendor.read(case, Level.QUARTER, start, start + timedelta(days=1))
    assert {one.quality for one in quarters} == {Quality.DERIVED}
    assert [one.kwh[0] for one in quarters] == pytest.approx([one.kwh[0] / 4 for one in hours for _ in range(4)])


@pytest.mark.parametrize("kind", ["solar", "battery"])
def test_quarters_of_rows_of_a_quarter_are_true_and_measured(sma, kind):
    start = local(*DAY)
    with played(sma, "FifteenMinutes") as vendor:
        for case in vendor.cases(BERLIN, kind)[:2]:
            found = vendor.check(case, Level.QUARTER, start, start + timedelta(days=1))
            assert {one.quality for one in found} == {Quality.MEASURED}


@pytest.mark.parametrize(("date", "hours"), [((2026, 3, 29), 23), ((2025, 10, 26), 25)])
def test_rows_of_an_hour_are_true_where_the_clock_changes(sma, date, hours):
    start, end = local("Europe/Berlin", *date), local("Europe/Berlin", *date[:2], date[2] + 1)
    with played(sma, "OneHour") as vendor:
        (case, *_) = vendor.cases(BERLIN, "battery")
        assert len(vendor.check(case, Level.HOUR, start, end)) == hours


def test_an_inverter_and_a_site_with_rows_of_an_hour_have_today_s_energy_and_no_power(sma):
    with played(sma, "OneHour", datetime(2026, 6, 17, 10, 7, tzinfo=UTC)) as vendor:
        site, inverter, *_ = vendor.cases(BERLIN, "solar")
        found = vendor.plugin.solar_inverter(vendor.key(inverter))
        today = inverter.kwh(local(*DAY), datetime(2026, 6, 17, 10, tzinfo=UTC))
        assert found.recent_production.kwh == pytest.approx(*today)
        assert found.measured_at == datetime(2026, 6, 17, 10, tzinfo=UTC)
        assert found.power_kw is None
        found = vendor.plugin.site(vendor.key(site))
        assert (found.power_kw, found.charge_kw) == (None, None)
        assert found.bess.soc_percent > 0
