"""Events at virtual sites: made, shown, ended and refused; the batteries obey, and nothing past changes."""

from datetime import UTC, datetime, timedelta

import pytest

from app.fleet.vendor_problems import NothingHere
from app.virtual import control_events
from app.virtual.control_events import add_event, end_event, event_of, touching
from app.virtual.plugin import VENDOR, FleetUnavailable, credential_of
from vendors.kit import CommandRefused, Level
from vendors.kit.control import EventState, PlannedEvent
from vendors.kit.deadline import Deadline

NOW = datetime(2026, 6, 1, 12, 0, 30, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
DISCHARGE = "Discharge_To_Load_Grid"


@pytest.fixture
def fleet(app):
    return app.extensions["services"].virtual_fleet


@pytest.fixture
def plugin(app, virtual):
    cloud = app.extensions["services"].inventory._clouds[VENDOR]
    return cloud.open(credential_of(virtual.id), Deadline(600))


@pytest.fixture
def site(virtual, plugin):
    """The vendor's id of a site with two full batteries, of 10 and of 30 kWh."""
    id = virtual.create("sites")["id"]
    for nameplate_kwh in (10, 30):
        virtual.create("batteries", siteID=id, mode="Backup", nameplateKwh=nameplate_kwh)
    (row,) = plugin.sites()
    return row.vendor_id


class Site:
    """The events of a site, with a clock in the hands of the test."""

    def __init__(self, fleet, client_id, site_id):
        self.fleet, self.client_id, self.site_id = fleet, client_id, site_id

    def add(self, start, end, now=NOW, kw=8.0, mode=DISCHARGE):
        planned = PlannedEvent(start, end, mode, kw)
        return self.fleet.change(
            self.client_id, lambda session: add_event(session, self.client_id, self.site_id, planned, now)
        )

    def end(self, id, now):
        return self.fleet.change(
            self.client_id, lambda session: end_event(session, self.client_id, self.site_id, id, now)
        )

    def events(self, now, start=NOW - 24 * HOUR, end=NOW + 24 * HOUR):
        rows = self.fleet.read(lambda session: touching(session, self.client_id, self.site_id, start, end))
        return [event_of(row, now) for row in rows]


@pytest.fixture
def timed(fleet, virtual, site):
    return Site(fleet, virtual.id, site)


def test_an_event_is_scheduled_runs_and_ends_by_the_clock(timed):
    event = timed.add(NOW + HOUR, NOW + 2 * HOUR)
    for minutes, state in ((0, "scheduled"), (60, "running"), (119, "running"), (120, "ended")):
        (shown,) = timed.events(NOW + minutes * MINUTE)
        assert (shown.id, shown.state) == (event.id, EventState(state))
        assert shown.is_of(PlannedEvent(NOW + HOUR, NOW + 2 * HOUR, DISCHARGE, 8.0))


def test_an_event_that_is_ended_before_its_start_is_removed_and_gives_way_to_others(timed):
    event = timed.add(NOW + HOUR, NOW + 2 * HOUR)
    timed.end(event.id, NOW + MINUTE)
    (shown,) = timed.events(NOW + 90 * MINUTE)
    assert (shown.state, shown.end) == (EventState.REMOVED, NOW + 2 * HOUR)
    timed.add(NOW + HOUR, NOW + 2 * HOUR)


def test_the_end_of_an_event_that_is_ended_while_it_runs_becomes_the_present(timed):
    event = timed.add(NOW, NOW + 2 * HOUR)
    timed.end(event.id, NOW + HOUR)
    (shown,) = timed.events(NOW + HOUR)
    assert (shown.state, shown.end) == (EventState.ENDED, NOW + HOUR)
    timed.add(NOW + HOUR, NOW + 2 * HOUR)


def test_an_event_begins_at_the_earliest_when_it_is_made(timed):
    event = timed.add(NOW - 30 * timedelta(seconds=1), NOW + HOUR)
    assert event.start_at == NOW
    with pytest.raises(CommandRefused, match="end is past"):
        timed.add(NOW - HOUR, NOW)


@pytest.mark.parametrize(("start", "end"), [(-10, 10), (0, 60), (30, 31), (59, 90)])
def test_two_events_at_one_time_are_refused(timed, start, end):
    timed.add(NOW, NOW + HOUR)
    with pytest.raises(CommandRefused, match="another event"):
        timed.add(NOW + start * MINUTE, NOW + end * MINUTE)
    assert len(timed.events(NOW)) == 1


def test_an_event_that_is_over_cannot_be_ended_again(timed):
    running, later = timed.add(NOW, NOW + HOUR), timed.add(NOW + HOUR, NOW + 2 * HOUR)
    timed.end(later.id, NOW)
    for id, at in ((later.id, NOW), (running.id, NOW + HOUR)):
        with pytest.raises(CommandRefused, match="can be ended"):
            timed.end(id, at)


def test_only_events_that_touch_the_time_are_shown(timed):
    timed.add(NOW, NOW + HOUR)
    timed.add(NOW + HOUR, NOW + 2 * HOUR)
    assert len(timed.events(NOW, NOW + HOUR, NOW + 3 * HOUR)) == 1
    assert not timed.events(NOW, NOW + 2 * HOUR, NOW + 3 * HOUR)


def test_of_each_site_the_oldest_events_are_deleted_beyond_a_number(timed, monkeypatch):
    monkeypatch.setattr(control_events, "MAX_EVENTS", 3)
    ids = [timed.add(NOW + number * HOUR, NOW + (number + 1) * HOUR).id for number in range(5)]
    assert [event.id for event in timed.events(NOW)] == ids[2:]


def test_no_client_sees_or_changes_the_events_of_another(timed, other, plugin, app):
    event = timed.add(NOW, NOW + HOUR)
    stranger = Site(timed.fleet, other.id, timed.site_id)
    for attempt in (
        lambda: stranger.add(NOW + HOUR, NOW + 2 * HOUR),
        lambda: stranger.end(event.id, NOW),
        lambda: stranger.events(NOW),
    ):
        with pytest.raises(NothingHere):
            attempt()


def test_a_site_without_batteries_refuses_events(virtual, timed):
    for device in virtual.virtual_ids("batteries"):
        assert virtual.delete(f"batteries/{device}") == 204
    with pytest.raises(CommandRefused, match="no battery"):
        timed.add(NOW, NOW + HOUR)


def test_the_batteries_share_the_power_by_their_nameplates_and_the_site_shows_it_at_once(plugin, site, virtual):
    now = datetime.now(UTC)
    (planned,) = [PlannedEvent(now, now + 15 * MINUTE, DISCHARGE, 8.0)]
    accepted = plugin.add_control_event((site,), None, planned)
    assert (accepted.text, accepted.kw) == ("In progress", None)
    shown = plugin.site((site,))
    assert (shown.charge_kw, shown.discharge_kw) == (0, pytest.approx(8.0))
    batteries = [plugin.battery(row.key) for row in plugin.devices()]
    assert sorted(battery.discharge_kw for battery in batteries) == pytest.approx([2.0, 6.0])
    assert sorted(battery.rated_power_kw for battery in batteries) == [5.0, 15.0]
    public = virtual.get(f"/sites/{virtual.ids('sites')[0]}").json
    assert public["dischargeKw"] == 8.0


def test_more_power_than_the_batteries_have_is_capped_and_the_answer_shows_it(plugin, site):
    now = datetime.now(UTC)
    accepted = plugin.add_control_event((site,), None, PlannedEvent(now, now + HOUR, DISCHARGE, 50.0))
    assert accepted.kw == 20.0
    (event,) = plugin.control_events((site,), None, now, now + HOUR)
    assert event.kw == 20.0
    assert plugin.site((site,)).discharge_kw == pytest.approx(20.0)


def test_the_intervals_of_the_site_and_of_each_battery_show_what_flowed(timed, plugin):
    timed.add(NOW, NOW + HOUR, kw=8.0)
    end = NOW + 4 * HOUR
    keys = [row.key for row in plugin.devices()]
    whole = discharged(plugin.site_battery_intervals((timed.site_id,), Level.QUARTER), end)
    parts = [discharged(plugin.battery_intervals(key, Level.QUARTER), end) for key in keys]
    assert sum(whole) == pytest.approx(8.0)
    assert sorted(sum(part) for part in parts) == pytest.approx([2.0, 6.0])
    # From 12:00:30, so that half a minute of the first quarter is missing.
    assert whole[:4] == pytest.approx([8 / 4 - 8 / 120, 2.0, 2.0, 2.0])


def discharged(series, end):
    """The discharge of the quarters from noon on."""
    rows = [row for tile in series.tiles(NOW.replace(second=0), end) for row in tile.read()[0]]
    return [row.kwh[1] for row in rows if row.start >= NOW.replace(second=0) and row.end <= end]


def test_nothing_past_changes_when_an_event_ends_a_battery_is_added_or_another_is_deleted(timed, plugin, virtual):
    event = timed.add(NOW, NOW + 2 * HOUR, kw=8.0)
    small = next(row.key for row in plugin.devices() if plugin.battery(row.key).nameplate_kwh == 10)
    before = discharged(plugin.battery_intervals(small, Level.QUARTER), NOW + 2 * HOUR)
    timed.end(event.id, NOW + HOUR + 30 * timedelta(seconds=1))
    site_id = virtual.virtual_ids("sites")[0]
    virtual.create("batteries", siteID=site_id, nameplateKwh=40, mode="Backup")
    large = next(row.vendor_id for row in plugin.devices() if plugin.battery(row.key).nameplate_kwh == 30)
    timed.fleet.delete_device(timed.client_id, "battery", large)
    after = discharged(plugin.battery_intervals(small, Level.QUARTER), NOW + 2 * HOUR)
    assert after[:4] == before[:4]
    assert after[4] == pytest.approx(before[4] * 1 / 15)
    assert after[5:7] == [0, 0]
    new = next(row.key for row in plugin.devices() if plugin.battery(row.key).nameplate_kwh == 40)
    assert sum(discharged(plugin.battery_intervals(new, Level.QUARTER), NOW + 2 * HOUR)) == 0


def test_events_go_with_their_site(timed, virtual, fleet):
    timed.add(NOW, NOW + HOUR)
    assert virtual.delete(f"sites/{virtual.virtual_ids('sites')[0]}") == 204
    assert not fleet.read(lambda session: control_events.events_of_site(session, timed.site_id))


def test_a_write_that_the_database_did_not_answer_may_have_been_made(plugin, site, monkeypatch):
    monkeypatch.setattr("app.virtual.fleet.ANSWER_SECONDS", 0.0)
    with pytest.raises(FleetUnavailable) as failure:
        plugin.end_control_event((site,), None, "any")
    assert failure.value.is_uncertain
