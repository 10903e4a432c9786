"""Battery control at every vendor whose plugin declares it: the calls that make, list and end events, as
`tests/vendors/<vendor>/control.json` writes them from the vendor's documentation."""

import json
import re
from datetime import datetime

import pytest
import requests

from tests.vendors.cases import content
from tests.vendors.control_tables import PLUGINS, TABLES, each_table, now_of, outcome, params_of, read
from tests.vendors.stages import offers
from tests.vendors.support import BASE, HEADERS, open_vendor
from tests.vendors.test_broken import variants
from vendors.kit import (
    Accepted,
    BadReply,
    Client,
    Event,
    PlannedEvent,
    Vendor,
    VendorError,
)

METHODS = ("control_events", "add_control_event", "end_control_event")
# Seconds that leave time for the answer to a write.
ENOUGH = 60.0


@pytest.fixture
def opened(network, monkeypatch):
    """Opens the plugin of a table at its time."""

    def open_at(table):
        monkeypatch.setattr(Client, "now", now_of(table))
        return open_vendor(table["name"], seconds=ENOUGH)

    return open_at


def answer(network, call, status=200, body=None, **options):
    """Lets the network answer a call, written as its method and path."""
    method, path = call.split()
    content = {"body": body} if isinstance(body, str | Exception) else {"json": body}
    return network.add(method, BASE + path, status=status, **content, **options)


def add(table, plugin, planned=None):
    planned = planned or read(PlannedEvent, table["add"]["cases"][0]["event"])
    return plugin.add_control_event(tuple(table["key"]), table["program"], planned)


def end(table, plugin):
    return plugin.end_control_event(tuple(table["key"]), table["program"], table["end"]["event"])


def listed(table, plugin):
    times = (datetime.fromisoformat(table["list"][name]) for name in ("start", "end"))
    return plugin.control_events(tuple(table["key"]), table["program"], *times)


@pytest.mark.parametrize(
    "name", [name for name, plugin in PLUGINS.items() if plugin.control or offers(plugin, "battery")]
)
def test_a_plugin_that_shows_batteries_controls_them_or_gives_its_vendor_s_reason(name):
    plugin = PLUGINS[name]
    offered = {method for method in METHODS if offers(plugin, method)}
    if plugin.control is None:
        assert offered == set()
        assert plugin.no_control != Vendor.no_control, "write no_control: the vendor's reason"
        assert plugin.no_control.endswith(".")
    else:
        assert offered == set(METHODS)
        assert name in TABLES, f"write tests/vendors/{name}/control.json"


@pytest.mark.parametrize(("table", "case"), params_of("add", "cases"))
def test_an_event_is_made_with_the_documented_call(table, case, opened, network):
    for call, body in case.get("calls", {}).items():
        answer(network, call, body=body)
    answer(network, table["add"]["call"], body=case["reply"])
    assert add(table, opened(table), read(PlannedEvent, case["event"])) == Accepted(**case["accepted"])
    request = network.calls[-1].request
    assert json.loads(request.body) == case["body"]
    assert request.headers["Content-Type"] == "application/json"
    assert len(network.calls) == 1 + len(case.get("calls", {}))


@each_table
def test_the_events_of_a_site_are_listed_each_time_anew_in_the_terms_of_the_kit(table, opened, network):
    answer(network, table["list"]["call"], body=content(table["name"], table["list"]["reply"]).decode())
    plugin, expected = opened(table), [read(Event, event) for event in table["list"]["events"]]
    assert [listed(table, plugin) for _ in range(2)] == [expected, expected]
    assert [call.request.params for call in network.calls] == [table["list"]["query"]] * 2


@each_table
def test_a_list_with_one_member_missing_or_odd_is_a_bad_reply_or_has_every_event(table, opened, network):
    original = json.loads(content(table["name"], table["list"]["reply"]))
    plugin, count = opened(table), len(table["list"]["events"])
    for path, body in variants(original):
        reply = answer(network, table["list"]["call"], body=body)
        events = outcome(lambda: listed(table, plugin))
        may_be_elsewhere = isinstance(path[-1], int) or path[-1] in table["list"]["placing"]
        assert isinstance(events, BadReply) or may_be_elsewhere or len(events) == count, path
        network.remove(reply)


@pytest.mark.parametrize(("table", "reply"), params_of("end", "replies"))
def test_an_event_is_ended_with_the_documented_call_and_the_vendor_s_words_are_kept(table, reply, opened, network):
    answer(network, table["end"]["call"], reply["status"], reply["body"])
    assert end(table, opened(table)) == reply["words"]
    assert len(network.calls) == 1


@pytest.mark.parametrize(("table", "refusal"), params_of("refusals"))
def test_a_refused_command_has_its_meaning_and_the_vendor_s_words_and_is_certain(table, refusal, opened, network):
    action = {"add": add, "end": end}[refusal["action"]]
    answer(network, table[refusal["action"]]["call"], refusal["status"], refusal["body"])
    with pytest.raises(VendorError) as raised:
        action(table, opened(table))
    failure = raised.value
    assert (failure.code, failure.words, failure.is_uncertain) == (refusal["code"], refusal["words"], False)
    assert len(network.calls) == 1


@each_table
@pytest.mark.parametrize("action", [add, end])
@pytest.mark.parametrize(
    "lost",
    [requests.ReadTimeout(), requests.exceptions.ChunkedEncodingError(), {"status": 500}, {"status": 502}],
    ids=repr,
)
def test_a_command_without_an_answer_is_uncertain_and_never_repeated(table, action, lost, opened, network):
    answer(network, table[action.__name__]["call"], **({"body": lost} if isinstance(lost, Exception) else lost))
    with pytest.raises(VendorError) as raised:
        action(table, opened(table))
    assert (raised.value.is_uncertain, len(network.calls)) == (True, 1)


@each_table
@pytest.mark.parametrize("body", ["", "<html>", "[]", "{}", "null", '{"message": "Event created successfully"}'])
def test_an_answer_to_a_new_event_that_does_not_name_it_leaves_it_uncertain(table, body, opened, network):
    answer(network, table["add"]["call"], body=body)
    with pytest.raises(BadReply) as raised:
        add(table, opened(table))
    assert (raised.value.is_uncertain, len(network.calls)) == (True, 1)


@each_table
def test_no_secret_and_none_of_the_vendor_s_words_show_in_errors_and_logged_lines(table, opened, network, caplog):
    caplog.set_level("DEBUG")
    network.add("POST", re.compile(f"{BASE}/.*"), status=400, json={"displayMessage": "words of the vendor"})
    with pytest.raises(VendorError) as raised:
        add(table, opened(table))
    failure = raised.value
    records = " ".join(str(vars(record)) for record in caplog.records)
    shown = " ".join((str(failure), failure.detail, repr(failure), failure.url, caplog.text, records))
    assert "words of the vendor" not in shown
    assert not [value for value in HEADERS[table["name"]].values() if value.split()[-1] in shown]
