"""Odd answers that programs met at Tesla: parts in unusual places, rows of other dates, failures that pass."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.vendors.support import BASE, open_vendor, records_of
from vendors.kit import Battery, Client, Level, NotFound, SolarInverter
from vendors.kit.calls.sweep import Sweep
from vendors.kit.series.read import intervals
from vendors.kit.series.resample import Interval
from vendors.kit.series.windows import RequestedWindow

ODD = Path(__file__).parent / "odd"
SITE = f"{BASE}/api/1/energy_sites/1"
NOW = datetime(2026, 3, 12, 20, tzinfo=UTC)
UNIT = {
    "device_id": "00000000-0000-0000-0000-000000000001",
    "din": "1707000-11-J--TG000000000001",
    "serial_number": "TG000000000001",
    "part_name": "Powerwall 3",
    "is_active": True,
    "nameplate_power_watts": 11520.0,
    "nameplate_energy_watts": 13500.0,
}
FOLLOWER = UNIT | {"din": "1707000-11-J--TG000000000002", "serial_number": "TG000000000002"}
# An expansion pack as it is listed: without a name, and without ratings, which its leader's hold.
PACK = {"device_id": "p", "din": "1807000-20-B--TG000000000003", "part_name": "Unknown", "nameplate_energy": 0,
        "nameplate_max_charge_power": 0, "nameplate_max_discharge_power": 0}  # fmt: skip
GATEWAY = {"din": "1152100-14-J--TG000000000009", "part_name": "Tesla Backup Gateway 2", "is_active": True}


@pytest.fixture(autouse=True)
def _now(monkeypatch):
    monkeypatch.setattr(Client, "now", NOW)


@pytest.fixture
def play(network):
    """Gives the answers of a recorded case, in which some may be left out or others."""

    def played(name, **others):
        for call, body in json.loads((ODD / f"{name}.json").read_text())["replies"].items():
            method, path = call.split(" ")
            answers = others.get(path.rpartition("/")[2], body)
            for one in answers if isinstance(answers, list) else [answers]:
                given = one if "status" in one else {"json": one}
                network.add(method, BASE + path, **given)
        return open_vendor("tesla", refresh=True)

    return played


@pytest.fixture
def site(play):
    """The site of the recorded case, with these arrays of components, and a nameplate where it has one."""

    def made(nameplate_wh=0.0, **arrays):
        case = json.loads((ODD / "powerwall_3_in_gateways.json").read_text())
        info = case["replies"]["GET /api/1/energy_sites/1/site_info"]["response"]
        components = {name: value for name, value in info["components"].items() if name != "gateways"}
        info |= {"components": components | arrays, "nameplate_energy": nameplate_wh}
        return play("powerwall_3_in_gateways", site_info={"response": info})

    return made


def devices(plugin, kind):
    return {device.key: device for device in records_of(plugin.devices("1")) if isinstance(device, kind)}


def test_a_powerwall_3_among_the_gateways_is_an_inverter_and_a_battery_with_its_own_identity(play):
    plugin = play("powerwall_3_in_gateways")
    key = ("1", UNIT["din"])
    inverters, batteries = devices(plugin, SolarInverter), devices(plugin, Battery)
    assert (list(inverters), list(batteries)) == ([key], [key])
    for device in (inverters[key], batteries[key]):
        assert (device.vendor_id, device.serial_number) == (UNIT["din"], "TG000000000001")
        assert (device.model, device.kind) == ("Powerwall 3", "hybrid")
        assert device.rated_power_kw == 11.52
    assert batteries[key].nameplate_kwh == 13.5


def test_a_powerwall_3_among_the_gateways_has_the_values_of_its_site(play):
    plugin = play("powerwall_3_in_gateways", calendar_history={"response": {"time_series": None}})
    key = ("1", UNIT["din"])
    battery = plugin.battery(key)
    assert (battery.soc_percent, battery.charge_kw, battery.discharge_kw) == (61.5, 3.0, 0.0)
    assert plugin.site(("1",)).bess.nameplate_kwh == 13.5


def test_a_powerwall_3_with_packs_is_one_battery_with_the_values_of_its_site(site):
    plugin = site(gateways=[GATEWAY, UNIT | {"nameplate_energy_watts": 27000.0}], batteries=[PACK, PACK])
    (battery,) = devices(plugin, Battery).values()
    assert (battery.vendor_id, battery.nameplate_kwh) == (UNIT["din"], 27.0)
    assert plugin.battery(battery.key).soc_percent == 61.5
    assert plugin.site(("1",)).bess.nameplate_kwh == 27.0


def test_a_leader_and_its_followers_are_as_many_inverters_and_batteries(site):
    follower = FOLLOWER | {"nameplate_energy_watts": 0.0}
    plugin = site(gateways=[UNIT | {"nameplate_energy_watts": 27000.0}, follower], batteries=[PACK])
    keys = {("1", UNIT["din"]), ("1", FOLLOWER["din"])}
    assert set(devices(plugin, SolarInverter)) == set(devices(plugin, Battery)) == keys
    assert devices(plugin, Battery)["1", FOLLOWER["din"]].nameplate_kwh is None
    assert plugin.battery(("1", UNIT["din"])).soc_percent is None
    assert plugin.site(("1",)).bess.nameplate_kwh == 27.0


def test_units_that_are_each_rated_add_up_to_the_site(site):
    plugin = site(gateways=[UNIT, FOLLOWER])
    assert plugin.site(("1",)).bess.nameplate_kwh == 27.0


def test_the_site_s_own_nameplate_comes_first(site):
    assert site(26000, gateways=[UNIT]).site(("1",)).bess.nameplate_kwh == 26.0


@pytest.mark.parametrize("listed", [{"din": UNIT["din"], "part_name": "Powerwall 3"}, UNIT])
def test_a_unit_that_stands_in_several_lists_is_one_with_all_that_they_tell(site, listed):
    plugin = site(gateways=[UNIT], batteries=[listed], inverters=[listed])
    (battery,), (inverter,) = devices(plugin, Battery).values(), devices(plugin, SolarInverter).values()
    assert (battery.nameplate_kwh, battery.rated_power_kw, battery.serial_number) == (13.5, 11.52, "TG000000000001")
    assert (inverter.kind, inverter.rated_power_kw, inverter.serial_number) == ("hybrid", 11.52, "TG000000000001")
    assert plugin.site(("1",)).bess.nameplate_kwh == 13.5


@pytest.mark.parametrize("lists", [("gateways", "batteries"), ("batteries", "gateways"), ("inverters", "gateways")])
def test_a_unit_without_its_din_in_one_list_is_the_unit_with_that_device_id(site, lists):
    without_din = {name: UNIT[name] for name in ("device_id", "serial_number", "part_name", "is_active")}
    whole, part = lists
    plugin = site(**{whole: [UNIT], part: [without_din]})
    for kind in (Battery, SolarInverter):
        found = devices(plugin, kind)
        if (kind, whole) != (Battery, "inverters"):
            assert list(found) == [("1", UNIT["din"])]
    assert plugin.site(("1",)).bess.nameplate_kwh == 13.5


def test_units_with_dins_of_their_own_are_several_whatever_their_device_id(site):
    """A dossier's sample has one serial number for two batteries; so may ids be."""
    assert UNIT["device_id"] == FOLLOWER["device_id"]
    assert len(devices(site(gateways=[UNIT, FOLLOWER]), Battery)) == 2


