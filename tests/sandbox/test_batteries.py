"""Batteries that obey late, badly or not at all: which commands they get, and what Enphase's cloud says about it."""

from typing import Any

import pytest

from sandbox.batteries.batteries import Layer, commands_of
from simulation import BatteryCommand, CommandMode
from tests.sandbox.callers import Caller
from tests.sandbox.enphase import MONITORING, SERVICES, Enphase
from tests.sandbox.events import (
    EVENTS,
    GONE,
    NOON,
    at,
    create,
    created,
    end,
    event,
    happen,
    listed,
    set_conditions,
    status,
)

MINUTE = 60
Span = tuple[float, float, float | None]


@pytest.fixture
def cloud(caller: Caller) -> Enphase:
    caller.set_clock(NOON.isoformat())
    return Enphase(caller, SERVICES)


def commands(cloud: Enphase) -> list[Span]:
    """Start and end of the commands of the first site, in minutes after noon, and their power."""
    first = cloud.caller.http.get("/batteries").json["sites"][0]
    noon = NOON.timestamp()
    return [
        ((command["start"] - noon) / MINUTE, (command["end"] - noon) / MINUTE, command["kw"])
        for command in first["commands"]
    ]


def test_a_battery_gets_the_command_of_an_event_for_its_time(cloud: Enphase):
    created(cloud, start_time="2026-06-21 12:10", rate_watt=1500)
    assert commands(cloud) == [(10, 40, 1.5)]
    created(cloud, start_time="2026-06-21 13:00", rate_watt=-800)
    assert commands(cloud) == [(10, 40, 1.5), (60, 90, -0.8)]


def test_an_event_that_is_cancelled_commands_nothing_and_one_that_is_ended_until_then(cloud: Enphase):
    running = created(cloud)
    end(cloud, created(cloud, start_time="2026-06-21 13:00"))
    at(cloud, minutes=10)
    end(cloud, running)
    assert commands(cloud) == [(0, 11, 1.0)]


def test_a_superseding_event_takes_its_time_from_the_one_before(cloud: Enphase):
    created(cloud, duration=60)
    created(cloud, start_time="2026-06-21 12:20", duration=20, rate_watt=-500, superseded=True)
    assert commands(cloud) == [(0, 20, 1.0), (20, 40, -0.5), (40, 60, 1.0)]


def test_a_battery_may_obey_late(cloud: Enphase):
    set_conditions(cloud, delay_seconds=240)
    event_id = created(cloud)
    assert commands(cloud) == [(4, 30, 1.0)]
    seen = []
    for minutes in (0, 3, 4):
        at(cloud, minutes=minutes)
        seen.append(status(cloud, event_id))
    assert seen == [("in_progress", "Scheduled"), ("in_progress", "Scheduled"), ("in_progress", "Delivered")]


def test_a_battery_may_ignore_a_command_that_counts_as_delivered(cloud: Enphase):
    set_conditions(cloud, ignores=True)
    event_id = created(cloud)
    at(cloud, minutes=1)
    assert status(cloud, event_id) == ("in_progress", "Delivered")
    assert commands(cloud) == []


@pytest.mark.parametrize(("rate", "kw"), [(2000, 0.7), (-2000, -0.7), (500, 0.5)])
def test_a_battery_may_give_and_take_less_than_the_event_says(cloud: Enphase, rate: int, kw: float):
    set_conditions(cloud, most_kw=0.7)
    event_id = created(cloud, rate_watt=rate)
    assert event(cloud, event_id)["rate_watt"] == rate
    assert commands(cloud) == [(0, 30, kw)]


@pytest.mark.parametrize(("mode", "kw"), [("Discharge_To_Load", 0.7), ("Charge_From_PV", -0.7), ("Idle", 0)])
def test_a_battery_may_give_and_take_less_than_its_rated_power(cloud: Enphase, mode: str, kw: float):
    set_conditions(cloud, most_kw=0.7)
    assert "rate_watt" not in event(cloud, created(cloud, rate_watt=GONE, mode=mode))
    assert commands(cloud) == [(0, 30, kw)]


def test_a_cloud_may_answer_well_and_keep_nothing(cloud: Enphase):
    set_conditions(cloud, drops=True)
    event_id = created(cloud)
    assert cloud.get(f"{EVENTS}/{event_id}").status_code == 404
    assert listed(cloud) == []
    assert commands(cloud) == []


