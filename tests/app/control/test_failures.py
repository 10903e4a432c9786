"""Writes that fail, or whose answer is lost; events that fail; and time and budget that end."""

from datetime import timedelta

import pytest

from tests.app.control import fake
from vendors.kit.control import CommandRefused, EventState


def test_a_write_whose_answer_is_lost_is_read_before_it_is_repeated(controller, cloud, clock):
    cloud.fails_with = fake.Lost
    answer = controller.put(controller.interval(10, 70, kw=2.0))
    assert answer.status_code == 200
    assert controller.states() == ["taken"], "the read-back has found what the lost write had made"
    assert len(cloud.writes) == 1
    [write] = controller.history()[0]["writes"]
    assert (write["outcome"], write["answeredAt"] is None) == ("uncertain", False)


def test_a_lost_write_that_has_made_nothing_is_repeated_once_a_read_back_has_shown_that(controller, cloud, clock):
    cloud.fails_with, cloud.makes = fake.Lost, False
    controller.put(controller.interval(10, 70, kw=2.0))
    cloud.fails_with = None
    for _ in range(5):
        assert controller.states() == ["sent"], "the vendor may not show it yet"
        clock.forward(seconds=30)
    assert controller.statuses() == ["sent: Its answer was lost, and the vendor does not show it yet."]
    clock.forward(seconds=10)
    assert controller.states() == ["accepted"]
    assert len(cloud.writes) == 2
    assert len(cloud.events) == 1


def test_an_event_that_the_vendor_shows_after_its_order_was_given_up_is_ended_by_a_forced_plan(
    controller, cloud, clock
):
    cloud.hides = True
    controller.put(controller.interval(60, 120, kw=2.0))
    cloud.hides = False
    for _ in range(2):
        clock.forward(minutes=2)
        controller.read()
    assert controller.states() == ["not-applied"]
    cloud.events["event-1"] = cloud.hidden.pop()
    another = controller.interval(60, 100, kw=1.0)
    answer = controller.put(another)
    assert (answer.status_code, [event["id"] for event in answer.json["events"]]) == (409, ["event-1"])
    assert controller.put(another, query="?force=true").status_code == 200
    assert [event.state for event in cloud.shown()] == [EventState.REMOVED, EventState.SCHEDULED]


def test_a_lost_write_whose_event_is_shown_with_the_second_read_is_not_repeated(controller, cloud, clock):
    cloud.fails_with, cloud.hides = fake.Lost, True
    controller.put(controller.interval(60, 120, kw=2.0))
    cloud.fails_with, cloud.hides = None, False
    clock.forward(minutes=3)
    assert controller.states() == ["sent"]
    cloud.events["event-1"] = cloud.hidden.pop()
    assert controller.states() == ["taken"]
    assert len(cloud.writes) == 1


@pytest.mark.parametrize("makes", [True, False])
def test_the_event_of_an_earlier_order_is_not_taken_for_that_of_a_lost_write(controller, cloud, clock, makes):
    plan = controller.interval(60, 120, kw=2.0)
    controller.put(plan)
    controller.put()
    clock.forward(minutes=1)
    cloud.fails_with, cloud.makes = fake.Lost, makes
    controller.put(plan)
    cloud.fails_with = None
    assert controller.states() == ["taken" if makes else "sent"]
    clock.forward(minutes=3)
    controller.read()
    assert controller.states() == ["taken" if makes else "accepted"]
    assert [event["id"] for event in controller.history()[0]["events"]] == ["event-2"]


def test_an_event_that_is_refused_while_the_one_before_it_ends_is_sent_once_more(controller, cloud, clock):
    controller.put(controller.interval(0, 60, kw=2.0))
    clock.forward(minutes=10)
    cloud.refuses_with = CommandRefused
    controller.put(controller.interval(0, 390, kw=1.0))
    assert controller.states() == ["scheduled"]
    assert len(cloud.writes) == 3
    assert controller.states() == ["scheduled"], "it is not sent again at once"
    clock.forward(seconds=61)
    assert controller.states() == ["failed"], "and once at most"
    assert len(cloud.writes) == 4


def test_the_status_and_the_receipt_have_the_words_with_which_the_vendor_refuses(controller, cloud):
    refusal = CommandRefused(fake.BASE)
    refusal.words = "The program does not permit exports."
    cloud.fails_with = lambda: refusal
    controller.put(controller.interval(10, 70, kw=2.0))
    assert controller.statuses() == ["failed: The program does not permit exports."]
    [write] = controller.history()[0]["writes"]
    assert (write["outcome"], write["answer"]) == ("refused", "The program does not permit exports.")


def test_a_refused_write_fails_its_order_alone(controller, cloud):
    cloud.refuses = lambda planned: planned.kw == 2.0
    answer = controller.put(controller.interval(10, 70, kw=2.0), controller.interval(80, 100, kw=1.0))
    assert [interval["status"] for interval in answer.json["intervals"]] == [
        f"failed: Forbidden: {fake.BASE}",
        "accepted: made",
    ]
    controller.read()
    assert len(cloud.writes) == 2