@pytest.mark.parametrize("part", [PACK, {"device_id": "p", "part_name": "Unknown"}])
def test_a_part_without_a_name_and_ratings_is_not_the_site_s_only_battery(site, part):
    (battery,) = devices(site(13500, gateways=[GATEWAY], batteries=[part]), Battery).values()
    assert (battery.key, battery.kind, battery.nameplate_kwh) == (("1",), "synthetic", 13.5)


def test_a_part_without_a_name_that_is_rated_is_a_battery(site):
    rated = PACK | {"nameplate_energy": 13500}
    assert list(devices(site(batteries=[rated]), Battery)) == [("1", PACK["din"])]


def test_a_part_without_a_name_and_ratings_counts_where_another_battery_does_not_hold_it(site):
    old = {"din": "2012170-25-E--A", "part_name": "Powerwall 2", "nameplate_energy": 13500}
    plugin = site(batteries=[old, PACK])
    assert set(devices(plugin, Battery)) == {("1", old["din"]), ("1", PACK["din"])}
    assert plugin.site(("1",)).bess.nameplate_kwh is None


def test_a_powerwall_2_without_ratings_is_a_battery(site):
    old = {"din": "2012170-25-E--A", "part_name": "Powerwall 2", "nameplate_energy": 0}
    assert list(devices(site(batteries=[old]), Battery)) == [("1", old["din"])]


def test_a_powerwall_3_that_is_no_longer_active_is_neither_inverter_nor_battery(site):
    plugin = site(gateways=[UNIT | {"is_active": False}, FOLLOWER])
    keys = [("1", FOLLOWER["din"])]
    assert (list(devices(plugin, SolarInverter)), list(devices(plugin, Battery))) == (keys, keys)
    assert plugin.site(("1",)).bess.nameplate_kwh == 13.5


def test_a_gateway_is_no_device(site):
    plugin = site(gateways=[GATEWAY])
    assert [device.kind for device in records_of(plugin.devices("1"))] == ["synthetic", "synthetic"]


def history(*stamps, **energies):
    rows = [{"timestamp": stamp, "solar_energy_exported": 1000} | energies for stamp in stamps]
    return {"response": {"period": "day", "time_series": rows}}


def read(plugin, level, start, end):
    series = plugin.site_solar_intervals(("1",), level)
    window = RequestedWindow(level, start, end).widened(series.zone, NOW, series.since)
    return [one for one in intervals(series, window, 1000, NOW) if isinstance(one, Interval)]