def test_reads_may_lag_one_write(cloud: Enphase):
    set_conditions(cloud, stale_reads=1)
    event_id = created(cloud, start_time="2026-06-21 13:00")
    assert [listed(cloud), listed(cloud)] == [[], [event_id]]
    end(cloud, event_id)
    assert [status(cloud, event_id)[0] for _ in range(2)] == ["scheduled", "deleted"]
    second = created(cloud, start_time="2026-06-21 14:00")
    assert [cloud.get(f"{EVENTS}/{second}").status_code for _ in range(2)] == [404, 200]


def test_conditions_hold_for_one_site_or_all_and_take_their_default_when_not_named(cloud: Enphase):
    set_conditions(cloud, site=2, ignores=True, most_kw=1)
    set_conditions(cloud, site=2, ignores=True)
    sites = cloud.caller.http.get("/batteries").json["sites"]
    assert [site["site"] for site in sites if site["conditions"]["ignores"]] == [2]
    assert sites[2]["conditions"]["most_kw"] is None
    set_conditions(cloud, drops=True)
    sites = cloud.caller.http.get("/batteries").json["sites"]
    assert {(site["conditions"]["ignores"], site["conditions"]["drops"]) for site in sites} == {(False, True)}


def test_an_event_keeps_the_conditions_under_which_it_was_made(cloud: Enphase):
    set_conditions(cloud, delay_seconds=60)
    created(cloud)
    set_conditions(cloud)
    created(cloud, start_time="2026-06-21 13:00")
    assert commands(cloud) == [(1, 30, 1.0), (60, 90, 1.0)]


def test_an_outage_in_the_middle_of_an_event_interrupts_the_battery_and_not_the_event(cloud: Enphase):
    event_id = created(cloud)
    happen(cloud, "outage", after_seconds=600, seconds=300)
    assert commands(cloud) == [(0, 10, 1.0), (15, 30, 1.0)]
    at(cloud, minutes=12)
    assert status(cloud, event_id) == ("in_progress", "Delivered")
    at(cloud, minutes=30)
    assert status(cloud, event_id) == ("completed", "Delivered")


def test_an_event_is_delivered_when_an_outage_ends_within_the_time_of_retries(cloud: Enphase):
    event_id = created(cloud)
    happen(cloud, "outage", seconds=300)
    assert commands(cloud) == [(5, 30, 1.0)]
    seen = []
    for minutes in (4, 5):
        at(cloud, minutes=minutes)
        seen.append(status(cloud, event_id))
    assert seen == [("in_progress", "Scheduled"), ("in_progress", "Delivered")]


def test_an_event_fails_when_the_gateway_is_out_until_retries_end(cloud: Enphase):
    event_id = created(cloud)
    happen(cloud, "outage", seconds=301)
    assert commands(cloud) == []
    at(cloud, minutes=4)
    assert status(cloud, event_id) == ("in_progress", "Scheduled")
    at(cloud, minutes=5)
    assert status(cloud, event_id) == ("failed", "Failed")
    assert event(cloud, event_id)["failure_reason"] == "Command not acknowledged by the gateway"


@pytest.mark.parametrize("vendor", [MONITORING, SERVICES])
def test_rows_of_an_outage_come_after_it(caller: Caller, vendor: str):
    caller.set_clock(NOON.isoformat())
    cloud = Enphase(caller, vendor)
    happen(cloud, "outage", seconds=7200)
    seen = []
    for minutes in (119, 120):
        at(cloud, minutes=minutes)
        series = cloud.system_json(0, "/telemetry/battery")
        last = series["intervals"][-1]["end_at"]
        seen.append((cloud.system_json(0, "/summary")["status"], (last - NOON.timestamp()) / MINUTE))
    assert seen == [("comm", 0), ("normal", 90)]


