"""State of sites and devices of both Enphase clouds: devices in service, rows of today up to now, open events."""

import pytest

from tests.vendors.enphase.played import (
    BOTH,
    EACH,
    ENCHARGE,
    KEY,
    METER,
    MICRO,
    NOW,
    SERIES,
    devices,
    flow_row,
    read,
    seconds,
    solar_row,
)
from tests.vendors.support import open_vendor, records_of
from vendors.enphase.state import amount, flow_of, mode_of
from vendors.kit import Level, NotFound, Quality


@BOTH
@pytest.mark.parametrize("active", [False, "false", "False", " FALSE "])
def test_a_device_that_is_not_active_in_any_spelling_is_left_out(cloud, vendor, active):
    add = cloud(vendor)
    retired = {"active": active}
    add("/devices", devices(
        micros=[{"serial_number": "1"} | retired, {"serial_number": "9", "active": "true"}],
        encharges=[{"serial_number": "2"} | retired, {"serial_number": "8", "active": True}],
        acbs=[{"serial_number": "3"} | retired],
    ))  # fmt: skip
    assert [device.serial_number for device in records_of(open_vendor(vendor).devices("7"))] == ["9", "8"]
    for read_one, key in (("solar_inverter", ("7", "1")), ("battery", ("7", "2"))):
        with pytest.raises(NotFound):
            getattr(open_vendor(vendor), read_one)(key)


@BOTH
def test_production_is_not_read_from_a_meter_that_is_not_active(cloud, vendor):
    add = cloud(vendor)
    add("/devices", devices(meters=[METER | {"active": "false"}]))
    add("/telemetry/production_micro", {"system_id": 7, "intervals": [solar_row(5, 10)]})
    assert [interval.kwh for interval in read(vendor, "site_solar_intervals")] == [(0.01,)]


@BOTH
def test_a_battery_that_is_listed_twice_counts_as_the_only_battery(cloud, vendor):
    add = cloud(vendor)
    twice = [{"serial_number": "8"}] * 2
    add("/devices", devices(acbs=twice))
    add("/summary", {"system_id": 7, "battery_capacity_wh": 1200})
    add("/telemetry/battery", {"system_id": 7, "soc": 50, "last_reported_aggregate_soc": "50%", "intervals": []})
    assert len(list(open_vendor(vendor).devices("7"))) == 1
    battery = open_vendor(vendor).battery(ENCHARGE)
    assert (battery.nameplate_kwh, battery.soc_percent) == (1.2, 50.0)


@BOTH
def test_the_power_of_a_site_is_not_changed_by_a_replaced_battery_or_a_repeated_row(cloud, vendor):
    add = cloud(vendor)
    add("/devices", devices(encharges=[
        {"serial_number": "8", "id": 11}, {"serial_number": "2", "id": 12, "active": "false"},
    ]))  # fmt: skip
    add("/summary", {"system_id": 7, "battery_capacity_wh": 5000})
    add("/telemetry/battery", {"system_id": 7, "intervals": []})
    charging = {"id": 11, "channel": 1, "power": 3000, "operational_mode": "Charging"}
    former = [
        {"id": 12, "channel": 1, "power": power, "operational_mode": mode}
        for power, mode in ((None, None), (900, "Charging"))
    ]
    for replaced in former:
        add("/latest_telemetry", {"system_id": 7, "devices": {"encharges": [charging, charging, replaced]}})
    for _ in former:
        site = open_vendor(vendor).site(KEY)
        assert (site.charge_kw, site.discharge_kw) == (3.0, 0.0)


DAY = {"system_id": 7, "serial_number": "9", "start_at": seconds(16), "end_at": seconds(17)}


