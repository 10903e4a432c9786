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
            hours = vendor.check(case, Level.HOUR, start, start + timedelta(days=1))
            assert len(hours) == 24 or kind == "solar"
            assert {hour.quality for hour in hours} == {Quality.MEASURED}


def test_quarters_of_rows_of_an_hour_have_its_energy_spread_evenly_and_are_derived(sma):
    start = local(*DAY)
    with played(sma, "OneHour") as vendor:
        (case, *_) = vendor.cases(BERLIN, "solar")
        hours = vendor.read(case, Level.HOUR, start, start + timedelta(days=1))
        quarters = vendor.read(case, Level.QUARTER, start, start + timedelta(days=1))
    assert {quarter.quality for quarter in quarters} == {Quality.DERIVED}
    assert [quarter.kwh[0] for quarter in quarters] == pytest.approx(
        [hour.kwh[0] / 4 for hour in hours for _ in range(4)]
    )


@pytest.mark.parametrize("kind", ["solar", "battery"])
def test_quarters_of_rows_of_a_quarter_are_true_and_measured(sma, kind):
    start = local(*DAY)
    with played(sma, "FifteenMinutes") as vendor:
        for case in vendor.cases(BERLIN, kind)[:2]:
            quarters = vendor.check(case, Level.QUARTER, start, start + timedelta(days=1))
            assert {quarter.quality for quarter in quarters} == {Quality.MEASURED}


@pytest.mark.parametrize(("date", "hours"), [((2026, 3, 29), 23), ((2025, 10, 26), 25)])
def test_rows_of_an_hour_are_true_where_the_clock_changes(sma, date, hours):
    start, end = local("Europe/Berlin", *date), local("Europe/Berlin", *date[:2], date[2] + 1)
    with played(sma, "OneHour") as vendor:
        (case, *_) = vendor.cases(BERLIN, "battery")
        assert len(vendor.check(case, Level.HOUR, start, end)) == hours


def test_an_inverter_and_a_site_with_rows_of_an_hour_have_today_s_energy_and_no_power(sma):
    with played(sma, "OneHour", datetime(2026, 6, 17, 10, 7, tzinfo=UTC)) as vendor:
        site, inverter, *_ = vendor.cases(BERLIN, "solar")
        record = vendor.plugin.solar_inverter(vendor.key(inverter))
        today = inverter.kwh(local(*DAY), datetime(2026, 6, 17, 10, tzinfo=UTC))
        assert record.recent_production.kwh == pytest.approx(*today)
        assert record.measured_at == datetime(2026, 6, 17, 10, tzinfo=UTC)
        assert record.power_kw is None
        record = vendor.plugin.site(vendor.key(site))
        assert (record.power_kw, record.charge_kw) == (None, None)
        assert record.bess.soc_percent > 0
