"""Odd answers of both Enphase clouds: of other systems and other times, in other forms, and refusals that are none."""

import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.vendors.support import BASE, open_vendor
from vendors.kit import Asked, BackendError, BadReply, Client, Interval, Level, NotFound, Quality, Sweep
from vendors.kit import intervals as read_intervals

HERE = Path(__file__).parent
BERLIN = ZoneInfo("Europe/Berlin")
# An hour after noon in summer, by the system's clock.
NOW = datetime(2026, 6, 16, 11, 10, tzinfo=UTC)
KEY, MICRO, ENCHARGE = ("7",), ("7", "9"), ("7", "8")
BOTH = pytest.mark.parametrize("vendor", ["enphase", "enphasevpp"])
SYSTEM = {"system_id": 7, "timezone": "Europe/Berlin", "operational_at": 1_500_000_000}
NAMES = {
    "enphase": {"/events": "/open_events", "/lifetime": "/energy_lifetime"},
    "enphasevpp": {"/events": "/site_open_events", "/lifetime": "/production_lifetime"},
}


def error(status, number):
    return json.loads((HERE / "errors" / f"{status}-{number:02}.json").read_text())


@pytest.fixture
def cloud(network, monkeypatch):
    """Answers of one of the clouds about system 7, by their path below it."""
    monkeypatch.setattr(Client, "now", NOW)

    def opened(vendor):
        base = f"{BASE}/api/v4/systems" if vendor == "enphase" else f"{BASE}/api/v1/systems"
        network.get(f"{BASE}/api/v1/programs", json={"total_count": 1, "programs": [{"program_id": "a"}]})
        network.get(f"{base}/search/a", json={"total": 1, "systems": [SYSTEM]})
        network.get(f"{base}/7", json=SYSTEM)
        network.get(f"{base}/inverters_summary_by_envoy_or_site", json=[])
        network.get(f"{base}/event_types", json={"event_types": []})
        network.get(f"{base}/config/7/battery_settings", json={"system_id": 7})

        def add(path, body, status=200):
            name = NAMES[vendor].get(path, path)
            network.get(f"{base}/7{name}", json=body, status=status)
            return network

        return add

    return opened


def devices(**types):
    """An answer with devices of these types, by their serial numbers or with members of their own."""

    def entry(one):
        return {"id": 1, "status": "normal"} | (one if isinstance(one, dict) else {"serial_number": one})

    return {"system_id": 7, "devices": {name: [entry(one) for one in found] for name, found in types.items()}}


def seconds(*when):
    return int(datetime(2026, 6, *when, tzinfo=BERLIN).timestamp())


def read(vendor, operation, key=KEY, level=Level.QUARTER, start=(16, 12), end=(16, 12, 30)):
    plugin = open_vendor(vendor)
    found = getattr(plugin, operation)(key, level)
    window = Asked(level, datetime(2026, 6, *start), datetime(2026, 6, *end)).widened(found.zone, NOW, found.since)
    return [one for one in read_intervals(found, window, 100, NOW) if isinstance(one, Interval)]


def solar_row(minute, wh, **of):
    return {"end_at": seconds(16, 12, minute), "enwh": wh} | of


def flow_row(minute, into=10, out=0, **of):
    return {"end_at": seconds(16, 12, minute), "charge": {"enwh": into}, "discharge": {"enwh": out}} | of


METER = {"serial_number": "m", "config_type": "Production", "state": "enabled"}
# Each series: what is read, with which key, its path, the devices of the system, and its rows.
SERIES = {
    "meter": ("site_solar_intervals", KEY, "/telemetry/production_meter", devices(meters=[METER]),
              [{"end_at": seconds(16, 12, 15 * n), "wh_del": 100 * n} for n in (1, 2)], [(0.1,), (0.2,)]),
    "micros": ("site_solar_intervals", KEY, "/telemetry/production_micro", devices(micros=["9"]),
               [solar_row(5 * n, 10 * n) for n in range(1, 7)], [(0.06,), (0.15,)]),
    "micro": ("solar_intervals", MICRO, "/devices/micros/9/telemetry", devices(micros=["9"]),
              [solar_row(5 * n, 10 * n) for n in range(1, 7)], [(0.06,), (0.15,)]),
    "batteries": ("site_battery_intervals", KEY, "/telemetry/battery", devices(encharges=["8"]),
                  [flow_row(15, 10, 0), flow_row(30, 0, 20)], [(0.01, 0.0), (0.0, 0.02)]),
    "battery": ("battery_intervals", ENCHARGE, "/devices/encharges/8/telemetry", devices(encharges=["8"]),
                [flow_row(15, 10, 0), flow_row(30, 0, 20)], [(0.01, 0.0), (0.0, 0.02)]),
}  # fmt: skip
EACH = pytest.mark.parametrize("name", list(SERIES))


