"""Two clients that control the same site: neither overwrites the other's plan unless it forces it."""

from datetime import timedelta

import pytest

from app.control.leases import Purpose, SiteLeases
from tests.app.control.conftest import Controller
from vendors.kit.control import EventState


@pytest.fixture
def other(app, clock):
    return Controller(app, clock)


def test_a_plan_is_refused_while_that_of_another_client_runs_which_is_not_shown(controller, other, cloud, clock):
    controller.put(controller.interval(10, 70, kw=2.0))
    answer = other.put(other.interval(100, 160, kw=1.0))
    assert (answer.status_code, answer.json["code"]) == (409, "control_conflict")
    assert answer.json["until"] == (clock.now + timedelta(minutes=70)).isoformat()
    assert "orders" not in answer.json
    assert len(cloud.writes) == 1
    assert other.read().json["intervals"] == []


def test_an_empty_list_ends_nothing_of_another_client_even_if_it_is_forced(controller, other, cloud):
    controller.put(controller.interval(10, 70, kw=2.0))
    assert other.put(query="?force=true").status_code == 200
    assert len(cloud.writes) == 1
    assert controller.states() == ["accepted"]


def test_a_forced_plan_takes_the_place_of_another_clients_which_is_then_superseded(controller, other, cloud, clock):
    controller.put(controller.interval(10, 70, kw=2.0))
    assert other.put(other.interval(20, 80, kw=1.0), query="?force=true").status_code == 200
    assert [event.state for event in cloud.shown()] == [EventState.REMOVED, EventState.SCHEDULED]
    assert other.states() == ["accepted"]
    clock.forward(minutes=2)
    assert controller.read().json["intervals"] == []
    [order] = controller.history()
    assert (order["state"], order["isFinal"]) == ("superseded", True)
    assert [write["action"] for write in order["writes"]] == ["add", "end"]


def test_the_plan_of_another_client_that_has_ended_is_in_no_ones_way(controller, other, clock):
    controller.put(controller.interval(10, 70, kw=2.0))
    clock.forward(minutes=71)
    assert other.put(other.interval(10, 70, kw=1.0)).status_code == 200


def test_a_plan_that_another_client_has_cancelled_is_in_no_ones_way(controller, other, clock):
    controller.put(controller.interval(10, 70, kw=2.0))
    controller.put()
    assert other.put(other.interval(10, 70, kw=1.0)).status_code == 200


def test_while_a_plan_is_written_another_is_a_409_and_the_list_is_shown_without_a_look(
    app, controller, other, cloud, clock
):
    controller.put(controller.interval(10, 70, kw=2.0))
    site = controller.path.split("/")[2]
    leases = SiteLeases(app.extensions["services"].database)
    assert leases.take(site, "another process", Purpose.PLAN, 60)
    answer = other.put(other.interval(10, 70, kw=1.0), query="?force=true")
    assert (answer.status_code, answer.json["code"]) == (409, "control_busy")
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    clock.forward(minutes=20)
    before = len(cloud.calls)
    assert controller.states() == ["accepted"]
    assert len(cloud.calls) == before
    leases.release(site, "another process")
    assert controller.states() == ["taken"]


def test_a_plan_with_a_key_is_sent_once_and_answered_as_the_first_time(controller, cloud, clock):
    plan, key = controller.interval(10, 70, kw=2.0), {"Idempotency-Key": "a-plan"}
    first = controller.put(plan, headers=key)
    clock.forward(minutes=2)
    again = controller.put(plan, headers=key)
    assert again.json == first.json
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(cloud.writes) == 1
    other = controller.put(controller.interval(10, 71, kw=2.0), headers=key)
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")


def test_an_order_that_no_client_looked_at_for_days_still_ends_in_one_final_state(controller, clock):
    controller.put(controller.interval(15, 75, kw=2.0))
    clock.forward(days=5)
    controller.read()
    [order] = controller.history()
    assert (order["state"], order["isFinal"]) == ("verified", True)
    assert order["verdict"]["rule"] == "energy"
