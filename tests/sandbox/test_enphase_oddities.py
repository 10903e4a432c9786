"""The oddities of Enphase's systems, which are there only when they are switched on."""

from datetime import UTC, datetime

import pytest

from tests.sandbox.callers import Caller
from tests.sandbox.enphase import FIRST, MONITORING, PREFIXES, SERVICES, Enphase, system_id

BOTH = pytest.mark.parametrize("vendor", [MONITORING, SERVICES])
DAY = {"start_date": "2026-06-20"}
SUMMARY = "/api/v4/systems/inverters_summary_by_envoy_or_site"


def test_an_unknown_option_is_refused(caller: Caller):
    answer = caller.http.put("/options/enphase", json={"on_fire": True})
    assert (answer.status_code, answer.json["field"]) == (400, "on_fire")


@BOTH
def test_a_retired_system_is_listed_and_has_no_devices(caller: Caller, vendor: str):
    cloud = Enphase(caller, vendor)
    cloud.set_options(retired_system=True)
    assert cloud.of(7, "/devices")["devices"] == {}
    assert cloud.of(7, "/summary")["status"] == "retired"
    assert cloud.of(6, "/devices")["total_devices"] > 0
    if vendor == MONITORING:
        statuses = [system["status"] for system in cloud.get("/api/v4/systems").json["systems"]]
        assert statuses == ["normal"] * 7 + ["retired"]
        assert cloud.get(SUMMARY, site_id=system_id(7)).json == []


@BOTH
def test_silent_microinverters_are_missing_in_the_rows_and_in_the_count(caller: Caller, vendor: str):
    cloud = Enphase(caller, vendor)
    whole = cloud.of(0, "/telemetry/production_micro", **DAY)
    cloud.set_options(silent_micros=True)
    micros = cloud.of(0, "/devices")["devices"]["micros"]
    assert [one["status"] for one in micros] == ["micro"] * 4 + ["normal"] * 12
    series = cloud.of(0, "/telemetry/production_micro", **DAY)
    assert series["meta"]["status"] == "micro"
    assert (series["total_devices"], {row["devices_reporting"] for row in series["intervals"]}) == (16, {12})
    start, end = whole["intervals"][0]["end_at"] - 300, whole["intervals"][-1]["end_at"]
    lost = sum(cloud.energy_wh(0, start, end, device=one["serial_number"]) for one in micros[:4])
    energies = [sum(row["enwh"] for row in one["intervals"]) for one in (whole, series)]
    assert energies[0] - energies[1] == lost > 0
    assert cloud.of(0, f"/devices/micros/{micros[0]['serial_number']}/telemetry", **DAY)["intervals"] == []
    assert max(row["powr"] for row in series["intervals"]) < max(row["powr"] for row in whole["intervals"])


def test_a_silent_microinverter_keeps_its_last_power_energy_and_time(caller: Caller):
    cloud = Enphase(caller, MONITORING)
    cloud.set_options(silent_micros=True)
    (group,) = cloud.get(SUMMARY, site_id=FIRST, size=100).json
    silent, well = group["micro_inverters"][3:5]
    assert silent["status"] == "micro"
    assert well["last_report_date"] - silent["last_report_date"] > 2 * 86_400
    serial, until = silent["serial_number"], silent["last_report_date"]
    at = datetime.fromtimestamp(until, UTC).isoformat()
    watts = 1000 * caller.state(site=0, vendor="enphase", device=serial, at=at)["power_kw"]
    assert silent["power_produced"] == round(watts) > 0
    assert silent["energy"]["value"] == cloud.energy_wh(0, 0, until, device=serial)