@BOTH
@EACH
@pytest.mark.parametrize("nested", [lambda rows: [rows], lambda rows: [[row] for row in rows], lambda rows: [[], rows]])
def test_intervals_may_be_a_list_of_lists(cloud, vendor, name, nested):
    operation, key, path, found, rows, kwh = SERIES[name]
    add = cloud(vendor)
    add("/devices", found)
    add(path, {"system_id": 7, "intervals": nested(rows)})
    assert [one.kwh for one in read(vendor, operation, key)] == [pytest.approx(one) for one in kwh]


@BOTH
@EACH
@pytest.mark.parametrize("nothing", [None, [], [[]]])
def test_a_series_without_rows_has_no_intervals(cloud, vendor, name, nothing):
    operation, key, path, found, *_ = SERIES[name]
    add = cloud(vendor)
    add("/devices", found)
    add(path, {"system_id": 7, "intervals": nothing})
    assert read(vendor, operation, key) == []


@BOTH
@EACH
def test_another_system_s_answer_is_a_bad_reply_and_one_that_names_none_is_not(cloud, vendor, name):
    operation, key, path, found, rows, kwh = SERIES[name]
    add = cloud(vendor)
    add("/devices", found)
    add(path, {"system_id": "7", "intervals": rows})
    add(path, {"intervals": rows})
    for _ in range(2):
        assert len(read(vendor, operation, key)) == len(kwh)
    add(path, {"system_id": 8, "intervals": rows})
    with pytest.raises(BadReply):
        read(vendor, operation, key)


@BOTH
@pytest.mark.parametrize("name", ["micro", "battery"])
def test_another_device_s_answer_is_a_bad_reply(cloud, vendor, name):
    operation, key, path, found, rows, _ = SERIES[name]
    add = cloud(vendor)
    add("/devices", found)
    add(path, {"system_id": 7, "serial_number": "10", "intervals": rows})
    with pytest.raises(BadReply):
        read(vendor, operation, key)


@BOTH
@pytest.mark.parametrize("path", ["/devices", "/lifetime", "/battery_lifetime"])
def test_no_answer_about_another_system_is_read(cloud, vendor, path):
    add = cloud(vendor)
    another = {"system_id": 8, "devices": {"micros": []}, "start_date": None}
    if path == "/battery_lifetime":
        add("/devices", devices(encharges=["8"]))
    add(path, another)
    with pytest.raises(BadReply):
        read_whole(vendor, path)


def read_whole(vendor, path):
    if path == "/devices":
        return list(open_vendor(vendor).devices("7"))
    return read(vendor, f"site_{'battery' if 'battery' in path else 'solar'}_intervals", level=Level.DAY)


@BOTH
def test_a_detail_leaves_out_what_is_about_another_system_and_says_so(cloud, vendor):
    add = cloud(vendor)
    add("/devices", devices(encharges=[{"serial_number": "8", "id": 1}]))
    add("/summary", {"system_id": 7, "current_power": 500, "battery_capacity_wh": 5000})
    add("/telemetry/battery", {"system_id": 8, "soc": 50, "last_reported_aggregate_soc": "50%", "intervals": []})
    add("/latest_telemetry", {"system_id": 8, "devices": {}})
    sweep = Sweep(open_vendor(vendor))
    sweep.run(lambda plugin: [plugin.site(KEY)])
    (site,) = sweep.records
    assert (site.power_kw, site.bess.soc_percent, site.charge_kw) == (0.5, None, None)
    assert {failure.code for failure in sweep.progress.failures} == {"bad_reply"}


def test_the_monitoring_api_s_answer_about_another_system_is_not_the_system(cloud, network):
    cloud("enphase")
    network.replace("GET", f"{BASE}/api/v4/systems/7", json=SYSTEM | {"system_id": 8})
    with pytest.raises(BadReply):
        open_vendor("enphase").site(KEY)


@BOTH
@EACH
@pytest.mark.parametrize("number", [1, 2, 6, 13])
def test_no_data_for_that_time_is_no_interval_and_no_failure(cloud, vendor, name, number):
    operation, key, path, found, *_ = SERIES[name]
    add = cloud(vendor)
    add("/devices", found)
    add(path, refusal(vendor, error(422, number)), 422)
    assert read(vendor, operation, key) == []


