"""Solis' odd answers: batteries that are not there, alarms on several pages, times to come, and another's answers."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.vendors.support import BASE, open_vendor
from vendors.kit import BadReply, Battery, Client, Level, NotFound, NotOffered, SolarInverter
from vendors.kit.parsing.reading import Raw
from vendors.kit.series.read import ReadUpTo, intervals
from vendors.kit.series.windows import RequestedWindow

HERE = Path(__file__).parent
API = f"{BASE}/v1/api"
NOW = datetime(2026, 8, 22, 10, 0, tzinfo=UTC)
STATION, INVERTER, SERIAL = "1300000000000000009", "1300000000000000001", "000000000000001"
SINCE = datetime(2022, 8, 19, 16, tzinfo=UTC)


def sample(name) -> Raw:
    return json.loads((HERE / f"{name}.json").read_text())


def milliseconds(at):
    return str(int(at.timestamp()) * 1000)


def success(data):
    return {"code": "0", "data": data}


def listed(*rows):
    return success({"page": {"pages": 1, "records": list(rows)}})


def station(**more):
    first_day = int(SINCE.timestamp()) * 1000
    return success({"id": STATION, "timeZone": 2, "fisGenerateTime": first_day, **more})


@pytest.fixture(autouse=True)
def cloud(network, monkeypatch):
    """The account's station, at noon in August."""
    monkeypatch.setattr(Client, "now", NOW)
    network.assert_all_requests_are_fired = False
    network.post(f"{API}/alarmList", json=success({"records": [], "total": 0, "pages": 0}))
    return network


def with_battery(**changes):
    raw = sample("inverterDetail-no-battery")["data"] | {"batteryType": "1.0", "batteryList": [], "batteryNum": 1}
    return raw | {"batteryTotalChargeEnergy": 7332.0, "batteryCapacitySoc": 55.0, "batteryVoltage": 51.2} | changes


@pytest.mark.parametrize("firmware", ["", "-other-firmware"])
def test_an_inverter_that_says_no_battery_is_no_hybrid_and_its_power_is_its_output(cloud, firmware):
    cloud.post(f"{API}/inverterDetail", json=sample(f"inverterDetail-no-battery{firmware}"))
    cloud.post(f"{API}/stationDetail", json=station())
    inverter = open_vendor("solis").solar_inverter((INVERTER,))
    assert (inverter.kind, inverter.power_kw) == ("string", 2.05)
    with pytest.raises(NotFound):
        open_vendor("solis").battery((INVERTER,))


def test_an_inverter_without_a_battery_costs_no_further_call(cloud):
    cloud.post(f"{API}/inverterList", json=sample("inverterList-no-battery"))
    assert [device.kind for device in open_vendor("solis").devices()] == [SolarInverter]
    assert len(cloud.calls) == 1


def test_a_battery_that_was_taken_away_is_in_no_list_though_its_counters_stay(cloud):
    cloud.post(f"{API}/inverterList", json=sample("inverterList-battery-taken-away"))
    cloud.post(f"{API}/inverterDetail", json=sample("inverterDetail-battery-taken-away"))
    cloud.post(f"{API}/stationDetail", json=station())
    assert [device.kind for device in open_vendor("solis").devices()] == [SolarInverter]
    assert open_vendor("solis").solar_inverter((INVERTER,)).kind == "string"
    with pytest.raises(NotFound):
        open_vendor("solis").battery((INVERTER,))
    with pytest.raises(NotOffered):
        open_vendor("solis").site_battery_intervals((STATION,), Level.HOUR)


@pytest.mark.parametrize("detail", [{"status": 502}, {"json": success(with_battery(batteryCapacitySoc=0.0))}])
def test_a_battery_whose_charge_reads_0_stays_in_the_list_unless_the_inverter_says_that_it_has_none(cloud, detail):
    cloud.post(f"{API}/inverterList", json=sample("inverterList-battery-taken-away"))
    cloud.post(f"{API}/inverterDetail", **detail)
    assert [device.kind for device in open_vendor("solis").devices()] == [SolarInverter, Battery]


