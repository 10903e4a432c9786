"""Memory of the caches behind virtual devices: bounded by numbers of entries whose size is known."""

import gc
import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest

from app.storage.virtual_tables import VirtualControlEventRow, VirtualDeviceRow, VirtualSiteRow
from app.virtual import physics
from app.virtual.series import battery_series, solar_series
from simulation.battery import MODES
from simulation.virtual import device_day, plausible_fleet, year
from simulation.virtual.plausible_fleet import CITIES
from vendors.kit import Level

# Each cache, with the most bytes that an entry and its key take.
CACHES = (
    (device_day.device_day, device_day.DAY_BYTES),
    (year.year_of, year.YEAR_BYTES),
    (year.climate_total, year.TOTAL_BYTES),
    (physics._solar_array, physics.DEVICE_BYTES),
    (physics._storage_unit, physics.DEVICE_BYTES),
)
BOUND_BYTES = 40_000_000
SITES = 15
NOW = datetime(2025, 6, 20, 12, tzinfo=UTC)
WINDOWS = {
    Level.QUARTER: timedelta(days=1),
    Level.MONTH: timedelta(days=800),
}


def never():
    """A check of a deadline that is far."""


def clear():
    for cached, _ in CACHES:
        cached.cache_clear()
    gc.collect()


def read(plan, number, level):
    """Reads all devices of a site at a level, and their present values."""
    since = datetime(2023, 1, 1, tzinfo=UTC)
    site = VirtualSiteRow(
        latitude=plan.latitude, longitude=plan.longitude, timezone=plan.timezone, operational_since=since
    )
    arrays = [
        physics.solar_array(VirtualDeviceRow(id=f"{number:012x}{place:012x}"), site)
        for place in range(len(plan.inverters))
    ]
    units = [
        physics.storage_unit(
            VirtualDeviceRow(id=f"{number:024x}", nameplate_kwh=10.0, mode=mode, soc_percent=5.0), site
        )
        for mode in MODES
    ]
    for series in (solar_series(site, level, arrays, never), battery_series(site, level, units, never)):
        for tile in series.tiles(NOW - WINDOWS[level], NOW):
            tile.read()
    for device in (*arrays, *units):
        device.power_kw(NOW.timestamp())


@pytest.mark.exhaustive
@pytest.mark.parametrize("level", WINDOWS)
def test_a_small_fleet_leaves_no_more_memory_than_the_stated_size_of_the_caches_entries(level):
    fleet = plausible_fleet(SITES)
    for number in range(len(CITIES)):  # Time zones, and what Python allocates once.
        read(fleet[number], number, level)
    clear()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number, plan in enumerate(fleet):
            read(plan, number, level)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    entries = [cached.cache_info().currsize for cached, _ in CACHES]
    clear()
    assert min(entries) >= SITES, "every cache was in use"
    assert after - before < sum(count * size for count, (_, size) in zip(entries, CACHES, strict=True))


def test_commands_and_their_courses_take_no_more_memory_than_stated():
    site = VirtualSiteRow(latitude=52.5, longitude=13.4, timezone="UTC", operational_since=NOW)
    device = VirtualDeviceRow(id="battery", nameplate_kwh=10.0, mode="Self Consumption", soc_percent=5.0)
    plain, number = physics.storage_unit(device, site), 400
    events = [event(NOW + timedelta(hours=12 * count)) for count in range(number)]
    last = events[-1].end_at.timestamp()
    plain.soc_percent(last)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        commanded = physics.storage_unit(device, site, events)
        commanded.soc_percent(last)
        device_day.device_day.cache_clear()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 0.2 * physics._bytes_of(commanded) < after - before < physics._bytes_of(commanded)


def test_batteries_with_many_commands_do_not_stay_in_memory_together():
    cache = physics._commanded.cache
    assert cache.maxsize == physics.COMMANDED_BYTES
    site = VirtualSiteRow(latitude=52.5, longitude=13.4, timezone="UTC", operational_since=NOW)
    device = VirtualDeviceRow(id="battery", nameplate_kwh=10.0, mode="Backup", soc_percent=5.0)
    for number in range(50):
        start = NOW + timedelta(minutes=number)
        physics.storage_unit(device, site, [event(start + timedelta(days=day)) for day in range(500)])
    assert 0 < cache.currsize <= cache.maxsize
    assert len(cache) < 20


def event(start):
    """A discharge by what the loads take, of six hours."""
    return VirtualControlEventRow(
        start_at=start,
        end_at=start + timedelta(hours=6),
        mode="Discharge_To_NetLoad",
        kw=0.2,
        shares={"battery": 1.0},
    )


def test_full_caches_stay_within_the_stated_bound():
    bytes = sum(cached.cache_info().maxsize * size for cached, size in CACHES)
    assert bytes + physics.COMMANDED_BYTES <= BOUND_BYTES
