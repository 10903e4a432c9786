"""Refusals of events by Enphase's Grid Services API, in the words of its published catalogue."""

from typing import Any

import pytest

from tests.sandbox.callers import Caller
from tests.sandbox.enphase import FIRST, SERVICES, Enphase, system_id
from tests.sandbox.events import DEMO, EVENTS, GONE, NOON, create, listed, refusal


@pytest.fixture
def cloud(caller: Caller) -> Enphase:
    caller.set_clock(NOON.isoformat())
    return Enphase(caller, SERVICES)


TYPE = "Type Mismatch"
SIGN = "rate_watt must be positive for discharge events and negative for charge events"
TARGET = "target_soc should be between 10 and 100 for BATTERY charge or discharge event"
ONE_END = "either end_time or duration must be passed. Both cannot be passed"
ONE_GROUP = "either site_ids or vpp_ids must be passed. Both cannot be passed"
UNSUPPORTED = "The site does not support the requested function"
RANGE = "Event duration out of range"
REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({"program_id": GONE}, "program_id cannot be null"),
    ({"functions": GONE}, "functions cannot be null"),
    ({"functions": []}, "functions cannot be null"),
    ({"functions": ["BATTERY", "PV"]}, "multiple functions are not supported currently. Provide only one function"),
    ({"functions": ["EVSE"]}, "program does not support this function"),
    ({"functions": ["FRIDGE"]}, TYPE),
    ({"measuring_reference": None}, "measuring_reference cannot be null"),
    ({"measuring_reference": "SITE"}, UNSUPPORTED),
    ({"measuring_reference": "MOON"}, TYPE),
    ({"site_ids": GONE}, ONE_GROUP),
    ({"vpp_ids": ["x"]}, ONE_GROUP),
    ({"site_ids": GONE, "vpp_ids": ["x"]}, "vpp ids not supported currently. Provide only site ids"),
    ({"site_ids": [FIRST, FIRST + 7]}, "multiple site ids are not supported currently"),
    ({"site_ids": ["x"]}, TYPE),
    ({"site_ids": [system_id(7)]}, f"No enrollments found for the given program for some sites out of: [{FIRST + 49}]"),
    ({"site_ids": [system_id(1)]}, UNSUPPORTED),
    ({"site_ids": [system_id(4)]}, UNSUPPORTED),
    ({"rate_watt": GONE}, "Either mode or rate_watt is required for BATTERY function"),
    ({"rate_watt": 12.5}, TYPE),
    ({"mode": "Charge"}, "Invalid mode for BATTERY function"),
    ({"mode": "Charge_From_PV"}, SIGN),
    ({"mode": "Idle"}, SIGN),
    ({"mode": "Discharge_To_Load", "rate_watt": 0}, SIGN),
    (
        {"mode": "Charge_From_PV", "rate_watt": 0},
        "Invalid request. For charge events, rate_watt should be negative value (non-zero)",
    ),
    ({"target_soc": GONE}, "target_soc is required for BATTERY charge or discharge event"),
    ({"target_soc": 9}, TARGET),
    ({"target_soc": 101}, TARGET),
    ({"start_time": "2026-06-21 11:59"}, "Start time cannot be in the past"),
    ({"start_time": "2026-06-21T12:10"}, "start_time format should be yyyy-MM-dd HH:mm"),
    ({"start_time": "2026-06-28 12:01"}, "Event start time can be maximum 7 days from current time"),
    ({"duration": GONE}, ONE_END),
    ({"end_time": "2026-06-21 12:30"}, ONE_END),
    ({"duration": GONE, "end_time": "2026-06-21 11:00"}, "End time must be greater than start time"),
    ({"duration": 4}, RANGE),
    ({"duration": 301}, RANGE),
    ({"superseded": "yes"}, TYPE),
]


@pytest.mark.parametrize(
    ("changes", "text"), REFUSALS, ids=[f"{next(iter(one))}-{n}" for n, (one, _) in enumerate(REFUSALS)]
)
def test_what_an_event_cannot_be_is_refused_in_the_words_of_the_catalogue(
    cloud: Enphase, changes: dict[str, Any], text: str
):
    assert refusal(create(cloud, **changes)) == (400, text)
    assert listed(cloud) == []


def test_a_program_of_no_account_or_of_another_one_is_refused(cloud: Enphase):
    assert refusal(create(cloud, program_id="x")) == (403, "Please provide valid Program ID")
    second = Enphase(cloud.caller, SERVICES, "second")
    assert refusal(create(second)) == (403, "Please provide valid Program ID")
    assert refusal(cloud.get(EVENTS, program_id="x")) == (404, "Please provide valid Program ID")


def test_events_are_made_of_json(cloud: Enphase):
    answer = cloud.caller.http.post(f"/{SERVICES}{EVENTS}", headers=cloud.headers, data="x=1")
    assert refusal(answer) == (400, "Content-Type invalid")


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({}, "Missing Parameter"),
        ({"program_id": DEMO, "start_date": "21.6.2026"}, "Invalid start_date format"),
        ({"program_id": DEMO, "end_date": "2026-06-20"}, "Invalid date range"),
        ({"program_id": DEMO, "end_date": "2026-07-22"}, "Invalid date range"),
        ({"program_id": DEMO, "site_id": "x"}, "Invalid siteId"),
        ({"program_id": DEMO, "event_status": "done"}, "Invalid event status"),
    ],
)
def test_a_bad_question_for_events_is_refused(cloud: Enphase, query: dict[str, str], text: str):
    assert refusal(cloud.get(EVENTS, **query)) == (400, text)
