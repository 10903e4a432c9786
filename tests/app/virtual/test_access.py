"""Only a client opens its virtual devices: no header, no other client, no setting."""

import re
from dataclasses import replace

import pytest

from app import create_app
from app.config import SettingsError
from tests.app.support import ALL
from tests.app.virtual.support import DEVICES, KINDS, SERIES, Caller, every_operation
from tests.vendors.support import HEADERS
from vendors.kit.registry import discover

UNKNOWN = ("site-0000000000000000", "solr-0000000000000000", "batt-0000000000000000")


@pytest.fixture
def owned(virtual):
    """Ids of a site, an inverter and a battery."""
    site = virtual.create("sites")["id"]
    return site, *(virtual.create(path, siteID=site)["id"] for path in DEVICES)


def stated(answer):
    """Status, headers and body of a problem, without what differs from request to request."""
    headers = {name: value for name, value in answer.headers.items() if name not in ("X-Request-ID", "Date")}
    return answer.status_code, headers, re.sub(rb'"requestId":"[^"]*"', b"", answer.data)


@pytest.mark.parametrize("value", ["{}", "Bearer {}", "Basic {}", "client {}"])
def test_a_header_for_virtual_devices_is_that_of_an_unknown_vendor(production, virtual, owned, network, value):
    header = {"X-Authorization-virtual": value.format(virtual.id)}
    for path in KINDS:
        answer = production.get(f"/{path}", header)
        assert answer.json["errors"] == {"virtual": f"Unknown vendor: this server knows {', '.join(discover())}"}
        assert answer.json["errorDetails"]["virtual"]["code"] == "unknown_vendor"
        assert [*answer.json.values()][-1] == [] or owned[0] not in answer.text
    for method, path in every_operation(*owned):
        answer = production.call(method, path, header)
        assert answer.status_code == (403 if "/virtual/" in path else 400), path


def test_a_production_client_gets_the_404_of_an_unknown_id_for_a_virtual_one(production, owned, network):
    sma = HEADERS["sma"]
    network.get("https://monitoring.smaapis.de/v1/plants", json={"plants": []})
    pairs = zip(every_operation(*owned), every_operation(*UNKNOWN), strict=True)
    for (method, path), (_, unknown) in pairs:
        answer, expected = production.call(method, path, sma), production.call(method, unknown, sma)
        assert stated(answer) == stated(expected), path
        assert answer.status_code == (403 if "/virtual/" in path else 404), path


def test_while_a_vendor_fails_a_virtual_id_is_still_like_an_unknown_one(app, production, owned, network):
    network.get("https://monitoring.smaapis.de/v1/plants", status=403)
    for path, id, unknown in zip(KINDS, owned, UNKNOWN, strict=True):
        answers = [Caller(app, "production").get(f"/{path}/{which}", HEADERS["sma"]) for which in (id, unknown)]
        assert stated(answers[0]) == stated(answers[1])
        assert answers[0].json["code"] in ("forbidden", "unauthorized")


@pytest.mark.databases
def test_another_virtual_client_gets_the_404_of_an_unknown_id(other, virtual, owned):
    pairs = zip(every_operation(*owned), every_operation(*UNKNOWN), strict=True)
    for (method, path), (_, unknown) in pairs:
        answer, expected = other.call(method, path), other.call(method, unknown)
        assert stated(answer) == stated(expected), path
        assert answer.status_code == 404, path
    assert other.ids("sites") == other.ids("batteries") == other.virtual_ids("solar-inverters") == []
    assert virtual.ids("sites") == [owned[0]], "nothing was deleted"


@pytest.mark.databases
def test_a_deleted_id_of_the_client_itself_is_like_an_unknown_one(virtual, owned):
    assert virtual.delete(f"sites/{owned[0]}") == 204
    pairs = zip(every_operation(*owned), every_operation(*UNKNOWN), strict=True)
    for (method, path), (_, unknown) in pairs:
        assert stated(virtual.call(method, path)) == stated(virtual.call(method, unknown)), path


