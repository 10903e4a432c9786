"""The alarms of an inverter: on several pages, with and without counters, and of other devices."""

import json
from datetime import timedelta

import pytest

from tests.vendors.solis.played import API, INVERTER, NOW, SERIAL, SINCE, sample, station, success
from tests.vendors.support import open_vendor


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


def pages_of_alarms(cloud, alarms, total=None, size=100, counters=()):
    """Answers one page after another. counters: other values of `total` or `pages`; "missing" leaves a counter out."""
    cloud.remove("POST", f"{API}/alarmList")
    for first in range(0, max(len(alarms), 1), size):
        count = len(alarms) if total is None else total
        page = {"records": alarms[first : first + size], "current": first // size + 1}
        page |= {"total": count, "pages": -(-count // size)} | dict(counters)
        page = {name: value for name, value in page.items() if value != "missing"}
        cloud.post(f"{API}/alarmList", json=success(page))


def errors_of_inverter(cloud, **station_members):
    cloud.post(f"{API}/inverterDetail", json=sample("inverterDetail-no-battery"))
    cloud.post(f"{API}/stationDetail", json=station(**station_members))
    return open_vendor("solis").solar_inverter((INVERTER,)).recent_errors


def alarm_bodies(cloud):
    return [json.loads(call.request.body) for call in cloud.calls if call.request.url.endswith("alarmList")]


def test_199_alarms_are_read_from_two_pages_and_restored_alarms_are_marked(cloud):
    pages_of_alarms(cloud, [alarm(number) for number in range(199)])
    errors = errors_of_inverter(cloud)
    assert len(errors.found) == 199
    assert errors.start == SINCE
    assert [body["pageNo"] for body in alarm_bodies(cloud)] == [1, 2]
    assert (errors.found[0].level, errors.found[0].text) == ("warning", "UN-G-V01 nr 0")
    assert {message.level for message in errors.found[1:]} == {"info"}
    assert errors.found[198].text == "UN-G-V01 nr 198 (restored)"


def test_the_log_begins_with_the_oldest_alarm_of_five_pages_where_there_are_more(cloud):
    pages_of_alarms(cloud, [alarm(number) for number in range(700)])
    errors = errors_of_inverter(cloud)
    assert len(errors.found) == 500
    assert errors.start == NOW - timedelta(hours=8 * 499)
    assert len(alarm_bodies(cloud)) == 5


def test_a_cloud_that_always_answers_with_its_first_page_does_not_double_alarms(cloud):
    pages_of_alarms(cloud, [alarm(number) for number in range(3)], total=199)
    errors = errors_of_inverter(cloud)
    assert len(errors.found) == 3
    assert errors.start == NOW - timedelta(hours=16)


@pytest.mark.parametrize("total", [{"total": 4}, {}])
def test_a_log_that_an_empty_page_ends_early_begins_with_its_oldest_alarm(cloud, total):
    cloud.remove("POST", f"{API}/alarmList")
    page = {"pages": 2} | total
    cloud.post(f"{API}/alarmList", json=success({"records": [alarm(0), alarm(1)], "current": 1, **page}))
    cloud.post(f"{API}/alarmList", json=success({"records": [], "current": 2, **page}))
    assert errors_of_inverter(cloud).start == NOW - timedelta(hours=8)


UNCOUNTED = [{"total": value, "pages": value} for value in ("missing", None, 0)]


@pytest.mark.parametrize("counters", [{"total": "missing"}, {"pages": "missing"}, *UNCOUNTED])
def test_a_full_page_is_not_the_last_where_counters_are_missing(cloud, counters):
    pages_of_alarms(cloud, [alarm(number) for number in range(150)], counters=counters)
    errors = errors_of_inverter(cloud)
    assert (len(errors.found), errors.start) == (150, SINCE)
    assert [body["pageNo"] for body in alarm_bodies(cloud)] == [1, 2]


def test_a_log_without_a_total_that_fills_five_pages_begins_with_its_oldest_alarm(cloud):
    pages_of_alarms(cloud, [alarm(number) for number in range(700)], counters=UNCOUNTED[0])
    errors = errors_of_inverter(cloud)
    assert (len(errors.found), errors.start) == (500, NOW - timedelta(hours=8 * 499))


def test_a_log_without_a_total_whose_first_page_repeats_begins_with_its_oldest_alarm(cloud):
    pages_of_alarms(cloud, [alarm(number) for number in range(100)], counters=UNCOUNTED[0])
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


def test_alarms_of_an_inverter_without_a_serial_number_are_not_read_since_they_would_be_those_of_all_devices(cloud):
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
