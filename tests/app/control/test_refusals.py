"""What cannot be asked for is refused before anything is changed, with the name of interval and member."""

import pytest

from app.auth.scopes import Scope
from tests.app.control import fake
from tests.app.control.conftest import Controller

GOOD = {"command": "idle", "start": "2026-06-21T13:00:00Z", "end": "2026-06-21T14:00:00Z"}


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"kw": -1}, "intervals[1].kw: "),
        ({"kw": 1e9}, "intervals[1].kw: "),
        ({"kw": "2"}, "intervals[1].kw: "),
        ({"command": "idle", "kw": 2}, "intervals[1].kw: Must be 0 or absent with the command idle."),
        ({"stateOfChargeLimitPercent": 101}, "intervals[1].stateOfChargeLimitPercent: "),
        ({"command": "feed"}, "intervals[1].command: "),
        ({"priority": "sun"}, "intervals[1].priority: "),
        ({"allowExport": "yes"}, "intervals[1].allowExport: "),
        ({"status": "accepted"}, "intervals[1].status: There is no such member."),
        ({"start": "2026-06-21T15:00:00"}, "intervals[1].start: Must be a time with an offset"),
        ({"end": "2026-06-21T15:00:00Z"}, "intervals[1].end: Must be after start."),
        ({"start": "2026-06-21T11:00:00Z", "end": "2026-06-21T12:00:00Z"}, "intervals[1].end: Must not be past."),
        ({"start": "2026-06-21T13:59:00Z"}, "intervals[1].start: The interval overlaps intervals[0]."),
        ({"kw": 101}, "intervals[1].kw: May be 100 at most."),
        ({"end": "2026-06-21T15:04:00Z"}, "intervals[1].end: Must be 5 minutes after the start at least."),
    ],
)
def test_a_wrong_interval_is_a_400_that_names_it_and_nothing_is_changed(controller, cloud, changes, detail):
    wrong = {"command": "discharge", "start": "2026-06-21T15:00:00Z", "end": "2026-06-21T16:00:00Z"} | changes
    answer = controller.put(GOOD, wrong)
    assert (answer.status_code, answer.json["code"]) == (400, "validation_error")
    assert answer.json["detail"].startswith(detail)
    assert cloud.writes == []
    assert controller.history() == []


def test_a_plan_has_96_intervals_at_most(controller, cloud):
    assert controller.put(*[GOOD] * 97).status_code == 400
    several = [controller.interval(10 * number, 10 * number + 10, kw=1.0) for number in range(1, 97)]
    assert len(controller.put(*several).json["intervals"]) == 96


def test_a_vendor_that_cannot_be_controlled_is_a_400_with_its_reason_before_any_call(controller, cloud, app):
    plugin = app.extensions["services"].clouds[fake.NAME].vendor
    plugin.control, plugin.no_control = None, "Its slots repeat daily."
    for answer in (controller.put(GOOD), controller.get(controller.path, {"X-Authorization-memory": "Bearer good"})):
        assert (answer.status_code, answer.json["code"]) == (400, "control_unsupported")
        assert answer.json["detail"] == "Its slots repeat daily."
    assert cloud.calls == []


def test_only_a_token_with_the_scope_control_writes(app, clock, cloud):
    reader = Controller(app, clock, Scope.READ, Scope.CREDENTIALS)
    assert reader.put(GOOD).json["code"] == "insufficient_scope"
    assert reader.read().json["intervals"] == []
    assert Controller(app, clock, Scope.CONTROL).put(GOOD).status_code == 200


def test_another_credential_gets_the_refusal_of_the_vendor_and_changes_nothing(controller, cloud):
    bad = {"X-Authorization-memory": "Bearer bad"}
    for answer in (
        controller.put(GOOD, headers=bad),
        controller.put(GOOD | {"end": "2026-06-21T13:01:00Z"}, headers=bad),
        controller.get(controller.path, bad),
        controller.get(controller.path + "/history", bad),
    ):
        assert (answer.status_code, answer.json["code"]) == (403, "forbidden")
    assert cloud.writes == []


def test_without_a_program_the_sites_only_one_is_used_and_several_must_be_named(controller, cloud, app):
    plugin = app.extensions["services"].clouds[fake.NAME].vendor
    plugin.control = fake.replace(plugin.control, has_programs=True)
    cloud.programs = ["summer", "winter"]
    answer = controller.put(GOOD)
    assert (answer.status_code, answer.json["detail"]) == (
        400,
        "programID: Must name a program of the site; it is enrolled in summer, winter.",
    )
    assert controller.put(GOOD, query="?programID=winter").status_code == 200
    answer = controller.put(GOOD | {"command": "charge"}, query="?programID=autumn")
    assert (answer.status_code, len(cloud.writes)) == (400, 1), "the order that is there stays"
    cloud.programs = ["summer"]
    controller.put(GOOD | {"end": "2026-06-21T15:00:00Z"})
    assert {order["programID"] for order in controller.history()} == {"summer", "winter"}


def test_a_program_is_refused_where_the_vendor_has_none(controller):
    assert controller.put(GOOD, query="?programID=x").json["detail"] == "programID: This vendor has no programs."