@BOTH
def test_today_and_the_present_are_rows_of_today_up_to_now(cloud, vendor):
    add = cloud(vendor)
    add("/devices", devices(micros=["9"]))
    add("/events", {"system_id": 7, "events": []})
    rows = [
        {"end_at": seconds(15, 12, 5), "powr": 1, "enwh": 5000},
        {"end_at": seconds(16), "powr": 2, "enwh": 7000},
        {"end_at": seconds(16, 12, 10), "powr": 1200, "enwh": 100},
        {"end_at": seconds(16, 12, 5), "powr": 600, "enwh": 50},
        {"end_at": seconds(16, 12, 10), "powr": 1200, "enwh": 100},
        {"end_at": seconds(16, 13, 15), "powr": 4, "enwh": 9000},
        {"end_at": seconds(17, 12, 5), "powr": 5, "enwh": 11000},
    ]
    add("/devices/micros/9/telemetry", DAY | {"intervals": [rows]})
    inverter = open_vendor(vendor).solar_inverter(MICRO)
    assert (inverter.recent_production.kwh, inverter.recent_production.start.timestamp()) == (0.15, seconds(16))
    assert (inverter.power_kw, inverter.measured_at.timestamp()) == (1.2, seconds(16, 12, 10))


@BOTH
@EACH
def test_a_row_after_now_is_not_part_of_the_running_hour(cloud, vendor, name):
    operation, key, path, listed, rows, _ = SERIES[name]
    add = cloud(vendor)
    add("/devices", listed)
    shifted = [row | {"end_at": row["end_at"] + 3600} for row in rows]
    later = [row | {"end_at": row["end_at"] + 1800} for row in shifted]
    add(path, {"system_id": 7, "intervals": shifted + later})
    (hour,) = read(vendor, operation, key, Level.HOUR, (16, 13), (16, 14))
    known = [row for row in shifted if row["end_at"] - (300 if "enwh" in row else 900) < NOW.timestamp()]
    wh = sum(row.get("enwh") or row.get("wh_del") or row["charge"]["enwh"] for row in known)
    assert hour.kwh[0] == pytest.approx(wh / 1000)


@BOTH
def test_days_after_today_are_not_part_of_the_running_month(cloud, vendor):
    add = cloud(vendor)
    energies = [1000] * 16 + [5000] * 3
    add("/lifetime", {"system_id": 7, "start_date": "2026-06-01", "production": energies})
    (month,) = read(vendor, "site_solar_intervals", level=Level.MONTH, start=(1,), end=(17,))
    assert month.kwh == (16.0,)


@BOTH
@pytest.mark.parametrize("begun", [{"start_at": seconds(14), "end_at": seconds(15)}, {"start_at": None}])
def test_rows_of_another_day_are_not_today_s_production(cloud, vendor, begun):
    add = cloud(vendor)
    add("/devices", devices(micros=["9"]))
    add("/events", {"system_id": 7, "events": []})
    rows = [{"end_at": seconds(14, 12, 5), "powr": 1, "enwh": 5000}]
    add("/devices/micros/9/telemetry", DAY | begun | {"intervals": rows})
    inverter = open_vendor(vendor).solar_inverter(MICRO)
    assert (inverter.recent_production, inverter.power_kw, inverter.measured_at) == (None, None, None)


@BOTH
def test_the_charge_of_tomorrow_s_row_is_not_the_present_charge(cloud, vendor):
    add = cloud(vendor)
    add("/devices", devices(encharges=["8", "2"]))
    add("/latest_telemetry", {"system_id": 7, "devices": {}})
    add("/battery_settings", {"system_id": 7})
    rows = [flow_row(15, soc={"percent": 40}), {"end_at": seconds(17, 1), "soc": {"percent": 99}}]
    add("/devices/encharges/8/telemetry", DAY | {"serial_number": "8", "intervals": rows})
    battery = open_vendor(vendor).battery(ENCHARGE)
    assert battery.soc_percent == 40


@BOTH
@pytest.mark.parametrize(("date", "power_kw"), [("2026-06-15", None), ("2026-06-16", 0.5), (None, 0.5)])
def test_the_power_of_another_day_s_summary_is_not_the_present_power(cloud, vendor, date, power_kw):
    add = cloud(vendor)
    add("/summary", {"system_id": 7, "current_power": 500, "summary_date": date})
    assert open_vendor(vendor).site(KEY).power_kw == power_kw


