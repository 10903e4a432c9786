"""Flows between panels, battery, load and grid: each part of the energy once."""

from datetime import UTC, datetime

import pytest

from simulation import BatteryCommand, CommandMode, Device, Fleet, View, flows_wh, load_reading_wh

FLEET = Fleet(8, 1)
MIDNIGHT = datetime(2026, 6, 17, tzinfo=UTC).timestamp()
HOUR, DAY = 3600, 86_400


def view_of(site):
    kinds = ("solar_inverter", "battery") if site.battery else ("solar_inverter",)
    return View(site, [Device(kind, 1.0, {}, None, "", "") for kind in kinds])


@pytest.mark.parametrize("site", FLEET.sites, ids=lambda site: site.name)
@pytest.mark.parametrize("hour", range(24))
def test_the_flows_add_up_to_what_each_part_gives_and_takes(site, hour):
    view, start = view_of(site), MIDNIGHT + hour * HOUR
    span = start, start + HOUR
    flows = flows_wh(view, *span)
    assert min(flows) >= 0
    assert flows.pv_to_battery + flows.pv_to_load + flows.pv_to_grid == view.site_energy_wh("pv", *span)
    assert flows.pv_to_battery + flows.grid_to_battery == view.site_energy_wh("charge", *span)
    assert flows.battery_to_load + flows.battery_to_grid == view.site_energy_wh("discharge", *span)
    load_wh = load_reading_wh(site, span[1]) - load_reading_wh(site, span[0])
    assert flows.pv_to_load + flows.battery_to_load + flows.grid_to_load == load_wh
    assert flows.imported - flows.exported == load_wh - (
        view.site_energy_wh("pv", *span)
        + view.site_energy_wh("discharge", *span)
        - view.site_energy_wh("charge", *span)
    )


def test_a_battery_run_for_savings_charges_from_the_grid_alone():
    savings = next(site for site in FLEET.sites if site.battery and site.battery.mode == "Savings")
    flows = flows_wh(view_of(savings), MIDNIGHT, MIDNIGHT + DAY)
    assert flows.pv_to_battery == 0
    assert flows.grid_to_battery > 0


def test_a_battery_run_for_self_consumption_charges_from_the_panels_in_the_morning():
    berlin = FLEET.sites[0]
    flows = flows_wh(view_of(berlin), MIDNIGHT + 6 * HOUR, MIDNIGHT + 10 * HOUR)
    assert flows.pv_to_battery > 0
    assert flows.grid_to_battery == 0


def test_a_site_without_a_battery_has_no_flows_of_one():
    phoenix = FLEET.sites[1]
    flows = flows_wh(view_of(phoenix), MIDNIGHT, MIDNIGHT + DAY)
    assert flows.pv_to_battery == flows.battery_to_load == flows.battery_to_grid == flows.grid_to_battery == 0
    assert flows.pv_to_load > 0
    assert flows.exported + flows.pv_to_load == view_of(phoenix).site_energy_wh("pv", MIDNIGHT, MIDNIGHT + DAY)


def test_a_battery_run_for_savings_takes_what_the_panels_give_when_it_is_commanded_to():
    savings = next(site for site in FLEET.sites if site.battery and site.battery.mode == "Savings")
    noon = MIDNIGHT + (12 - savings.place.longitude / 15) * HOUR
    commands = (
        BatteryCommand(noon - 2 * HOUR, noon, None, CommandMode.DISCHARGE_TO_LOAD_GRID),
        BatteryCommand(noon, noon + HOUR, -1.0, CommandMode.CHARGE_FROM_PV),
    )
    flows = flows_wh(view_of(savings.with_commands(commands)), noon, noon + HOUR)
    assert flows.pv_to_battery == pytest.approx(1000, abs=1)
    assert flows.grid_to_battery == 0
