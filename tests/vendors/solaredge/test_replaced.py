"""SolarEdge's devices that were replaced or are listed twice, and answers about another site or about nothing."""

import pytest

from tests.vendors.solaredge.played import CHICAGO, SITE, SWAPPED, device, flows, quarters, series
from tests.vendors.support import open_vendor, records_of
from vendors.kit import BadReply, Level, NotFound, Quality


@pytest.mark.parametrize("active", [False, "false", "False"])
def test_a_device_that_was_replaced_is_no_device(network, active):
    devices = [one | ({"active": active} if one["active"] is False else {}) for one in SWAPPED]
    network.get(SITE + "/devices", json=devices)
    assert [found.serial_number for found in records_of(open_vendor("solaredge").devices("1"))] == ["NEW", "BATT-002"]


@pytest.mark.parametrize("read", ["solar_inverter", "solar_intervals"])
def test_a_device_that_was_replaced_is_not_found_by_its_old_id(installed, read):
    installed("/devices", SWAPPED)
    with pytest.raises(NotFound):
        getattr(open_vendor("solaredge"), read)(("1", "OLD"), *[Level.HOUR] if read == "solar_intervals" else [])


def test_a_battery_that_was_replaced_does_not_silence_the_charge_of_its_site(installed):
    installed("/devices", SWAPPED)
    installed("/energy", series("WH", None))
    told = {"BATT-001": flows(0.0, 0.0, 0.0), "BATT-002": flows(3000.0, 3000.0, 3000.0)}
    installed("/storage/telemetry", {"storage": told})
    site = open_vendor("solaredge").site(("1",))
    assert (site.charge_kw, site.discharge_kw, site.bess.soc_percent) == (3.0, 0.0, 67.8)


def test_a_battery_that_was_replaced_leaves_the_intervals_of_its_site_whole(installed):
    installed("/devices", SWAPPED)
    installed("/storage/telemetry", {"storage": {"BATT-002": flows(3000.0, 3000.0, 3000.0)}})
    found = quarters("site_battery_intervals")
    assert [(one.kwh, one.quality, one.soc_percent) for one in found] == [((0.75, 0.0), Quality.MEASURED, 67.8)] * 3


def test_what_a_replaced_battery_did_in_its_time_stays_in_the_history_of_its_site(installed):
    installed("/devices", SWAPPED)
    installed("/storage/telemetry", {"storage": {"BATT-001": flows(1000.0, 1000.0), "BATT-002": {}}})
    found = quarters("site_battery_intervals")
    assert [(one.kwh, one.quality) for one in found] == [((0.25, 0.0), Quality.MEASURED)] * 2


def test_a_device_that_is_listed_twice_counts_once(installed):
    installed("/devices", [device("BATTERY", "A"), device("BATTERY", "A"), device("BATTERY", "A", active=False)])
    installed("/energy", series("WH", None))
    installed("/storage/telemetry", {"storage": {"A": flows(3000.0, 3000.0)}})
    plugin = open_vendor("solaredge")
    assert [found.serial_number for found in records_of(plugin.devices("1"))] == ["A"]
    assert plugin.site(("1",)).charge_kw == 3.0
    assert [one.kwh for one in quarters("site_battery_intervals")] == [(0.75, 0.0)] * 2


def test_another_site_s_answer_is_a_bad_reply(network):
    network.get(SITE, json=CHICAGO | {"siteId": 2})
    with pytest.raises(BadReply) as refused:
        open_vendor("solaredge").site(("1",))
    assert "about another site" in refused.value.detail


def test_telemetry_of_nothing_is_no_interval(installed):
    installed("/devices", SWAPPED)
    for nothing in (None, {}, {"NEW": None}, {"NEW": {"energy": None}}, {"NEW": {"energy": {"values": None}}}):
        installed("/inverters/telemetry", {"inverters": nothing})
    for _ in range(5):
        assert quarters("solar_intervals", ("1", "NEW")) == []
