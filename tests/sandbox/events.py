"""Events of Enphase's Grid Services API, made and read after its documents."""

from datetime import UTC, datetime, timedelta
from typing import Any

from werkzeug.test import TestResponse

from tests.sandbox.enphase import FIRST, SERVICES, Enphase

EVENTS = "/api/v2/events"
DEMO = "All Systems*_Sandbox_Demo_Program_Utility_MA"
PILOT = "Peak Shaving* Pilot"
NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)
DISCHARGE = {
    "program_id": DEMO,
    "site_ids": [FIRST],
    "measuring_reference": "ASSET",
    "functions": ["BATTERY"],
    "rate_watt": 1000,
    "target_soc": 10,
    "duration": 30,
}
GONE = object()


def at(cloud: Enphase, **after: int) -> None:
    """Moves the clock of the data to so long after noon."""
    cloud.caller.set_clock((NOON + timedelta(**after)).isoformat())


def create(cloud: Enphase, **changes: Any) -> TestResponse:
    body = {name: value for name, value in (DISCHARGE | changes).items() if value is not GONE}
    return cloud.caller.http.post(f"/{SERVICES}{EVENTS}", headers=cloud.headers, json=body)


def created(cloud: Enphase, **changes: Any) -> str:
    answer = create(cloud, **changes)
    assert answer.status_code == 200, answer.text
    return str(answer.json["event_id"])


def end(cloud: Enphase, event_id: str) -> TestResponse:
    return cloud.caller.http.delete(f"/{SERVICES}{EVENTS}/{event_id}", headers=cloud.headers)


def event(cloud: Enphase, event_id: str) -> dict[str, Any]:
    answer = cloud.get(f"{EVENTS}/{event_id}")
    assert answer.status_code == 200, answer.text
    (shown,) = answer.json["events"]
    return dict(shown)


def status(cloud: Enphase, event_id: str) -> tuple[str, str]:
    shown = event(cloud, event_id)
    return shown["event_status"], shown["command_delivery_status"]


def listed(cloud: Enphase, **query: Any) -> list[str]:
    answer = cloud.get(EVENTS, program_id=DEMO, **query)
    assert answer.status_code == 200, answer.text
    return [entry["event_id"] for entry in answer.json["eventList"]]


def set_conditions(cloud: Enphase, **conditions: Any) -> None:
    """Sets how well events fare that are made from now on."""
    assert cloud.caller.http.put("/batteries", json=conditions).status_code == 200


def happen(cloud: Enphase, what: str, **more: Any) -> None:
    """Lets something happen at the first site."""
    answer = cloud.caller.http.post("/batteries", json={"site": 0, "what": what, **more})
    assert answer.status_code == 200, answer.text


def refusal(answer: TestResponse) -> tuple[int, str]:
    """Status and words of a refusal, which must have the usual members."""
    assert set(answer.json) == {"code", "displayMessage", "additionalInfo", "errorRefNo"}
    return answer.status_code, answer.json["displayMessage"]
