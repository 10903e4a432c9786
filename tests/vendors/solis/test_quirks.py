"""The ways of SolisCloud."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import time_machine

from tests.vendors.support import BASE, TRANSPORT, credential_of, open_vendor
from vendors.kit import CredentialHeaders, NotFound, Production, Quality, Request, Sample, Site, basic
from vendors.kit.calls.cloud import open_cloud
from vendors.kit.calls.reply_cache import Replies
from vendors.kit.calls.sweep import Sweep
from vendors.kit.deadline import Deadline
from vendors.solis.api import Solis
from vendors.solis.records import flows_kw, inverter_now, to_devices, to_site, to_status
from vendors.solis.series import STEP, amount_kwh, fine_rows, offsets
from vendors.solis.signature import CONTENT_TYPE

HERE = Path(__file__).parent
LIST = f"{BASE}/v1/api/inverterList"
DETAIL = f"{BASE}/v1/api/inverterDetail"
NOW = datetime(2025, 10, 26, 8, 25, tzinfo=UTC)


def sample(name):
    return json.loads((HERE / f"{name}.json").read_text())


VECTORS = sample("signature-vector")
DATA_EXCEPTION = sample("errors/generic-data-exception-1")


def page(number, pages, ids):
    rows = [{"id": str(id), "stationId": "1298491919448631809", "sn": f"SN{id}"} for id in ids]
    return {"success": True, "code": "0", "data": {"page": {"records": rows, "current": number, "pages": pages}}}


@pytest.mark.parametrize("vector", [vector for vector in VECTORS["vectors"] if vector["content_type"] == CONTENT_TYPE])
def test_signatures_are_those_of_the_test_vectors(vector):
    credential = credential_of(Solis, "solis", {"X-Authorization-Solis": VECTORS["x_authorization_solis"]})
    request = Request(vector["method"], BASE, vector["path"], body=vector["body"].encode())
    with time_machine.travel("2026-01-05T06:07:08Z", tick=False):
        open_cloud("solis", Solis, TRANSPORT, Replies()).open(credential, Deadline(5)).sign(request)
    assert request.headers == {
        "Content-MD5": vector["content_md5"],
        "Content-Type": vector["content_type"],
        "Date": vector["date"],
        "Authorization": vector["authorization"],
    }


def test_the_newline_and_the_folding_of_the_shell_recipe_are_ignored():
    recipe = "Basic MTMwMDAwMDAwMDAwMDAwMDAwMTowMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFi Y2RlZgo="
    credential = CredentialHeaders(basic).read("solis", {"x-authorization-solis": recipe})
    assert (credential["id"], credential["secret"]) == (VECTORS["key_id"], VECTORS["key_secret"])


def test_the_body_is_compact_and_101_inverters_cost_exactly_2_calls(network):
    network.post(LIST, json=page(1, 2, range(100)))
    network.post(LIST, json=page(2, 2, range(100, 101)))
    assert len(list(open_vendor("solis").devices())) == 101
    assert [call.request.body for call in network.calls] == [
        b'{"pageNo":1,"pageSize":100}',
        b'{"pageNo":2,"pageSize":100}',
    ]


def test_exactly_one_full_page_costs_one_call(network):
    network.post(LIST, json=page(1, 1, range(100)))
    assert len(list(open_vendor("solis").devices())) == 100
    assert len(network.calls) == 1


def test_an_empty_page_ends_a_list_whose_counter_promises_more(network):
    network.post(LIST, json=page(1, 9, range(3)))
    network.post(LIST, json=page(2, 9, []))
    assert len(list(open_vendor("solis").devices())) == 3
    assert len(network.calls) == 2


def test_no_authority_without_a_word_of_quota_is_forbidden(network):
    network.post(LIST, json={"success": True, "code": "R0000", "msg": "No authority", "data": None})
    assert failure_of_list().code == "forbidden"


@pytest.mark.parametrize("success", [True, False, None])
def test_success_says_nothing_only_the_code_does(network, success):
    network.post(LIST, json=page(1, 1, [7]) | {"success": success, "code": 0})
    assert len(list(open_vendor("solis").devices())) == 1


@pytest.mark.parametrize(("status", "code"), [(403, "unauthorized"), (408, "backend_error"), (429, "rate_limited")])
def test_statuses_without_json_have_their_meaning(network, status, code):
    network.post(LIST, status=status, body="<html>")
    assert failure_of_list().code == code
    assert len(network.calls) == 1


def test_a_wrong_clock_of_this_server_is_not_blamed_on_the_credential(network):
    network.post(LIST, status=408)
    assert "clock of this server" in failure_of_list().detail


@pytest.mark.parametrize("answer", [{"code": "0", "data": None}, DATA_EXCEPTION])
def test_an_unknown_inverter_is_not_found(network, answer):
    network.post(DETAIL, json=answer)
    with pytest.raises(NotFound):
        open_vendor("solis").solar_inverter(("1300000000000000009",))


def test_a_site_that_is_not_of_this_account_is_not_found(network):
    network.post(LIST, json=DATA_EXCEPTION)
    with pytest.raises(NotFound):
        list(open_vendor("solis").devices("13"))


def test_the_battery_members_of_a_string_inverter_are_no_battery():
    raw = sample("inverterDetail-string-inverter")["data"]
    assert raw["batteryTotalChargeEnergy"] == 0.0
    assert len(to_devices(raw)) == 1


@pytest.mark.parametrize(
    "sign_of_life",
    [
        {"batteryTotalChargeEnergy": 0.1},
        {"batteryTotalDischargeEnergy": "3.5"},
        {"batteryNum": 1},
        {"batteryList": [{"battSn": ""}]},
        {"batteryCapacitySoc": 20, "batteryVoltage": 51.2},
        {"energyStorageControl": "1"},
    ],
)
def test_a_hybrid_is_an_inverter_and_a_battery_with_one_serial_number(sign_of_life):
    raw = sample("inverterDetail-string-inverter")["data"] | sign_of_life
    inverter, battery = (row.record() for row in to_devices(raw))
    assert (type(inverter).__name__, type(battery).__name__) == ("SolarInverter", "Battery")
    assert inverter.serial_number == battery.serial_number == "AAA333"


def test_ids_of_19_digits_survive_unchanged_also_as_numbers():
    raw = {"id": 1308675217944611083, "stationId": "1298491919448631809"}
    assert to_devices(raw)[0].key == ("1308675217944611083",)


def test_every_row_of_the_detail_list_is_an_inverter_with_id_and_station():
    for raw in sample("inverterDetailList")["data"]["records"]:
        inverter = to_devices(raw)[0].record()
        assert (inverter.vendor_id, inverter.vendor_site_id) == (raw["id"], raw["stationId"])
        assert inverter.rated_power_kw is None, "a rating of 0 kWp is no rating"


@pytest.mark.parametrize(("name", "peak_power_kw"), [("stationDetail", 12.0), ("stationDetail-2025", 1.62)])
def test_a_station_is_a_site_with_its_size_in_kw(name, peak_power_kw):
    raw = sample(name)["data"]
    site = to_site(raw).record()
    assert (site.vendor_id, site.name) == (raw["id"], raw.get("stationName", raw["id"]))
    assert site.peak_power_kw == peak_power_kw


def test_a_rating_in_an_unknown_unit_is_no_rating():
    raw = {"id": "1", "stationId": "2", "power": 8.0, "powerStr": "hp"}
    assert to_devices(raw)[0].record().rated_power_kw is None


def failure_of_list():
    sweep = Sweep(open_vendor("solis"))
    sweep.run(lambda vendor: vendor.devices())
    assert sweep.failure is not None
    return sweep.failure


@pytest.mark.parametrize(
    ("raw", "kwh"),
    [
        ({"energy": 866.0, "energyStr": "MWh", "energyPec": "0.001"}, 866.0),
        ({"energy": 41.6, "energyStr": "kWh", "energyPec": "1"}, 41.6),
        ({"energy": 41.6}, 41.6),
        ({"energy": 41.6, "energyStr": "J", "energyPec": "1"}, None),
        ({"energy": None, "energyStr": "kWh"}, None),
    ],
)
def test_the_amount_of_a_chart_is_in_its_unit_after_its_factor(raw, kwh):
    assert amount_kwh(raw, "energy") == kwh


def test_full_hours_times_the_rating_is_the_energy_on_the_samples():
    for name, rated_kw in (("inverterYear", 8.0), ("inverterMonth", 8.0)):
        for raw in sample(name)["data"]:
            assert amount_kwh(raw, "energy") == pytest.approx(raw["fullHour"] * rated_kw, abs=0.05)


def rows_of(*counters, most_kw=8.0, began=None):
    at = datetime(2026, 6, 1, 8, 1, 31, tzinfo=UTC)
    samples = [Sample(at + number * STEP, (kwh,)) for number, kwh in enumerate(counters)]
    day = datetime(2026, 6, 1, tzinfo=UTC)
    return fine_rows(samples, day, day + timedelta(days=1), most_kw, began)


def test_a_row_of_zeros_between_two_others_is_no_reset():
    assert [row.kwh for row in rows_of(3.0, 3.2, 0.0, 3.4)] == [(pytest.approx(0.2),), (pytest.approx(0.2),)]


def test_a_counter_that_begins_anew_counts_what_it_shows_since():
    assert [row.kwh[0] for row in rows_of(3.0, 3.2, 0.3, 0.5)] == pytest.approx([0.2, 0.3, 0.2])


@pytest.mark.parametrize(
    ("counters", "woke", "is_lump"),
    [
        ((0.2, 0.3, 0.5, 0.8), (7, 51, 31), False),
        ((0.1, 0.1, 0.1, 0.1), (7, 56, 31), False),
        ((8.0, 8.4, 8.8, 9.2), (0, 0, 0), True),
        ((0.4, 0.4, 0.4, 0.4), (0, 0, 0), True),
    ],
)
def test_what_the_first_reading_shows_came_since_the_sun_rose_or_else_nobody_knows_when(counters, woke, is_lump):
    midnight = datetime(2026, 6, 1, tzinfo=UTC)
    first, *others = rows_of(*counters, began=midnight)
    assert (first.start, first.end) == (midnight.replace(hour=woke[0], minute=woke[1], second=woke[2]), others[0].start)
    assert (first.kwh, first.quality, first.is_lump) == ((counters[0],), Quality.DERIVED, is_lump)


@pytest.mark.parametrize("counters", [(9.0, 0.1, 0.2), (0.0, 0.1, 0.2)])
def test_a_first_reading_of_yesterday_s_counter_or_of_nothing_is_no_energy(counters):
    assert rows_of(*counters, began=datetime(2026, 6, 1, tzinfo=UTC))[0].start.minute == 1


def test_the_counter_of_yesterday_is_not_read_where_the_inverters_day_begins_later():
    later = datetime(2026, 6, 1, 8, 30, tzinfo=UTC)
    assert [row.kwh[0] for row in rows_of(3.0, 3.2, began=later)] == pytest.approx([0.2])


def test_another_device_s_counter_is_no_energy():
    assert [row.kwh for row in rows_of(300.0, 300.2, 120.0, 120.2)] == [
        (pytest.approx(0.2),),
        None,
        (pytest.approx(0.2),),
    ]


@pytest.mark.parametrize(
    ("raw", "flows"),
    [
        ({"batteryPowerZheng": 800, "batteryPowerFu": 0}, (0.8, 0.0)),
        ({"batteryPowerZheng": 0, "batteryPowerFu": 800}, (0.0, 0.8)),
        ({"batteryPower": 0.8, "batteryPowerStr": "kW", "bstteryCurrent": -16}, (0.0, 0.8)),
        ({"batteryPower": -800, "batteryPowerStr": "W", "bstteryCurrent": 16}, (0.8, 0.0)),
        ({"batteryPower": 0.8, "batteryPowerStr": "kW"}, (None, None)),
    ],
)
def test_the_direction_of_a_battery_s_power_is_not_its_sign(raw, flows):
    assert flows_kw(raw) == flows


def test_what_a_hybrid_gives_at_night_is_not_the_sun_s():
    raw = sample("inverterDetail-string-inverter")["data"] | {"pac": 2.0, "pow1": 0, "batteryNum": 1}
    site = Site(key=("666666",), vendor_id="666666", name="")
    inverter = to_devices(raw)[0].record()
    assert inverter_now(inverter, site, raw, NOW).power_kw == 0.0
    assert inverter_now(inverter, site, raw, NOW).kind == "hybrid"


@pytest.mark.parametrize(
    ("now", "kwh"), [((2025, 10, 26, 8, 25), 0.0), ((2025, 10, 26, 22, 59), 0.0), ((2025, 10, 26, 23, 0), None)]
)
def test_what_an_inverter_gave_on_the_day_that_it_was_last_heard_of_is_not_today_s(now, kwh):
    raw = sample("inverterDetail-string-inverter")["data"]
    site = Site(key=("666666",), vendor_id="666666", name="", utc_offset_hours=1.0)
    inverter = to_devices(raw)[0].record()
    found = inverter_now(inverter, site, raw, datetime(*now, tzinfo=UTC))
    assert found.recent_production == (None if kwh is None else Production(kwh, datetime(2025, 10, 25, 23, tzinfo=UTC)))
    assert found.lifetime_production


@pytest.mark.parametrize(
    ("state", "flag", "status"),
    [(1, 0, "normal"), (2, 0, "sleeping"), (2, 1, "offline"), (3, 0, "warning"), (9, 0, "unknown")],
)
def test_a_state_becomes_a_status_and_stays_readable(state, flag, status):
    assert to_status({"state": state, "stateExceptionFlag": flag}) == (status, str(state))


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 6, 1), [2]),
        ("Europe/Berlin", date(2026, 3, 29), [2]),
        ("Europe/Berlin", date(2025, 10, 26), [2, 1]),
        ("Asia/Kathmandu", date(2026, 6, 1), [5.75]),
    ],
)
def test_calls_of_24_hours_cover_every_date(zone, day, hours):
    assert [offset.utcoffset(None) / timedelta(hours=1) for offset in offsets(day, ZoneInfo(zone))] == hours
