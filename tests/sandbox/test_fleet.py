"""The default fleet through every dialect: complete, clean, and one truth."""

import textwrap

import pytest

import sandbox
from sandbox import create_app
from tests.sandbox.callers import VENDORS, Caller


def test_index_names_every_vendor_with_its_url_and_headers(caller: Caller):
    assert set(VENDORS) <= set(caller.vendors)
    for vendor, entry in caller.vendors.items():
        assert entry["url"] == f"http://localhost/{vendor}"
        assert f"X-Authorization-{vendor}" in entry["headers"]


def test_index_shows_working_credentials_in_the_forms_in_which_a_service_stores_them(caller: Caller):
    forms = {(name, form["type"]): form for name, entry in caller.vendors.items() for form in entry["credentials"]}
    assert {form: set(members) - {"type"} for form, members in forms.items()} == {
        ("enphasevpp", "vpp"): {"clientID", "clientSecret", "apiKey"},
        ("sma", "customgrant"): {"clientID", "clientSecret"},
        ("smasbox", "customgrant"): {"clientID", "clientSecret"},
        ("solaredge", "apikey"): {"apiKey"},
        ("solis", "apikeysecret"): {"keyID", "keySecret"},
    }


def test_the_headers_of_all_vendors_fit_into_one_request(caller: Caller):
    names = [name.lower() for entry in caller.vendors.values() for name in entry["headers"]]
    assert len(names) == len(set(names))


def test_every_dialect_sees_every_site_with_shares_that_add_up(caller: Caller):
    truth = caller.truth()
    for vendor in VENDORS:
        views = truth["views"][vendor]
        assert [view["number"] for view in views] == list(range(8))
        assert len({view["site"] for view in views}) == 8
        for site, view in zip(truth["sites"], views, strict=True):
            for kind, expected in (("solar_inverter", 1.0), ("battery", 1.0 if site["battery"] else 0.0)):
                shares = [device["share"] for device in view["devices"] if device["kind"] == kind]
                assert sum(shares) == pytest.approx(expected)


@pytest.mark.parametrize("vendor", ["sma", "smasbox"])
def test_sma_lists_the_devices_of_the_truth(caller: Caller, vendor: str):
    for view in caller.truth()["views"][vendor]:
        devices = caller.get(vendor, f"/v1/plants/{view['site']}/devices/lean").json["devices"]
        inverters = [one for one in devices if one["type"] == "Solar Inverters" and one.get("generatorPower", 0) > 0]
        batteries = [one for one in devices if one["type"] == "Battery Inverter"]
        assert [one["deviceId"] for one in inverters + batteries] == [one["ids"]["deviceId"] for one in view["devices"]]


def test_solis_lists_the_devices_of_the_truth(caller: Caller):
    records = caller.solis("inverterList", pageSize=100).json["data"]["page"]["records"]
    devices = [device for view in caller.truth()["views"]["solis"] for device in view["devices"]]
    listed = [device["ids"]["id"] for device in devices if device["kind"] == "solar_inverter"]
    hybrids = {device["ids"]["id"] for device in devices if device["kind"] == "battery"}
    assert [record["id"] for record in records] == listed
    assert {record["id"] for record in records if record["batteryTotalChargeEnergy"] > 0} == hybrids


def test_solaredge_lists_the_devices_of_the_truth(caller: Caller):
    kinds = {"solar_inverter": "INVERTER", "battery": "BATTERY"}
    for view in caller.truth()["views"]["solaredge"]:
        devices = caller.get("solaredge", f"/v2/sites/{view['site']}/devices", types=["INVERTER", "BATTERY"]).json
        listed = [(device["type"], device["serialNumber"]) for device in devices]
        assert listed == [(kinds[device["kind"]], device["serial"]) for device in view["devices"]]


