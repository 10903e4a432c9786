"""Enphase's Monitoring API: credentials, lists, quotas, and calls that a plan does not cover."""

import json
from pathlib import Path

import pytest
import time_machine

from tests.vendors.enphase.played import KEY, SYSTEMS, devices, params_of, read_between, telemetry
from tests.vendors.support import HEADERS, cloud_of, credential_of, open_vendor, records_of
from vendors.enphase import Enphase
from vendors.kit import Forbidden, Level, NotFound, RateLimited, Unauthorized
from vendors.kit.calls.sweep import Sweep

HERE = Path(__file__).parent
REFUSED = json.loads((HERE / "errors" / "401-01.json").read_text())


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


def test_a_retired_system_is_left_out_and_costs_no_call(network):
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
    batteries = [
        device for device in records_of(open_vendor("enphase").devices("698910067")) if "AC Battery" in device.name
    ]
    assert len({device.key for device in batteries}) == len(devices["devices"]["acbs"])


def test_leading_zeros_of_a_serial_number_stay(network):
    network.get(SYSTEMS + "/7/devices", json={"devices": {"micros": [{"serial_number": "002167438951"}]}})
    assert next(records_of(open_vendor("enphase").devices("7"))).serial_number == "002167438951"


@pytest.mark.parametrize("name", ["429-01", "429-02", "429-03"])
def test_the_end_of_the_vendor_s_minute_is_the_hint(network, name):
    body = sample(f"errors/{name}")
    network.get(SYSTEMS, json=body, status=429)
    end = body.get("period_end")
    with time_machine.travel((end or 1623825720) - 77, tick=False), pytest.raises(RateLimited) as limited:
        list(open_vendor("enphase").sites())
    assert limited.value.retry_after == (77 if end else 60)


@pytest.mark.parametrize("end", [0, -62135596800, 253402300799])
def test_an_impossible_end_of_the_minute_is_no_hint(network, end):
    network.get(SYSTEMS, json={"period_end": end}, status=429)
    with pytest.raises(RateLimited) as limited:
        list(open_vendor("enphase").sites())
    assert (limited.value.retry_after, limited.value.hint) == (60, None)


def test_the_error_names_a_key_of_another_application(network):
    network.get(SYSTEMS, json=sample("errors/401-api-key-client-mismatch"), status=401)
    with pytest.raises(Unauthorized) as refused:
        list(open_vendor("enphase").sites())
    assert "different applications" in refused.value.detail


def test_a_401_after_a_success_in_the_same_request_is_a_refusal_by_the_plan_and_ends_the_sweep(network):
    network.get(SYSTEMS, json=page(1, 9, 9))
    for number in range(1, 10):
        network.get(f"{SYSTEMS}/{number}/devices", json=sample("errors/401-01"), status=401)
    failure = swept().failure
    assert isinstance(failure, Forbidden)
    assert "plan" in failure.detail
    assert len(network.calls) <= 1 + 2 * 2


def test_a_401_without_an_earlier_success_is_a_bad_credential(network):
    network.get(SYSTEMS, json=sample("errors/401-01"), status=401)
    assert isinstance(swept().failure, Unauthorized)


def test_an_unknown_microinverter_is_not_found(network):
    network.get(SYSTEMS + "/698910067/devices", json=sample("devices"))
    with pytest.raises(NotFound):
        open_vendor("enphase").solar_inverter(("698910067", "902167438952"))


def test_an_inverter_is_searched_on_all_pages_and_in_all_groups(system):
    system("/7/devices", devices(micros=["250"]))
    for first in (0, 100, 200):
        group = [{"serial_number": str(number), "energy": number} for number in range(first, min(first + 100, 260))]
        network = system(
            "/inverters_summary_by_envoy_or_site", [{"micro_inverters": group[:9]}, {"micro_inverters": group[9:]}]
        )
    system("/7/devices/micros/250/telemetry", telemetry())
    system("/7/open_events", {"events": []})
    assert open_vendor("enphase").solar_inverter(("7", "250")).lifetime_production.kwh == 0.25
    assert [params["page"] for params in params_of(network, "inverters_summary")] == ["1", "2", "3"]


def test_an_inverter_is_read_without_its_series_if_the_plan_does_not_cover_them(system):
    system("/7/devices", devices(micros=["9"]))
    system("/inverters_summary_by_envoy_or_site", [{"micro_inverters": [{"serial_number": "9", "energy": 7000}]}])
    system("/7/devices/micros/9/telemetry", REFUSED, 401)
    system("/7/open_events", {"events": []})
    inverter = open_vendor("enphase").solar_inverter(("7", "9"))
    assert (inverter.lifetime_production.kwh, inverter.recent_production) == (7.0, None)


@pytest.mark.parametrize(("probe", "failure"), [(200, Forbidden), (401, Unauthorized)])
def test_cached_replies_do_not_turn_a_refusal_by_the_plan_into_a_bad_token(system, network, probe, failure):
    """The system is cached, so no call of this request has shown that the token is good."""
    cloud = cloud_of("enphase")
    system("/7/devices/micros/9/telemetry", REFUSED, 401)
    network.get(SYSTEMS, json={"total": 0, "systems": []} if probe == 200 else REFUSED, status=probe)
    assert open_vendor("enphase", cloud=cloud)._known_site(KEY)
    with pytest.raises(failure):
        read_between("solar_intervals", Level.HOUR, (2026, 6, 16), (2026, 6, 17), key=("7", "9"), cloud=cloud)