@BOTH
def test_a_system_whose_gateway_is_down_reports_that_and_stops(caller: Caller, vendor: str):
    cloud = Enphase(caller, vendor)
    cloud.set_options(gateway_down=True)
    now = int(caller.clocks.now)
    path = "/open_events" if vendor == MONITORING else "/site_open_events"
    (event,) = cloud.of(1, path)["events"]
    assert (event["event_type_id"], event["event_end_time"]) == (28, None)
    assert now - event["event_start_time"] == 26 * 3600
    found = cloud.of(1, "/events" if vendor == MONITORING else "/site_events", start_time=now - 6 * 86_400)
    assert found["events"] == []
    alarms = cloud.of(1, "/alarms" if vendor == MONITORING else "/site_alarms", start_time=now - 3600)["alarms"]
    assert alarms[0]["events"][0]["serial_number"] == event["serial_number"]
    series = cloud.of(1, "/telemetry/production_meter", start_at=now - 2 * 86_400, granularity="week")
    assert series["intervals"][-1]["end_at"] <= event["event_start_time"]
    lifetime = cloud.of(
        1, "/energy_lifetime" if vendor == MONITORING else "/production_lifetime", end_date="2026-06-21"
    )
    assert lifetime["production"][-1] == 0


def test_time_zones_may_be_null_or_old_names(caller: Caller):
    cloud = Enphase(caller, MONITORING)
    cloud.set_options(null_time_zone=True, legacy_time_zones=True)
    zones = [system["timezone"] for system in cloud.get("/api/v4/systems").json["systems"]]
    assert zones[:3] == [None, "US/Arizona", "Asia/Calcutta"]
    cloud.set_options()
    zones = [system["timezone"] for system in cloud.get("/api/v4/systems").json["systems"]]
    assert zones[:3] == ["Europe/Berlin", "America/Phoenix", "Asia/Kolkata"]


def test_report_dates_may_be_text(caller: Caller):
    cloud = Enphase(caller, MONITORING)
    cloud.set_options(iso_report_dates=True)
    (group,) = cloud.get(SUMMARY, site_id=FIRST).json
    assert group["micro_inverters"][0]["last_report_date"] == "2026-06-21T13:35:00+02:00"


@BOTH
def test_a_meter_may_count_less_than_the_microinverters(caller: Caller, vendor: str):
    cloud = Enphase(caller, vendor)
    cloud.set_options(meter_loss=True)
    path = "/energy_lifetime" if vendor == MONITORING else "/production_lifetime"
    series = cloud.of(1, path, production="all", start_date="2026-06-01", end_date="2026-06-20")
    assert series["production"] == series["meter_production"] != series["micro_production"]
    assert 0.995 < sum(series["production"]) / sum(series["micro_production"]) < 0.997


def test_the_power_of_a_microinverter_may_have_its_other_name(caller: Caller):
    cloud = Enphase(caller, SERVICES)
    cloud.set_options(pwr=True)
    row = cloud.of(0, "/devices/micros/482000000000/telemetry")["intervals"][-1]
    assert set(row) == {"end_at", "pwr", "enwh"}
    assert "powr" in cloud.of(0, "/telemetry/production_micro")["intervals"][-1]


@BOTH
def test_a_time_without_data_may_be_refused(caller: Caller, vendor: str):
    cloud = Enphase(caller, vendor)
    now = int(caller.clocks.now)
    assert cloud.of(0, "/telemetry/production_micro", start_at=now - 60)["intervals"] == []
    cloud.set_options(refuses_no_data=True)
    answer = cloud.get(f"{PREFIXES[vendor]}/{FIRST}/telemetry/production_micro", start_at=now - 60)
    assert answer.status_code == 422
    assert "Requested date range is invalid for this system" in answer.text
    assert cloud.of(0, "/telemetry/production_micro", start_at=now - 7200)["intervals"]


@BOTH
def test_a_system_without_iq_batteries_may_refuse_to_tell_their_series(caller: Caller, vendor: str):
    cloud = Enphase(caller, vendor)
    without = next(number for number in range(7) if "encharges" not in cloud.of(number, "/devices")["devices"])
    assert "intervals" in cloud.of(without, "/telemetry/battery")
    cloud.set_options(refuses_no_data=True)
    answer = cloud.get(f"{PREFIXES[vendor]}/{system_id(without)}/telemetry/battery")
    assert (answer.status_code, "System doesn't have encharges" in answer.text) == (422, True)
