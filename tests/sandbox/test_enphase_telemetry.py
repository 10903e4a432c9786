"""The series of Enphase's systems through both clouds: windows, stamps, nights, and sums that are the truth."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.sandbox.callers import Caller
from tests.sandbox.enphase import LIFETIMES, MONITORING, SERVICES, Enphase

BERLIN = ZoneInfo("Europe/Berlin")
NUMBERED_ZONES = [(0, "Europe/Berlin"), (2, "Asia/Kolkata"), (4, "Australia/Lord_Howe"), (7, "Asia/Kathmandu")]
DAY = 86_400


@pytest.fixture(params=[MONITORING, SERVICES])
def cloud(caller: Caller, request: pytest.FixtureRequest) -> Enphase:
    return Enphase(caller, request.param)


def day_start(text: str, zone: str = "Europe/Berlin") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def stamps(rows: list[dict[str, Any]]) -> list[int]:
    return [row["end_at"] for row in rows]


def refused(cloud: Enphase, path: str, **query: Any) -> tuple[int, str]:
    prefix = "/api/v4/systems" if cloud.vendor == MONITORING else "/api/v1/systems"
    answer = cloud.get(f"{prefix}/698900003{path}", **query)
    return answer.status_code, answer.text


@pytest.mark.parametrize(("number", "zone"), NUMBERED_ZONES)
def test_the_rows_of_a_day_are_its_truth(cloud: Enphase, number: int, zone: str):
    start = day_start("2026-06-20", zone)
    series = cloud.system_json(number, "/telemetry/production_micro", start_date="2026-06-20")
    assert sum(row["enwh"] for row in series["intervals"]) == cloud.energy_wh(number, start, start + DAY) > 0
    assert all(start < stamp <= start + DAY and stamp % 300 == 0 for stamp in stamps(series["intervals"]))
    for row in series["intervals"][::20]:
        assert row["enwh"] == cloud.energy_wh(number, row["end_at"] - 300, row["end_at"])
        assert row["powr"] == pytest.approx(12 * row["enwh"], abs=12 * series["total_devices"] + 1)


def test_microinverters_are_silent_in_the_dark_and_add_up_to_their_site(cloud: Enphase):
    start = day_start("2026-06-20")
    serials = [micro["serial_number"] for micro in cloud.system_json(0, "/devices")["devices"]["micros"]]
    parts = [cloud.system_json(0, f"/devices/micros/{serial}/telemetry", start_date="2026-06-20") for serial in serials]
    site = cloud.system_json(0, "/telemetry/production_micro", start_date="2026-06-20")
    columns = zip(*[[row["enwh"] for row in part["intervals"]] for part in parts], strict=True)
    assert [sum(column) for column in columns] == [row["enwh"] for row in site["intervals"]]
    assert stamps(parts[0]["intervals"]) == stamps(site["intervals"])
    assert 100 < len(site["intervals"]) < 220
    for serial, part in zip(serials, parts, strict=True):
        truth = cloud.energy_wh(0, start, start + DAY, device=serial)
        assert (part["serial_number"], sum(row["enwh"] for row in part["intervals"])) == (serial, truth)
    path = f"/devices/micros/{serials[0]}/telemetry"
    assert cloud.system_json(0, path, start_at=int(start), granularity="15mins")["intervals"] == []


def test_batteries_report_all_day_and_add_up_to_their_site(cloud: Enphase):
    start = day_start("2026-06-20", "Australia/Adelaide")
    series = cloud.system_json(3, "/telemetry/battery", start_date="2026-06-20")
    rows = series["intervals"]
    assert stamps(rows) == [start + 900 * (index + 1) for index in range(96)]
    serials = [one["serial_number"] for one in cloud.system_json(3, "/devices")["devices"]["encharges"]]
    units = [cloud.system_json(3, f"/devices/encharges/{one}/telemetry", start_date="2026-06-20") for one in serials]
    assert len(units) == series["total_devices"] == 2
    for kind in ("charge", "discharge"):
        truth = cloud.energy_wh(3, start, start + DAY, kind)
        assert sum(row[kind]["enwh"] for row in rows) == truth > 1000
        assert sum(row[kind]["enwh"] for unit in units for row in unit["intervals"]) == truth
    percents = [row["soc"]["percent"] for row in rows]
    assert 10 <= min(percents) < max(percents) <= 100


def test_the_state_of_charge_has_the_digits_of_its_cloud(caller: Caller):
    monitoring, services = Enphase(caller, MONITORING), Enphase(caller, SERVICES)
    whole, fine = (one.system_json(0, "/telemetry/battery") for one in (monitoring, services))
    assert {type(row["soc"]["percent"]) for row in whole["intervals"]} == {int}
    assert {type(row["soc"]["percent"]) for row in fine["intervals"]} == {float}
    assert whole["last_reported_aggregate_soc"] == f"{round(fine['soc'])}%"
    assert (fine["capacity_wh"], fine["soh"]) == (7200, 99.1)
    unit = "/devices/encharges/492000000000/telemetry"
    assert monitoring.system_json(0, unit)["last_reported_soc"] == whole["last_reported_aggregate_soc"]
    assert services.system_json(0, unit)["last_reported_soc"] is None


def test_a_day_is_24_hours_also_when_the_clock_changes(cloud: Enphase):
    """A day of 25 hours needs a second call, and one of 23 hours brings an hour of the next day."""
    long, after = day_start("2025-10-26"), day_start("2025-10-27")
    assert after - long == 25 * 3600
    window = cloud.system_json(0, "/telemetry/battery", start_at=int(long))
    assert (window["start_at"], window["end_at"], len(window["intervals"])) == (long, long + DAY, 96)
    rest = cloud.system_json(0, "/telemetry/battery", start_at=int(long + DAY), granularity="15mins")
    assert stamps(window["intervals"])[-1] == stamps(rest["intervals"])[0] - 900 == after - 3600
    short = day_start("2026-03-29")
    window = cloud.system_json(0, "/telemetry/battery", start_date="2026-03-29")
    assert len(window["intervals"]) == 96
    assert window["start_date"] == "2026-03-29T00:00:00+01:00"
    assert window["end_date"] == "2026-03-30T01:00:00+02:00"
    assert stamps(window["intervals"])[-1] == short + DAY


@pytest.mark.parametrize(("text", "hours"), [("2025-10-26", 25), ("2026-03-29", 23)])
def test_both_clock_changes_are_whole_in_rows_and_in_days(cloud: Enphase, text: str, hours: int):
    start = day_start(text)
    end = day_start((date.fromisoformat(text) + timedelta(days=1)).isoformat())
    assert end - start == hours * 3600
    week = cloud.system_json(0, "/telemetry/battery", start_at=int(start), granularity="week")["intervals"]
    rows = [row for row in week if row["end_at"] <= end]
    assert len(rows) == 4 * hours
    span = {"start_date": text, "end_date": text}
    days = cloud.system_json(0, "/battery_lifetime", **span)
    for kind in ("charge", "discharge"):
        truth = cloud.energy_wh(0, start, end, kind)
        assert [sum(row[kind]["enwh"] for row in rows)] == days[kind] == [truth]
    production = cloud.system_json(0, f"/{LIFETIMES[cloud.vendor]}", **span)["production"]
    assert production == [cloud.energy_wh(0, start, end)]


def test_a_meter_counts_zeros_at_night_and_the_same_day(cloud: Enphase):
    start = day_start("2026-06-20", "America/Phoenix")
    rows = cloud.system_json(1, "/telemetry/production_meter", start_date="2026-06-20")["intervals"]
    assert stamps(rows) == [start + 900 * (index + 1) for index in range(96)]
    assert rows[0]["wh_del"] == 0
    assert sum(row["wh_del"] for row in rows) == cloud.energy_wh(1, start, start + DAY) > 0
    drawn = cloud.system_json(1, "/telemetry/consumption_meter", start_date="2026-06-20")["intervals"]
    assert len(drawn) == 96
    assert min(row["enwh"] for row in drawn) > 0
    assert cloud.system_json(0, "/telemetry/production_meter")["intervals"] == []
    assert cloud.system_json(1, "/telemetry/battery")["intervals"] == []


@pytest.mark.parametrize(("granularity", "micros", "meters"), [("5mins", 1, 0), ("15mins", 3, 1), ("week", 7, 672)])
def test_a_granularity_is_the_length_of_the_window(cloud: Enphase, granularity: str, micros: int, meters: int):
    start = int(datetime(2026, 6, 10, 10, tzinfo=UTC).timestamp())
    query = {"start_at": start, "granularity": granularity}
    production = cloud.system_json(0, "/telemetry/production_micro", **query)
    battery = cloud.system_json(0, "/telemetry/battery", **query)
    assert len(battery["intervals"]) == meters
    if granularity == "week":
        days = {(stamp - start - 1) // DAY for stamp in stamps(production["intervals"])}
        assert len(days) == micros
    else:
        assert len(production["intervals"]) == micros
    assert stamps(production["intervals"])[0] == start + 300


def test_the_last_25_minutes_are_missing_and_the_window_ends_now(cloud: Enphase):
    cloud.caller.set_clock("2026-06-21T10:07:00Z")
    now = int(datetime(2026, 6, 21, 10, 7, tzinfo=UTC).timestamp())
    series = cloud.system_json(0, "/telemetry/production_micro")
    assert (series["start_at"], series["end_at"]) == (day_start("2026-06-21"), now)
    assert stamps(series["intervals"])[-1] == now - 27 * 60
    assert stamps(cloud.system_json(0, "/telemetry/battery")["intervals"])[-1] == now - 37 * 60


def test_a_start_after_the_last_report_gives_an_empty_list(cloud: Enphase):
    start = int(cloud.caller.clocks.now) - 600
    assert cloud.system_json(0, "/telemetry/production_micro", start_at=start)["intervals"] == []


def test_a_start_before_the_first_report_is_moved_to_that_day(cloud: Enphase):
    cloud.caller.set_clock("2022-07-10T12:00:00Z")
    series = cloud.system_json(0, "/telemetry/battery", start_date="2022-01-01", granularity="week")
    assert series["start_date"] == "2022-07-08T00:00:00+02:00"
    first = stamps(series["intervals"])[0]
    assert first == datetime(2022, 7, 8, 9, 15, tzinfo=BERLIN).timestamp()


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"start_at": 1782043201}, 422),
        ({"start_date": "2026-06-22"}, 422),
        ({"start_at": 1718000000}, 422),
        ({"granularity": "month"}, 422),
        ({"start_date": "2026-02-30"}, 400),
        ({"start_date": "20260220"}, 400),
        ({"start_at": "noon"}, 400),
    ],
)
def test_a_bad_window_is_refused(cloud: Enphase, query: dict, status: int):
    """The Grid Services API tells a date that cannot be read from one that cannot be served."""
    found, _ = refused(cloud, "/telemetry/battery", **query)
    assert found == (422 if cloud.vendor == MONITORING else status)


def test_days_go_from_the_first_to_yesterday_and_make_up_the_lifetime(cloud: Enphase):
    series = cloud.system_json(0, f"/{LIFETIMES[cloud.vendor]}")
    today = day_start("2026-06-21")
    assert series["start_date"] == "2022-07-08"
    assert len(series["production"]) == (date(2026, 6, 21) - date(2022, 7, 8)).days
    summary = cloud.system_json(0, "/summary")
    assert sum(series["production"]) == summary["energy_lifetime"] == cloud.energy_wh(0, 0, today)
    assert summary["energy_today"] == cloud.energy_wh(0, today, cloud.caller.clocks.now - 1500) > 0


def test_days_before_the_system_are_missing_and_days_to_come_are_refused(cloud: Enphase):
    path = f"/{LIFETIMES[cloud.vendor]}"
    early = cloud.system_json(0, path, start_date="2020-01-01", end_date="2020-01-31")
    assert (early["start_date"], early["production"]) == (None, [])
    assert refused(cloud, path, end_date="2026-06-22")[0] == 422
    assert refused(cloud, path, start_date="2026-06-02", end_date="2026-06-01")[0] == 422
    today = cloud.system_json(0, path, start_date="2026-06-21")
    assert len(today["production"]) == 1
    empty = cloud.system_json(1, "/battery_lifetime")
    assert (empty["start_date"], empty["charge"], empty["discharge"]) == (None, [], [])


def test_a_metered_system_reports_since_when_it_is_metered(cloud: Enphase):
    path = f"/{LIFETIMES[cloud.vendor]}"
    metered = cloud.system_json(1, path, production="all", start_date="2026-06-19")
    assert metered["meter_start_date"] == "2016-12-17"
    assert metered["production"] == metered["micro_production"] == metered["meter_production"]
    assert cloud.system_json(1, "/summary")["source"] == "meter"
    assert not {"meter_start_date", "meter_production", "micro_production"} & set(cloud.system_json(0, path))


def test_a_summary_of_the_past_has_no_live_values(caller: Caller):
    cloud = Enphase(caller, MONITORING)
    start = day_start("2026-06-20")
    past = cloud.system_json(0, "/summary", summary_date="2026-06-20")
    assert (past["current_power"], past["modules"], past["size_w"]) == (0, 0, 0)
    assert past["energy_today"] == cloud.energy_wh(0, start, start + DAY)
    assert past["energy_lifetime"] + past["energy_today"] == cloud.system_json(0, "/summary")["energy_lifetime"]
    assert cloud.system_json(0, "/summary")["battery_capacity_wh"] == 7200
    assert refused(cloud, "/summary", summary_date="2026-06-22")[0] == 422
