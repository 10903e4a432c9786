"""Events of Enphase's Grid Services API: which calls are made for them, and what their replies mean."""

import copy
from datetime import UTC, datetime, timedelta

import pytest

from tests.vendors.enphasevpp.played import PROGRAMS, SEARCH, error_of, programs, systems
from tests.vendors.support import BASE, open_vendor, recorded
from vendors.kit import BackendError, BadReply, Client, EventState, NotFound, PlannedEvent, Unauthorized

EVENTS = f"{BASE}/api/v2/events"
KEY = ("698934045",)
NOW = datetime(2024, 3, 24, 12, 14, 20, tzinfo=UTC)
START, END = NOW.replace(hour=9, minute=0, second=0), NOW.replace(hour=17, minute=0, second=0)
DISCHARGE = PlannedEvent(NOW.replace(minute=30, second=0), END, "Discharge_To_Load_Grid", 5.0)
CHARGE = PlannedEvent(NOW.replace(minute=30, second=0), END, "Charge_From_PV_Grid", -5.0)


@pytest.fixture
def plugin(network, monkeypatch):
    monkeypatch.setattr(Client, "now", NOW)
    return open_vendor("enphasevpp", seconds=60.0)


def of_list(**members):
    """A list whose only event has these members; None leaves one out."""
    body = recorded("enphasevpp", "events")
    event = copy.deepcopy(body["eventList"][0])
    event["events"][0] |= members
    event["events"][0] = {name: value for name, value in event["events"][0].items() if value is not None}
    return {"program_id": "test", "total_count": 1, "eventList": [event]}


def only_event(plugin, network, **members):
    network.get(EVENTS, json=of_list(**members))
    (event,) = plugin.control_events(KEY, "test", START, END)
    return event


def test_the_programs_of_a_site_are_those_whose_sites_have_it(plugin, network):
    network.get(PROGRAMS, json=programs("a", "All Systems*_Demo", "c"))
    network.get(f"{SEARCH}/a", json=systems(698934045, 2))
    network.get(f"{SEARCH}/All%20Systems%2A_Demo", json=systems(698934045))
    network.get(f"{SEARCH}/c", json=systems(3))
    assert plugin.control_programs(KEY) == ["a", "All Systems*_Demo"]


def test_programs_are_not_told_apart_while_the_sites_of_one_cannot_be_read(plugin, network):
    network.get(PROGRAMS, json=programs("a", "b"))
    network.get(f"{SEARCH}/a", json=systems(698934045))
    network.get(f"{SEARCH}/b", status=500)
    with pytest.raises(BackendError):
        plugin.control_programs(KEY)


def test_without_a_program_the_events_of_all_programs_of_the_site_are_listed(plugin, network):
    network.get(PROGRAMS, json=programs("a", "b", "c"))
    for program in ("a", "b"):
        network.get(f"{SEARCH}/{program}", json=systems(698934045))
    network.get(f"{SEARCH}/c", json=systems(3))
    network.get(EVENTS, json=of_list())
    assert len(plugin.control_events(KEY, None, START, END)) == 1, "the same event comes twice"
    assert [call.request.params["program_id"] for call in network.calls if "events" in call.request.url] == ["a", "b"]


def test_pages_are_read_until_all_events_have_come(plugin, network):
    body = recorded("enphasevpp", "events")
    for number in range(3):
        page = body | {"total_count": 250, "eventList": [body["eventList"][number]]}
        network.get(EVENTS, json=page, match=[lambda request, n=str(number + 1): (request.params["page_no"] == n, "")])
    assert [event.id[-4:] for event in plugin.control_events(KEY, "test", START, END)] == ["203c", "2001", "2002"]
    assert len(network.calls) == 3


def test_more_than_30_days_are_asked_for_in_several_calls_and_an_event_counts_once(plugin, network):
    network.get(EVENTS, json=of_list())
    assert len(plugin.control_events(KEY, "test", START, START + timedelta(days=40))) == 1
    dates = [(call.request.params["start_date"], call.request.params["end_date"]) for call in network.calls]
    assert dates == [("2024-03-23", "2024-04-22"), ("2024-04-22", "2024-05-04")]


@pytest.mark.parametrize(
    ("start", "end", "count"),
    [
        ("13:29", "13:45", 1),
        ("13:30", "13:45", 0),
        ("13:00", "13:15", 0),
        ("13:00", "13:16", 1),
    ],
)
def test_only_events_that_touch_the_time_asked_for_are_returned(plugin, network, start, end, count):
    network.get(EVENTS, json=of_list())
    times = (datetime.fromisoformat(f"2024-03-24T{at}+00:00") for at in (start, end))
    assert len(plugin.control_events(KEY, "test", *times)) == count