def test_owners_change_the_mode_by_hand_and_the_cloud_keeps_its_events(cloud: Enphase):
    event_id = created(cloud, duration=60)
    happen(cloud, "owner_mode", after_seconds=600, seconds=1200, mode="Savings")
    assert commands(cloud) == [(0, 10, 1.0), (30, 60, 1.0)]
    seen = []
    for minutes in (9, 10, 29, 30):
        at(cloud, minutes=minutes)
        settings = cloud.system_json(0, "/battery_settings")
        seen.append((settings["battery_mode"], status(cloud, event_id)[0]))
    assert seen == [
        ("Self - Consumption", "in_progress"),
        ("Savings Mode", "in_progress"),
        ("Savings Mode", "in_progress"),
        ("Self - Consumption", "in_progress"),
    ]


def test_an_owner_who_wants_a_full_battery_fills_it(cloud: Enphase):
    created(cloud)
    happen(cloud, "owner_mode", after_seconds=600, seconds=600, mode="Backup")
    assert commands(cloud) == [(0, 10, 1.0), (10, 20, None), (20, 30, 1.0)]
    by_hand = cloud.caller.http.get("/batteries").json["sites"][0]["commands"][1]
    assert (by_hand["mode"], by_hand["limit_percent"]) == ("Charge_From_PV_Grid", 100)


def test_an_owner_who_opts_out_ends_what_runs_and_what_is_scheduled_but_nothing_later(cloud: Enphase):
    running = created(cloud)
    coming = created(cloud, start_time="2026-06-21 13:00")
    happen(cloud, "opt_out", after_seconds=600)
    at(cloud, minutes=11)
    later = created(cloud, start_time="2026-06-21 14:00")
    assert [status(cloud, one)[0] for one in (running, coming, later)] == ["optedout", "optedout", "scheduled"]
    assert commands(cloud) == [(0, 10, 1.0), (120, 150, 1.0)]


def test_opting_out_is_for_the_events_that_are_known_even_if_the_clock_stands(cloud: Enphase):
    before = created(cloud)
    happen(cloud, "opt_out")
    after = created(cloud, superseded=True)
    assert [status(cloud, one)[0] for one in (before, after)] == ["optedout", "in_progress"]


def test_all_can_be_forgotten(cloud: Enphase):
    set_conditions(cloud, drops=True)
    happen(cloud, "owner_mode", seconds=60, mode="Backup")
    set_conditions(cloud)
    created(cloud)
    set_conditions(cloud, drops=True)
    assert cloud.caller.http.delete("/batteries").status_code == 204
    assert (listed(cloud), commands(cloud)) == ([], [])
    assert create(cloud).status_code == 200
    assert len(listed(cloud)) == 1


@pytest.mark.parametrize(
    ("method", "body", "field"),
    [
        ("PUT", {"on_fire": True}, "on_fire"),
        ("PUT", {"delay_seconds": 301}, "delay_seconds"),
        ("PUT", {"site": 8}, "site"),
        ("POST", {"what": "fire"}, "what"),
        ("POST", {"what": "outage"}, "seconds"),
        ("POST", {"what": "owner_mode", "seconds": 60, "mode": "x"}, "mode"),
    ],
)
def test_an_invalid_member_is_refused_by_name(cloud: Enphase, method: str, body: dict[str, Any], field: str):
    answer = cloud.caller.http.open("/batteries", method=method, json=body)
    assert (answer.status_code, answer.json["field"]) == (400, field)


def command(start: float, end: float, kw: float = 1.0) -> BatteryCommand:
    return BatteryCommand(start, end, kw, CommandMode.DISCHARGE_TO_LOAD_GRID)


@pytest.mark.parametrize(
    ("later", "left"),
    [
        ((20, 30), [(0, 10)]),
        ((10, 20), [(0, 10)]),
        ((2, 4), [(0, 2), (4, 10)]),
        ((0, 4), [(4, 10)]),
        ((4, 12), [(0, 4)]),
        ((0, 10), []),
        ((-5, 15), []),
    ],
)
def test_a_layer_leaves_of_earlier_ones_what_lies_outside_of_it(later: Any, left: list[Any]):
    layers = [Layer(0, 10, command(0, 10)), Layer(*later, None)]
    assert [(one.start, one.end) for one in commands_of(layers)] == left
    with_command = commands_of([layers[0], Layer(*later, command(*later, kw=2.0))])
    assert [(one.start, one.end) for one in with_command if one.kw == 1.0] == left
    assert [(one.start, one.end) for one in with_command if one.kw == 2.0] == [later]
    assert sorted(with_command, key=lambda one: one.start) == with_command
