"""Details of Tesla's sites and devices, and the calls that they and their series cost."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.truth import local
from tests.vendors.support import intervals_between, open_vendor, records_of
from tests.vendors.tesla.played import SITE, sample
from vendors.kit import BackendError, Client, Level, NotFound, NotOffered
from vendors.tesla.state import Installation, charge_percent, flows_kw, mode_of, with_details

NOW = datetime(2026, 6, 17, 20, 22, tzinfo=UTC)
POWERWALLS = ({"din": "2012170-25-E--A", "part_name": "Powerwall 2"}, {"din": "2012170-25-E--B"})


@pytest.fixture(autouse=True)
def _now(monkeypatch):
    monkeypatch.setattr(Client, "now", NOW)


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
    """The query of the last call."""
    return {name: value for name, [value] in parse_qs(urlsplit(network.calls[-1].request.url).query).items()}


@pytest.mark.parametrize(
    ("operation", "key", "expected"),
    [
        ("site", ("1",), ["live_status", "site_info"]),
        ("solar_inverter", ("1",), ["calendar_history", "calendar_history", "live_status", "site_info"]),
        ("battery", ("1",), ["live_status", "site_info"]),
    ],
)
def test_a_detail_makes_no_call_twice_even_without_cached_replies(network, operation, key, expected):
    play(network, battery=True)
    getattr(open_vendor("tesla", refresh=True), operation)(key)
    assert sorted(calls(network)) == expected


@pytest.mark.parametrize("operation", ["solar_intervals", "battery_intervals", "site_solar_intervals"])
def test_a_day_of_intervals_costs_two_calls(network, operation):
    play(network, battery=True)
    series = getattr(open_vendor("tesla", refresh=True), operation)(("1",), Level.HOUR)
    assert intervals_between(series, Level.HOUR, NOW - timedelta(hours=3), NOW, NOW) == []
    assert calls(network) == ["site_info", "calendar_history"]


@pytest.mark.parametrize("operation", ["solar_inverter", "battery"])
def test_a_device_that_is_not_alone_of_its_kind_costs_one_call_and_has_no_values(network, operation):
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


def test_a_site_without_a_battery_has_no_battery_power_and_no_battery_intervals(network):
    play(network, battery=False)
    plugin = open_vendor("tesla")
    site = plugin.site(("1",))
    assert (site.bess, site.charge_kw, site.discharge_kw, site.power_kw) == (None, None, None, 1.185)
    with pytest.raises(NotOffered):
        plugin.site_battery_intervals(("1",), Level.DAY)


def test_live_values_in_the_form_of_a_text_are_an_error_and_no_zeros(network):
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
        assert intervals_between(series, level, NOW - timedelta(days=2), NOW, NOW) == []


@pytest.mark.parametrize(
    ("level", "period", "start", "end"),
    [
        (Level.HOUR, "day", "2026-03-08T00:00:00-08:00", "2026-03-08T23:59:59-07:00"),
        (Level.DAY, "month", "2026-03-01T00:00:00-08:00", "2026-03-31T23:59:59-07:00"),
        (Level.MONTH, "year", "2026-01-01T00:00:00-08:00", "2026-12-31T23:59:59-08:00"),
    ],
)
def test_a_call_requests_whole_dates_of_the_site_up_to_the_second_before_midnight(network, level, period, start, end):
    play(network)
    noon = local("America/Los_Angeles", 2026, 3, 8, 12)
    series = open_vendor("tesla").site_solar_intervals(("1",), level)
    intervals_between(series, level, noon, noon + timedelta(hours=1), NOW)
    assert query(network) == {
        "kind": "energy",
        "period": period,
        "start_date": start,
        "end_date": end,
        "time_zone": "America/Los_Angeles",
    }


@pytest.mark.parametrize(
    ("power_w", "flows"), [(5060, (0.0, 5.06)), (-800, (0.8, 0.0)), (0, (0.0, 0.0)), (None, (None, None))]
)
def test_a_battery_discharges_where_its_power_is_positive(power_w, flows):
    assert flows_kw({"battery_power": power_w}) == flows


def test_a_full_reserve_is_the_mode_backup():
    assert mode_of({"default_real_mode": "self_consumption", "backup_reserve_percent": 100}) == "Backup"
    assert mode_of({"default_real_mode": "autonomous", "backup_reserve_percent": 20}) == "Savings"
    assert mode_of({"default_real_mode": "surprise"}) is None


@pytest.mark.parametrize(
    ("members", "hours", "name"),
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
def test_a_site_without_a_time_zone_has_an_offset_or_else_utc(network, members, hours, name):
    play(network)
    info = {"installation_time_zone": "", "components": {"solar": True}} | members
    network.replace("GET", f"{SITE}/site_info", json={"response": info})
    plugin = open_vendor("tesla")
    site = plugin.site(("1",))
    assert (site.timezone, site.utc_offset_hours) == (None, hours)
    series = plugin.site_solar_intervals(("1",), Level.HOUR)
    assert series.zone.utcoffset(None) == timedelta(hours=hours or 0)
    intervals_between(series, Level.HOUR, NOW - timedelta(hours=1), NOW, NOW)
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
def test_a_charge_of_0_is_read_only_where_no_energy_is_left(live, percent):
    assert charge_percent(live) == percent


def test_a_member_that_the_vendor_leaves_out_is_left_out(network):
    play(network)
    here = Installation("1", {"components": {"solar": True, "battery": True}}, ())
    site = with_details(open_vendor("tesla").site(("1",)), here, {})
    assert (site.power_kw, site.charge_kw, site.discharge_kw, site.measured_at) == (None, None, None, None)
    assert (site.bess.nameplate_kwh, site.bess.mode, site.bess.soc_percent) == (None, None, None)
