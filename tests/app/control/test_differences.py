"""Only differences are written, and what has begun is never rewritten."""

from datetime import timedelta

from tests.app.control import fake


def test_an_interval_that_runs_may_be_sent_again_when_too_little_is_left_of_it_for_a_new_one(controller, cloud, clock):
    running, next_one = controller.interval(0, 60, kw=2.0), controller.interval(60, 120, kw=1.0)
    controller.put(running)
    clock.forward(minutes=57)
    answer = controller.put(running, next_one)
    assert answer.status_code == 200, answer.text
    assert len(cloud.events) == 2
    assert len(cloud.writes) == 2
    refused = controller.put(running | {"kw": 1.5}, next_one)
    assert refused.status_code == 400
    assert refused.json["detail"] == "intervals[0].end: Must be 5 minutes after the start at least."
    assert len(cloud.writes) == 2


def test_a_plan_that_is_sent_again_every_minute_causes_one_write_for_each_interval(controller, cloud, clock):
    intervals = [controller.interval(10, 70, kw=2.0), controller.interval(70, 400, "charge", kw=1.0)]
    for _ in range(60):
        assert controller.put(*intervals).status_code == 200
        clock.forward(minutes=1)
    assert len(cloud.writes) == 3, "the second interval is longer than an event may be"


def test_a_plan_that_begins_now_each_time_it_is_sent_is_written_once(controller, cloud, clock):
    end = controller.interval(0, 60)["end"]
    for _ in range(10):
        answer = controller.put(controller.interval(0, 60, kw=2.0) | {"end": end})
        assert len(answer.json["intervals"]) == 1
        clock.forward(minutes=1)
    assert len(cloud.writes) == 1


def test_an_order_that_the_battery_ignores_is_not_sent_again_and_again(controller, cloud, clock):
    cloud.hides = True
    interval = controller.interval(10, 200, kw=2.0)
    for _ in range(30):
        controller.put(interval)
        clock.forward(minutes=1)
    assert len(cloud.writes) == 1
    assert controller.statuses() == ["not-applied: The vendor has accepted it and never shown it."]
    cloud.hides = False
    controller.put(interval, query="?force=true")
    assert len(cloud.writes) == 2
    assert controller.states() == ["accepted"]


def test_another_list_supersedes_what_lies_ahead_and_an_empty_one_cancels(controller, cloud, clock):
    controller.put(controller.interval(10, 70, kw=2.0), controller.interval(80, 100, kw=1.0))
    controller.put(controller.interval(10, 70, kw=2.0), controller.interval(80, 100, kw=1.5))
    assert [call[0] for call in cloud.writes] == ["add", "add", "end", "add"]
    controller.put()
    assert controller.read().json["intervals"] == []
    assert sorted(order["state"] for order in controller.history()) == ["cancelled", "cancelled", "superseded"]
    assert {event.state.value for event in cloud.shown()} == {"removed"}


def test_an_interval_that_has_begun_is_ended_and_not_rewritten(controller, cloud, clock):
    controller.put(controller.interval(0, 60, kw=2.0))
    clock.forward(minutes=20)
    controller.put(controller.interval(-20, 40, kw=3.0))
    first, second = cloud.events.values()
    assert (first.kw, first.end) == (2.0, clock.now)
    assert (second.kw, second.start, second.end) == (3.0, clock.now, fake.NOON + timedelta(hours=1))
    assert [order["state"] for order in controller.history()] == ["accepted", "superseded"]


def test_a_running_order_is_ended_when_it_is_cancelled(controller, cloud, clock):
    controller.put(controller.interval(0, 60, kw=2.0))
    clock.forward(minutes=5)
    controller.put()
    assert cloud.shown()[0].state.value == "ended"
    [receipt] = controller.history()
    assert (receipt["state"], receipt["isFinal"]) == ("cancelled", True)
    assert [(write["action"], write["outcome"]) for write in receipt["writes"]] == [
        ("add", "accepted"),
        ("end", "accepted"),
    ]


def test_a_day_of_plans_that_are_sent_again_causes_two_writes_for_each_changed_interval(controller, cloud, clock):
    hours = [controller.interval(60 * hour, 60 * hour + 60, kw=1.0) for hour in range(24)]
    changes = 0
    for quarter in range(0, 4 * 23):
        if quarter % 16 == 8:
            changes += 1
            hours[-1]["kw"] += 0.5
        assert controller.put(*hours[quarter // 4 :]).status_code == 200
        clock.forward(minutes=15)
    assert len(cloud.writes) == len(hours) + 2 * changes
    assert {order["state"] for order in controller.history("?pageSize=100")} == {"verified", "superseded", "taken"}