@pytest.mark.parametrize(
    ("members", "kw"),
    [
        ({"mode": "Charge_From_PV", "rate_watt": 2000}, -2.0),
        ({"mode": "Charge_From_PV", "rate_watt": -2000}, -2.0),
        ({"mode": "Discharge_To_Load", "rate_watt": 2000}, 2.0),
        ({"mode": "Idle", "rate_watt": None}, 0.0),
        ({"mode": "Charge_From_PV", "rate_watt": None}, None),
        ({"mode": "Some_New_Mode", "rate_watt": -700}, -0.7),
        ({"mode": None, "rate_watt": -700}, -0.7),
    ],
    ids=str,
)
def test_the_mode_of_an_event_has_the_sign_of_its_power(plugin, network, members, kw):
    assert only_event(plugin, network, **members).kw == kw


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("scheduled", EventState.SCHEDULED),
        ("in_progress", EventState.RUNNING),
        ("completed", EventState.ENDED),
        ("stopped", EventState.ENDED),
        ("failed", EventState.FAILED),
        ("deleted", EventState.REMOVED),
        ("optedout", EventState.OPTED_OUT),
    ],
)
def test_each_documented_status_has_its_state_and_stands_in_the_text(plugin, network, word, state):
    event = only_event(plugin, network, event_status=word, command_delivery_status=None)
    assert (event.state, event.text) == (state, word)


@pytest.mark.parametrize(
    "members",
    [{"event_status": "paused"}, {"start_time": "2024-03-24T13:15:00"}, {"end_time": "soon"}, {"site_id": None}],
    ids=str,
)
def test_an_event_that_cannot_be_read_is_not_left_out_of_the_list(plugin, network, members):
    network.get(EVENTS, json=of_list(**members))
    with pytest.raises(BadReply):
        plugin.control_events(KEY, "test", START, END)


def test_a_404_for_a_program_is_no_empty_list(plugin, network):
    status, body = error_of("Please provide valid Program ID", 404)
    network.get(EVENTS, status=status, json=body)
    with pytest.raises(NotFound):
        plugin.control_events(KEY, "test", START, END)


@pytest.mark.parametrize(("minimum", "target"), [(15, 15), (5, 10), ("12.5", 13), (None, 10), (700, 100)])
def test_without_a_limit_a_battery_is_discharged_as_far_as_its_program_allows(plugin, network, minimum, target):
    network.get(f"{PROGRAMS}/test", json={"program_id": "test", "min_allowed_soc": minimum})
    network.post(EVENTS, json={"event_id": "7"})
    plugin.add_control_event(KEY, "test", DISCHARGE)
    assert f'"target_soc":{target}'.encode() in network.calls[1].request.body


def test_no_event_is_made_while_the_rules_of_the_program_cannot_be_read(plugin, network):
    network.get(f"{PROGRAMS}/test", status=500)
    with pytest.raises(BackendError) as raised:
        plugin.add_control_event(KEY, "test", DISCHARGE)
    assert not raised.value.is_uncertain
    assert {call.request.method for call in network.calls} == {"GET"}


@pytest.mark.parametrize(("seconds", "is_named"), [(59, False), (60, True)])
def test_an_event_that_starts_within_a_minute_is_sent_without_a_start(plugin, network, seconds, is_named):
    network.post(EVENTS, json={"event_id": "7"})
    plugin.add_control_event(KEY, "test", PlannedEvent(NOW + timedelta(seconds=seconds), END, "Idle", 0.0))
    assert (b'"start_time"' in network.calls[0].request.body) is is_named


def test_a_failure_behind_enphase_s_api_leaves_a_new_event_uncertain(plugin, network):
    status, body = error_of("Error occurred while getting response from downstream")
    network.post(EVENTS, status=status, json=body)
    with pytest.raises(BackendError) as raised:
        plugin.add_control_event(KEY, "test", CHARGE)
    assert (status, raised.value.is_uncertain, len(network.calls)) == (422, True, 1)


def test_a_bad_key_is_no_refusal_of_the_command(plugin, network):
    status, body = error_of("x-api-key is not valid")
    network.post(EVENTS, status=status, json=body)
    with pytest.raises(Unauthorized):
        plugin.add_control_event(KEY, "test", CHARGE)


def test_an_error_that_is_no_json_has_no_words(plugin, network):
    network.delete(f"{EVENTS}/7", status=404, body="<html>")
    with pytest.raises(NotFound) as raised:
        plugin.end_control_event(KEY, "test", "7")
    assert raised.value.words == ""