def test_no_more_than_ten_inverters_of_a_list_are_asked_about_their_battery(cloud):
    (row,) = sample("inverterList-battery-taken-away")["data"]["page"]["records"]
    cloud.post(f"{API}/inverterList", json=listed(*(row | {"id": str(number)} for number in range(30))))
    detail = sample("inverterDetail-battery-taken-away")["data"]

    def answer(request):
        return 200, {}, json.dumps(success(detail | {"id": json.loads(request.body)["id"]}))

    cloud.add_callback("POST", f"{API}/inverterDetail", callback=answer)
    devices = list(open_vendor("solis").devices())
    assert sum(device.kind is Battery for device in devices) == 20
    assert len(cloud.calls) == 1 + 10


@pytest.mark.parametrize(
    ("entries", "batteries"),
    [
        ([{"batteryTypeName": "No Battery"}, {"batteryTypeName": "Pylontech", "battSn": "B1"}], 1),
        ([{"noBattery": True}, {"batteryTypeName": "no  battery"}], 0),
        ([{"noBattery": "true"}], 0),
        ([{"noBattery": 1}, {"noBattery": "1"}], 0),
        ([{"batteryTypeName": "NoBattery"}], 0),
        ([{"noBattery": False, "battSn": ""}], 1),
        (["text", None], 1),
    ],
)
def test_an_inverter_has_a_battery_if_any_place_for_one_is_taken(cloud, entries, batteries):
    cloud.post(f"{API}/inverterDetail", json=success(with_battery(batteryList=entries)))
    if batteries:
        assert open_vendor("solis").battery((INVERTER,)).soc_percent == 55.0
    else:
        with pytest.raises(NotFound):
            open_vendor("solis").battery((INVERTER,))


COUNTERS = {"batteryTotalChargeEnergy": 7332.0, "batteryTotalDischargeEnergy": 6619.0}
REST = {"batteryPercent": 0, "batteryPowerZheng": 0, "batteryPowerFu": 0, "batteryPower": 0.0, "batteryPowerStr": "kW"}


@pytest.mark.parametrize(
    ("members", "bess", "charge_kw"),
    [
        (COUNTERS | REST, None, None),
        (COUNTERS, None, None),
        (COUNTERS | REST | {"batteryPercent": 40}, 40.0, 0.0),
        (COUNTERS | REST | {"batteryPowerZheng": 800.0}, "without a charge", 0.8),
    ],
)
def test_a_station_whose_battery_was_taken_away_has_none(cloud, members, bess, charge_kw):
    cloud.post(f"{API}/stationDetail", json=station(dataTimestamp=milliseconds(NOW), **members))
    site = open_vendor("solis").site((STATION,))
    assert site.charge_kw == charge_kw
    assert (site.bess and (site.bess.soc_percent or "without a charge")) == bess


def alarm(number, **changes):
    began = int((NOW - timedelta(hours=8 * number)).timestamp()) * 1000
    return {
        "id": "-1",
        "alarmDeviceSn": SERIAL,
        "alarmLevel": "2",
        "alarmCode": "1011",
        "alarmMsg": f"UN-G-V01 nr {number}",
        "alarmBeginTime": began,
        "state": "0" if number == 0 else "2",
    } | changes