@BOTH
@pytest.mark.parametrize(("name", "step"), [("micros", 15), ("meter", 5), ("batteries", 5)])
def test_rows_are_as_long_as_the_time_between_them(cloud, vendor, name, step):
    operation, key, path, listed, *_ = SERIES[name]
    add = cloud(vendor)
    add("/devices", listed)
    make_row = flow_row if name == "batteries" else solar_row
    add(path, {"system_id": 7, "intervals": [make_row(minute, 90) for minute in range(step, 31, step)]})
    intervals = read(vendor, operation, key)
    assert [interval.quality for interval in intervals] == [Quality.MEASURED] * 2
    assert [interval.kwh[0] for interval in intervals] == [pytest.approx(0.09 * 15 / step)] * 2


def test_the_first_row_of_five_minutes_is_not_spread_over_the_quarter_before_it(cloud):
    add = cloud("enphasevpp")
    add("/devices", devices(meters=[METER]))
    add("/telemetry/production_meter", {"intervals": [solar_row(20, 10), solar_row(25, 10), solar_row(30, 10)]})
    (interval,) = read("enphasevpp", "site_solar_intervals")
    assert (interval.start.minute, interval.kwh) == (15, (pytest.approx(0.03),))


@BOTH
def test_closed_events_are_left_out_and_repeated_events_count_once(cloud, vendor):
    add = cloud(vendor)
    add("/devices", devices(micros=["9"]))
    add("/devices/micros/9/telemetry", DAY | {"intervals": []})
    began = {"event_start_time": seconds(15, 8), "event_end_time": None, "serial_number": "9"}
    events = [
        {"event_type_id": 1, "status": "open"} | began,
        {"event_type_id": 1, "status": "open"} | began,
        {"event_type_id": 2, "status": "Open"} | began | {"event_start_time": None},
        {"event_type_id": 3, "status": "Closed"} | began | {"event_start_time": seconds(1)},
        {"event_type_id": 4} | began | {"event_end_time": seconds(15, 9)},
    ]
    add("/events", {"system_id": 7, "events": events})
    errors = open_vendor(vendor).solar_inverter(MICRO).recent_errors
    assert [message.text for message in errors.found] == ["event type 1", "event type 2"]
    assert errors.start.timestamp() == seconds(15, 8)


@pytest.mark.parametrize(
    ("powers", "flow"),
    [
        ([(20, "Charging")], (0.02, 0.0)),
        ([(-20, "Charging")], (0.02, 0.0)),
        ([(-10, "discharging")], (0.0, 0.01)),
        ([(20, "Charging"), (-50, "Discharging")], (0.0, 0.03)),
        ([(-15, "Idle"), (0, "Idle")], (0.0, 0.0)),
        ([(20, "Charging"), (None, None)], None),
        ([(20, "Dreaming")], None),
        ([], None),
    ],
)
def test_the_direction_of_a_power_follows_from_the_mode_and_not_from_its_sign(powers, flow):
    directed = flow_of({"power": power, "operational_mode": mode} for power, mode in powers)
    assert directed == (flow and pytest.approx(flow))


@pytest.mark.parametrize("word", ["Self - Consumption", "Self-consumption", "self-consumption"])
def test_each_spelling_of_a_mode_is_the_same(word):
    assert mode_of({"battery_mode": word}) == "Self Consumption"


@pytest.mark.parametrize(
    ("energy", "kwh"),
    [
        ({"value": 232, "units": "Wh"}, 0.232),
        ({"value": 232, "units": "kWh"}, 232.0),
        ({"value": 232, "units": "furlongs"}, None),
        (232, 0.232),
        (0, 0.0),
        (None, None),
    ],
)
def test_an_amount_is_an_object_with_its_unit_or_a_bare_number(energy, kwh):
    assert amount({"energy": energy}, "energy", "Wh") == kwh