def test_a_filter_shows_no_virtual_devices_to_another_client(production, other, owned, virtual, network):
    for path in KINDS:
        for caller, headers in ((production, HEADERS["sma"]), (other, {})):
            answer = caller.get(f"/{path}?vendor=virtual", headers)
            assert [value for value in answer.json.values() if value] == []
        assert len(virtual.get(f"/{path}?vendor=virtual").json[path.replace("solar-i", "solarI")]) == 1
        assert virtual.get(f"/{path}?vendor=solis").json["errors"] == {}
    site = virtual.get(f"/virtual/sites/{owned[0]}").json["vendorID"]
    for path in DEVICES:
        assert virtual.get(f"/{path}?vendorSiteID={site}").json["errors"] == {}
        for caller in (other, production):
            answer = caller.get(
                f"/{path}?vendor=virtual&vendorSiteID={site}", {} if caller is other else HEADERS["sma"]
            )
            assert [value for value in answer.json.values() if value] == []


@pytest.mark.parametrize(
    "headers",
    [*({name: value} for name, value in ALL.items()), {"x-authorization-virtual": "x"}, {"X-Authorization-nobody": "x"},
     {"X-enphase-api-key": "x"}, {"X-AUTHORIZATION-TESLA": "a, b"}],
    ids=lambda headers: next(iter(headers)),
)  # fmt: skip
def test_a_vendors_header_of_a_virtual_client_is_a_400_that_names_the_mode(virtual, owned, network, headers):
    paths = [*KINDS, f"sites/{owned[0]}", f"batteries/{owned[2]}/intervals", "virtual/sites"]
    for path in paths:
        answer = virtual.get(f"/{path}", headers)
        assert (answer.status_code, answer.json["code"]) == (400, "invalid_header")
        assert "mode virtual" in answer.json["detail"]
        assert answer.json["header"].lower() == next(iter(headers)).lower()
    assert virtual.post("sites", {}, headers).status_code == 400
    assert len(network.calls) == 0


def test_a_production_client_is_refused_on_every_operation_with_the_mode(production, owned, virtual):
    operations = [("GET", f"/virtual/{path}") for path in KINDS] + [("POST", f"/virtual/{path}") for path in KINDS]
    operations += [(method, path) for method, path in every_operation(*owned) if "/virtual/" in path]
    assert len(operations) == 12
    for method, path in operations:
        answer = production.call(method, path)
        assert (answer.status_code, answer.json["code"]) == (403, "virtual_mode_required"), path
        assert "mode virtual" in answer.json["detail"]
        assert "mode production" in answer.json["detail"]
    assert virtual.ids("sites") == [owned[0]]


def test_without_a_token_every_operation_is_a_401(http):
    for path in KINDS:
        assert http.get(f"/virtual/{path}").status_code == 401
        assert http.post(f"/virtual/{path}", json={}).status_code == 401


def test_the_vendor_is_in_no_security_scheme_and_no_expected_header(http, production):
    document = http.get("/openapi.json").json
    assert "X-Authorization-virtual" not in str(document)
    assert not [name for name in document["components"]["securitySchemes"] if "virtual" in name.lower()]
    for path, item in document["paths"].items():
        for operation in item.values() if path.startswith("/virtual/") else ():
            if isinstance(operation, dict):
                assert operation["security"] == [{"derapi": []}], path
    assert "virtual" not in str(production.get("/sites").json["expectedHeaders"])


@pytest.mark.parametrize(
    "change", [{"vendor_urls": {"virtual": "https://x.example"}}, {"vendor_limits": {"virtual": (1, 1)}}]
)
def test_no_setting_names_it(settings, change):
    with pytest.raises(SettingsError, match="VIRTUAL: there is no such vendor"):
        create_app(replace(settings, **change))


def test_a_plugin_with_its_name_is_refused_at_the_start(settings, monkeypatch):
    plugin = discover()["sma"]
    thief = type("Thief", (plugin,), {"hosts": {"virtual": {"": "https://x.example"}}, "variants": ()})
    monkeypatch.setattr("app.fleet.clouds.discover", lambda: {"virtual": thief})
    with pytest.raises(SettingsError, match="'virtual' is reserved"):
        create_app(settings)


def test_the_operations_of_this_module_are_all_that_take_an_id(app):
    paths = {rule.rule for rule in app.url_map.iter_rules() if "<id>" in rule.rule}
    paths = {path for path in paths if not path.startswith("/vendor-credentials/")}
    expected = {f"/{path}/<id>" for path in KINDS} | {f"/virtual/{path}/<id>" for path in KINDS}
    assert paths == expected | {f"/{path}/<id>/{series}" for path in KINDS for series in SERIES[path]}
