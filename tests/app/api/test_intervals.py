"""Pages of intervals: windows, tokens, and what goes wrong on the way."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
import time_machine

from app.api.intervals import PageReader
from tests.app.support import SMA, V2
from tests.vendors.support import HEADERS

NOW = datetime(2026, 6, 17, 11, 22, tzinfo=UTC)
INVERTER = {"deviceId": "131", "type": "Solar Inverters", "generatorPower": 6000.0, "startUpUtc": "2020-01-01T00:00:00"}
ZONE = {"plantId": "13", "timezone": "Asia/Kathmandu"}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


class Plant:
    """SMA with one inverter that gives 60 Wh in every five minutes, and how often it says 429."""

    def __init__(self, network):
        self.days, self.refused_after = [], 1000
        network.get(f"{SMA}/v1/plants", json={"plants": [ZONE]})
        network.get(f"{SMA}/v1/plants/13/devices/lean", json={"devices": [INVERTER]})
        network.get(f"{SMA}/v1/devices/131", json={"plant": ZONE, "details": INVERTER})
        day = re.compile(f"{SMA}/v1/devices/131/measurements/sets/EnergyAndPowerPv/Day")
        network.add_callback("GET", day, self.day)

    def day(self, request):
        (date,) = parse_qs(urlsplit(request.url).query)["Date"]
        self.days.append(date)
        if len(self.days) > self.refused_after:
            return 429, {"Retry-After": "77"}, ""
        start = datetime.fromisoformat(date)
        stamps = [start + timedelta(minutes=5 * number) for number in range(1, 289)]
        rows = [{"time": at.isoformat(), "pvGeneration": 60.0} for at in stamps]
        return 200, {}, orjson.dumps({"plant": ZONE, "set": rows}).decode()


@pytest.fixture
def plant(network):
    return Plant(network)


@pytest.fixture
def read(get, plant):
    """The answer of the inverter's intervals."""
    (url,) = get("/solar-inverters", headers=HEADERS["sma"]).json["solar-inverters"]
    id = url.rpartition("/")[2]

    def read_intervals(query="", path=f"/solar-inverters/{id}/intervals", **headers):
        return get(f"{path}?{query}", headers=HEADERS["sma"] | headers)

    read_intervals.id = id
    return read_intervals


def test_a_page_names_its_level_and_has_each_interval_on_the_sites_clock(read):
    answer = read("start=2026-06-16T10:00:00&end=2026-06-16T11:10:00").json
    assert answer == {
        "id": read.id,
        "summaryLevel": "hour",
        "intervals": [
            {"kwh": 0.72, "start": f"2026-06-16T{hour}:00:00+05:45", "end": f"2026-06-16T{hour + 1}:00:00+05:45",
             "quality": "measured"}
            for hour in (10, 11)
        ],
    }  # fmt: skip


@pytest.mark.parametrize("headers", [{}, V2])
def test_both_versions_have_the_same_intervals(read, headers):
    assert read("summaryLevel=15mins", **headers).json == read("summaryLevel=15mins").json


@pytest.mark.parametrize(
    "start", ["2026-06-16T04:15:00Z", "2026-06-16T10:00:00%2B05:45", "2026-06-16T10:00:00+05:45", "2026-06-16T10:00:00"]
)
def test_a_start_may_have_any_offset_or_none_and_a_plus_that_is_not_encoded(read, start):
    assert read(f"start={start}&end=2026-06-16T06:15:00Z").json["intervals"][0]["start"] == "2026-06-16T10:00:00+05:45"


def test_without_a_window_it_is_the_day_before_now_and_the_running_hour_is_partial(read):
    intervals = read().json["intervals"]
    assert intervals[0]["start"] == "2026-06-16T17:00:00+05:45"
    assert [interval["quality"] for interval in intervals[-1:]] == ["partial"]
    assert {interval["quality"] for interval in intervals[:-1]} == {"measured"}


def test_a_page_begins_where_the_last_one_ended_also_when_time_has_passed(read, clock):
    query = "summaryLevel=15mins&pageSize=7"
    whole = read("summaryLevel=15mins&pageSize=1000").json
    assert "nextPageToken" not in whole
    intervals, sizes, more = [], [], ""
    while more is not None:
        answer = read(query + more).json
        intervals += answer["intervals"]
        more = f"&pageToken={answer['nextPageToken']}" if "nextPageToken" in answer else None
        sizes.append(len(answer["intervals"]))
        clock.shift(timedelta(minutes=1))
    pages, remaining = divmod(len(whole["intervals"]), 7)
    assert sizes == [7] * pages + [remaining] * bool(remaining)
    assert [interval["start"] for interval in intervals] == [interval["start"] for interval in whole["intervals"]]


