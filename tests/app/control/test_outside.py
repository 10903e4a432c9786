"""Changes from outside: by the vendor, its app, or the owner. Nothing of theirs is overwritten unless it is forced."""

from datetime import timedelta

import pytest

from tests.app.control import fake
from vendors.kit.control import EventState, PlannedEvent


def foreign(cloud, start=20, end=50):
    """An event that the vendor's app has made."""
    at = fake.NOON
    return cloud.add(PlannedEvent(at + timedelta(minutes=start), at + timedelta(minutes=end), "charge", -1.0)).id


def test_an_event_of_the_vendors_app_in_the_time_of_a_plan_is_a_409_that_shows_it(controller, cloud):
    id = foreign(cloud)
    answer = controller.put(controller.interval(10, 70, kw=2.0))
    assert (answer.status_code, answer.json["code"]) == (409, "control_conflict")
    assert [event["id"] for event in answer.json["events"]] == [id]
    assert cloud.writes == []
    assert controller.put(controller.interval(60, 70, kw=2.0)).status_code == 200, "another time"


def test_a_forced_plan_ends_what_the_vendors_app_has_made_and_its_receipt_says_so(controller, cloud):
    id = foreign(cloud)
    answer = controller.put(controller.interval(10, 70, kw=2.0), query="?force=true")
    assert answer.status_code == 200
    assert cloud.events[id].state is EventState.REMOVED
    first, second = controller.history()[0]["writes"]
    assert (first["action"], first["event"]["id"], first["event"]["external"]) == ("end", id, True)
    assert (second["action"], second["outcome"]) == ("add", "accepted")


@pytest.mark.parametrize(
    "change",
    [
        {"state": EventState.REMOVED},
        {"state": EventState.OPTED_OUT},
        {"kw": -3.0},
        {"end": fake.NOON + timedelta(minutes=30)},
    ],
)
def test_an_order_that_was_taken_and_is_then_changed_is_external(controller, cloud, clock, change):
    controller.put(controller.interval(10, 70, kw=2.0))
    clock.forward(minutes=2)
    controller.read()
    cloud.change("event-1", **change)
    clock.forward(minutes=6)
    assert controller.states() == ["external"]
    assert controller.history()[0]["readBacks"][-1]["events"][0]["id"] == "event-1", "what was seen instead"
    again = controller.put(controller.interval(4, 64, kw=2.0))
    assert (again.status_code, again.json["code"]) == (409, "control_conflict")
    assert len(again.json["orders"]) == 1
    assert len(cloud.writes) == 1
    assert controller.put(controller.interval(2, 62, kw=2.0), query="?force=true").status_code == 200
    assert controller.states() == ["accepted"]
    assert [event.state for event in cloud.shown()][-1] is EventState.SCHEDULED
    assert cloud.shown()[0].state is not EventState.SCHEDULED, "what is left of the changed event is ended"


def test_an_event_that_vanishes_after_it_was_taken_is_external(controller, cloud, clock):
    controller.put(controller.interval(10, 70, kw=2.0))
    clock.forward(minutes=2)
    controller.read()
    cloud.events.clear()
    clock.forward(minutes=6)
    assert controller.states() == ["external"]


def test_a_power_that_the_vendor_caps_is_taken_and_shown_on_the_receipt(controller, cloud, clock):
    cloud.cap_kw = 1.5
    controller.put(controller.interval(10, 70, kw=2.0))
    clock.forward(minutes=2)
    assert controller.states() == ["taken"]
    assert controller.history()[0]["events"][0]["acceptedKw"] == 1.5


def test_a_receipt_shows_the_sites_state_before_the_first_write(controller, cloud):
    foreign(cloud, 80, 90)
    controller.put(controller.interval(10, 70, kw=2.0))
    [receipt] = controller.history()
    assert receipt["before"]["kw"] == 0.0
    assert receipt["before"]["stateOfChargePercent"] == 50.0
    assert receipt["ratedPowerKw"] == fake.RATING_KW
