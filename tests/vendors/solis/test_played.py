"""Alarms on several pages, and batteries that were taken away, played over the fleet."""

from datetime import UTC, datetime

import pytest

from tests.truth import vendor_of
from vendors.kit import Battery, Level, NotFound, NotOffered

NOW = datetime(2026, 6, 19, 10, 7, tzinfo=UTC)
BERLIN = 0


@pytest.fixture(scope="module")
def solis():
    with vendor_of("solis", 1) as vendor:
        yield vendor


def test_all_alarms_of_an_inverter_are_read_and_those_of_no_other(solis):
    with solis.at(NOW) as vendor:
        vendor.account.played.put("/options/solis", {"alarms": True})
        try:
            key = vendor.key(vendor.cases(BERLIN, "solar")[1])
            vendor.account.calls()
            errors = vendor.plugin.solar_inverter(key).recent_errors
        finally:
            vendor.account.played.put("/options/solis", {})
        assert vendor.account.calls()["/v1/api/alarmList"] == 2
    assert len(errors.found) == 199
    assert [message.level for message in errors.found] == ["warning", *["info"] * 198]
    assert errors.start == vendor.dialect.sites[BERLIN].site.operational_since


def test_batteries_that_were_taken_away_are_gone_from_lists_reads_and_series(solis):
    with solis.at(NOW) as vendor:
        key = vendor.key(vendor.cases(BERLIN, "battery")[1])
        site = vendor.key(vendor.cases(BERLIN, "battery")[0])
        assert vendor.plugin.site(site).bess
        with vendor.account.fault(data="no-battery"), solis.at(NOW):
            sweep = vendor.account.sweep("devices")
            assert not [record for record in sweep.records if isinstance(record, Battery)]
            assert sweep.failure is None
            assert vendor.plugin.solar_inverter(key).kind == "string"
            record = vendor.plugin.site(site)
            assert (record.bess, record.charge_kw, record.discharge_kw) == (None, None, None)
            with pytest.raises(NotFound):
                vendor.plugin.battery(key)
            with pytest.raises(NotOffered):
                vendor.plugin.site_battery_intervals(site, Level.HOUR)
