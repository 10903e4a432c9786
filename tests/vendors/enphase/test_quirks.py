"""The ways of Enphase's Monitoring API."""

import json
from pathlib import Path

import pytest
import time_machine

from tests.vendors.support import BASE, HEADERS, credential_of, open_vendor, records_of
from vendors.enphase import Enphase
from vendors.kit import Forbidden, NotFound, RateLimited, Unauthorized
from vendors.kit.calls.sweep import Sweep

HERE = Path(__file__).parent
SYSTEMS = f"{BASE}/api/v4/systems"


def sample(name):
    return json.loads((HERE / f"{name}.json").read_text())


def page(first, count, total):
    systems = [{"system_id": number, "status": "normal"} for number in range(first, first + count)]
    return {"total": total, "systems": systems}


def swept():
    sweep = Sweep(open_vendor("enphase"))
    sweep.run(lambda vendor: records_of(vendor.devices()))
    return sweep


def test_the_key_is_a_header_and_never_in_the_url(network):
    network.get(SYSTEMS, json=page(1, 0, 0))
    list(open_vendor("enphase").sites())
    request = network.calls[0].request
    assert request.headers["key"] == HEADERS["enphase"]["X-enphase-api-key"]
    assert request.headers["Authorization"] == HEADERS["enphase"]["X-Authorization-enphase"]
    assert "sentinel" not in request.url


@pytest.mark.parametrize("missing", list(HEADERS["enphase"]))
def test_a_missing_header_is_named_without_a_call(missing):
    headers = {name: value for name, value in HEADERS["enphase"].items() if name != missing}
    with pytest.raises(Unauthorized, match=missing):
        credential_of(Enphase, "enphase", headers)


@pytest.mark.parametrize(("total", "calls"), [(0, 1), (1, 1), (100, 1), (101, 2), (200, 2), (201, 3)])
def test_systems_come_a_hundred_a_page(network, total, calls):
    for first in range(0, max(total, 1), 100):
        network.get(SYSTEMS, json=page(first, min(100, total - first), total))
    assert len(list(open_vendor("enphase").sites())) == total
    assert len(network.calls) == calls
    assert "size=100" in network.calls[0].request.url


def test_a_retired_system_costs_no_call_and_lists_nothing(network):
    network.get(SYSTEMS, json={"total": 1, "systems": [{"system_id": 7, "status": "Retired"}]})
    assert swept().records == []
    assert len(network.calls) == 1


def test_a_micro_that_is_out_of_service_is_left_out(network):
    micros = [
        {"serial_number": "1", "active": False},
        {"serial_number": "2", "status": "retired"},
        {"serial_number": "3"},
    ]
    network.get(SYSTEMS + "/7/devices", json={"devices": {"micros": micros}})
    assert [device.serial_number for device in records_of(open_vendor("enphase").devices("7"))] == ["3"]


def test_two_ac_batteries_that_share_an_id_are_two_batteries(network):
    devices = sample("devices")
    assert len({raw["id"] for raw in devices["devices"]["acbs"]}) < len(devices["devices"]["acbs"])
    network.get(SYSTEMS + "/698910067/devices", json=devices)
    found = [
        device for device in records_of(open_vendor("enphase").devices("698910067")) if "AC Battery" in device.name
    ]
    assert len({device.key for device in found}) == len(devices["devices"]["acbs"])


def test_leading_zeros_of_a_serial_number_stay(network):
    network.get(SYSTEMS + "/7/devices", json={"devices": {"micros": [{"serial_number": "002167438951"}]}})
    assert next(records_of(open_vendor("enphase").devices("7"))).serial_number == "002167438951"


@pytest.mark.parametrize("name", ["429-01", "429-02", "429-03"])
def test_the_end_of_the_vendor_s_minute_is_the_hint(network, name):
    body = sample(f"errors/{name}")
    network.get(SYSTEMS, json=body, status=429)
    told = body.get("period_end")
    with time_machine.travel((told or 1623825720) - 77, tick=False), pytest.raises(RateLimited) as limited:
        list(open_vendor("enphase").sites())
    assert limited.value.retry_after == (77 if told else 60)


@pytest.mark.parametrize("end", [0, -62135596800, 253402300799])
def test_an_end_of_the_minute_that_is_no_time_is_no_hint(network, end):
    network.get(SYSTEMS, json={"period_end": end}, status=429)
    with pytest.raises(RateLimited) as limited:
        list(open_vendor("enphase").sites())
    assert (limited.value.retry_after, limited.value.hint) == (60, None)


def test_a_key_of_another_application_is_said_to_be_one(network):
    network.get(SYSTEMS, json=sample("errors/401-api-key-client-mismatch"), status=401)
    with pytest.raises(Unauthorized) as refused:
        list(open_vendor("enphase").sites())
    assert "different applications" in refused.value.detail


def test_a_401_after_a_success_in_the_same_request_is_the_plan_and_ends_the_sweep(network):
    network.get(SYSTEMS, json=page(1, 9, 9))
    for number in range(1, 10):
        network.get(f"{SYSTEMS}/{number}/devices", json=sample("errors/401-01"), status=401)
    failure = swept().failure
    assert isinstance(failure, Forbidden)
    assert "plan" in failure.detail
    assert len(network.calls) <= 1 + 2 * 2


def test_a_401_without_any_success_before_is_a_bad_credential(network):
    network.get(SYSTEMS, json=sample("errors/401-01"), status=401)
    assert isinstance(swept().failure, Unauthorized)


def test_an_unknown_microinverter_is_not_found(network):
    network.get(SYSTEMS + "/698910067/devices", json=sample("devices"))
    with pytest.raises(NotFound):
        open_vendor("enphase").solar_inverter(("698910067", "902167438952"))
