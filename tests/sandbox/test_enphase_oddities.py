"""Oddities of Enphase's systems. Each is an option of the sandbox, off by default."""

from datetime import UTC, datetime

import pytest

from tests.sandbox.callers import Caller
from tests.sandbox.enphase import FIRST, LIFETIMES, MONITORING, PREFIXES, SERVICES, Enphase, system_id

both_clouds = pytest.mark.parametrize("vendor", [MONITORING, SERVICES])
DAY = {"start_date": "2026-06-20"}
SUMMARY = "/api/v4/systems/inverters_summary_by_envoy_or_site"


def test_an_unknown_option_is_refused(caller: Caller):
    answer = caller.http.put("/options/enphase", json={"on_fire": True})
    assert (answer.status_code, answer.json["field"]) == (400, "on_fire")


@both_clouds
def test_a_retired_system_is_listed_and_has_no_devices(caller: Caller, vendor: str):
    cloud = Enphase(caller, vendor)
    cloud.set_options(retired_system=True)
    assert cloud.system_json(7, "/devices")["devices"] == {}
    assert cloud.system_json(7, "/summary")["status"] == "retired"
    assert cloud.system_json(6, "/devices")["total_devices"] > 0
    if vendor == MONITORING:
        statuses = [system["status"] for system in cloud.get("/api/v4/systems").json["systems"]]
        assert statuses == ["normal"] * 7 + ["retired"]
        assert cloud.get(SUMMARY, site_id=system_id(7)).json == []


@both_clouds
def test_rows_leave_out_silent_microinverters_and_count_only_those_that_report(caller: Caller, vendor: str):
    cloud = Enphase(caller, vendor)
    complete = cloud.system_json(0, "/telemetry/production_micro", **DAY)
    cloud.set_options(silent_micros=True)
    micros = cloud.system_json(0, "/devices")["devices"]["micros"]
    assert [micro["status"] for micro in micros] == ["micro"] * 4 + ["normal"] * 12
    series = cloud.system_json(0, "/telemetry/production_micro", **DAY)
    assert series["meta"]["status"] == "micro"
    assert (series["total_devices"], {row["devices_reporting"] for row in series["intervals"]}) == (16, {12})
    start, end = complete["intervals"][0]["end_at"] - 300, complete["intervals"][-1]["end_at"]
    silent_wh = sum(cloud.energy_wh(0, start, end, device=micro["serial_number"]) for micro in micros[:4])
    complete_wh = sum(row["enwh"] for row in complete["intervals"])
    reported_wh = sum(row["enwh"] for row in series["intervals"])
    assert complete_wh - reported_wh == silent_wh > 0
    assert cloud.system_json(0, f"/devices/micros/{micros[0]['serial_number']}/telemetry", **DAY)["intervals"] == []
    assert max(row["powr"] for row in series["intervals"]) < max(row["powr"] for row in complete["intervals"])


def test_a_silent_microinverter_keeps_its_last_power_energy_and_time(caller: Caller):
    cloud = Enphase(caller, MONITORING)
    cloud.set_options(silent_micros=True)
    (group,) = cloud.get(SUMMARY, site_id=FIRST, size=100).json
    silent, reporting = group["micro_inverters"][3:5]
    assert silent["status"] == "micro"
    assert reporting["last_report_date"] - silent["last_report_date"] > 2 * 86_400
    serial, last_report = silent["serial_number"], silent["last_report_date"]
    at = datetime.fromtimestamp(last_report, UTC).isoformat()
    watts = 1000 * caller.state(site=0, vendor="enphase", device=serial, at=at)["power_kw"]
    assert silent["power_produced"] == round(watts) > 0
    assert silent["energy"]["value"] == cloud.energy_wh(0, 0, last_report, device=serial)


