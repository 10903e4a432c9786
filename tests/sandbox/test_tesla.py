"""Tesla's products, and what a site says of its devices."""

import pytest

from sandbox import create_app
from tests.sandbox.callers import Caller, Clocks
from tests.sandbox.tesla import devices, info, response, site_ids

PRODUCTS = "/api/1/products"
KINDS = ("solar_inverter", "battery")


def test_products_mix_a_vehicle_the_sites_and_a_contract_and_count_them_all(caller: Caller):
    answer = caller.get("tesla", PRODUCTS)
    vehicle, *sites, contract = response(answer)
    assert answer.mimetype == "application/json"
    assert answer.json["count"] == 10
    assert vehicle["vin"]
    assert len(vehicle["tokens"]) == 2
    assert contract.keys() == {"energy_site_id", "components"}
    assert not any(contract["components"][flag] for flag in ("battery", "solar"))
    assert [str(one["energy_site_id"]) for one in sites] == site_ids(caller)
    kinds = ["battery" if site["battery"] else "solar" for site in caller.truth()["sites"]]
    assert [one["resource_type"] for one in sites] == kinds
    assert ["site_name" in one for one in sites] == [kind == "battery" for kind in kinds]
    assert max(one["energy_site_id"] for one in sites) < 2**53


def test_site_info_has_the_devices_of_the_truth(caller: Caller):
    for site, view in zip(caller.truth()["sites"], caller.truth()["views"]["tesla"], strict=True):
        told = info(caller, view["site"])
        assert (told["site_name"], told["installation_time_zone"]) == (site["name"], site["timezone"])
        assert told["installation_date"] == site["operational_since"]
        for kind, array in (("solar_inverter", "inverters"), ("battery", "batteries")):
            true = [one for one in view["devices"] if one["kind"] == kind]
            listed = devices(told, array)
            assert [(one["ids"].get("din", ""), one["serial"] or "", one["model"]) for one in true] == listed
        capacity_wh = 1000 * sum(one["capacity_kwh"] or 0 for one in view["devices"])
        units_wh = sum(one.get("nameplate_energy_watts", 0) for one in told["components"].get("gateways", []))
        assert told.get("nameplate_energy", 0) + units_wh == pytest.approx(capacity_wh)


def test_batteries_of_one_serial_number_differ_in_their_dins(caller: Caller):
    components = info(caller, site_ids(caller)[2])["components"]
    same = components["gateways"] + components["batteries"]
    assert len({one["serial_number"] for one in same}) == 1
    assert len({one["din"] for one in same}) == 3
    assert not any("serial_number" in one for one in components["inverters"])


@pytest.mark.parametrize(("number", "packs"), [(4, 0), (6, 1)])
def test_a_powerwall_3_stands_among_the_gateways_only_and_its_packs_among_the_batteries(
    caller: Caller, number: int, packs: int
):
    told = info(caller, site_ids(caller)[number])
    components = told["components"]
    (unit,) = components["gateways"]
    assert (unit["part_name"], unit["nameplate_power_watts"], told["nameplate_energy"]) == ("Powerwall 3", 11520, 0)
    assert "inverters" not in components
    parts = components.get("batteries", [])
    assert [(one["part_name"], one["nameplate_energy"]) for one in parts] == [("Unknown", 0)] * packs
    assert components["battery_type"] == "solar_powerwall"


def test_a_retired_site_is_listed_by_option_and_fails_alone(caller: Caller):
    known = site_ids(caller)
    caller.http.put("/options/tesla", json={"retired": True})
    listed = [str(one["energy_site_id"]) for one in response(caller.get("tesla", PRODUCTS)) if "site_name" in one]
    (retired,) = set(listed) - set(known)
    answer = caller.get("tesla", f"/api/1/energy_sites/{retired}/site_info")
    assert (answer.status_code, answer.json["response"]) == (500, None)
    assert answer.json["error"] == "upstream internal error"
    assert info(caller, known[0])["site_name"] == "Berlin 1"
    caller.http.put("/options/tesla", json={})
    assert caller.get("tesla", f"/api/1/energy_sites/{retired}/site_info").status_code == 404


def test_the_name_of_the_zone_can_be_empty(caller: Caller):
    caller.http.put("/options/tesla", json={"no_time_zone": True})
    assert info(caller, site_ids(caller)[0])["installation_time_zone"] == ""


def test_a_call_that_does_not_say_json_can_be_refused(caller: Caller):
    caller.http.put("/options/tesla", json={"demand_content_type": True})
    headers = {"Authorization": caller.header("tesla")}
    assert caller.http.get(f"/tesla{PRODUCTS}", headers=headers).status_code == 406
    headers["Content-Type"] = "application/json"
    assert caller.http.get(f"/tesla{PRODUCTS}", headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/api/1/energy_sites/1/site_info", "/api/1/energy_sites/x/live_status", "/api/2/x"])
def test_what_is_unknown_is_not_found(caller: Caller, path: str):
    answer = caller.get("tesla", path)
    assert (answer.status_code, answer.json["response"], answer.json["error"]) == (404, None, "not_found")


def test_a_spent_quota_reports_the_wait_in_three_headers(caller: Caller):
    caller.http.put("/limits/tesla", json={"calls": 1, "seconds": 37_828})
    caller.get("tesla", PRODUCTS)
    answer = caller.get("tesla", PRODUCTS)
    assert (answer.status_code, answer.text) == (429, "Retry in 37829 seconds")
    names = ("Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
    assert [answer.headers[name] for name in names] == ["37829", "1", "0", "37829"]


def test_a_fault_of_status_500_is_not_taken_for_a_retired_site(caller: Caller):
    caller.http.put("/faults/tesla", json={"status": 500})
    answer = caller.get("tesla", PRODUCTS)
    assert (answer.status_code, answer.json["error"]) == (500, "internal_server_error")


def test_every_site_of_a_large_fleet_has_a_unique_id_and_unique_dins(clocks: Clocks):
    caller = Caller(create_app(120, real_time=clocks.real_time).test_client(), clocks)
    views = caller.truth()["views"]["tesla"]
    kinds = {kind: [one for view in views for one in view["devices"] if one["kind"] == kind] for kind in KINDS}
    assert len({view["site"] for view in views}) == 120
    for found in kinds.values():
        keys = {tuple(one["ids"].values()) for one in found}
        assert len(keys) == len(found) > 60
    assert caller.get("tesla", PRODUCTS).json["count"] == 122