def pages_of_alarms(cloud, alarms, total=None, size=100, others=()):
    """Answers one page after the other; some of the counters may be others, or left out as "missing"."""
    cloud.remove("POST", f"{API}/alarmList")
    for first in range(0, max(len(alarms), 1), size):
        counters = {"total": len(alarms) if total is None else total, "current": first // size + 1}
        page = {"records": alarms[first : first + size], "pages": -(-counters["total"] // size), **counters}
        page = {name: value for name, value in (page | dict(others)).items() if value != "missing"}
        cloud.post(f"{API}/alarmList", json=success(page))


def errors_of_inverter(cloud, **of_station):
    cloud.post(f"{API}/inverterDetail", json=sample("inverterDetail-no-battery"))
    cloud.post(f"{API}/stationDetail", json=station(**of_station))
    return open_vendor("solis").solar_inverter((INVERTER,)).recent_errors


def alarm_bodies(cloud):
    return [json.loads(call.request.body) for call in cloud.calls if call.request.url.endswith("alarmList")]


def test_199_alarms_are_two_pages_and_what_was_restored_says_so(cloud):
    pages_of_alarms(cloud, [alarm(number) for number in range(199)])
    errors = errors_of_inverter(cloud)
    assert len(errors.found) == 199
    assert errors.start == SINCE
    assert [body["pageNo"] for body in alarm_bodies(cloud)] == [1, 2]
    assert (errors.found[0].level, errors.found[0].text) == ("warning", "UN-G-V01 nr 0")
    assert {message.level for message in errors.found[1:]} == {"info"}
    assert errors.found[198].text == "UN-G-V01 nr 198 (restored)"


def test_of_more_alarms_than_five_pages_the_log_begins_with_the_oldest_that_was_read(cloud):
    pages_of_alarms(cloud, [alarm(number) for number in range(700)])
    errors = errors_of_inverter(cloud)
    assert len(errors.found) == 500
    assert errors.start == NOW - timedelta(hours=8 * 499)
    assert len(alarm_bodies(cloud)) == 5


def test_a_cloud_that_gives_its_first_page_again_and_again_does_not_double_alarms(cloud):
    pages_of_alarms(cloud, [alarm(number) for number in range(3)], total=199)
    errors = errors_of_inverter(cloud)
    assert len(errors.found) == 3
    assert errors.start == NOW - timedelta(hours=16)


@pytest.mark.parametrize("total", [{"total": 4}, {}])
def test_an_empty_page_that_ends_the_alarms_early_does_not_make_the_log_whole(cloud, total):
    cloud.remove("POST", f"{API}/alarmList")
    page = {"pages": 2} | total
    cloud.post(f"{API}/alarmList", json=success({"records": [alarm(0), alarm(1)], "current": 1, **page}))
    cloud.post(f"{API}/alarmList", json=success({"records": [], "current": 2, **page}))
    assert errors_of_inverter(cloud).start == NOW - timedelta(hours=8)


UNCOUNTED = [{"total": value, "pages": value} for value in ("missing", None, 0)]


@pytest.mark.parametrize("counters", [{"total": "missing"}, {"pages": "missing"}, *UNCOUNTED])
def test_a_full_page_is_not_the_last_where_counters_are_missing(cloud, counters):
    pages_of_alarms(cloud, [alarm(number) for number in range(150)], others=counters)
    errors = errors_of_inverter(cloud)
    assert (len(errors.found), errors.start) == (150, SINCE)
    assert [body["pageNo"] for body in alarm_bodies(cloud)] == [1, 2]


def test_a_log_without_a_total_that_fills_all_pages_that_are_read_is_not_whole(cloud):
    pages_of_alarms(cloud, [alarm(number) for number in range(700)], others=UNCOUNTED[0])
    errors = errors_of_inverter(cloud)
    assert (len(errors.found), errors.start) == (500, NOW - timedelta(hours=8 * 499))


def test_a_first_page_that_comes_again_and_again_does_not_make_a_log_without_a_total_whole(cloud):
    pages_of_alarms(cloud, [alarm(number) for number in range(100)], others=UNCOUNTED[0])
    errors = errors_of_inverter(cloud)
    assert (len(errors.found), errors.start) == (100, NOW - timedelta(hours=8 * 99))


def test_a_log_whose_station_has_no_first_day_begins_with_its_oldest_alarm(cloud):
    pages_of_alarms(cloud, [alarm(number) for number in range(3)])
    assert errors_of_inverter(cloud, fisGenerateTime=None).start == NOW - timedelta(hours=16)


@pytest.mark.parametrize("data", [None, {}, {"records": None}, {"records": [], "pages": 0}])
def test_no_alarms_in_any_form_are_an_empty_log(cloud, data):
    cloud.remove("POST", f"{API}/alarmList")
    cloud.post(f"{API}/alarmList", json=success(data))
    errors = errors_of_inverter(cloud)
    assert (errors.found, errors.start) == ((), SINCE)


def test_no_alarms_of_an_inverter_without_a_serial_number_are_asked_for_as_they_would_be_those_of_all(cloud):
    cloud.post(f"{API}/inverterDetail", json=success(sample("inverterDetail-no-battery")["data"] | {"sn": ""}))
    cloud.post(f"{API}/stationDetail", json=station())
    assert open_vendor("solis").solar_inverter((INVERTER,)).recent_errors is None
    assert alarm_bodies(cloud) == []


def test_alarms_of_another_device_are_a_bad_reply(cloud):
    pages_of_alarms(cloud, [alarm(0, alarmDeviceSn="000000000000002")])
    cloud.post(f"{API}/inverterDetail", json=sample("inverterDetail-no-battery"))
    cloud.post(f"{API}/stationDetail", json=station())
    vendor = open_vendor("solis")
    assert vendor.solar_inverter((INVERTER,)).recent_errors is None
    assert [failure.code for failure in vendor.client.progress.failures] == ["bad_reply"]


def test_another_station_s_answer_is_a_bad_reply(cloud):
    cloud.post(f"{API}/stationDetail", json=station())
    with pytest.raises(BadReply, match="/stationDetail"):
        open_vendor("solis").site(("1300000000000000008",))


def test_a_station_without_an_answer_is_not_found(cloud):
    cloud.post(f"{API}/stationDetail", json=success(None))
    with pytest.raises(NotFound):
        open_vendor("solis").site((STATION,))


def test_another_inverter_s_detail_is_a_bad_reply(cloud):
    cloud.post(f"{API}/inverterDetail", json=sample("inverterDetail-no-battery"))
    with pytest.raises(BadReply, match="/inverterDetail"):
        open_vendor("solis").solar_inverter(("1300000000000000002",))


@pytest.mark.parametrize("id", [{}, {"id": None}, {"id": ""}])
def test_a_detail_without_an_id_is_that_of_the_inverter_in_the_list(cloud, id):
    zeros = {"pac": 0, "pacStr": "kW", "eToday": 0, "eTotal": 0}
    cloud.post(f"{API}/inverterDetail", json=success(zeros | id))
    cloud.post(f"{API}/inverterList", json=sample("inverterList-no-battery"))
    cloud.post(f"{API}/stationDetail", json=station())
    inverter = open_vendor("solis").solar_inverter((INVERTER,))
    assert (inverter.serial_number, inverter.power_kw, inverter.lifetime_production) == (SERIAL, None, None)


def test_inverters_of_another_station_are_a_bad_reply(cloud):
    cloud.post(f"{API}/inverterList", json=sample("inverterList-no-battery"))
    with pytest.raises(BadReply, match="/inverterList"):
        list(open_vendor("solis").devices("1300000000000000008"))


def read(series, level, start, end, now=NOW):
    window = RequestedWindow(level, start, end).widened(series.zone, now, series.since)
    return [found for found in intervals(series, window, 1000, now) if not isinstance(found, ReadUpTo)]


def of_inverter(cloud, level, start, end, now=NOW):
    cloud.post(f"{API}/inverterDetail", json=sample("inverterDetail-no-battery"))
    cloud.post(f"{API}/stationDetail", json=station())
    return read(open_vendor("solis").solar_intervals((INVERTER,), level), level, start, end, now)


def test_another_inverter_s_chart_is_a_bad_reply(cloud):
    row = {"inverterId": "1300000000000000002", "dateStr": "2026-08-01", "energy": 41.6}
    cloud.post(f"{API}/inverterMonth", json=success([row]))
    with pytest.raises(BadReply, match="/inverterMonth"):
        of_inverter(cloud, Level.DAY, datetime(2026, 8, 1), datetime(2026, 8, 2))


@pytest.mark.parametrize("data", [None, []])
@pytest.mark.parametrize("level", Level)
def test_a_chart_without_rows_is_no_data_and_no_fault(cloud, data, level):
    for chart in ("Day", "Month", "Year"):
        cloud.post(f"{API}/inverter{chart}", json=success(data))
    assert of_inverter(cloud, level, datetime(2026, 8, 1), datetime(2026, 8, 2)) == []


def test_a_row_without_its_date_costs_itself_alone(cloud):
    rows = [{"dateStr": f"2026-08-{day:02d}", "energy": float(day)} for day in (1, 2)]
    cloud.post(f"{API}/inverterMonth", json=success([{"energy": 5.0}, *rows]))
    found = of_inverter(cloud, Level.DAY, datetime(2026, 8, 1), datetime(2026, 8, 3))
    assert [one.kwh for one in found] == [(1.0,), (2.0,)]


def counter(*readings):
    return success([{"dataTimestamp": milliseconds(at), "eToday": kwh} for at, kwh in readings])


def test_readings_an_hour_apart_are_hours_also_when_one_comes_a_minute_late(cloud):
    midnight = datetime(2026, 8, 20, 22, 1, tzinfo=UTC)
    stamps = [midnight + timedelta(hours=hour, minutes=3 * (hour % 2)) for hour in range(6, 18)]
    cloud.post(f"{API}/inverterDay", json=counter(*((at, 1.0 * number) for number, at in enumerate(stamps))))
    found = of_inverter(cloud, Level.HOUR, datetime(2026, 8, 21), datetime(2026, 8, 22))
    assert sum(one.kwh[0] for one in found) == pytest.approx(11.0)
    assert len(found) == 12


def test_counters_of_the_future_are_no_energy(cloud, monkeypatch):
    now = NOW + timedelta(minutes=30)
    monkeypatch.setattr(Client, "now", now)
    readings = [(now - timedelta(minutes=5 * number), 10.0 - 0.1 * number) for number in range(20)]
    readings += [(now + timedelta(minutes=5), 12.0), (now + timedelta(days=1), 20.0)]
    cloud.post(f"{API}/inverterDay", json=counter(*readings))
    found = of_inverter(cloud, Level.HOUR, NOW - timedelta(hours=1), now, now)
    assert [one.start for one in found] == [NOW - timedelta(hours=1), NOW]
    assert [one.kwh[0] for one in found] == [pytest.approx(1.2), pytest.approx(0.6)]


@pytest.mark.parametrize("ahead", [timedelta(minutes=10), timedelta(days=1)])
def test_values_of_a_time_to_come_are_neither_today_s_nor_the_present(cloud, ahead):
    detail = with_battery(dataTimestamp=milliseconds(NOW + ahead), batteryPowerZheng=800.0)
    cloud.post(f"{API}/inverterDetail", json=success(detail))
    to_come = {"dataTimestamp": milliseconds(NOW + ahead), "power": 2.0, "powerStr": "kW", "batteryPercent": 55}
    cloud.post(f"{API}/stationDetail", json=station(**to_come))
    vendor = open_vendor("solis")
    inverter, battery, site = vendor.solar_inverter((INVERTER,)), vendor.battery((INVERTER,)), vendor.site((STATION,))
    assert (inverter.power_kw, inverter.measured_at, inverter.recent_production) == (None, None, None)
    assert inverter.lifetime_production.kwh == 12_500.0
    assert inverter.status == battery.status == "normal"
    assert (battery.soc_percent, battery.charge_kw, battery.measured_at) == (None, None, None)
    assert (site.power_kw, site.charge_kw, site.measured_at, site.bess.soc_percent) == (None, None, None, None)


def test_an_inverter_that_stands_twice_in_a_list_counts_once_in_its_site_s_energy(cloud):
    (row,) = sample("inverterList-no-battery")["data"]["page"]["records"]
    cloud.post(f"{API}/inverterList", json=listed(row, row))
    cloud.post(f"{API}/stationDetail", json=station())
    readings = [(NOW - timedelta(hours=3) + timedelta(minutes=5 * number), 0.1 * number) for number in range(30)]
    cloud.post(f"{API}/inverterDay", json=counter(*readings))
    series = open_vendor("solis").site_solar_intervals((STATION,), Level.HOUR)
    found = read(series, Level.HOUR, NOW - timedelta(hours=2), NOW - timedelta(hours=1))
    assert [one.kwh[0] for one in found] == [pytest.approx(1.2)]
    assert found[0].reporting is None or found[0].reporting.of == 1