@both_clouds
def test_a_system_whose_gateway_is_down_has_an_open_event_and_no_values_after_it(caller: Caller, vendor: str):
    cloud = Enphase(caller, vendor)
    cloud.set_options(gateway_down=True)
    now = int(caller.clocks.now)
    open_events_path = "/open_events" if vendor == MONITORING else "/site_open_events"
    (event,) = cloud.system_json(1, open_events_path)["events"]
    assert (event["event_type_id"], event["event_end_time"]) == (28, None)
    assert now - event["event_start_time"] == 26 * 3600
    events_path = "/events" if vendor == MONITORING else "/site_events"
    # The window ends a day after its start, before the event begins.
    assert cloud.system_json(1, events_path, start_time=now - 6 * 86_400)["events"] == []
    alarms_path = "/alarms" if vendor == MONITORING else "/site_alarms"
    alarms = cloud.system_json(1, alarms_path, start_time=now - 3600)["alarms"]
    assert alarms[0]["events"][0]["serial_number"] == event["serial_number"]
    series = cloud.system_json(1, "/telemetry/production_meter", start_at=now - 2 * 86_400, granularity="week")
    assert series["intervals"][-1]["end_at"] <= event["event_start_time"]
    lifetime = cloud.system_json(1, f"/{LIFETIMES[vendor]}", end_date="2026-06-21")
    assert lifetime["production"][-1] == 0


def test_time_zones_may_be_null_or_old_names(caller: Caller):
    cloud = Enphase(caller, MONITORING)
    cloud.set_options(null_time_zone=True, legacy_time_zones=True)
    zones = [system["timezone"] for system in cloud.get("/api/v4/systems").json["systems"]]
    assert zones[:3] == [None, "US/Arizona", "Asia/Calcutta"]
    cloud.set_options()
    zones = [system["timezone"] for system in cloud.get("/api/v4/systems").json["systems"]]
    assert zones[:3] == ["Europe/Berlin", "America/Phoenix", "Asia/Kolkata"]


def test_report_dates_may_be_iso_8601_texts(caller: Caller):
    cloud = Enphase(caller, MONITORING)
    cloud.set_options(iso_report_dates=True)
    (group,) = cloud.get(SUMMARY, site_id=FIRST).json
    assert group["micro_inverters"][0]["last_report_date"] == "2026-06-21T13:35:00+02:00"


@both_clouds
def test_a_meter_may_count_less_than_the_microinverters(caller: Caller, vendor: str):
    cloud = Enphase(caller, vendor)
    cloud.set_options(meter_loss=True)
    june = {"start_date": "2026-06-01", "end_date": "2026-06-20"}
    series = cloud.system_json(1, f"/{LIFETIMES[vendor]}", production="all", **june)
    assert series["production"] == series["meter_production"] != series["micro_production"]
    assert 0.995 < sum(series["production"]) / sum(series["micro_production"]) < 0.997


def test_the_power_of_a_microinverter_may_be_named_pwr_instead_of_powr(caller: Caller):
    cloud = Enphase(caller, SERVICES)
    cloud.set_options(pwr=True)
    row = cloud.system_json(0, "/devices/micros/482000000000/telemetry")["intervals"][-1]
    assert set(row) == {"end_at", "pwr", "enwh"}
    assert "powr" in cloud.system_json(0, "/telemetry/production_micro")["intervals"][-1]


@both_clouds
def test_a_window_without_data_may_be_refused(caller: Caller, vendor: str):
    cloud = Enphase(caller, vendor)
    now = int(caller.clocks.now)
    assert cloud.system_json(0, "/telemetry/production_micro", start_at=now - 60)["intervals"] == []
    cloud.set_options(refuses_no_data=True)
    answer = cloud.get(f"{PREFIXES[vendor]}/{FIRST}/telemetry/production_micro", start_at=now - 60)
    assert answer.status_code == 422
    assert "Requested date range is invalid for this system" in answer.text
    assert cloud.system_json(0, "/telemetry/production_micro", start_at=now - 7200)["intervals"]


@both_clouds
def test_the_battery_series_of_a_system_without_iq_batteries_may_be_refused(caller: Caller, vendor: str):
    cloud = Enphase(caller, vendor)
    without_batteries = next(
        number for number in range(7) if "encharges" not in cloud.system_json(number, "/devices")["devices"]
    )
    assert "intervals" in cloud.system_json(without_batteries, "/telemetry/battery")
    cloud.set_options(refuses_no_data=True)
    answer = cloud.get(f"{PREFIXES[vendor]}/{system_id(without_batteries)}/telemetry/battery")
    assert answer.status_code == 422
    assert "System doesn't have encharges" in answer.text
