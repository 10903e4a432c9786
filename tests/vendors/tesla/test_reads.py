"""How Tesla's details and histories are read."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest

from tests.truth import local, vendor_of
from tests.vendors.support import BASE, open_vendor, records_of
from vendors.kit import BackendError, Client, Level, NotFound, NotOffered, Quality
from vendors.kit.series.read import intervals
from vendors.kit.series.resample import Interval
from vendors.kit.series.windows import RequestedWindow
from vendors.tesla.records import Installation, charge_percent, flows_kw, mode_of, with_details
from vendors.tesla.series import FLOWS, PRODUCED, to_rows, to_samples

HERE = Path(__file__).parent
SITE = f"{BASE}/api/1/energy_sites/1"
NOW = datetime(2026, 6, 17, 20, 22, tzinfo=UTC)
POWERWALLS = ({"din": "2012170-25-E--A", "part_name": "Powerwall 2"}, {"din": "2012170-25-E--B"})


@pytest.fixture(autouse=True)
def _now(monkeypatch):
    monkeypatch.setattr(Client, "now", NOW)


def sample(name):
    return json.loads((HERE / f"{name}.json").read_text())


def play(network, *, history=None, zone="America/Los_Angeles", **components):
    """A site with solar and this equipment, whose histories all have these rows."""
    info = {"installation_time_zone": zone, "components": {"solar": True} | components}
    network.get(f"{SITE}/site_info", json={"response": info})
    network.get(f"{SITE}/live_status", json=sample("live_status-powerwall"))
    network.get(f"{SITE}/calendar_history", json={"response": {"time_series": history}})


def calls(network):
    """The last part of the path of each call so far."""
    return [urlsplit(call.request.url).path.rpartition("/")[2] for call in network.calls]


def query(network):
    """Of the last call."""
    return {name: value for name, [value] in parse_qs(urlsplit(network.calls[-1].request.url).query).items()}


def read(series, level, start, end):
    window = RequestedWindow(level, start, end).widened(series.zone, NOW, series.since)
    return [one for one in intervals(series, window, 1000, NOW) if isinstance(one, Interval)]


@pytest.mark.parametrize(
    ("operation", "key", "expected"),
    [
        ("site", ("1",), ["live_status", "site_info"]),
        ("solar_inverter", ("1",), ["calendar_history", "calendar_history", "live_status", "site_info"]),
        ("battery", ("1",), ["live_status", "site_info"]),
    ],
)
def test_a_detail_costs_no_call_twice_even_where_nothing_is_reused(network, operation, key, expected):
    play(network, battery=True)
    getattr(open_vendor("tesla", refresh=True), operation)(key)
    assert sorted(calls(network)) == expected


@pytest.mark.parametrize("operation", ["solar_intervals", "battery_intervals", "site_solar_intervals"])
def test_a_day_of_intervals_costs_one_call_and_one_for_the_clock(network, operation):
    play(network, battery=True)
    series = getattr(open_vendor("tesla", refresh=True), operation)(("1",), Level.HOUR)
    assert read(series, Level.HOUR, NOW - timedelta(hours=3), NOW) == []
    assert calls(network) == ["site_info", "calendar_history"]


@pytest.mark.parametrize("operation", ["solar_inverter", "battery"])
def test_one_of_several_devices_costs_one_call_and_has_no_values_of_its_own(network, operation):
    inverters = [{"din": "1--A"}, {"din": "1--B"}]
    play(network, battery=True, inverters=inverters, batteries=[{"din": "1--A"}, {"din": "1--B"}])
    plugin = open_vendor("tesla", refresh=True)
    device = getattr(plugin, operation)(("1", "1--A"))
    assert (device.power_kw if operation == "solar_inverter" else device.soc_percent, device.measured_at) == (
        None,
        None,
    )
    assert calls(network) == ["site_info"]
    intervals_of = {"solar_inverter": plugin.solar_intervals, "battery": plugin.battery_intervals}[operation]
    with pytest.raises(NotOffered):
        intervals_of(("1", "1--A"), Level.HOUR)
    with pytest.raises(NotFound):
        intervals_of(("1", "1--C"), Level.HOUR)


@pytest.mark.parametrize("active", [False, "false"])
def test_an_inverter_that_was_replaced_does_not_count(network, active):
    play(network, inverters=[{"din": "1--A", "is_active": active}, {"din": "1--B"}])
    assert open_vendor("tesla").solar_inverter(("1", "1--B")).power_kw == 1.185


@pytest.mark.parametrize("model", ["Powerwall 3", "Powerwall3"])
def test_a_powerwall_3_is_a_hybrid_in_both_lists_and_still_the_only_inverter(network, model):
    unit = {"din": "1707000-00-J--TG1", "part_name": model}
    play(network, battery=True, batteries=[unit], inverters=[unit])
    plugin, key = open_vendor("tesla"), ("1", unit["din"])
    assert [device.kind for device in records_of(plugin.devices("1"))] == ["hybrid", "hybrid"]
    assert plugin.solar_inverter(key).power_kw == 1.185
    assert plugin.battery(key).discharge_kw == 5.06


def test_a_site_without_a_battery_has_no_powers_and_no_intervals_of_one(network):
    play(network, battery=False)
    plugin = open_vendor("tesla")
    site = plugin.site(("1",))
    assert (site.bess, site.charge_kw, site.discharge_kw, site.power_kw) == (None, None, None, 1.185)
    with pytest.raises(NotOffered):
        plugin.site_battery_intervals(("1",), Level.DAY)


def test_live_values_that_are_a_text_are_an_error_and_no_zeros(network):
    network.get(f"{SITE}/site_info", json={"response": {"components": {"solar": True}}})
    network.get(f"{SITE}/live_status", json=sample("live_status-string-response"))
    plugin = open_vendor("tesla")
    site = plugin.site(("1",))
    assert (site.power_kw, site.charge_kw, site.measured_at) == (None, None, None)
    (failure,) = plugin.client.progress.failures
    assert isinstance(failure, BackendError)
    assert "live_status" in failure.url


def test_a_null_history_is_no_production_and_no_interval(network):
    play(network, history=None)
    plugin = open_vendor("tesla")
    inverter = plugin.solar_inverter(("1",))
    assert (inverter.recent_production, inverter.lifetime_production) == (None, None)
    for level in Level:
        series = plugin.site_solar_intervals(("1",), level)
        assert read(series, level, NOW - timedelta(days=2), NOW) == []


@pytest.mark.parametrize(
    ("level", "period", "start", "end"),
    [
        (Level.HOUR, "day", "2026-03-08T00:00:00-08:00", "2026-03-08T23:59:59-07:00"),
        (Level.DAY, "month", "2026-03-01T00:00:00-08:00", "2026-03-31T23:59:59-07:00"),
        (Level.MONTH, "year", "2026-01-01T00:00:00-08:00", "2026-12-31T23:59:59-08:00"),
    ],
)
def test_a_call_asks_for_whole_dates_of_the_site_up_to_the_second_before_midnight(network, level, period, start, end):
    play(network)
    noon = local("America/Los_Angeles", 2026, 3, 8, 12)
    read(open_vendor("tesla").site_solar_intervals(("1",), level), level, noon, noon + timedelta(hours=1))
    assert query(network) == {
        "kind": "energy",
        "period": period,
        "start_date": start,
        "end_date": end,
        "time_zone": "America/Los_Angeles",
    }


def day_rows(*wh):
    stamps = (f"2026-06-01T10:{5 * number:02}:00-07:00" for number in range(len(wh)))
    return [{"timestamp": at} | energies for at, energies in zip(stamps, wh, strict=True)]


def test_rows_are_stamped_with_their_start():
    told = day_rows({"solar_energy_exported": 250}, {"solar_energy_exported": 0})
    (row, _) = to_rows(told, PRODUCED, "day", UTC)
    assert (row.start.isoformat(), row.end.isoformat()) == ("2026-06-01T17:00:00+00:00", "2026-06-01T17:05:00+00:00")
    assert row.kwh == (0.25,)


def test_the_step_of_a_day_is_that_of_its_stamps():
    stamps = [f"2026-06-01T10:{minute}:00-07:00" for minute in ("00", "15", "45")]
    rows = [{"timestamp": stamp, "solar_energy_exported": 1} for stamp in stamps]
    assert [(row.end - row.start).seconds for row in to_rows(rows, PRODUCED, "day", UTC)] == [900, 900, 900]


def test_charge_is_the_sum_of_its_sources_and_no_sum_is_needed():
    rows = day_rows({"battery_energy_imported_from_grid": 100, "battery_energy_imported_from_solar": 20,
                     "battery_energy_exported": 3})  # fmt: skip
    assert to_samples(rows, FLOWS)[0].kwh == (0.12, 0.003)


def test_a_row_that_says_nothing_is_no_row_and_a_null_is_not_0():
    assert to_samples(day_rows({}, {"solar_energy_exported": None}), PRODUCED) == []
    assert to_samples(day_rows({"solar_energy_exported": 0}), PRODUCED)[0].kwh == (0.0,)


@pytest.mark.parametrize(
    ("power_w", "flows"), [(5060, (0.0, 5.06)), (-800, (0.8, 0.0)), (0, (0.0, 0.0)), (None, (None, None))]
)
def test_a_battery_discharges_where_its_power_is_positive(power_w, flows):
    assert flows_kw({"battery_power": power_w}) == flows


def test_a_full_reserve_is_the_mode_backup():
    assert mode_of({"default_real_mode": "self_consumption", "backup_reserve_percent": 100}) == "Backup"
    assert mode_of({"default_real_mode": "autonomous", "backup_reserve_percent": 20}) == "Savings"
    assert mode_of({"default_real_mode": "surprise"}) is None


def test_a_gap_between_two_rows_is_not_their_step():
    rows = [{"timestamp": f"2026-06-01T{hour}:00:00-07:00", "solar_energy_exported": 1} for hour in ("10", "13")]
    assert [(row.end - row.start).seconds for row in to_rows(rows, PRODUCED, "day", UTC)] == [300, 300]


@pytest.mark.parametrize("stamp", ["2026-07-01T00:00:00-07:00", "2026-07-01T00:00:00-08:00"])
@pytest.mark.parametrize(("period", "days"), [("month", 1), ("year", 31), ("lifetime", 365)])
def test_a_stamp_with_the_offset_of_another_season_has_its_date(stamp, period, days):
    start, clock = stamp.replace("07-01", "01-01") if period == "lifetime" else stamp, ZoneInfo("America/Los_Angeles")
    (row,) = to_rows([{"timestamp": start, "solar_energy_exported": 1}], PRODUCED, period, clock)
    assert row.start.astimezone(clock).strftime("%d %H:%M") == "01 00:00"
    assert row.end - row.start == timedelta(days=days)
    assert (row.quality is Quality.MEASURED) == (row.start == datetime.fromisoformat(start))


@pytest.mark.parametrize(
    ("told", "hours", "name"),
    [
        ({"installation_date": "2021-09-25T15:53:47-07:00"}, -7, "Etc/GMT+7"),
        ({"installation_date": "2021-09-25T15:53:47-07:00", "time_zone_offset": -480}, -8, "Etc/GMT+8"),
        ({"installation_date": "2021-09-25T15:53:47+05:30"}, 5.5, None),
        ({"installation_date": "2021-09-25T15:53:47+23:00"}, None, "Etc/GMT+0"),
        ({"installation_date": "2021-09-25T15:53:47+10:07"}, None, "Etc/GMT+0"),
        ({"time_zone_offset": 1e300}, None, "Etc/GMT+0"),
        ({}, None, "Etc/GMT+0"),
    ],
)
def test_a_site_whose_zone_has_no_name_has_an_offset_or_else_utc(network, told, hours, name):
    play(network)
    info = {"installation_time_zone": "", "components": {"solar": True}} | told
    network.replace("GET", f"{SITE}/site_info", json={"response": info})
    plugin = open_vendor("tesla")
    site = plugin.site(("1",))
    assert (site.timezone, site.utc_offset_hours) == (None, hours)
    series = plugin.site_solar_intervals(("1",), Level.HOUR)
    assert series.zone.utcoffset(None) == timedelta(hours=hours or 0)
    read(series, Level.HOUR, NOW - timedelta(hours=1), NOW)
    assert query(network).get("time_zone") == name


@pytest.mark.parametrize(
    ("live", "percent"),
    [
        ({"percentage_charged": 66.3}, 66.3),
        ({"percentage_charged": 0}, None),
        ({"percentage_charged": 0, "energy_left": 28046.9}, None),
        ({"percentage_charged": 0, "energy_left": 0}, 0.0),
        ({}, None),
    ],
)
def test_a_charge_of_0_is_believed_where_no_energy_is_left(live, percent):
    assert charge_percent(live) == percent


def test_a_member_that_the_vendor_leaves_out_is_left_out(network):
    play(network)
    here = Installation("1", {"components": {"solar": True, "battery": True}}, ())
    site = with_details(open_vendor("tesla").site(("1",)), here, {})
    assert (site.power_kw, site.charge_kw, site.discharge_kw, site.measured_at) == (None, None, None, None)
    assert (site.bess.nameplate_kwh, site.bess.mode, site.bess.soc_percent) == (None, None, None)


@pytest.mark.parametrize("number", [0, 2, 4], ids=["Berlin", "Delhi", "Lord Howe"])
def test_intervals_of_a_site_without_a_zone_are_true(number):
    with vendor_of("tesla", 8) as vendor, vendor.at(NOW):
        vendor.account.played.put("/options/tesla", {"no_time_zone": True})
        for kind in ("solar", "battery"):
            (case, *_) = vendor.cases(number, kind)
            for level, hours in ((Level.HOUR, 30), (Level.DAY, 24 * 40)):
                found = vendor.read(case, level, NOW - timedelta(hours=hours), NOW)
                assert len(found) >= (hours // 24 if level is Level.DAY else hours)
                whole = [one for one in found if one.quality is not Quality.PARTIAL]
                for one in whole:
                    assert one.kwh == pytest.approx(case.kwh(one.start, one.end), abs=0.001 * case.devices)
                assert len(whole) >= len(found) - 2
