"""The devices in the components of a site: units in several lists, expansion packs, and gateways."""

import pytest

from tests.vendors.support import records_of
from tests.vendors.tesla.played import UNIT, devices
from vendors.kit import Battery, NotFound, SolarInverter

FOLLOWER = UNIT | {"din": "1707000-11-J--TG000000000002", "serial_number": "TG000000000002"}
# An expansion pack as it is listed: without a name, and without ratings, which its leader's hold.
PACK = {"device_id": "p", "din": "1807000-20-B--TG000000000003", "part_name": "Unknown", "nameplate_energy": 0,
        "nameplate_max_charge_power": 0, "nameplate_max_discharge_power": 0}  # fmt: skip
GATEWAY = {"din": "1152100-14-J--TG000000000009", "part_name": "Tesla Backup Gateway 2", "is_active": True}


def test_a_powerwall_3_among_the_gateways_is_an_inverter_and_a_battery_with_the_unit_s_identity(play_case):
    plugin = play_case("powerwall_3_in_gateways")
    key = ("1", UNIT["din"])
    inverters, batteries = devices(plugin, SolarInverter), devices(plugin, Battery)
    assert (list(inverters), list(batteries)) == ([key], [key])
    for device in (inverters[key], batteries[key]):
        assert (device.vendor_id, device.serial_number) == (UNIT["din"], "TG000000000001")
        assert (device.model, device.kind) == ("Powerwall 3", "hybrid")
        assert device.rated_power_kw == 11.52
    assert batteries[key].nameplate_kwh == 13.5


def test_a_powerwall_3_among_the_gateways_has_the_values_of_its_site(play_case):
    plugin = play_case("powerwall_3_in_gateways", calendar_history={"response": {"time_series": None}})
    key = ("1", UNIT["din"])
    battery = plugin.battery(key)
    assert (battery.soc_percent, battery.charge_kw, battery.discharge_kw) == (61.5, 3.0, 0.0)
    assert plugin.site(("1",)).bess.nameplate_kwh == 13.5


def test_a_powerwall_3_with_packs_is_one_battery_with_the_values_of_its_site(site):
    plugin = site(gateways=[GATEWAY, UNIT | {"nameplate_energy_watts": 27000.0}], batteries=[PACK, PACK])
    (battery,) = devices(plugin, Battery).values()
    assert (battery.vendor_id, battery.nameplate_kwh) == (UNIT["din"], 27.0)
    assert plugin.battery(battery.key).soc_percent == 61.5
    assert plugin.site(("1",)).bess.nameplate_kwh == 27.0


def test_a_leader_and_its_follower_are_two_inverters_and_two_batteries(site):
    follower = FOLLOWER | {"nameplate_energy_watts": 0.0}
    plugin = site(gateways=[UNIT | {"nameplate_energy_watts": 27000.0}, follower], batteries=[PACK])
    keys = {("1", UNIT["din"]), ("1", FOLLOWER["din"])}
    assert set(devices(plugin, SolarInverter)) == set(devices(plugin, Battery)) == keys
    assert devices(plugin, Battery)["1", FOLLOWER["din"]].nameplate_kwh is None
    assert plugin.battery(("1", UNIT["din"])).soc_percent is None
    assert plugin.site(("1",)).bess.nameplate_kwh == 27.0


def test_units_that_are_each_rated_add_up_to_the_site(site):
    plugin = site(gateways=[UNIT, FOLLOWER])
    assert plugin.site(("1",)).bess.nameplate_kwh == 27.0


def test_the_site_s_own_nameplate_comes_first(site):
    assert site(26000, gateways=[UNIT]).site(("1",)).bess.nameplate_kwh == 26.0


