"""Peculiarities of SolisCloud: signatures, pages, codes, units, and states."""

from datetime import UTC, datetime

import pytest
import time_machine

from tests.vendors.solis.played import sample
from tests.vendors.support import BASE, TRANSPORT, credential_of, open_vendor
from vendors.kit import CredentialHeaders, NotFound, Production, Request, Site, basic
from vendors.kit.calls.cloud import open_cloud
from vendors.kit.calls.reply_cache import ReplyCache
from vendors.kit.calls.sweep import Sweep
from vendors.kit.deadline import Deadline
from vendors.solis.api import Solis
from vendors.solis.records import to_devices, to_site
from vendors.solis.signature import CONTENT_TYPE
from vendors.solis.state import flows_kw, inverter_now, to_status

LIST = f"{BASE}/v1/api/inverterList"
DETAIL = f"{BASE}/v1/api/inverterDetail"
NOW = datetime(2025, 10, 26, 8, 25, tzinfo=UTC)


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
        open_cloud("solis", Solis, TRANSPORT, ReplyCache()).open(credential, Deadline(5)).sign(request)
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


def test_no_authority_in_a_text_without_a_quota_is_forbidden(network):
    network.post(LIST, json={"success": True, "code": "R0000", "msg": "No authority", "data": None})
    assert failure_of_list().code == "forbidden"


@pytest.mark.parametrize("success", [True, False, None])
def test_only_the_code_of_an_answer_counts_whatever_success_is(network, success):
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
    "members",
    [
        {"batteryTotalChargeEnergy": 0.1},
        {"batteryTotalDischargeEnergy": "3.5"},
        {"batteryNum": 1},
        {"batteryList": [{"battSn": ""}]},
        {"batteryCapacitySoc": 20, "batteryVoltage": 51.2},
        {"energyStorageControl": "1"},
    ],
)
def test_a_hybrid_is_an_inverter_and_a_battery_with_one_serial_number(members):
    raw = sample("inverterDetail-string-inverter")["data"] | members
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


def test_the_output_of_a_hybrid_at_night_is_not_solar_power():
    raw = sample("inverterDetail-string-inverter")["data"] | {"pac": 2.0, "pow1": 0, "batteryNum": 1}
    site = Site(key=("666666",), vendor_id="666666", name="")
    inverter = to_devices(raw)[0].record()
    assert inverter_now(inverter, site, raw, NOW).power_kw == 0.0
    assert inverter_now(inverter, site, raw, NOW).kind == "hybrid"


@pytest.mark.parametrize(
    ("now", "kwh"), [((2025, 10, 26, 8, 25), 0.0), ((2025, 10, 26, 22, 59), 0.0), ((2025, 10, 26, 23, 0), None)]
)
def test_the_energy_of_the_day_of_the_newest_value_is_not_today_s_after_midnight(now, kwh):
    raw = sample("inverterDetail-string-inverter")["data"]
    site = Site(key=("666666",), vendor_id="666666", name="", utc_offset_hours=1.0)
    inverter = to_devices(raw)[0].record()
    inverter = inverter_now(inverter, site, raw, datetime(*now, tzinfo=UTC))
    midnight = datetime(2025, 10, 25, 23, tzinfo=UTC)
    assert inverter.recent_production == (None if kwh is None else Production(kwh, midnight))
    assert inverter.lifetime_production


@pytest.mark.parametrize(
    ("state", "flag", "status"),
    [(1, 0, "normal"), (2, 0, "sleeping"), (2, 1, "offline"), (3, 0, "warning"), (9, 0, "unknown")],
)
def test_a_state_becomes_a_status_and_stays_readable(state, flag, status):
    assert to_status({"state": state, "stateExceptionFlag": flag}) == (status, str(state))
