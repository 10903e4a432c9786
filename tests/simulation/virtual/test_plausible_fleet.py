"""The fleet that fills a virtual client."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from simulation.battery import MODES
from simulation.virtual import SolarArray, StorageUnit, plausible_fleet

FLEET = plausible_fleet(300, "acme")


def test_a_fleet_has_five_time_zones_and_a_battery_on_every_third_site() -> None:
    zones = [site.timezone for site in FLEET]
    assert {zones.count(zone) for zone in zones} == {60}
    assert len(set(zones)) == 5
    batteries = [site.battery for site in FLEET if site.battery]
    assert len(batteries) == 100
    assert {battery.mode for battery in batteries} == set(MODES)
    with_battery = {site.timezone for site in FLEET if site.battery}
    assert with_battery == set(zones)


def test_every_site_has_one_to_four_inverters_and_names_are_unique() -> None:
    assert {len(site.inverters) for site in FLEET} == {1, 2, 3, 4}
    names = [site.name for site in FLEET]
    names += [inverter.name for site in FLEET for inverter in site.inverters]
    names += [site.battery.name for site in FLEET if site.battery]
    assert len(set(names)) == len(names)


def test_the_clock_of_a_site_is_near_that_of_its_sun() -> None:
    for site in FLEET:
        offset = ZoneInfo(site.timezone).utcoffset(datetime(2024, 1, 1))
        assert offset is not None
        # Adelaide's summer time is in force in January.
        assert abs(offset.total_seconds() / 240 - site.longitude) < 26


def test_a_longer_fleet_begins_with_the_shorter_one_and_each_seed_has_another() -> None:
    assert plausible_fleet(7, "acme") == FLEET[:7]
    assert plausible_fleet(7, "other") != FLEET[:7]
    assert plausible_fleet(0) == ()
    with pytest.raises(ValueError, match="-1 sites"):
        plausible_fleet(-1)


def test_every_device_of_a_fleet_can_be_simulated() -> None:
    noon = datetime(2024, 6, 1, 12, tzinfo=UTC).timestamp()
    for site in FLEET[:30]:
        for inverter in site.inverters:
            array = SolarArray(inverter.name, site.latitude, site.longitude)
            assert array.energy_kwh(noon - 86_400, noon) > 0
        if site.battery:
            unit = StorageUnit(
                site.battery.name,
                site.battery.nameplate_kwh,
                site.battery.mode,
                site.latitude,
                site.longitude,
                ZoneInfo(site.timezone),
                site.battery.state_of_charge_percent,
            )
            assert unit.soc_percent(noon) >= site.battery.state_of_charge_percent
