"""Series of Enphase's Monitoring API."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.vendors.enphase.played import (
    EVENING,
    KEY,
    SYSTEMS,
    days_and_kwh,
    devices,
    epoch,
    params_of,
    read_between,
    seconds,
    telemetry,
)
from tests.vendors.support import cloud_of, open_vendor
from vendors.enphase import series
from vendors.kit import Client, Level, NotOffered, Quality, Reporting


def test_the_row_of_midnight_belongs_to_the_day_before(system):
    system("/7/devices", devices(encharges=["8"]))
    system("/7/telemetry/battery", telemetry(
        {"end_at": seconds(16), "charge": {"enwh": 10}, "discharge": {"enwh": 0}},
        {"end_at": seconds(16, 0, 15), "charge": {"enwh": 20}, "discharge": {"enwh": 0}},
    ))  # fmt: skip
    all_intervals = read_between("site_battery_intervals", Level.QUARTER, (2026, 6, 15, 23), (2026, 6, 16, 1))
    assert days_and_kwh(all_intervals) == [
        (15, (0.01, 0.0)),
        (16, (0.02, 0.0)),
    ]


def test_the_energy_is_enwh_and_never_the_power_of_the_same_row(system):
    system("/7/devices", devices(micros=["9"]))
    rows = [{"end_at": seconds(16, 12, minute), "powr": 1500, "enwh": 125} for minute in (5, 10, 15)]
    system("/7/telemetry/production_micro", telemetry(*rows))
    (interval,) = read_between("site_solar_intervals", Level.QUARTER, (2026, 6, 16, 12), (2026, 6, 16, 12, 15))
    assert interval.kwh == (0.375,)
    assert interval.quality is Quality.MEASURED


def test_a_row_without_energy_is_a_gap_and_a_row_of_0_is_none():
    noon = seconds(16, 12)
    zero, null = {"end_at": noon, "powr": 0, "enwh": 0}, {"end_at": noon + 300, "powr": 9, "enwh": None}
    rows = [zero, null, {"end_at": noon + 600}]
    assert [sample.kwh for sample in series.production(telemetry(*rows))] == [(0.0,)]


def test_energy_of_27_of_31_microinverters_is_partial_and_not_scaled_up(system):
    system("/7/devices", devices(micros=["9"]))
    rows = [
        {"end_at": seconds(16, 12, minute), "devices_reporting": n, "enwh": 125}
        for minute, n in ((5, 31), (10, 27), (15, 31), (20, 31), (25, 31), (30, 31))
    ]
    system("/7/telemetry/production_micro", telemetry(*rows, of=31))
    first, second = read_between("site_solar_intervals", Level.QUARTER, (2026, 6, 16, 12), (2026, 6, 16, 12, 30))
    assert (first.kwh, first.quality, first.reporting) == ((0.375,), Quality.PARTIAL, Reporting(27, 31))
    assert (second.kwh, second.quality, second.reporting) == ((0.375,), Quality.MEASURED, Reporting(31, 31))


def test_zeros_after_the_last_day_with_energy_are_unknown_and_zeros_before_it_are_days(system):
    network = system("/7/energy_lifetime", {"start_date": "2026-06-12", "production": [5000, 0, 7000, 0, 0, 0]})
    all_intervals = read_between("site_solar_intervals", Level.DAY, (2026, 6, 1), (2026, 6, 18))
    assert days_and_kwh(all_intervals) == [
        (12, (5.0,)),
        (13, (0.0,)),
        (14, (7.0,)),
    ]
    assert params_of(network, "energy_lifetime") == [{"end_date": "2026-06-17"}]


def test_months_are_the_days_of_the_same_call_and_today_is_partial(system):
    energies = [1000] * (30 + 31 + 17)
    network = system("/7/energy_lifetime", {"start_date": "2026-04-01", "production": energies})
    cloud = cloud_of("enphase")
    months = read_between("site_solar_intervals", Level.MONTH, (2026, 4, 1), (2026, 6, 18), cloud=cloud)
    assert [interval.kwh for interval in months] == [(30.0,), (31.0,), (17.0,)]
    assert [interval.quality for interval in months] == [Quality.MEASURED, Quality.MEASURED, Quality.PARTIAL]
    days = read_between("site_solar_intervals", Level.DAY, (2026, 6, 16), (2026, 6, 18), cloud=cloud)
    assert [interval.quality for interval in days] == [Quality.MEASURED, Quality.PARTIAL]
    assert len(params_of(network, "energy_lifetime")) == 1


@pytest.mark.parametrize(
    "answer", [{"start_date": None, "production": []}, {"start_date": "2026-06-01", "production": []}]
)
def test_a_system_without_any_day_has_no_intervals(system, answer):
    system("/7/energy_lifetime", answer)
    assert read_between("site_solar_intervals", Level.DAY, (2026, 6, 1), (2026, 6, 18)) == []


def test_a_metered_system_is_read_from_its_meter_a_week_at_a_time(system):
    meter = {"config_type": "Production", "state": "enabled"}
    system("/7/devices", {"devices": {"meters": [meter]}})
    network = system("/7/telemetry/production_meter", telemetry({"end_at": seconds(16, 12, 15), "wh_del": 250}))
    (interval,) = read_between("site_solar_intervals", Level.HOUR, (2026, 6, 15), (2026, 6, 17))
    assert interval.kwh == (0.25,)
    assert [params["granularity"] for params in params_of(network, "production_meter")] == ["week"]


@pytest.mark.parametrize(
    "meter", [{"config_type": "Net", "state": "enabled"}, {"config_type": "Production", "state": ""}]
)
def test_only_an_enabled_production_meter_counts_production(system, meter):
    system("/7/devices", {"devices": {"meters": [meter]}})
    network = system("/7/telemetry/production_micro", telemetry())
    assert read_between("site_solar_intervals", Level.HOUR, (2026, 6, 16), (2026, 6, 17)) == []
    assert len(params_of(network, "production_micro")) == 1


def test_a_day_of_25_hours_takes_two_calls_and_a_day_of_23_hours_one(system):
    network = system("/7/devices/micros/9/telemetry", telemetry())
    read_between("solar_intervals", Level.HOUR, (2025, 10, 26), (2025, 10, 27), key=("7", "9"))
    begins = [int(params["start_at"]) for params in params_of(network, "/9/")]
    assert begins == [epoch(2025, 10, 26), epoch(2025, 10, 26) + 86_400]
    network.calls.reset()
    read_between("solar_intervals", Level.HOUR, (2026, 3, 29), (2026, 3, 30), key=("7", "9"))
    assert [int(params["start_at"]) for params in params_of(network, "/9/")] == [epoch(2026, 3, 29)]


def test_a_month_of_a_battery_takes_five_calls_and_has_no_state_of_charge(system):
    system("/7/devices", devices(encharges=["8"]))
    row = {"end_at": epoch(2026, 5, 9, 12), "charge": {"enwh": 5}, "discharge": {"enwh": 3}, "soc": {"percent": 50}}
    network = system("/7/devices/encharges/8/telemetry", telemetry(row))
    (interval,) = read_between("battery_intervals", Level.MONTH, (2026, 5, 1), (2026, 6, 1), key=("7", "8"))
    assert (interval.kwh, interval.soc_percent) == ((0.005, 0.003), None)
    assert len(params_of(network, "/8/")) == 5


def test_no_call_is_made_for_rows_older_than_two_years(system):
    network = system("/7/devices/micros/9/telemetry", telemetry())
    assert read_between("solar_intervals", Level.DAY, (2024, 5, 1), (2024, 6, 10), key=("7", "9")) == []
    assert params_of(network, "/9/") == []
    read_between("solar_intervals", Level.DAY, (2024, 6, 10), (2024, 6, 21), key=("7", "9"))
    oldest = min(int(params["start_at"]) for params in params_of(network, "/9/"))
    assert EVENING - timedelta(days=730) < datetime.fromtimestamp(oldest, UTC) < EVENING - timedelta(days=728)


def test_months_of_a_microinverter_and_series_of_an_ac_battery_are_not_offered(system):
    system("/7/devices", devices(acbs=["8"]))
    with pytest.raises(NotOffered):
        open_vendor("enphase").solar_intervals(("7", "9"), Level.MONTH)
    with pytest.raises(NotOffered):
        open_vendor("enphase").battery_intervals(("7", "8"), Level.HOUR)


@pytest.mark.parametrize("level", list(Level))
def test_battery_intervals_of_a_system_without_a_battery_are_not_offered_and_cost_no_telemetry(system, level):
    network = system("/7/devices", devices(micros=["9"]))
    with pytest.raises(NotOffered):
        open_vendor("enphase").site_battery_intervals(KEY, level)
    assert [call.request.path_url.rpartition("/")[2] for call in network.calls] == ["7", "devices"]


def test_without_a_time_zone_the_offset_of_the_vendor_s_dates_counts(network, monkeypatch):
    monkeypatch.setattr(Client, "now", EVENING)
    network.get(SYSTEMS + "/7", json={"system_id": 7, "timezone": None})
    network.get(SYSTEMS + "/7/telemetry/production_micro", json={"start_date": "2026-06-16T00:00:00+05:30"})
    network.get(SYSTEMS + "/7/devices", json=devices(encharges=["8"]))
    zone = open_vendor("enphase").site_battery_intervals(KEY, Level.DAY).zone
    assert zone.utcoffset(None) == timedelta(hours=5, minutes=30)
