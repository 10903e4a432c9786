"""Series of virtual sites with many devices: their cost, and the end of their request's time."""

from datetime import UTC, datetime
from math import fsum
from zoneinfo import ZoneInfo

import pytest

from app.api import context
from app.storage.virtual_tables import VirtualSiteRow
from app.virtual.series import battery_series, solar_series
from simulation.virtual import SolarArray, StorageUnit
from simulation.virtual.device_day import device_day
from tests.app.virtual.support import DEVICES
from vendors.kit import Level
from vendors.kit.deadline import Deadline

SINCE = datetime(2020, 1, 1, tzinfo=UTC)
YEAR = datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)
JUNE = datetime(2024, 6, 1, tzinfo=UTC), datetime(2024, 6, 4, tzinfo=UTC)
SITE = VirtualSiteRow(latitude=52.5, longitude=13.4, timezone="UTC", operational_since=SINCE)
MODES = ("Self Consumption", "Savings", "Backup")
# Operations of the simulation that take the time of a series.
WORK = {"solar-inverters": (SolarArray, "energies_kwh"), "batteries": (StorageUnit, "series_kwh")}


def unit(number):
    return StorageUnit(f"unit-{number}", 5.0 + number, MODES[number % 3], 52.5, 13.4, ZoneInfo("UTC"), 10.0)


def never():
    """A check of a deadline that is far."""


def rows(series, start, end):
    return [row for tile in series.tiles(start, end) for row in tile.read()[0]]


def test_a_site_has_the_sums_of_its_devices_and_their_mean_charge_by_nameplate():
    units = [unit(number) for number in range(6)]
    together = rows(battery_series(SITE, Level.HOUR, units, never), *JUNE)
    apart = [rows(battery_series(SITE, Level.HOUR, [alone], never), *JUNE) for alone in units]
    assert len(together) == 72
    for row, *devices in zip(together, *apart, strict=True):
        assert row.kwh == pytest.approx([fsum(device.kwh[flow] for device in devices) for flow in (0, 1)], abs=1e-9)
        charged = fsum(unit.nameplate_kwh * device.soc_percent for unit, device in zip(units, devices, strict=True))
        assert row.soc_percent == pytest.approx(charged / fsum(unit.nameplate_kwh for unit in units))


def test_the_mean_charge_of_an_hour_is_that_of_its_quarters_and_longer_intervals_have_none():
    units = [unit(number) for number in range(3)]
    hours, quarters = (
        [row.soc_percent for row in rows(battery_series(SITE, level, units, never), *JUNE)]
        for level in (Level.HOUR, Level.QUARTER)
    )
    assert hours == pytest.approx([fsum(quarters[first : first + 4]) / 4 for first in range(0, len(quarters), 4)])
    assert max(hours) - min(hours) > 30
    for level in (Level.DAY, Level.MONTH):
        assert {row.soc_percent for row in rows(battery_series(SITE, level, units, never), *YEAR)} == {None}


def test_a_year_of_months_looks_at_no_more_days_of_a_battery_than_it_has_borders():
    units = [unit(number) for number in range(0, 90, 3)]  # The 30 that charge from the sun.
    device_day.cache_clear()
    assert len(rows(battery_series(SITE, Level.MONTH, units, never), *YEAR)) == 12
    assert device_day.cache_info().misses == 13 * len(units)


@pytest.mark.parametrize("level", Level)
def test_the_deadline_is_checked_before_each_device_and_no_further_device_is_computed(monkeypatch, level):
    computed = []

    def check():
        if len(computed) == 7:
            raise TimeoutError

    for kind, make in (("solar-inverters", solar_series), ("batteries", battery_series)):
        device_type, method = WORK[kind]
        compute = getattr(device_type, method)
        with monkeypatch.context() as patch:
            patch.setattr(
                device_type, method, lambda self, times, compute=compute: computed.append(1) or compute(self, times)
            )
            devices = [SolarArray(n, 52.5, 13.4) if kind == "solar-inverters" else unit(n) for n in range(50)]
            with pytest.raises(TimeoutError):
                rows(make(SITE, level, devices, check), *JUNE)
        assert len(computed) == 7
        computed.clear()


@pytest.mark.parametrize("path", DEVICES)
def test_a_request_for_a_site_with_too_many_devices_ends_at_its_deadline_and_so_does_its_thread(
    virtual, monkeypatch, path
):
    site = virtual.create("sites")["id"]
    for _ in range(9):
        virtual.create(path, siteID=site)
    computed = []
    device_type, method = WORK[path]
    compute = getattr(device_type, method)
    monkeypatch.setattr(device_type, method, lambda self, times: computed.append(self) or compute(self, times))

    class Passed(Deadline):
        """A deadline that passes while the third device is computed."""

        def left(self):
            return 0.0 if len(computed) >= 3 else super().left()

    monkeypatch.setattr(context, "Deadline", Passed)
    series = "solar-intervals" if path == "solar-inverters" else "battery-intervals"
    answer = virtual.get(f"/sites/{site}/{series}?start=2024-06-01T00:00:00&end=2024-06-02T00:00:00")
    assert (answer.status_code, answer.json["code"]) == (504, "timeout"), answer.text
    assert len(computed) == 3
