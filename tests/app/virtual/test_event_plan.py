"""The events of intervals at a virtual site, as a table."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.virtual.plugin import VirtualVendor
from simulation.commands import BatteryCommand
from vendors.kit.control import CannotExpress, Command, Interval, PlannedEvent, Priority

NOW = datetime(2026, 6, 1, 12, 0, 30, tzinfo=UTC)
START, END = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
PV, BATTERY, LOAD, GRID = Priority.PV, Priority.BATTERY, Priority.LOAD, Priority.GRID


def interval(command, kw=None, priority=None, allow_export=None, limit=None):
    return Interval(Command(command), START, END, kw, limit, priority, allow_export)


@pytest.mark.parametrize(
    ("asked", "mode", "kw"),
    [
        (interval("charge", 3), "Charge_From_PV_Grid", -3),
        (interval("charge"), "Charge_From_PV_Grid", None),
        (interval("charge", 3, GRID, allow_export=True), "Charge_From_PV_Grid", -3),
        (interval("charge", 3, PV), "Charge_From_PV", -3),
        (interval("charge", 3, LOAD), "Charge_From_NetPV", -3),
        (interval("charge", 0), "Charge_From_NetPV", None),
        (interval("charge", 0, PV), "Charge_From_PV", None),
        (interval("discharge", 3), "Discharge_To_Load_Grid", 3),
        (interval("discharge"), "Discharge_To_Load_Grid", None),
        (interval("discharge", 3, allow_export=True), "Discharge_To_Load_Grid", 3),
        (interval("discharge", 3, BATTERY), "Discharge_To_Load_Grid", 3),
        (interval("discharge", 3, allow_export=False), "Discharge_To_Load", 3),
        (interval("discharge", 3, BATTERY, allow_export=False), "Discharge_To_Load", 3),
        (interval("discharge", 3, PV), "Discharge_To_NetLoad", 3),
        (interval("discharge", 0), "Discharge_To_NetLoad", None),
        (interval("discharge", 0, BATTERY), "Discharge_To_Load", None),
        (interval("idle"), "Idle", 0),
        (interval("idle", 0), "Idle", 0),
    ],
)
def test_an_interval_is_one_event_that_the_simulated_battery_takes(asked, mode, kw):
    with_limit = asked if asked.command is Command.IDLE else replace(asked, limit_percent=40)
    assert VirtualVendor.planned_events(with_limit, NOW) == [
        PlannedEvent(START, END, mode, kw, with_limit.limit_percent)
    ]
    BatteryCommand(0, 1, kw, mode)


@pytest.mark.parametrize(
    ("asked", "member"),
    [
        (interval("charge", 3, BATTERY), "priority"),
        (interval("charge", 0, GRID), "priority"),
        (interval("charge", 3, allow_export=False), "allow_export"),
        (interval("discharge", 3, LOAD), "priority"),
        (interval("discharge", 3, GRID), "priority"),
        (interval("discharge", 3, PV, allow_export=True), "priority"),
        (interval("idle", 1), "kw"),
        (interval("idle", limit=50), "limit_percent"),
        (interval("idle", priority=PV), "priority"),
        (interval("idle", allow_export=False), "allow_export"),
        (replace(interval("idle"), end=START + timedelta(days=31, seconds=1)), "end"),
    ],
)
def test_an_interval_that_a_virtual_battery_cannot_obey_is_refused_by_the_member(asked, member):
    with pytest.raises(CannotExpress) as refusal:
        VirtualVendor.planned_events(asked, NOW)
    assert refusal.value.member == member


def test_an_interval_that_has_begun_is_planned_from_the_present():
    for long_ago in (START, START - timedelta(days=400)):
        asked = replace(interval("charge", 3), start=long_ago)
        (event,) = VirtualVendor.planned_events(asked, START + timedelta(minutes=7))
        assert (event.start, event.end) == (START + timedelta(minutes=7), END)
