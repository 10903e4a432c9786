"""A company's dispatch loop against a virtual battery, through the public API alone."""

from datetime import UTC, datetime, timedelta

import pytest

from app.auth.scopes import DEFAULT, Scope
from tests.app.virtual.support import Caller

MINUTE = timedelta(minutes=1)


@pytest.fixture
def dispatcher(app):
    """A client of mode virtual that may control batteries."""
    clients = app.extensions["services"].clients
    auth = clients.create("dispatcher", "virtual", "v2024-09-01", DEFAULT | {Scope.CONTROL})
    return Caller(app, "virtual", auth=auth)


@pytest.fixture
def battery(dispatcher):
    """A battery that is always full, so that it has charge above its floor at any time of the day. It is so large that
    even milliseconds of its discharge show."""
    return dispatcher.create("batteries", mode="Backup", nameplateKwh=20_000, stateOfChargePercent=10)


def put(caller, battery, *intervals):
    path = f"/sites/{battery['siteID']}/battery-control"
    answer = caller.call("PUT", path, json={"intervals": list(intervals)})
    assert answer.status_code == 200, answer.text
    return answer.json


def interval(start, minutes=15, command="discharge", **members):
    end = start + minutes * MINUTE
    return {"command": command, "start": start.isoformat(), "end": end.isoformat(), **members}


def quarters(caller, battery, start):
    """The quarters around the start, up to the running one."""
    window = f"start={(start - 15 * MINUTE):%Y-%m-%dT%H:%M:%SZ}&end={start + 15 * MINUTE:%Y-%m-%dT%H:%M:%SZ}"
    path = f"/batteries/{battery['id']}/intervals?summaryLevel=15mins&{window}"
    answer = caller.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json["intervals"]


def test_a_battery_that_is_to_discharge_shows_it_at_once_and_in_the_running_quarter(dispatcher, battery):
    now = datetime.now(UTC)
    plan = put(dispatcher, battery, interval(now, kw=6000))
    assert [each["command"] for each in plan["intervals"]] == ["discharge"]
    site = dispatcher.get(f"/sites/{battery['siteID']}").json
    device = dispatcher.get(f"/batteries/{battery['id']}").json
    assert site["dischargeKw"] == device["dischargeKw"] == 6000
    assert device["ratedPowerKw"] == 10_000
    assert device["stateOfChargePercent"] <= 100
    assert sum(quarter["dischargeKwh"] for quarter in quarters(dispatcher, battery, now)) > 0


def test_an_empty_plan_ends_the_discharge_and_the_battery_fills_again(dispatcher, battery):
    put(dispatcher, battery, interval(datetime.now(UTC), kw=6000))
    assert put(dispatcher, battery)["intervals"] == []
    site = dispatcher.get(f"/sites/{battery['siteID']}").json
    assert site["dischargeKw"] == 0
    assert site["chargeKw"] > 0


def test_a_plan_ahead_changes_nothing_now(dispatcher, battery):
    put(dispatcher, battery, interval(datetime.now(UTC) + 60 * MINUTE, kw=6000))
    site = dispatcher.get(f"/sites/{battery['siteID']}").json
    assert (site["dischargeKw"], site["chargeKw"]) == (0, 0)


def test_what_a_virtual_battery_cannot_do_is_refused_by_interval_and_member(dispatcher, battery):
    path = f"/sites/{battery['siteID']}/battery-control"
    ahead = interval(datetime.now(UTC) + 60 * MINUTE, command="charge", priority="B")
    answer = dispatcher.call("PUT", path, json={"intervals": [ahead]})
    assert answer.status_code == 400
    assert "intervals[0].priority" in answer.json["detail"]
