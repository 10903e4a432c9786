"""The fleet: what the first sites hold, and that a seed always means the same sites."""

import ast
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import simulation
from simulation import PLACES, Fleet, Site

PACKAGE = Path(simulation.__file__).parent
NOW = datetime(2026, 3, 29, 1, 7, tzinfo=UTC).timestamp()
PRINT_A_FLEET = """
import json, sys
from simulation import Fleet
print(json.dumps([
    [site.name, site.pv_kwp, site.operational_since.isoformat(), site.load_kwh_per_day, site.load_kwh(t)]
    + [site.pv_kwh(t), site.charge_kwh(t), site.discharge_kwh(t), site.soc_percent(t)]
    for site in Fleet(12, 7).sites for t in [float(sys.argv[1])]
]))
"""


def printed_fleet(hash_seed: str) -> object:
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(PACKAGE.parent)}
    done = subprocess.run(
        [sys.executable, "-c", PRINT_A_FLEET, str(NOW)],
        env=environment,
        capture_output=True,
        check=True,
        text=True,
    )
    return json.loads(done.stdout)


def facts(site: Site) -> list[object]:
    known: list[object] = [site.name, site.pv_kwp, site.operational_since.isoformat(), site.load_kwh_per_day]
    return [*known, site.load_kwh(NOW), site.pv_kwh(NOW), site.charge_kwh(NOW), site.discharge_kwh(NOW)]


@pytest.mark.exhaustive
def test_other_processes_and_other_hash_seeds_make_the_same_fleet() -> None:
    here = [[*facts(site), site.soc_percent(NOW)] for site in Fleet(12, 7).sites]
    assert printed_fleet("1") == printed_fleet("2") == here


def test_the_fleet_of_a_seed_has_not_changed_since_it_was_first_released() -> None:
    berlin = Fleet(1, 1).sites[0]
    assert (berlin.name, berlin.pv_kwp) == ("Berlin 1", 5.7)
    assert berlin.operational_since.isoformat() == "2022-07-08T09:05:00+02:00"
    assert berlin.pv_kwh(NOW) == pytest.approx(22988.957, abs=1e-3)
    assert berlin.charge_kwh(NOW) == pytest.approx(7675.079, abs=1e-3)


def test_a_larger_fleet_only_adds_sites() -> None:
    assert Fleet(3, 5).sites == Fleet(60, 5).sites[:3]


def test_another_seed_makes_other_sites() -> None:
    assert [facts(site) for site in Fleet(8, 1).sites] != [facts(site) for site in Fleet(8, 2).sites]


@pytest.mark.parametrize("seed", range(5))
def test_the_first_eight_sites_hold_every_mode_and_some_without_a_battery(seed: int) -> None:
    batteries = [site.battery for site in Fleet(seed=seed).sites]
    assert len(batteries) == 8
    assert {battery.mode for battery in batteries if battery} == {"Self Consumption", "Savings", "Backup"}
    assert 4 < sum(battery is not None for battery in batteries) < 8


@pytest.mark.parametrize("seed", range(5))
def test_homes_are_small_and_a_few_sites_are_businesses(seed: int) -> None:
    sizes = [site.pv_kwp for site in Fleet(96, seed).sites]
    homes = [size for size in sizes if 4 <= size <= 12]
    businesses = [size for size in sizes if 30 <= size <= 200]
    assert len(homes) + len(businesses) == 96
    assert 8 <= len(businesses) <= 24
    assert any(size >= 30 for size in sizes[:8])
    assert len(set(homes)) > 20


@pytest.mark.parametrize("seed", range(5))
def test_service_starts_between_2015_and_2024_in_working_hours_by_the_local_clock(seed: int) -> None:
    starts = [(site.operational_since, site.place.timezone) for site in Fleet(200, seed).sites]
    for start, zone in starts:
        assert 2015 <= start.year <= 2024
        assert 9 <= start.hour < 16
        assert start.weekday() < 5
        assert start.tzinfo == ZoneInfo(zone)
    assert {start.year for start, _ in starts} == set(range(2015, 2025))


def test_sites_take_the_places_in_order_and_begin_again() -> None:
    sites = Fleet(2 * len(PLACES) + 1).sites
    assert [site.place for site in sites] == [*PLACES, *PLACES, PLACES[0]]
    assert [site.number for site in sites] == list(range(49))
    assert sites[48].name == "Berlin 3"
    assert len({site.name for site in sites}) == 49


def test_sites_of_one_place_differ_in_size_and_battery() -> None:
    berlins = [site for site in Fleet(240).sites if site.place is PLACES[0]]
    assert len({site.pv_kwp for site in berlins}) > 5
    assert len({site.battery.mode if site.battery else None for site in berlins}) == 4


def test_the_places_come_in_their_order_and_their_zones_exist() -> None:
    first = ("Berlin", "Phoenix", "Delhi", "Adelaide", "Lord Howe", "Tromsø", "Santiago", "Kathmandu")
    assert tuple(place.name for place in PLACES[:12]) == (*first, "Quito", "Auckland", "Honolulu", "Glasgow")
    assert len({place.name for place in PLACES}) == len(PLACES) == 24
    for place in PLACES:
        offset = datetime(2024, 7, 1, tzinfo=ZoneInfo(place.timezone)).utcoffset()
        assert offset is not None
        behind = (offset.total_seconds() / 240 - place.longitude + 180) % 360 - 180
        assert abs(behind) < 40, place.name


def test_a_fleet_without_sites_is_an_empty_account_and_one_with_fewer_is_refused() -> None:
    assert Fleet(0).sites == ()
    with pytest.raises(ValueError, match="cannot have -1"):
        Fleet(-1)


def test_the_simulation_imports_nothing_but_itself_and_the_standard_library() -> None:
    imported = set()
    for path in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add((node.module or "").split(".")[0])
    assert "simulation" in imported
    assert imported - {"simulation"} <= sys.stdlib_module_names
