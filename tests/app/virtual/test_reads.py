"""Virtual devices under /sites, /solar-inverters and /batteries: like those of any vendor."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from tests.app.virtual.support import DEVICES, KINDS, SERIES, Caller

LEVELS = ("15mins", "hour", "day", "month")


def intervals(caller, path, level, start, end, size=1000):
    read, query = [], f"summaryLevel={level}&start={start}&end={end}&pageSize={size}"
    token = ""
    while True:
        answer = caller.get(f"{path}?{query}{token}".replace("+", "%2B"))
        assert answer.status_code == 200, answer.text
        read += answer.json["intervals"]
        if "nextPageToken" not in answer.json:
            return read
        token = f"&pageToken={answer.json['nextPageToken']}"


def total(rows, member="kwh"):
    return sum(row[member] for row in rows)


@pytest.fixture
def fleet(virtual):
    """A site in New York with two inverters and a battery."""
    place = {"lat": 40.7, "lon": -74.0, "timezone": "America/New_York"}
    site = virtual.create("sites", location=place, operationalSince="2024-01-15T08:20:00")["id"]
    inverters = [virtual.create("solar-inverters", siteID=site)["id"] for _ in range(2)]
    return site, inverters, virtual.create("batteries", siteID=site, nameplateKwh=20)["id"]


@pytest.mark.databases
@pytest.mark.parametrize("path", KINDS)
def test_a_new_device_is_in_the_list_at_once_and_a_deleted_one_no_longer(virtual, path):
    for _ in range(3):
        virtual.ids(path)  # A list that were cached would now be stale.
        id = virtual.create(path)["id"]
        assert id in virtual.ids(path)
        assert virtual.get(f"/{path}/{id}").json["id"] == id
    assert virtual.delete(f"{path}/{id}") == 204
    assert id not in virtual.ids(path)


def test_both_versions_list_the_same_ids(app):
    caller = Caller(app, "virtual", "v1")
    for path in KINDS:
        ids = {caller.create(path)["id"], caller.create(path)["id"]}
        urls = caller.get(f"/{path}").json[path]
        assert {url.rsplit("/", 1)[1] for url in urls} == set(caller.ids(path)) >= ids
        assert caller.get(f"/{path}?pageSize=1").status_code == 400
        assert caller.get(f"/virtual/{path}?pageSize=1").status_code == 200


def test_details_have_present_values(virtual, fleet):
    site, inverters, battery = fleet
    shown = virtual.get(f"/sites/{site}").json
    devices = [virtual.get(f"/solar-inverters/{id}").json for id in inverters]
    storage = virtual.get(f"/batteries/{battery}").json
    assert shown["powerKw"] == pytest.approx(sum(device["powerKw"] for device in devices), abs=0.05)
    assert shown["bess"]["nameplateKwh"] == storage["nameplateKwh"] == 20.0
    assert shown["bess"]["stateOfChargePercent"] == pytest.approx(storage["stateOfChargePercent"], abs=0.2)
    for device in devices:
        assert device["status"] in ("producing", "sleeping")
        assert device["lifetimeProduction"]["start"] == "2024-01-15T13:20:00+00:00"
        assert device["lifetimeProduction"]["kwh"] > 1000
        assert 0 <= device["recentProduction"]["kwh"] < 24 * device["ratedPowerKw"]
        assert device["siteID"] == site
    assert min(storage["chargeKw"], storage["dischargeKw"]) == 0


def test_the_lifetime_production_goes_on_from_the_posted_one(virtual):
    posted = {"kwh": 5000, "start": "2019-01-01T00:00:00Z"}
    inverter = virtual.create("solar-inverters", lifetimeProduction=posted)["id"]
    shown = virtual.get(f"/solar-inverters/{inverter}").json["lifetimeProduction"]
    assert shown["start"] == "2019-01-01T00:00:00+00:00"
    assert 5000 <= shown["kwh"] < 5010
    assert virtual.get(f"/virtual/solar-inverters/{inverter}").json["lifetimeProduction"]["kwh"] == 5000


def test_the_posted_charge_is_the_floor(virtual):
    battery = virtual.create("batteries", stateOfChargePercent=35, nameplateKwh=10)["id"]
    rows = intervals(virtual, f"/batteries/{battery}/intervals", "hour", "2024-06-01T00:00:00", "2024-06-15T00:00:00")
    charges = [row["stateOfChargePercent"] for row in rows]
    assert 35 <= min(charges) < 36
    assert max(charges) <= 100


# Months in which the clock changes.
@pytest.mark.parametrize(
    ("start", "end"), [("2024-03-01T00:00:00", "2024-04-01T00:00:00"), ("2024-11-01T00:00:00", "2024-12-01T00:00:00")]
)
def test_levels_agree_to_a_watt_hour_and_a_site_is_the_sum_of_its_devices(virtual, fleet, start, end):
    site, inverters, battery = fleet
    sums = {}
    for level in LEVELS:
        rows = [intervals(virtual, f"/solar-inverters/{id}/intervals", level, start, end) for id in inverters]
        of_site = intervals(virtual, f"/sites/{site}/solar-intervals", level, start, end)
        of_devices = [sum(row["kwh"] for row in pair) for pair in zip(*rows, strict=True)]
        assert [row["kwh"] for row in of_site] == pytest.approx(of_devices, abs=1e-5)
        of_battery = intervals(virtual, f"/batteries/{battery}/intervals", level, start, end)
        assert of_battery == intervals(virtual, f"/sites/{site}/battery-intervals", level, start, end)
        assert all(before["end"] == after["start"] for before, after in pairwise(of_site))
        assert {row["quality"] for row in of_site + of_battery} == {"measured"}
        sums[level] = total(of_site), total(of_battery, "chargeKwh"), total(of_battery, "dischargeKwh")
    for level in LEVELS:
        assert sums[level] == pytest.approx(sums["month"], abs=0.001), level


@pytest.mark.parametrize(
    ("day", "quarters"), [("2024-03-10", 92), ("2024-11-03", 100), ("2024-06-01", 96)], ids=["short", "long", "usual"]
)
def test_a_day_has_all_its_quarters_on_days_when_the_clock_changes(virtual, fleet, day, quarters):
    rows = intervals(virtual, f"/sites/{fleet[0]}/solar-intervals", "15mins", f"{day}T00:00:00", f"{day}T23:59:00", 40)
    assert len(rows) == quarters
    assert [row["kwh"] for row in rows[:12]] == [0.0] * 12, "nights are zeros, not gaps"
    assert total(rows) > 1


def test_intervals_begin_with_the_site_and_not_with_the_devices_creation(virtual, fleet):
    path = f"/solar-inverters/{fleet[1][0]}/intervals"
    rows = intervals(virtual, path, "month", "2020-01-01T00:00:00", "2024-03-01T00:00:00")
    assert [row["start"] for row in rows] == ["2024-01-01T00:00:00-05:00", "2024-02-01T00:00:00-05:00"]
    assert [row["quality"] for row in rows] == ["partial", "measured"]
    days = intervals(virtual, path, "day", "2024-01-01T00:00:00", "2024-02-01T00:00:00")
    assert (days[0]["start"], days[0]["quality"], len(days)) == ("2024-01-15T00:00:00-05:00", "partial", 17)
    assert total(days) == pytest.approx(rows[0]["kwh"], abs=0.001)
    hours = intervals(virtual, path, "hour", "2024-01-15T00:00:00", "2024-01-16T00:00:00")
    assert (hours[0]["start"], len(hours)) == ("2024-01-15T08:00:00-05:00", 16)


def test_the_running_interval_ends_now_and_is_partial(virtual, fleet):
    now = datetime.now(UTC)
    start = (now - timedelta(hours=30)).isoformat()
    for level in ("15mins", "hour", "day"):
        end = (now + timedelta(days=2)).isoformat()
        rows = intervals(virtual, f"/solar-inverters/{fleet[1][0]}/intervals", level, start, end)
        assert rows[-1]["quality"] == "partial"
        assert datetime.fromisoformat(rows[-1]["start"]) <= datetime.now(UTC) <= datetime.fromisoformat(rows[-1]["end"])


def test_a_site_without_devices_has_empty_series(virtual):
    site = virtual.create("sites")["id"]
    for series in SERIES["sites"]:
        answer = virtual.get(f"/sites/{site}/{series}")
        assert (answer.status_code, answer.json["intervals"]) == (200, [])
    shown = virtual.get(f"/sites/{site}").json
    assert not {"powerKw", "chargeKw", "bess"} & set(shown)


def test_adding_and_deleting_a_device_changes_no_past(virtual, fleet):
    site, inverters, battery = fleet
    window = "day", "2024-05-01T00:00:00", "2024-05-08T00:00:00"
    paths = [f"/solar-inverters/{inverters[0]}/intervals", f"/batteries/{battery}/intervals"]
    before = [intervals(virtual, path, *window) for path in paths]
    virtual.create("batteries", siteID=site)
    virtual.delete(f"solar-inverters/{inverters[1]}")
    assert [intervals(virtual, path, *window) for path in paths] == before


@pytest.mark.databases
def test_every_process_computes_the_same(settings, start_service, virtual, fleet):
    second = Caller(start_service(settings), "virtual", auth=virtual.auth)
    path = f"/sites/{fleet[0]}/battery-intervals"
    window = "hour", "2025-05-01T00:00:00", "2025-05-08T00:00:00"
    assert intervals(second, path, *window) == intervals(virtual, path, *window)
    assert second.get(f"/virtual/sites/{fleet[0]}").json["id"] == fleet[0]


def test_a_window_longer_than_the_limit_is_a_400_as_with_any_vendor(virtual, fleet):
    window = "summaryLevel=15mins&start=2024-01-01T00:00:00&end=2025-01-01T00:00:00"
    answer = virtual.get(f"/sites/{fleet[0]}/solar-intervals?{window}")
    assert (answer.status_code, answer.json["code"]) == (400, "validation_error")


def test_a_database_that_fails_is_named_and_no_list_is_empty_without_an_error(app, virtual, fleet, monkeypatch):
    from sqlalchemy.exc import OperationalError

    def broken(work, seconds=None):
        raise OperationalError("x", {}, Exception())

    database = app.extensions["services"].database
    virtual.ids("sites")
    monkeypatch.setattr(database, "run", broken)
    answer = virtual.get("/sites")
    assert answer.json["errorDetails"]["virtual"]["code"] == "database_unavailable"
    assert virtual.get(f"/sites/{fleet[0]}").status_code == 503
    assert virtual.get("/virtual/sites").json["code"] == "database_unavailable"
    monkeypatch.undo()


@pytest.mark.exhaustive
def test_devices_of_a_site_with_a_changed_clock_show_all_their_levels(virtual):
    for zone in ("Australia/Lord_Howe", "Africa/Cairo", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia"):
        site = virtual.create("sites", location={"timezone": zone, "lat": -30, "lon": 150})["id"]
        for path in DEVICES:
            device = virtual.create(path, siteID=site)["id"]
            for level in LEVELS:
                rows = intervals(
                    virtual, f"/{path}/{device}/intervals", level, "2024-04-01T00:00:00", "2024-04-30T00:00:00"
                )
                assert all(before["end"] == after["start"] for before, after in pairwise(rows))
                assert {row["quality"] for row in rows} <= {"measured"}, (zone, level)
