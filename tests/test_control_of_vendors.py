"""The contract of battery control: what each plugin that declares it does against its own emulator.

Nothing here knows a vendor by name; tests/vendors/test_control.py holds the calls against the vendors' documentation.
"""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
import requests

import sandbox
from sandbox.server import running
from tests.services import PLAYED_VENDORS, Account, Played
from tests.vendors.support import open_vendor
from vendors.kit import Client, Command, EventState, Interval, VendorError
from vendors.kit.registry import discover

NAMES = [name for name in PLAYED_VENDORS if discover()[name].control]
NOW = datetime(2026, 6, 21, 12, 0, 20, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
START = NOW.replace(second=0) + 10 * MINUTE
ACTIVE = (EventState.SCHEDULED, EventState.RUNNING)

pytestmark = [pytest.mark.exhaustive, pytest.mark.parametrize("name", NAMES)]


class Controlled:
    """The first site with a battery in a vendor's emulator."""

    def __init__(self, played, name, monkeypatch):
        self.account, self._monkeypatch = Account(played, name), monkeypatch
        requests.delete(f"{played.url}/batteries", timeout=60)
        view = next(view for view in self.account.views if any(one["kind"] == "battery" for one in view["devices"]))
        self.number, self.site = view["number"], view["site"]
        self.move_to(NOW)
        key = next(site.key for site in self.account.sweep("sites").records if site.vendor_id == self.site)
        self.key, self.program = key, None
        if self.plugin.control.has_programs:
            self.program, *_ = self.plugin.control_programs(key)

    def move_to(self, now):
        """Sets the time of the emulator and of the plugin."""
        self.now = now
        self.account.played.put("/clock", {"now": now.isoformat()})
        self._monkeypatch.setattr(Client, "now", now)

    @property
    def plugin(self):
        return open_vendor(self.account.name, headers=self.account.headers, cloud=self.account.cloud, seconds=60)

    def plan(self, command=Command.DISCHARGE, start=START, minutes=30, kw=1.0, **members):
        return self.plugin.planned_events(Interval(command, start, start + minutes * MINUTE, kw, **members), self.now)

    def add(self, planned):
        return self.plugin.add_control_event(self.key, self.program, planned)

    def end(self, event):
        return self.plugin.end_control_event(self.key, self.program, event)

    def events(self, hours=24):
        return self.plugin.control_events(self.key, self.program, NOW, NOW + hours * HOUR)

    def state(self, event):
        return next(each.state for each in self.events() if each.id == event)

    def energy_kwh(self, kind, start, end):
        query = {"kind": kind, "site": self.number, "start": start.isoformat(), "end": end.isoformat()}
        answer = requests.get(f"{self.account.played.url}/truth/energy", query, timeout=60)
        return answer.json()["wh"] / 1000

    def conditions(self, **conditions):
        self.account.played.put("/batteries", {"site": self.number, **conditions})

    def writes(self):
        """The writes that have reached the emulator since the last use of this method."""
        url = f"{self.account.played.url}/writes/{self.account.name}"
        counts = requests.get(url, timeout=60).json()
        requests.delete(url, timeout=60)
        return counts.get(self.site, 0)

    def lost_answer(self, method):
        return self.account.fault(method=method, reset=True, after=True, times=1)


@pytest.fixture(scope="module")
def fleet():
    with running(sandbox.create_app(3, 1)) as url:
        yield Played(url)


@pytest.fixture
def site(name, fleet, monkeypatch):
    controlled = Controlled(fleet, name, monkeypatch)
    controlled.writes()
    yield controlled
    requests.delete(f"{fleet.url}/batteries", timeout=60)


@pytest.mark.parametrize("command", [Command.CHARGE, Command.DISCHARGE])
def test_a_battery_does_what_a_planned_event_says_and_the_event_ends_by_itself(site, command):
    (planned,) = site.plan(command)
    accepted = site.add(planned)
    assert site.writes() == 1
    (event,) = site.events()
    assert (event.id, event.is_of(planned), event.state) == (accepted.id, True, EventState.SCHEDULED)
    site.move_to(planned.start + 10 * MINUTE)
    assert site.state(accepted.id) is EventState.RUNNING
    site.move_to(planned.end + HOUR)
    assert site.state(accepted.id) is EventState.ENDED
    moved_kwh = site.energy_kwh(command.value, planned.start, planned.end)
    assert moved_kwh == pytest.approx(0.5, rel=0.05)
    assert site.writes() == 0


def test_an_event_of_an_interval_that_has_begun_starts_with_the_next_minute(site):
    (planned,) = site.plan(start=NOW.replace(second=0) - HOUR, minutes=90)
    accepted = site.add(planned)
    (event,) = site.events()
    assert (event.id, event.is_of(planned)) == (accepted.id, True)
    assert NOW < event.start <= NOW + MINUTE


@pytest.mark.parametrize("kw", [None, 0.0])
@pytest.mark.parametrize("command", list(Command))
def test_every_command_is_taken_as_planned_without_a_power_and_with_none(site, command, kw):
    (planned,) = site.plan(command, kw=kw)
    site.add(planned)
    (event,) = site.events()
    assert event.is_of(planned)


def test_a_long_interval_becomes_events_that_all_are_taken(site):
    planned = site.plan(Command.IDLE, minutes=21 * 60 + 3, kw=None)
    assert len(planned) > 1
    made = {site.add(each).id for each in planned}
    events = sorted(site.events(), key=lambda event: event.start)
    assert {event.id for event in events} == made
    assert all(event.is_of(each) for event, each in zip(events, planned, strict=True))
    assert all(earlier.end == later.start for earlier, later in pairwise(events))


def test_an_event_that_has_not_begun_is_cancelled(site):
    (planned,) = site.plan()
    accepted = site.add(planned)
    assert site.end(accepted.id)
    assert (site.state(accepted.id), site.writes()) == (EventState.REMOVED, 2)
    site.move_to(planned.end)
    assert site.energy_kwh("discharge", planned.start, planned.end) != pytest.approx(0.5, rel=0.05)


def test_an_event_that_runs_is_ended_and_ending_it_again_does_no_harm(site):
    (planned,) = site.plan()
    accepted = site.add(planned)
    site.move_to(planned.start + 10 * MINUTE)
    assert site.end(accepted.id)
    assert site.end(accepted.id)
    site.move_to(planned.start + 15 * MINUTE)
    assert site.state(accepted.id) is EventState.ENDED
    assert site.end(accepted.id)


@pytest.mark.parametrize("action", ["add", "end"])
def test_a_command_whose_answer_is_lost_is_uncertain_made_once_and_seen_in_the_next_list(site, action):
    (planned,) = site.plan()
    if action == "end":
        accepted = site.add(planned)
        site.writes()
    with site.lost_answer("POST" if action == "add" else "DELETE"), pytest.raises(VendorError) as raised:
        site.add(planned) if action == "add" else site.end(accepted.id)
    assert (raised.value.is_uncertain, site.writes()) == (True, 1)
    (event,) = site.events()
    assert event.is_of(planned)
    assert event.state is (EventState.SCHEDULED if action == "add" else EventState.REMOVED)


def test_a_command_that_fails_before_it_arrives_may_be_uncertain_and_leaves_no_event(site):
    (planned,) = site.plan()
    with site.account.fault(method="POST", status=503), pytest.raises(VendorError) as raised:
        site.add(planned)
    assert (raised.value.is_uncertain, site.writes(), site.events()) == (True, 0, [])


def test_a_list_shows_what_the_vendor_shows_and_no_reply_of_before(site):
    site.conditions(stale_reads=1)
    (planned,) = site.plan()
    accepted = site.add(planned)
    assert [len(site.events()) for _ in range(3)] == [0, 1, 1]
    site.end(accepted.id)
    assert [site.state(accepted.id) for _ in range(2)] == [EventState.SCHEDULED, EventState.REMOVED]


def test_a_power_above_the_rated_one_is_capped_and_the_answer_or_the_list_says_so(site):
    (planned,) = site.plan(kw=500.0)
    accepted = site.add(planned)
    (event,) = site.events()
    assert 0 < event.kw < 500
    assert accepted.kw in (None, event.kw)


def test_an_event_in_the_time_of_another_is_refused_for_certain_and_the_other_stays(site):
    (planned,) = site.plan()
    accepted = site.add(planned)
    (rival,) = site.plan(Command.CHARGE, minutes=60)
    with pytest.raises(VendorError) as raised:
        site.add(rival)
    failure = raised.value
    assert (failure.is_uncertain, failure.retriable, bool(failure.words)) == (False, False, True)
    assert [(event.id, event.state) for event in site.events()] == [(accepted.id, EventState.SCHEDULED)]


def test_an_event_that_is_answered_well_and_not_kept_is_not_in_the_list(site):
    site.conditions(drops=True)
    (planned,) = site.plan()
    assert site.add(planned).id
    assert site.events() == []


def test_an_owner_who_leaves_an_event_is_seen_in_the_list(site):
    (planned,) = site.plan()
    accepted = site.add(planned)
    happening = {"site": site.number, "what": "opt_out"}
    assert requests.post(f"{site.account.played.url}/batteries", json=happening, timeout=60).ok
    site.move_to(NOW + MINUTE)
    assert site.state(accepted.id) is EventState.OPTED_OUT


def test_an_event_that_never_reached_the_batteries_has_failed_with_a_reason(site):
    (planned,) = site.plan()
    accepted = site.add(planned)
    outage = {"site": site.number, "what": "outage", "after_seconds": 0, "seconds": 3 * 3600}
    assert requests.post(f"{site.account.played.url}/batteries", json=outage, timeout=60).ok
    site.move_to(planned.start + 10 * MINUTE)
    (event,) = site.events()
    assert (event.id, event.state, bool(event.reason)) == (accepted.id, EventState.FAILED, True)


def test_an_event_that_the_vendor_does_not_know_is_not_found(site):
    with pytest.raises(VendorError) as raised:
        site.end("00000000-0000-0000-0000-000000000000")
    assert (raised.value.code, raised.value.is_uncertain) == ("not_found", False)
