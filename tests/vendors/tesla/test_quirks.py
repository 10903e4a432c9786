"""Peculiarities of Tesla's lists, statuses and regions."""

import pytest

from tests.vendors.support import BASE, HEADERS, cloud_of, open_vendor, records_of
from tests.vendors.tesla.played import sample
from vendors.kit import NotFound
from vendors.kit.calls.sweep import Sweep

PRODUCTS = f"{BASE}/api/1/products"
EU = f"{BASE}/eu/api/1/products"


def site_info_url(number):
    return f"{BASE}/api/1/energy_sites/{number}/site_info"


def product(number, **components):
    return {"energy_site_id": number, "components": {"solar": True} | components}


def site_info_reply(components):
    return {"response": {"components": components}}


def run_list_sweep(cloud=None):
    sweep = Sweep(open_vendor("tesla", cloud=cloud))
    sweep.run(lambda vendor: records_of(vendor.devices()))
    return sweep


def devices(network, components):
    network.get(site_info_url(1), json=site_info_reply(components))
    return [(type(device).__name__, device.key) for device in records_of(open_vendor("tesla").devices("1"))]


def test_vehicles_and_sites_without_solar_or_battery_are_not_listed_and_cost_no_calls(network, caplog):
    caplog.set_level("DEBUG")
    network.get(PRODUCTS, json=sample("products-mixed-account"))
    network.get(site_info_url(123456), json=sample("site_info-two-powerwall2"))
    sweep = run_list_sweep()
    assert {record.vendor_site_id for record in sweep.records} == {"123456"}
    assert len(network.calls) == 2
    for private in ("TESTVIN0000000000", "abc", "Test"):
        assert private not in caplog.text


def test_batteries_that_share_a_serial_number_with_the_gateway_are_listed_and_the_gateway_is_not(network):
    components = sample("site_info-powerwalls-and-inverter")["response"]["components"]
    serials = {raw["serial_number"] for raw in components["gateways"] + components["batteries"]}
    assert len(serials) == 1
    kinds, keys = zip(*devices(network, components), strict=True)
    assert kinds == ("SolarInverter", "Battery", "Battery")
    assert len(set(keys)) == 3


@pytest.mark.parametrize("as_inverter", [True, False], ids=["listed-as-inverter-too", "listed-as-battery-only"])
def test_a_powerwall_3_is_an_inverter_and_a_battery(network, as_inverter):
    unit = {"din": "1707000-00-J--TG1", "part_name": "Powerwall 3", "nameplate_energy": 13500}
    components = {"solar": True, "battery": True, "batteries": [unit]} | ({"inverters": [unit]} if as_inverter else {})
    assert set(devices(network, components)) == {
        ("SolarInverter", ("1", "1707000-00-J--TG1")),
        ("Battery", ("1", "1707000-00-J--TG1")),
    }


def test_a_powerwall_3_without_solar_is_only_a_battery(network):
    unit = {"din": "1707000-00-J--TG1", "part_name": "Powerwall 3"}
    listed = devices(network, {"solar": False, "battery": True, "batteries": [unit]})
    assert listed == [("Battery", ("1", "1707000-00-J--TG1"))]


def test_an_inactive_inverter_is_left_out_and_not_replaced_by_a_synthetic_one(network):
    assert devices(network, {"solar": True, "inverters": [{"din": "a--b", "is_active": False}]}) == []


def test_the_serial_number_is_the_second_part_of_the_din(network):
    network.get(site_info_url(1), json=site_info_reply({"solar": True, "inverters": [{"din": "1538000-00-F--CN1--2"}]}))
    assert next(records_of(open_vendor("tesla").devices("1"))).serial_number == "CN1--2"


def test_a_401_with_an_empty_body_means_unauthorized(network):
    network.get(PRODUCTS, status=401, body="")
    assert run_list_sweep().failure.code == "unauthorized"


@pytest.mark.parametrize(
    ("status", "code"), [(402, "forbidden"), (423, "forbidden"), (451, "forbidden"), (412, "backend_error")]
)
def test_statuses_that_tesla_uses_unusually_become_the_error_that_they_mean(network, status, code):
    network.get(PRODUCTS, status=status)
    assert run_list_sweep().failure.code == code


@pytest.mark.parametrize(
    ("headers", "body", "hint"),
    [
        ({"Retry-After": "37829", "RateLimit-Reset": "5"}, "", 37829),
        ({"RateLimit-Reset": "42"}, "Retry in 7 seconds", 42),
        ({}, "Retry in 37829 seconds", 37829),
        ({"Retry-After": "0", "RateLimit-Reset": "-5"}, "Retry in 7 seconds", 7),
        ({}, "", 60),
    ],
)
def test_a_429_s_hint_is_retry_after_else_ratelimit_reset_else_the_number_in_its_text(network, headers, body, hint):
    network.get(PRODUCTS, status=429, headers=headers, body=body)
    assert run_list_sweep().failure.retry_after == hint


@pytest.mark.parametrize("response", [None, "", "no data"])
def test_a_response_that_is_no_object_means_that_the_vendor_has_no_data(network, response):
    network.get(PRODUCTS, json={"response": response})
    failure = run_list_sweep().failure
    assert failure.code == "backend_error"
    assert "no data" in failure.detail


def test_after_a_421_the_next_region_is_called_and_remembered(network):
    network.get(PRODUCTS, status=421)
    network.get(EU, json={"response": [product(1)]})
    network.get(f"{BASE}/eu/api/1/energy_sites/1/site_info", json=site_info_reply({"solar": True}))
    cloud = cloud_of("tesla")
    assert len(run_list_sweep(cloud).records) == 1
    assert [call.request.url for call in network.calls] == [PRODUCTS, EU, f"{BASE}/eu/api/1/energy_sites/1/site_info"]
    list(open_vendor("tesla", cloud=cloud, refresh=True).sites())
    assert network.calls[-1].request.url == EU
    assert len(network.calls) == 4


def test_the_region_of_one_account_is_not_assumed_for_another(network):
    network.get(PRODUCTS, status=421)
    network.get(EU, json={"response": []})
    cloud = cloud_of("tesla")
    run_list_sweep(cloud)
    list(open_vendor("tesla", cloud=cloud, headers={"X-Authorization-tesla": "Bearer other"}).sites())
    assert [call.request.url for call in network.calls] == [PRODUCTS, EU, PRODUCTS, EU]


def test_an_account_that_no_region_knows_costs_one_call_to_each_region_and_is_an_error(network):
    for url in (PRODUCTS, EU, f"{BASE}/cn/api/1/products"):
        network.get(url, status=421)
    assert run_list_sweep().failure.code == "backend_error"
    assert len(network.calls) == 3


def test_each_call_carries_a_json_content_type_and_the_caller_s_token(network):
    network.get(PRODUCTS, json={"response": []})
    run_list_sweep()
    headers = network.calls[0].request.headers
    assert (headers["Content-Type"], headers["Authorization"]) == (
        "application/json",
        HEADERS["tesla"]["X-Authorization-tesla"],
    )


def test_an_inverter_that_the_site_no_longer_lists_is_not_found(network):
    network.get(site_info_url(1), json=site_info_reply({"solar": True}))
    with pytest.raises(NotFound):
        open_vendor("tesla").solar_inverter(("1", "1538000-00-F--CN1"))
