"""What events make a simulated battery do, by the truth and by the telemetry of every cloud."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from tests.sandbox.callers import Caller
from tests.sandbox.enphase import MONITORING, SERVICES, Enphase
from tests.sandbox.events import NOON, at, created, end, happen, set_conditions

pytestmark = pytest.mark.exhaustive

# Of 1 kW for half an hour.
HALF_KWH = pytest.approx(500, abs=1e-6)


@pytest.fixture
def cloud(caller: Caller) -> Enphase:
    caller.set_clock(NOON.isoformat())
    return Enphase(caller, SERVICES)


def true_wh(cloud: Enphase, kind: str, start: float = 0, minutes: float = 30, **query: Any) -> float:
    """Energy of the first site from one minute after noon to another."""
    span = {
        "start": (NOON + timedelta(minutes=start)).isoformat(),
        "end": (NOON + timedelta(minutes=minutes)).isoformat(),
    }
    return cloud.caller.energy_wh(site=0, kind=kind, **span, **query)


def soc_percent(cloud: Enphase, minutes: float) -> float:
    state = cloud.caller.state(site=0, at=(NOON + timedelta(minutes=minutes)).isoformat())
    return float(state["soc_percent"])


def test_a_battery_discharges_as_the_event_says(cloud: Enphase):
    before = true_wh(cloud, "charge"), soc_percent(cloud, 30)
    assert before[0] > 100
    created(cloud)
    assert true_wh(cloud, "discharge") == HALF_KWH
    assert true_wh(cloud, "charge") == 0
    assert soc_percent(cloud, 30) < soc_percent(cloud, 0) < before[1]


def test_a_battery_charges_as_the_event_says(cloud: Enphase):
    created(cloud, rate_watt=-1000, target_soc=100)
    assert (true_wh(cloud, "charge"), true_wh(cloud, "discharge")) == (HALF_KWH, 0)


def test_an_idle_battery_neither_charges_nor_discharges(cloud: Enphase):
    created(cloud, rate_watt=0)
    assert (true_wh(cloud, "charge"), true_wh(cloud, "discharge")) == (0, 0)


def test_a_battery_stops_at_the_target(cloud: Enphase):
    target = round(soc_percent(cloud, 0)) - 3
    created(cloud, target_soc=target)
    assert 0 < true_wh(cloud, "discharge") < 500
    assert soc_percent(cloud, 30) == pytest.approx(target)


def test_telemetry_shows_what_the_battery_did(cloud: Enphase):
    created(cloud)
    at(cloud, minutes=60)
    rows = {
        row["end_at"] - NOON.timestamp(): (row["charge"]["enwh"], row["discharge"]["enwh"], row["soc"]["percent"])
        for row in cloud.system_json(0, "/telemetry/battery")["intervals"]
    }
    assert [rows[900][:2], rows[1800][:2]] == [(0, pytest.approx(250, abs=1)), (0, pytest.approx(250, abs=1))]
    assert rows[1800][2] == round(soc_percent(cloud, 30), 1) < rows[0][2]


@pytest.mark.parametrize("vendor", [MONITORING, SERVICES])
def test_the_present_power_shows_what_the_battery_does(caller: Caller, vendor: str):
    caller.set_clock(NOON.isoformat())
    cloud = Enphase(caller, vendor)
    created(Enphase(caller, SERVICES))
    at(cloud, minutes=40)
    batteries = cloud.system_json(0, "/latest_telemetry")["devices"]["encharges"]
    assert {battery["operational_mode"] for battery in batteries} == {"Discharging"}
    assert sum(abs(battery["power"]) for battery in batteries) == pytest.approx(1000, abs=len(batteries))


def test_every_cloud_has_the_same_battery(cloud: Enphase):
    created(cloud)
    for vendor in cloud.caller.vendors:
        assert true_wh(cloud, "discharge", vendor=vendor) == pytest.approx(500, abs=3)


@pytest.mark.parametrize(
    ("conditions", "wh"),
    [({"delay_seconds": 180}, 450), ({"most_kw": 0.4}, 200), ({"ignores": True}, 0), ({"drops": True}, 0)],
)
def test_a_battery_that_obeys_badly_gives_less(cloud: Enphase, conditions: dict[str, Any], wh: float):
    set_conditions(cloud, **conditions)
    created(cloud)
    assert true_wh(cloud, "discharge") == pytest.approx(wh, abs=1e-6)


@pytest.mark.parametrize(
    ("what", "wh"),
    [
        ({"what": "outage", "seconds": 300}, 250 / 3),
        ({"what": "owner_mode", "seconds": 300, "mode": "Backup"}, 250 / 3),
        ({"what": "opt_out"}, 1000 / 3),
    ],
)
def test_what_happens_in_the_middle_takes_energy_from_an_event(cloud: Enphase, what: dict[str, Any], wh: float):
    created(cloud)
    happen(cloud, after_seconds=600, **what)
    assert true_wh(cloud, "discharge", 0, 10) == pytest.approx(500 / 3, abs=1e-6)
    assert 500 - true_wh(cloud, "discharge") == pytest.approx(wh, abs=1e-6)


def test_what_is_written_later_leaves_the_past_as_it_was(cloud: Enphase):
    quantities = ("charge", "discharge")
    day = [true_wh(cloud, quantity, -1440, 0) for quantity in quantities]
    event_id = created(cloud, duration=120)
    at(cloud, minutes=20)
    so_far = [true_wh(cloud, quantity, 0, 20) for quantity in quantities]
    end(cloud, event_id)
    created(cloud, start_time="2026-06-21 15:00", rate_watt=-2000)
    happen(cloud, "outage", seconds=600)
    assert [true_wh(cloud, quantity, -1440, 0) for quantity in quantities] == day
    assert [true_wh(cloud, quantity, 0, 20) for quantity in quantities] == pytest.approx(so_far)


def test_counters_never_fall_and_the_charge_keeps_its_limits(cloud: Enphase):
    created(cloud, rate_watt=10**6, duration=300)
    created(cloud, start_time="2026-06-21 18:00", rate_watt=-(10**6), target_soc=100, duration=300)
    created(cloud, start_time="2026-06-22 02:00", mode="Discharge_To_NetLoad", duration=90)
    site = cloud.caller.http.application.extensions["world"].fleet.sites[0]
    times = [NOON.timestamp() + 600 * step for step in range(-12, 300)]
    for counter in (site.charge_kwh, site.discharge_kwh):
        readings = [counter(t) for t in times]
        assert all(after >= before for before, after in pairwise(readings))
    assert all(site.battery.floor_percent - 1e-6 <= site.soc_percent(t) <= 100 for t in times)


def test_a_forgotten_event_never_happened(cloud: Enphase):
    before = [true_wh(cloud, quantity) for quantity in ("charge", "discharge")]
    created(cloud)
    cloud.caller.http.delete("/batteries")
    assert [true_wh(cloud, quantity) for quantity in ("charge", "discharge")] == before
