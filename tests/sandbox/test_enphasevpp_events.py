"""Events of Enphase's Grid Services API: how they are made, shown, ended and refused."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.sandbox.callers import Caller
from tests.sandbox.enphase import FIRST, SERVICES, Enphase, system_id
from tests.sandbox.events import (
    DEMO,
    EVENTS,
    GONE,
    NOON,
    PILOT,
    at,
    create,
    created,
    end,
    event,
    listed,
    refusal,
    status,
)


@pytest.fixture
def cloud(caller: Caller) -> Enphase:
    caller.set_clock(NOON.isoformat())
    return Enphase(caller, SERVICES)


def test_a_new_event_is_answered_with_200_and_summed_up(cloud: Enphase):
    answer = create(cloud, start_time="2026-06-21 13:15")
    assert answer.status_code == 200
    assert answer.json == {
        "message": "Event created successfully",
        "event_id": answer.json["event_id"],
        "name": "Event 202606211315",
        "no_of_sites": 1,
        "program_id": DEMO,
        "total_watts": 1000,
    }


def test_an_event_is_shown_with_the_members_of_the_published_example(cloud: Enphase):
    event_id = created(cloud, start_time="2026-06-21 13:15", mode="Discharge_To_Load_Grid")
    answer = cloud.get(f"{EVENTS}/{event_id}")
    assert answer.json == {
        "event_id": event_id,
        "name": "Event 202606211315",
        "program_id": DEMO,
        "events": [
            {
                "site_id": str(FIRST),
                "event_status": "scheduled",
                "start_time": "2026-06-21T13:15:00.000+00:00",
                "end_time": "2026-06-21T13:45:00.000+00:00",
                "created_at": "2026-06-21T12:00:00.000+00:00",
                "functions": ["BATTERY"],
                "duration": 30,
                "mode": "Discharge_To_Load_Grid",
                "target_soc": 10,
                "rate_watt": 1000,
                "command_delivery_status": "Scheduled",
                "measuring_reference": "ASSET",
            }
        ],
    }
    assert cloud.get(EVENTS, program_id=DEMO).json == {
        "program_id": DEMO,
        "total_count": 1,
        "eventList": [answer.json],
    }


def test_an_event_goes_from_scheduled_to_completed_by_the_clock(cloud: Enphase):
    event_id = created(cloud, start_time="2026-06-21 12:10")
    seen = []
    for minutes in (9, 10, 39, 40):
        at(cloud, minutes=minutes)
        seen.append(status(cloud, event_id))
    assert seen == [
        ("scheduled", "Scheduled"),
        ("in_progress", "Delivered"),
        ("in_progress", "Delivered"),
        ("completed", "Delivered"),
    ]
    assert event(cloud, event_id)["completed_at"] == "2026-06-21T12:40:00.000+00:00"


def test_without_a_start_an_event_begins_at_the_next_minute(cloud: Enphase):
    at(cloud, seconds=1)
    assert event(cloud, created(cloud))["start_time"] == "2026-06-21T12:01:00.000+00:00"
    at(cloud, minutes=60)
    ending = event(cloud, created(cloud, duration=GONE, end_time="2026-06-21 13:20"))
    assert (ending["start_time"], ending["duration"]) == ("2026-06-21T13:00:00.000+00:00", 20)


@pytest.mark.parametrize(
    ("rate", "mode"), [(500, "Discharge_To_Load_Grid"), (-500, "Charge_From_PV_Grid"), (0, "Idle")]
)
def test_without_a_mode_the_sign_of_the_power_chooses_it(cloud: Enphase, rate: int, mode: str):
    shown = event(cloud, created(cloud, rate_watt=rate))
    assert (shown["mode"], shown["rate_watt"]) == (mode, rate)
    assert ("target_soc" in shown) == (mode != "Idle")


@pytest.mark.parametrize(("rate", "sign"), [(10**6, 1), (-(10**6), -1)])
def test_more_than_the_rated_power_is_capped(cloud: Enphase, rate: int, sign: int):
    rated = cloud.system_json(0, "/summary")["battery_discharge_w"]
    answer = create(cloud, rate_watt=rate)
    assert answer.json["total_watts"] == rated > 1000
    assert event(cloud, answer.json["event_id"])["rate_watt"] == sign * rated


@pytest.mark.parametrize("changes", [{"duration": 5}, {"duration": 300}, {"start_time": "2026-06-28 12:00"}])
def test_the_limits_themselves_are_accepted(cloud: Enphase, changes: dict[str, Any]):
    created(cloud, **changes)


def test_an_overlapping_event_is_refused_unless_it_supersedes(cloud: Enphase):
    created(cloud, start_time="2026-06-21 13:00")
    text = refusal(create(cloud, start_time="2026-06-21 13:29"))
    assert text[0] == 400
    assert text[1].startswith("Already event is scheduled/ongoing.")
    created(cloud, start_time="2026-06-21 13:30")
    created(cloud, start_time="2026-06-21 12:30")
    assert len(listed(cloud)) == 3


def test_an_event_that_is_not_taken_may_be_answered_well_and_deleted_at_once(cloud: Enphase):
    cloud.caller.http.put(f"/options/{SERVICES}", json={"overlap": "deleted"})
    first = created(cloud, start_time="2026-06-21 13:00")
    second = created(cloud, start_time="2026-06-21 13:10", superseded=False)
    assert [status(cloud, one) for one in (first, second)] == [("scheduled", "Scheduled"), ("deleted", "Cancelled")]


def test_a_superseding_event_deletes_those_that_it_covers_and_no_others(cloud: Enphase):
    covered = created(cloud, start_time="2026-06-21 13:30", duration=5)
    touched = created(cloud, start_time="2026-06-21 13:00")
    created(cloud, start_time="2026-06-21 13:20", duration=60, superseded=True)
    assert status(cloud, covered) == ("deleted", "Cancelled")
    assert status(cloud, touched) == ("scheduled", "Scheduled")


def test_an_event_is_cancelled_before_its_start_and_only_once(cloud: Enphase):
    event_id = created(cloud, start_time="2026-06-21 13:00")
    answer = end(cloud, event_id)
    assert (answer.status_code, answer.json["message"]) == (200, "Event cancelled successfully")
    assert status(cloud, event_id) == ("deleted", "Cancelled")
    assert event(cloud, event_id)["cancelled_at"] == "2026-06-21T12:00:00.000+00:00"
    assert refusal(end(cloud, event_id))[1].startswith("Cancellation request is already submitted/in_progress")
    created(cloud, start_time="2026-06-21 13:00")


def test_an_event_that_runs_is_ended_after_a_while(cloud: Enphase):
    event_id = created(cloud)
    at(cloud, minutes=10)
    assert end(cloud, event_id).status_code == 200
    seen = []
    for seconds in (0, 45, 60):
        at(cloud, minutes=10, seconds=seconds)
        seen.append((event(cloud, event_id)["cancellation_request"], *status(cloud, event_id)))
    assert seen == [
        ("submitted", "in_progress", "Delivered"),
        ("in_progress", "in_progress", "Delivered"),
        ("completed", "stopped", "Delivered"),
    ]
    assert event(cloud, event_id)["cancelled_at"] == "2026-06-21T12:11:00.000+00:00"
    assert refusal(end(cloud, event_id))[0] == 400


def test_an_event_that_was_ended_leaves_the_time_after_its_end_to_others(cloud: Enphase):
    event_id = created(cloud, duration=60)
    at(cloud, minutes=10)
    end(cloud, event_id)
    assert refusal(create(cloud))[0] == 400
    created(cloud, start_time="2026-06-21 12:11")


def test_an_event_that_is_over_cannot_be_deleted(cloud: Enphase):
    event_id = created(cloud)
    at(cloud, minutes=30)
    assert refusal(end(cloud, event_id)) == (400, "Only scheduled or in_progress events can be deleted")


def test_programs_may_forbid_to_cancel_and_to_end(cloud: Enphase):
    running, coming = created(cloud), created(cloud, start_time="2026-06-21 14:00")
    at(cloud, minutes=10)
    cloud.set_options(no_cancelling=True, no_ending=True)
    assert refusal(end(cloud, running)) == (403, "Ongoing event ending is not allowed for this program")
    assert refusal(end(cloud, coming)) == (403, "Upcoming event cancellation is not allowed for this program")
    rules = cloud.get("/api/v1/programs/Peak%20Shaving*%20Pilot").json
    assert not rules["event_cancellation_allowed_for_upcoming_events"]
    assert not rules["event_ending_allowed_for_ongoing_event"]


def test_an_unknown_event_is_not_found_and_that_of_another_account_forbidden(cloud: Enphase):
    second = Enphase(cloud.caller, SERVICES, "second")
    event_id = created(cloud)
    assert refusal(second.get(f"{EVENTS}/{event_id}")) == (403, "You cannot access this event")
    assert refusal(end(second, event_id)) == (403, "You cannot access this event")
    for answer in (cloud.get(f"{EVENTS}/x"), end(cloud, "x")):
        assert refusal(answer) == (404, "No events found")
    shared = created(second, program_id=PILOT, site_ids=[FIRST], start_time="2026-06-21 18:00")
    assert status(cloud, shared) == ("scheduled", "Scheduled")


def test_the_list_can_be_narrowed_and_comes_in_pages(cloud: Enphase):
    events = [created(cloud, start_time=f"2026-06-{day} 11:00") for day in (22, 23, 28)]
    other = created(cloud, site_ids=[system_id(2)], start_time="2026-06-22 14:00")
    assert listed(cloud) == [events[0], other, *events[1:]]
    assert listed(cloud, site_id=FIRST) == events
    assert listed(cloud, start_date="2026-06-23") == events[1:]
    assert listed(cloud, end_date="2026-06-22") == [events[0], other]
    assert [listed(cloud, page_no=page, page_size=3) for page in (1, 2)] == [[events[0], other, events[1]], events[2:]]
    end(cloud, events[0])
    assert listed(cloud, event_status="deleted") == events[:1]
    assert listed(cloud, event_status="scheduled", site_id=FIRST) == events[1:]


def opt_out(cloud: Enphase, event_id: str, **body: Any) -> TestResponse:
    body = {"site_id": FIRST, "optout": True} | body
    return cloud.caller.http.put(f"/{SERVICES}/api/v1/events/optout/{event_id}", headers=cloud.headers, json=body)


def test_a_site_is_opted_out_of_an_event_and_in_again(cloud: Enphase):
    event_id = created(cloud, start_time="2026-06-21 12:10")
    answer = opt_out(cloud, event_id)
    assert answer.json == {"message": "Site Opted Out successfully", "event_id": event_id, "site_id": FIRST}
    assert status(cloud, event_id) == ("optedout", "Cancelled")
    assert refusal(opt_out(cloud, event_id)) == (422, "This site is already opted out")
    assert opt_out(cloud, event_id, optout=False).status_code == 200
    assert status(cloud, event_id) == ("scheduled", "Scheduled")
    at(cloud, minutes=9, seconds=30)
    assert refusal(opt_out(cloud, event_id))[1].endswith("its start time is within 1 minutes from current time")
    at(cloud, minutes=10)
    assert refusal(opt_out(cloud, event_id)) == (422, "Only scheduled events can be opted out or opted in")
    assert refusal(opt_out(cloud, event_id, site_id=1)) == (404, "No event found for this site_id")


def test_writes_are_counted_by_site_refused_ones_too(cloud: Enphase):
    event_id = created(cloud)
    create(cloud, site_ids=[system_id(2)], duration=1)
    end(cloud, event_id)
    cloud.get(f"{EVENTS}/{event_id}")
    writes = f"/writes/{SERVICES}"
    assert cloud.caller.http.get(writes).json == {str(FIRST): 2, str(system_id(2)): 1}
    assert cloud.caller.http.delete(writes).status_code == 204
    assert cloud.caller.http.get(writes).json == {}


def test_a_fault_of_one_method_loses_the_answer_of_an_event_that_was_made(cloud: Enphase):
    fault = {"path": EVENTS, "method": "POST", "status": 504, "after": True, "times": 1}
    cloud.caller.http.put(f"/faults/{SERVICES}", json=fault)
    assert listed(cloud) == []
    assert create(cloud).status_code == 504
    assert len(listed(cloud)) == 1