def test_views_of_one_site_agree_on_its_energy(caller: Caller):
    day = {"start": "2026-06-20T22:00:00Z", "end": "2026-06-21T22:00:00Z"}
    for kind in ("pv", "charge", "discharge"):
        exact = caller.energy_wh(site=0, kind=kind, **day)
        assert exact > 1000
        for vendor in VENDORS:
            assert caller.energy_wh(site=0, vendor=vendor, kind=kind, **day) == pytest.approx(exact, abs=3)


def test_energies_of_devices_add_up_to_the_energy_of_their_site(caller: Caller):
    day = {"start": "2026-06-21T00:00:00Z", "end": "2026-06-21T11:30:00Z"}
    for vendor in VENDORS:
        for view in caller.truth()["views"][vendor]:
            site = {"site": view["site"], "vendor": vendor, **day}
            for kind, quantity in (("solar_inverter", "pv"), ("battery", "charge")):
                device_ids = [list(device["ids"].values())[-1] for device in view["devices"] if device["kind"] == kind]
                parts = [caller.energy_wh(device=device_id, kind=quantity, **site) for device_id in device_ids]
                assert sum(parts) == caller.energy_wh(kind=quantity, **site)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "site"),
        ({"site": "8"}, "site"),
        ({"site": "0", "vendor": "nobody"}, "vendor"),
        ({"site": "0", "device": "1"}, "vendor"),
        ({"site": "0", "vendor": "sma", "device": "1"}, "device"),
        ({"site": "0", "kind": "heat"}, "kind"),
        ({"site": "0", "start": "2026-06-21T00:00:00"}, "start"),
        ({"site": "0", "end": "yesterday"}, "end"),
        ({"site": "0", "end": "2026-06-01T00:00:00Z"}, "end"),
        ({"site": "0", "zone": "UTC"}, "zone"),
    ],
)
def test_a_bad_question_about_energy_is_refused_and_names_the_field(caller: Caller, query: dict[str, str], field: str):
    good = {"start": "2026-06-21T00:00:00Z", "end": "2026-06-21T01:00:00Z"} if query else {}
    answer = caller.http.get("/truth/energy", query_string={**good, **query})
    assert (answer.status_code, answer.json["field"]) == (400, field)


NOON = "2026-06-21T11:00:00Z"
MEASURES = {"seconds", "power_w", "energy_wh", "lifetime_wh", "soc_percent", "apart_seconds", "charge_seconds"}


def test_the_state_of_a_site_is_the_mean_of_its_energies_and_its_charge(caller: Caller):
    state = caller.state(site=0, at=NOON, seconds=900)
    span = {"start": "2026-06-21T10:45:00Z", "end": NOON}
    for kind, member in (("pv", "power_kw"), ("charge", "charge_kw"), ("discharge", "discharge_kw")):
        kwh = caller.energy_wh(site=0, kind=kind, **span) / 1000
        assert state[member] == pytest.approx(kwh * 4)
    assert state["power_kw"] > 1
    assert 0 < state["soc_percent"] <= 100


def test_the_state_of_a_site_without_a_battery_has_nulls_and_no_zeros(caller: Caller):
    state = caller.state(site=1, at=NOON)
    assert [state[name] for name in ("charge_kw", "discharge_kw", "soc_percent")] == [None] * 3
    assert state["power_kw"] == 0.0, "it is night in Phoenix"


def test_states_of_devices_add_up_to_that_of_their_site_in_every_dialect(caller: Caller):
    for vendor in VENDORS:
        for view in caller.truth()["views"][vendor]:
            asked = {"site": view["site"], "vendor": vendor, "at": NOON}
            whole = caller.state(**asked)
            for kind, member in (("solar_inverter", "power_kw"), ("battery", "charge_kw")):
                ids = [list(one["ids"].values())[-1] for one in view["devices"] if one["kind"] == kind]
                parts = [caller.state(device=device, **asked)[member] for device in ids]
                assert sum(parts) == pytest.approx(whole[member] or 0.0)