def test_a_row_of_another_date_is_not_produced_today(play):
    plugin = play("row_of_another_date")
    (inverter,) = devices(plugin, SolarInverter).values()
    found = plugin.solar_inverter(inverter.key).recent_production
    assert (found.kwh, found.start) == (3.0, datetime(2026, 3, 12, 5, tzinfo=UTC))


@pytest.mark.parametrize("stamp", ["2026-03-11T23:55:00-05:00", "2026-03-12T15:05:00-05:00", "0001-01-01T00:00:00Z"])
def test_only_what_came_since_midnight_and_up_to_now_is_produced_today(play, stamp):
    plugin = play("row_of_another_date", calendar_history=history("2026-03-12T12:00:00-05:00", stamp))
    (inverter,) = devices(plugin, SolarInverter).values()
    assert plugin.solar_inverter(inverter.key).recent_production.kwh == 1.0


def test_a_series_holds_no_rows_of_other_dates_or_of_the_future(play):
    plugin = play("row_of_another_date")
    assert [one.kwh for one in read(plugin, Level.HOUR, NOW - timedelta(hours=20), NOW)] == [(3.0,)]
    later = history("2026-03-12T14:45:00-05:00", "2026-03-12T15:45:00-05:00")
    half_past = NOW + timedelta(minutes=30)
    plugin = play("row_of_another_date", calendar_history=later)
    assert [one.kwh for one in read(plugin, Level.HOUR, NOW - timedelta(hours=20), half_past)] == [(1.0,)]


def test_a_row_of_another_date_does_not_silence_that_date(play):
    today, tomorrow = (history(f"2026-03-{day}T12:00:00-05:00", "2026-03-11T13:00:00-05:00") for day in (10, 11))
    plugin = play("row_of_another_date", calendar_history=[today, tomorrow])
    found = read(plugin, Level.HOUR, datetime(2026, 3, 10, 6, tzinfo=UTC), datetime(2026, 3, 12, 5, tzinfo=UTC))
    assert [one.start.hour for one in found] == [17, 17, 18]


@pytest.mark.parametrize("minutes", [30, 60])
def test_the_step_of_regular_rows_is_their_distance(play, minutes):
    stamps = [f"2026-03-12T{hour:02}:{minute:02}:00-05:00" for hour in range(8, 14) for minute in range(0, 60, minutes)]
    plugin = play("row_of_another_date", calendar_history=history(*stamps))
    found = read(plugin, Level.HOUR, NOW - timedelta(hours=20), NOW)
    assert [one.kwh for one in found] == [(60 / minutes,)] * 6
    assert {one.quality.name for one in found} == {"MEASURED"}


@pytest.mark.parametrize("operation", ["site", "devices", "solar_inverter", "battery"])
def test_the_answer_of_another_site_is_a_bad_reply(play, operation):
    case = json.loads((ODD / "powerwall_3_in_gateways.json").read_text())
    info = case["replies"]["GET /api/1/energy_sites/1/site_info"]["response"]
    plugin = play("powerwall_3_in_gateways", site_info={"response": info | {"energy_site_id": 2}})
    key = ("1",) if operation == "site" else ("1", UNIT["din"])
    sweep = Sweep(plugin)
    sweep.run(lambda plugin: plugin.devices("1") if operation == "devices" else [getattr(plugin, operation)(key)])
    assert (sweep.failure.code, sweep.records) == ("bad_reply", [])
    assert "another site" in sweep.failure.detail


@pytest.mark.parametrize("answer", ["live_status", "calendar_history"])
def test_values_of_another_site_are_left_out_and_reported(play, answer):
    told = {"energy_site_id": 2, "solar_power": 9000, "time_series": [], "timestamp": "2026-03-12T19:58:00Z"}
    plugin = play("row_of_another_date", **{answer: {"response": told}})
    (inverter,) = devices(plugin, SolarInverter).values()
    found = plugin.solar_inverter(inverter.key)
    assert (found.power_kw is None) == (answer == "live_status")
    assert (found.recent_production is None) == (answer == "calendar_history")
    assert {failure.code for failure in plugin.client.progress.failures} == {"bad_reply"}


@pytest.mark.parametrize("number", ["STE20260101-00001", "2"])
@pytest.mark.parametrize("answer", ["site_info", "live_status", "calendar_history"])
def test_a_site_number_names_no_other_site(play, answer, number):
    case = json.loads((ODD / "row_of_another_date.json").read_text())["replies"]
    body = case[f"GET /api/1/energy_sites/1/{answer}"]["response"] | {"site_number": number}
    plugin = play("row_of_another_date", **{answer: {"response": body}})
    (inverter,) = devices(plugin, SolarInverter).values()
    assert plugin.solar_inverter(inverter.key).recent_production.kwh == 3.0
    assert plugin.client.progress.failures == []


@pytest.mark.parametrize("operation", ["battery", "solar_inverter"])
def test_the_device_that_stood_for_all_of_a_site_is_gone_where_its_units_are_told(play, operation):
    with pytest.raises(NotFound):
        getattr(play("powerwall_3_in_gateways"), operation)(("1",))
