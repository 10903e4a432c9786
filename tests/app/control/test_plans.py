"""A plan is written, shown, taken and proven."""

from datetime import timedelta

from tests.app.control import fake


def test_a_plan_is_sent_and_its_list_shows_the_vendors_words(controller, cloud):
    answer = controller.put(controller.interval(10, 70, kw=2.0), controller.interval(80, 100, "charge", kw=1.0))
    assert answer.status_code == 200, answer.text
    first, second = answer.json["intervals"]
    assert (first["command"], first["kw"], first["status"]) == ("discharge", 2.0, "accepted: made")
    assert second["start"] == (fake.NOON + timedelta(minutes=80)).isoformat()
    assert answer.json["writes"] == {"perDay": 400, "used": 2, "pending": 0}
    assert [(event.mode, event.kw) for event in cloud.events.values()] == [("discharge", 2.0), ("charge", -1.0)]


def test_an_order_is_taken_only_once_a_later_read_back_shows_it(controller, clock):
    controller.put(controller.interval(10, 70, kw=2.0))
    assert controller.states() == ["accepted"]
    clock.forward(minutes=2)
    assert controller.statuses() == ["taken: scheduled"]


def test_an_order_that_the_battery_has_carried_out_ends_as_verified(controller, clock):
    controller.put(controller.interval(0, 60, kw=2.0))
    clock.forward(minutes=10)
    controller.read()
    clock.forward(minutes=60)
    assert controller.states() == ["verified"]
    [receipt] = controller.history()
    assert receipt["isFinal"]
    assert receipt["clientID"] == controller.id
    assert receipt["verdict"]["rule"] == "energy"


def test_an_order_that_the_battery_ignores_ends_as_not_applied(controller, cloud, clock):
    cloud.obeys = False
    controller.put(controller.interval(0, 60, kw=2.0))
    clock.forward(minutes=10)
    controller.read()
    clock.forward(minutes=60)
    assert controller.states() == ["not-applied"]


def test_a_start_that_passes_before_the_write_becomes_the_earliest_time_that_the_vendor_takes(controller, cloud, clock):
    cloud.fails_with = fake.NotSent
    controller.put(controller.interval(0, 60, kw=2.0))
    assert controller.states() == ["scheduled"]
    cloud.fails_with = None
    clock.forward(minutes=3)
    assert controller.states() == ["accepted"]
    [event] = cloud.events.values()
    assert (event.start, event.end) == (clock.now, fake.NOON + timedelta(hours=1))
    [receipt] = controller.history()
    assert [event["state"] for event in receipt["events"]] == ["accepted"]
    assert [write["outcome"] for write in receipt["writes"]] == ["not sent", "not sent", "accepted"]
    assert controller.read().json["writes"] == {"perDay": 400, "used": 1, "pending": 0}


def test_a_plan_that_lies_ahead_makes_no_read_backs_but_those_that_move_it(controller, clock):
    controller.put(*[controller.interval(10 * number, 10 * number + 10, kw=1.0) for number in range(30, 60)])
    for _ in range(10):
        clock.forward(minutes=6)
        assert set(controller.states()) == {"taken"}
    assert {len(order["readBacks"]) for order in controller.history()} == {1}


def test_a_running_order_keeps_a_bounded_number_of_read_backs(controller, clock, monkeypatch):
    monkeypatch.setattr("app.control.run.MAX_READINGS", 3)
    controller.put(controller.interval(0, 60, kw=1.0))
    for _ in range(6):
        clock.forward(minutes=2)
        controller.read()
    assert len(controller.history()[0]["readBacks"]) == 3


def test_an_order_that_has_ended_is_in_the_list_until_a_plan_follows_its_verdict(controller, clock):
    controller.put(controller.interval(0, 60, kw=2.0))
    clock.forward(minutes=61)
    assert len(controller.put(controller.interval(60, 120, kw=1.0)).json["intervals"]) == 2
    clock.forward(minutes=10)
    assert controller.states() == ["verified", "taken"]
    assert [interval["kw"] for interval in controller.put().json["intervals"]] == []
    assert sorted(order["state"] for order in controller.history()) == ["cancelled", "verified"]