def test_a_page_asks_only_for_the_days_that_it_needs(read, plant):
    plant.days.clear()
    read("start=2026-06-01T00:00:00&end=2026-06-12T00:00:00&pageSize=20")
    assert plant.days == ["2026-06-01"]


def test_a_long_window_comes_in_pages_of_twelve_calls(read, plant):
    plant.days.clear()
    answer = read("start=2026-05-20T00:00:00&end=2026-06-12T00:00:00&pageSize=1000").json
    assert len(plant.days) == 12
    assert len(answer["intervals"]) == 12 * 24
    second_page = read(
        f"start=2026-05-20T00:00:00&end=2026-06-12T00:00:00&pageSize=1000&pageToken={answer['nextPageToken']}"
    )
    assert len(second_page.json["intervals"]) == 11 * 24
    assert "nextPageToken" not in second_page.json


def test_a_quota_that_is_spent_after_two_days_ends_the_page_and_is_reported(read, plant):
    plant.days.clear()
    plant.refused_after = 2
    query = "start=2026-06-01T00:00:00&end=2026-06-05T00:00:00&pageSize=1000"
    answer = read(query)
    assert answer.status_code == 200
    assert len(answer.json["intervals"]) == 48
    assert answer.json["errors"]["sma"].startswith("Too Many Requests: ")
    again = read(f"{query}&pageToken={answer.json['nextPageToken']}")
    assert (again.status_code, again.json["code"], again.headers["Retry-After"]) == (429, "rate_limited", "77")


def test_a_page_token_of_intervals_serves_its_own_query_only(read):
    token = read("summaryLevel=15mins&pageSize=7").json["nextPageToken"]
    for query in (f"pageSize=7&pageToken={token}", f"summaryLevel=15mins&start=2026-06-16&pageToken={token}"):
        assert read(query).json["code"] == "invalid_page_token"


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("summaryLevel=week", "summaryLevel: "),
        ("start=never", "start: "),
        ("end=2026-13-01", "end: "),
        ("start=2026-06-02&end=2026-06-01", "end: "),
        ("start=2026-06-02&end=2026-06-02", "end: "),
        ("start=2026-01-01&end=2026-06-02", "start: A window of hour intervals may be 92 days long"),
        ("start=0001-01-01", "start: "),
        ("pageSize=0", "pageSize: "),
        ("from=2026-06-02", "from: "),
    ],
)
def test_an_impossible_window_is_a_400_that_names_the_parameter(read, query, says):
    answer = read(query)
    assert (answer.status_code, answer.json["code"]) == (400, "validation_error")
    assert answer.json["detail"].startswith(says)


@pytest.mark.parametrize("query", ["start=2027-01-01&end=2027-01-02", "start=2019-01-01&end=2019-01-02"])
def test_the_future_and_the_time_before_the_device_are_an_empty_page(read, query):
    answer = read(query)
    assert (answer.status_code, answer.json["intervals"]) == (200, [])
    assert "nextPageToken" not in answer.json


def test_a_series_that_the_vendor_does_not_offer_is_a_404_with_its_own_code(get, network):
    network.get("https://fleet-api.prd.na.vn.cloud.tesla.com/api/1/products",
                json={"response": [{"energy_site_id": 1, "components": {"solar": True}}]})  # fmt: skip
    inverters = [{"din": "1--A"}, {"din": "1--B"}]
    network.get("https://fleet-api.prd.na.vn.cloud.tesla.com/api/1/energy_sites/1/site_info",
                json={"response": {"components": {"solar": True, "inverters": inverters}}})  # fmt: skip
    urls = get("/solar-inverters", headers=HEADERS["tesla"]).json["solar-inverters"]
    answer = get(f"/solar-inverters/{urls[0].rpartition('/')[2]}/intervals", headers=HEADERS["tesla"])
    assert (answer.status_code, answer.json["code"]) == (404, "not_offered")


def test_an_id_of_another_kind_has_no_intervals_here(read):
    assert read(path=f"/batteries/{read.id}/intervals").status_code == 404
    assert read(path=f"/sites/{read.id}/solar-intervals").status_code == 404


def test_a_plugin_that_fails_is_that_vendors_error_and_no_500(get, plant, monkeypatch, read):
    monkeypatch.setattr(PageReader, "run", lambda *arguments: 1 / 0)
    assert read().json["code"] == "plugin_fault"