def refusal(vendor, said):
    """As the cloud puts it: the Grid Services API passes on what it was told, in `additionalInfo`."""
    if vendor == "enphase":
        return said
    downstream = "Error occurred while getting response from downstream server. Please refer to additionalInfo section"
    return {"code": "422", "displayMessage": downstream, "additionalInfo": said["details"], "errorRefNo": "e20fdf9a"}


@BOTH
@pytest.mark.parametrize("path", ["/lifetime", "/battery_lifetime"])
@pytest.mark.parametrize("number", [1, 2])
def test_no_data_for_those_days_is_no_day(cloud, vendor, path, number):
    add = cloud(vendor)
    add("/devices", devices(encharges=["8"]))
    add(path, refusal(vendor, error(422, number)), 422)
    operation = "site_solar_intervals" if path == "/lifetime" else "site_battery_intervals"
    assert read(vendor, operation, level=Level.DAY) == []


@pytest.mark.parametrize("text", ["start_at can't be before 2 years", "start_date can't be before 2 years"])
def test_what_the_grid_services_api_keeps_no_longer_is_no_interval(cloud, text):
    add = cloud("enphasevpp")
    add("/devices", devices(micros=["9"]))
    add("/telemetry/production_micro", {"code": "422", "displayMessage": text + " of current date"}, 422)
    assert read("enphasevpp", "site_solar_intervals") == []


@BOTH
def test_another_422_is_still_a_failure(cloud, vendor):
    add = cloud(vendor)
    add("/devices", devices(micros=["9"]))
    add("/telemetry/production_micro", refusal(vendor, error(422, 4)), 422)
    with pytest.raises(BackendError if vendor == "enphasevpp" else Exception, match="production_micro"):
        read(vendor, "site_solar_intervals")


@BOTH
@pytest.mark.parametrize("number", [7, 8])
def test_a_system_without_iq_batteries_has_no_settings_and_no_charge(cloud, vendor, number):
    """AC Batteries are batteries, and these calls know nothing of them."""
    add = cloud(vendor)
    said = refusal(vendor, error(422, number))
    add("/devices", devices(acbs=["8"]))
    add("/summary", {"system_id": 7, "battery_capacity_wh": 1200})
    add("/telemetry/battery", said, 422)
    add("/latest_telemetry", {"system_id": 7, "devices": {}})
    sweep = Sweep(open_vendor(vendor))
    sweep.run(lambda plugin: [plugin.site(KEY), plugin.battery(ENCHARGE)])
    site, battery = sweep.records
    assert sweep.progress.failures == []
    assert (site.bess.nameplate_kwh, site.bess.soc_percent, battery.nameplate_kwh) == (1.2, None, 1.2)


@BOTH
@pytest.mark.parametrize("active", [False, "false", "False", " FALSE "])
def test_a_device_that_is_not_active_is_no_device_however_that_is_written(cloud, vendor, active):
    add = cloud(vendor)
    retired = {"active": active}
    add("/devices", devices(
        micros=[{"serial_number": "1"} | retired, {"serial_number": "9", "active": "true"}],
        encharges=[{"serial_number": "2"} | retired, {"serial_number": "8", "active": True}],
        acbs=[{"serial_number": "3"} | retired],
    ))  # fmt: skip
    assert [found.serial_number for found in open_vendor(vendor).devices("7")] == ["9", "8"]
    for read_one, key in (("solar_inverter", ("7", "1")), ("battery", ("7", "2"))):
        with pytest.raises(NotFound):
            getattr(open_vendor(vendor), read_one)(key)


@BOTH
def test_a_meter_that_is_not_active_counts_no_production(cloud, vendor):
    add = cloud(vendor)
    add("/devices", devices(meters=[METER | {"active": "false"}]))
    add("/telemetry/production_micro", {"system_id": 7, "intervals": [solar_row(5, 10)]})
    assert [one.kwh for one in read(vendor, "site_solar_intervals")] == [(0.01,)]


@BOTH
def test_a_battery_that_is_listed_twice_is_the_only_one(cloud, vendor):
    add = cloud(vendor)
    twice = [{"serial_number": "8"}] * 2
    add("/devices", devices(acbs=twice))
    add("/summary", {"system_id": 7, "battery_capacity_wh": 1200})
    add("/telemetry/battery", {"system_id": 7, "soc": 50, "last_reported_aggregate_soc": "50%", "intervals": []})
    assert len(list(open_vendor(vendor).devices("7"))) == 1
    battery = open_vendor(vendor).battery(ENCHARGE)
    assert (battery.nameplate_kwh, battery.soc_percent) == (1.2, 50.0)