def test_an_order_of_several_events_is_sent_whole_or_ended(controller, cloud):
    cloud.refuses = lambda planned: len(cloud.events) == 1
    controller.put(controller.interval(10, 610, kw=2.0))
    assert controller.states() == ["failed"]
    assert [event.state for event in cloud.shown()] == [EventState.REMOVED]


def test_an_event_that_fails_at_the_vendor_fails_its_order_with_the_vendors_reason(controller, cloud, clock):
    controller.put(controller.interval(0, 60, kw=2.0))
    cloud.change("event-1", state=EventState.FAILED, reason="The gateway did not answer.")
    clock.forward(minutes=6)
    assert controller.statuses() == ["failed: The gateway did not answer."]


def test_an_order_that_was_never_sent_expires(controller, cloud, clock):
    cloud.fails_with = fake.NotSent
    controller.put(controller.interval(10, 70, kw=2.0))
    clock.forward(minutes=71)
    assert controller.states() == ["expired"]


def test_too_little_time_that_is_left_for_an_order_lets_it_expire_with_the_reason(controller, cloud, clock):
    cloud.fails_with = fake.NotSent
    controller.put(controller.interval(10, 70, kw=2.0))
    cloud.fails_with = None
    clock.forward(minutes=67)
    [status] = controller.statuses()
    assert status == "expired: It could not be sent in time. Must be 5 minutes after the start at least."
    assert len(cloud.events) == 0


def test_writes_that_are_left_when_the_deadline_ends_go_out_with_the_next_request(controller, cloud):
    cloud.writes_until_late = 2
    several = [controller.interval(10 * number, 10 * number + 10, kw=1.0) for number in range(1, 6)]
    answer = controller.put(*several)
    assert answer.json["writes"] == {"perDay": 400, "used": 2, "pending": 3}
    words = [interval["status"].partition(":")[0] for interval in answer.json["intervals"]]
    assert words == ["accepted", "accepted", "scheduled", "scheduled", "scheduled"]
    cloud.writes_until_late = None
    assert controller.read().json["writes"]["pending"] == 0
    assert len(cloud.events) == 5


def test_a_plan_beyond_the_budget_is_refused_before_the_first_write(controller, cloud, clock, app):
    plugin = app.extensions["services"].clouds[fake.NAME].vendor
    plugin.control = fake.replace(plugin.control, writes_per_day=3)
    assert controller.put(controller.interval(10, 70, kw=2.0), controller.interval(80, 100, kw=1.0)).status_code == 200
    clock.forward(minutes=1)
    answer = controller.put(controller.interval(9, 69, kw=2.0), controller.interval(79, 99, kw=1.5))
    assert (answer.status_code, answer.json["code"]) == (429, "write_budget_spent"), "one end and one new event"
    assert (answer.json["limit"], answer.json["used"]) == (3, 2)
    assert int(answer.headers["Retry-After"]) == timedelta(hours=24, minutes=-1).total_seconds()
    assert controller.states() == ["taken", "taken"]
    assert len(cloud.writes) == 2
    assert controller.put().status_code == 200, "what ends events is never refused"
    assert (len(cloud.writes), controller.states()) == (4, [])
    clock.forward(hours=24)
    assert controller.put(controller.interval(9, 69, kw=2.0), controller.interval(79, 99, kw=1.5)).status_code == 200


def test_a_vendor_that_is_down_changes_nothing_and_a_get_shows_what_is_known(controller, cloud, clock):
    controller.put(controller.interval(10, 70, kw=2.0))
    cloud.down = fake.NotSent
    clock.forward(minutes=2)
    answer = controller.read()
    assert answer.json["intervals"][0]["status"] == "accepted: made"
    assert answer.json["errorDetails"][fake.NAME]["code"] == "vendor_down"
    refused = controller.put(controller.interval(10, 70, kw=3.0))
    assert (refused.status_code, refused.json["code"]) == (502, "vendor_down")
    cloud.down = None
    assert controller.states() == ["taken"]


def test_an_event_that_the_vendor_does_not_end_goes_on_and_stays_in_the_list(controller, cloud, clock):
    controller.put(controller.interval(10, 70, kw=2.0))
    cloud.fails_with = lambda: fake.Forbidden(fake.BASE)
    answer = controller.put()
    assert [interval["status"] for interval in answer.json["intervals"]] == [f"taken: Forbidden: {fake.BASE}"]
    clock.forward(minutes=2)
    controller.read()
    assert len(cloud.writes) == 2


def test_asking_again_costs_only_the_calls_that_are_due(controller, cloud, clock):
    controller.put(controller.interval(10, 70, kw=2.0))
    clock.forward(minutes=2)
    controller.read()
    cloud.calls.clear()
    for _ in range(3):
        assert controller.states() == ["taken"]
        controller.history()
    assert cloud.calls == []
