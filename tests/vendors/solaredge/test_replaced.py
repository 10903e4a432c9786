"""SolarEdge's devices that were replaced or are listed twice, and replies that are empty or about another site."""

import pytest

from tests.vendors.solaredge.played import CHICAGO, SITE, SWAPPED, device, flows, quarters, series
from tests.vendors.support import open_vendor, records_of
from vendors.kit import BadReply, Level, NotFound, Quality


@pytest.mark.parametrize("active", [False, "false", "False"])
def test_a_replaced_device_is_left_out(network, active):
    devices = [raw | ({"active": active} if raw["active"] is False else {}) for raw in SWAPPED]
    network.get(SITE + "/devices", json=devices)
    assert [device.serial_number for device in records_of(open_vendor("solaredge").devices("1"))] == ["NEW", "BATT-002"]


@pytest.mark.parametrize("read", ["solar_inverter", "solar_intervals"])
def test_a_replaced_device_is_not_found(installed, read):
    installed("/devices", SWAPPED)
    with pytest.raises(NotFound):
        getattr(open_vendor("solaredge"), read)(("1", "OLD"), *[Level.HOUR] if read == "solar_intervals" else [])


def test_the_charge_of_a_site_is_known_without_its_replaced_battery(installed):
    installed("/devices", SWAPPED)
    installed("/energy", series("WH", None))
    storage = {"BATT-001": flows(0.0, 0.0, 0.0), "BATT-002": flows(3000.0, 3000.0, 3000.0)}
    installed("/storage/telemetry", {"storage": storage})
    site = open_vendor("solaredge").site(("1",))
    assert (site.charge_kw, site.discharge_kw, site.bess.soc_percent) == (3.0, 0.0, 67.8)


def test_the_intervals_of_a_site_are_measured_without_its_replaced_battery(installed):
    installed("/devices", SWAPPED)
    installed("/storage/telemetry", {"storage": {"BATT-002": flows(3000.0, 3000.0, 3000.0)}})
    intervals = quarters("site_battery_intervals")
    assert [(interval.kwh, interval.quality, interval.soc_percent) for interval in intervals] == [
        ((0.75, 0.0), Quality.MEASURED, 67.8)
    ] * 3


def test_the_energy_of_a_replaced_battery_stays_in_the_history_of_its_site(installed):
    installed("/devices", SWAPPED)
    installed("/storage/telemetry", {"storage": {"BATT-001": flows(1000.0, 1000.0), "BATT-002": {}}})
    intervals = quarters("site_battery_intervals")
    assert [(interval.kwh, interval.quality) for interval in intervals] == [((0.25, 0.0), Quality.MEASURED)] * 2


def test_a_device_that_is_listed_twice_counts_once(installed):
    installed("/devices", [device("BATTERY", "A"), device("BATTERY", "A"), device("BATTERY", "A", active=False)])
    installed("/energy", series("WH", None))
    installed("/storage/telemetry", {"storage": {"A": flows(3000.0, 3000.0)}})
    plugin = open_vendor("solaredge")
    assert [device.serial_number for device in records_of(plugin.devices("1"))] == ["A"]
    assert plugin.site(("1",)).charge_kw == 3.0
    assert [interval.kwh for interval in quarters("site_battery_intervals")] == [(0.75, 0.0)] * 2


def test_a_reply_about_another_site_is_bad(network):
    network.get(SITE, json=CHICAGO | {"siteId": 2})
    with pytest.raises(BadReply) as refused:
        open_vendor("solaredge").site(("1",))
    assert "about another site" in refused.value.detail


def test_empty_telemetry_gives_no_intervals(installed):
    installed("/devices", SWAPPED)
    for empty in (None, {}, {"NEW": None}, {"NEW": {"energy": None}}, {"NEW": {"energy": {"values": None}}}):
        installed("/inverters/telemetry", {"inverters": empty})
    for _ in range(5):
        assert quarters("solar_intervals", ("1", "NEW")) == []