@BOTH
def test_a_battery_that_was_replaced_or_comes_twice_changes_nothing_of_what_the_others_do(cloud, vendor):
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
    for gone in former:
        add("/latest_telemetry", {"system_id": 7, "devices": {"encharges": [charging, charging, gone]}})
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
    found = open_vendor(vendor).solar_inverter(MICRO)
    assert (found.recent_production.kwh, found.recent_production.start.timestamp()) == (0.15, seconds(16))
    assert (found.power_kw, found.measured_at.timestamp()) == (1.2, seconds(16, 12, 10))


@BOTH
@EACH
def test_a_row_after_now_is_not_of_the_running_hour(cloud, vendor, name):
    operation, key, path, found, rows, _ = SERIES[name]
    add = cloud(vendor)
    add("/devices", found)
    shifted = [row | {"end_at": row["end_at"] + 3600} for row in rows]
    later = [row | {"end_at": row["end_at"] + 1800} for row in shifted]
    add(path, {"system_id": 7, "intervals": shifted + later})
    (hour,) = read(vendor, operation, key, Level.HOUR, (16, 13), (16, 14))
    known = [row for row in shifted if row["end_at"] - (300 if "enwh" in row else 900) < NOW.timestamp()]
    wanted = sum(row.get("enwh") or row.get("wh_del") or row["charge"]["enwh"] for row in known)
    assert hour.kwh[0] == pytest.approx(wanted / 1000)


@BOTH
def test_days_after_today_are_not_of_the_running_month(cloud, vendor):
    add = cloud(vendor)
    energies = [1000] * 16 + [5000] * 3
    add("/lifetime", {"system_id": 7, "start_date": "2026-06-01", "production": energies})
    (month,) = read(vendor, "site_solar_intervals", level=Level.MONTH, start=(1,), end=(17,))
    assert month.kwh == (16.0,)


@BOTH
@pytest.mark.parametrize("begun", [{"start_at": seconds(14), "end_at": seconds(15)}, {"start_at": None}])
def test_rows_of_a_day_that_is_not_today_are_not_today_s_production(cloud, vendor, begun):
    add = cloud(vendor)
    add("/devices", devices(micros=["9"]))
    add("/events", {"system_id": 7, "events": []})
    rows = [{"end_at": seconds(14, 12, 5), "powr": 1, "enwh": 5000}]
    add("/devices/micros/9/telemetry", DAY | begun | {"intervals": rows})
    found = open_vendor(vendor).solar_inverter(MICRO)
    assert (found.recent_production, found.power_kw, found.measured_at) == (None, None, None)


@BOTH
def test_the_charge_of_tomorrow_s_row_is_not_the_present_one(cloud, vendor):
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
def test_the_power_of_another_day_s_summary_is_not_the_present_one(cloud, vendor, date, power_kw):
    add = cloud(vendor)
    add("/summary", {"system_id": 7, "current_power": 500, "summary_date": date})
    assert open_vendor(vendor).site(KEY).power_kw == power_kw


@BOTH
@pytest.mark.parametrize(("name", "step"), [("micros", 15), ("meter", 5), ("batteries", 5)])
def test_rows_are_as_long_as_the_time_between_them(cloud, vendor, name, step):
    operation, key, path, found, *_ = SERIES[name]
    add = cloud(vendor)
    add("/devices", found)
    makes = flow_row if name == "batteries" else solar_row
    add(path, {"system_id": 7, "intervals": [makes(minute, 90) for minute in range(step, 31, step)]})
    intervals = read(vendor, operation, key)
    assert [one.quality for one in intervals] == [Quality.MEASURED] * 2
    assert [one.kwh[0] for one in intervals] == [pytest.approx(0.09 * 15 / step)] * 2


def test_the_first_row_of_five_minutes_is_not_spread_over_the_quarter_before_it(cloud):
    add = cloud("enphasevpp")
    add("/devices", devices(meters=[METER]))
    add("/telemetry/production_meter", {"intervals": [solar_row(20, 10), solar_row(25, 10), solar_row(30, 10)]})
    (found,) = read("enphasevpp", "site_solar_intervals")
    assert (found.start.minute, found.kwh) == (15, (pytest.approx(0.03),))


@BOTH
def test_an_event_that_is_over_is_not_told_and_one_that_comes_twice_is_told_once(cloud, vendor):
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