def test_a_hybrid_has_the_state_of_an_inverter_and_of_a_battery_and_a_battery_no_power(caller: Caller):
    asked = {"site": 0, "at": NOON}
    views = caller.truth()["views"]
    hybrid = next(device for device in views["solis"][0]["devices"] if device["kind"] == "battery")
    state = caller.state(vendor="solis", device=hybrid["ids"]["id"], **asked)
    assert None not in (state["power_kw"], state["charge_kw"], state["discharge_kw"], state["soc_percent"])
    battery = next(device for device in views["sma"][0]["devices"] if device["kind"] == "battery")
    state = caller.state(vendor="sma", device=battery["ids"]["deviceId"], **asked)
    assert state["power_kw"] is None
    assert None not in (state["charge_kw"], state["discharge_kw"], state["soc_percent"])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"at": None}, "at"),
        ({"site": None}, "site"),
        ({"site": "8"}, "site"),
        ({"vendor": "nobody"}, "vendor"),
        ({"device": "1"}, "vendor"),
        ({"vendor": "sma", "device": "1"}, "device"),
        ({"at": "2026-06-21T00:00:00"}, "at"),
        ({"at": ["2026-06-21T00:00:00Z", "2026-06-22T00:00:00Z"]}, "at"),
        ({"seconds": "0"}, "seconds"),
        ({"seconds": "86401"}, "seconds"),
        ({"seconds": "5.5"}, "seconds"),
        ({"seconds": "²"}, "seconds"),
        ({"start": "2026-06-21T00:00:00Z"}, "start"),
        ({"kind": "pv"}, "kind"),
    ],
)
def test_a_bad_question_about_a_state_is_refused_and_names_the_field(caller: Caller, query: dict, field: str):
    answer = caller.http.get("/truth/state", query_string={"site": "0", "at": NOON, **query})
    assert (answer.status_code, answer.json["field"]) == (400, field)


def test_the_truth_names_how_finely_every_dialect_measures(caller: Caller):
    for vendor, resolution in caller.truth()["resolutions"].items():
        assert vendor in caller.vendors
        assert set(resolution) == MEASURES
        assert min(resolution[name] for name in ("seconds", "power_w", "energy_wh", "lifetime_wh")) > 0


def test_the_fleet_stands_still_once_its_clock_is_set_and_tokens_do_not(caller: Caller):
    caller.set_clock("2020-01-01T12:00:00+01:00")
    before = caller.get("solaredge", "/v2/sites/1000001").json["lastUpdateTime"]
    caller.clocks.wait(299)
    assert caller.get("solaredge", "/v2/sites/1000001").json["lastUpdateTime"] == before == "2020-01-01T12:00:00+01:00"
    assert caller.get("sma", "/v1/plants").status_code == 200
    caller.clocks.wait(2)
    assert caller.get("sma", "/v1/plants").status_code == 401
    caller.set_clock(None)
    assert caller.get("solaredge", "/v2/sites/1000001").json["lastUpdateTime"] > "2026"


def test_a_module_with_a_dialect_in_it_is_found_and_served(tmp_path, monkeypatch):
    dialect = """
        from flask import Blueprint, Response
        from sandbox.dialect import Dialect, SiteView
        from simulation import View

        class Acme(Dialect):
            vendor = "acme"
            describe = lambda self, site: SiteView(site, f"acme-{site.number}", View(site, []))
            headers = lambda self: {"X-Authorization-acme": "key"}
            credential = lambda self: "key"
            error = lambda self, status, detail="": Response(status=status)
            too_many = lambda self, spent: Response(status=429)

            def routes(self):
                blueprint = Blueprint("acme", __name__)
                blueprint.get("/hello")(lambda: "hello")
                return blueprint
    """
    (tmp_path / "acme.py").write_text(textwrap.dedent(dialect))
    monkeypatch.setattr(sandbox, "__path__", [*sandbox.__path__, str(tmp_path)])
    http = create_app(1).test_client()
    assert http.get("/acme/hello").text == "hello"
    assert http.get("/calls/acme").json == {"/hello": 1}
    assert http.get("/truth").json["views"]["acme"][0]["site"] == "acme-0"