@pytest.mark.parametrize("listed", [{"din": UNIT["din"], "part_name": "Powerwall 3"}, UNIT])
def test_a_unit_in_several_lists_is_one_device_with_the_members_of_all(site, listed):
    plugin = site(gateways=[UNIT], batteries=[listed], inverters=[listed])
    (battery,), (inverter,) = devices(plugin, Battery).values(), devices(plugin, SolarInverter).values()
    assert (battery.nameplate_kwh, battery.rated_power_kw, battery.serial_number) == (13.5, 11.52, "TG000000000001")
    assert (inverter.kind, inverter.rated_power_kw, inverter.serial_number) == ("hybrid", 11.52, "TG000000000001")
    assert plugin.site(("1",)).bess.nameplate_kwh == 13.5


@pytest.mark.parametrize("lists", [("gateways", "batteries"), ("batteries", "gateways"), ("inverters", "gateways")])
def test_a_unit_without_its_din_in_one_list_is_the_unit_with_that_device_id(site, lists):
    without_din = {name: UNIT[name] for name in ("device_id", "serial_number", "part_name", "is_active")}
    whole, part = lists
    plugin = site(**{whole: [UNIT], part: [without_din]})
    for kind in (Battery, SolarInverter):
        listed = devices(plugin, kind)
        if (kind, whole) != (Battery, "inverters"):
            assert list(listed) == [("1", UNIT["din"])]
    assert plugin.site(("1",)).bess.nameplate_kwh == 13.5


def test_units_with_different_dins_are_several_even_with_the_same_device_id(site):
    """A recorded answer has the same serial number for two batteries; device ids may be shared as well."""
    assert UNIT["device_id"] == FOLLOWER["device_id"]
    assert len(devices(site(gateways=[UNIT, FOLLOWER]), Battery)) == 2


@pytest.mark.parametrize("part", [PACK, {"device_id": "p", "part_name": "Unknown"}])
def test_a_part_without_a_name_and_ratings_is_not_the_site_s_only_battery(site, part):
    (battery,) = devices(site(13500, gateways=[GATEWAY], batteries=[part]), Battery).values()
    assert (battery.key, battery.kind, battery.nameplate_kwh) == (("1",), "synthetic", 13.5)


def test_a_part_without_a_name_that_is_rated_is_a_battery(site):
    rated = PACK | {"nameplate_energy": 13500}
    assert list(devices(site(batteries=[rated]), Battery)) == [("1", PACK["din"])]


def test_a_part_without_a_name_and_ratings_is_a_battery_next_to_a_powerwall_2(site):
    old = {"din": "2012170-25-E--A", "part_name": "Powerwall 2", "nameplate_energy": 13500}
    plugin = site(batteries=[old, PACK])
    assert set(devices(plugin, Battery)) == {("1", old["din"]), ("1", PACK["din"])}
    assert plugin.site(("1",)).bess.nameplate_kwh is None


def test_a_powerwall_2_without_ratings_is_a_battery(site):
    old = {"din": "2012170-25-E--A", "part_name": "Powerwall 2", "nameplate_energy": 0}
    assert list(devices(site(batteries=[old]), Battery)) == [("1", old["din"])]


def test_a_powerwall_3_that_is_no_longer_active_is_neither_inverter_nor_battery(site):
    plugin = site(gateways=[UNIT | {"is_active": False}, FOLLOWER])
    keys = [("1", FOLLOWER["din"])]
    assert (list(devices(plugin, SolarInverter)), list(devices(plugin, Battery))) == (keys, keys)
    assert plugin.site(("1",)).bess.nameplate_kwh == 13.5


def test_a_gateway_is_no_device(site):
    plugin = site(gateways=[GATEWAY])
    assert [device.kind for device in records_of(plugin.devices("1"))] == ["synthetic", "synthetic"]


@pytest.mark.parametrize("operation", ["battery", "solar_inverter"])
def test_a_synthetic_device_is_not_found_once_the_site_s_units_are_listed(play_case, operation):
    with pytest.raises(NotFound):
        getattr(play_case("powerwall_3_in_gateways"), operation)(("1",))
