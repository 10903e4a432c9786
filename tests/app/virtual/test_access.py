"""Only a client opens its virtual devices: no header, no other client, no setting."""

import re
from dataclasses import replace

import pytest

from app import create_app
from app.config import SettingsError
from app.storage.id_table import IdRow
from tests.app.support import ALL
from tests.app.virtual.operations import TOKEN, Request, requests_with_an_id
from tests.app.virtual.support import DEVICES, KINDS, Caller
from tests.vendors.support import HEADERS
from vendors.kit.deadline import Deadline
from vendors.kit.registry import discover

# Their ids are neither of sites nor of devices.
OTHERS = ("/vendor-credentials/", "/grants/", "/join/")

UNKNOWN = {path: f"{tag}-0000000000000000" for path, tag in KINDS.items()}


@pytest.fixture
def owned(virtual):
    """Ids of a site, an inverter and a battery, by path."""
    site = virtual.create("sites")["id"]
    return {"sites": site} | {path: virtual.create(path, siteID=site)["id"] for path in DEVICES}


@pytest.fixture
def requests(http):
    """Valid requests of every operation that takes the id of a site or device."""
    return requests_with_an_id(http.get("/openapi.json").json, KINDS)


def stated(answer):
    """Status, headers and body of a problem, without what differs from request to request."""
    headers = {name: value for name, value in answer.headers.items() if name not in ("X-Request-ID", "Date")}
    return answer.status_code, headers, re.sub(rb'"requestId":"[^"]*"', b"", answer.data)


@pytest.mark.parametrize("value", ["{}", "Bearer {}", "Basic {}", "client {}"])
def test_a_header_for_virtual_devices_is_that_of_an_unknown_vendor(
    production, virtual, owned, requests, network, value
):
    header = {"X-Authorization-virtual": value.format(virtual.id)}
    for path in KINDS:
        answer = production.get(f"/{path}", header)
        assert answer.json["errors"] == {"virtual": f"Unknown vendor: this server knows {', '.join(discover())}"}
        assert answer.json["errorDetails"]["virtual"]["code"] == "unknown_vendor"
        assert [*answer.json.values()][-1] == [] or owned["sites"] not in answer.text
    for request in requests:
        answer = request.send(production, owned, header)
        assert answer.status_code == (403 if "/virtual/" in request.path else 400), request


def test_the_requests_are_valid_and_of_every_operation_that_takes_an_id(app, virtual, owned, requests):
    routes = [rule for rule in app.url_map.iter_rules() if "<id>" in rule.rule and not rule.rule.startswith(OTHERS)]
    expected = {(method, rule.rule) for rule in routes for method in rule.methods - {"HEAD", "OPTIONS"}}
    assert {(request.method, request.path.replace("{id}", "<id>")) for request in requests} == expected
    assert len(expected) == 16
    deletions = [request for request in requests if request.method == "DELETE"]
    for request in requests:
        if request not in deletions:
            assert request.send(virtual, owned).status_code == 200, request
    # The site last: its devices go with it.
    for path in (*DEVICES, "sites"):
        assert next(request for request in deletions if request.kind == path).send(virtual, owned).status_code == 204


def further_pages(virtual, owned, requests):
    """Requests with page tokens that the owner of the virtual devices has got."""
    for request in requests:
        if request.path.endswith("intervals") and len(request.query) > 2:
            first = replace(request, query=request.query | {"summaryLevel": "hour", "pageSize": 1})
            token = first.send(virtual, owned).json["nextPageToken"]
            yield replace(first, query=first.query | {TOKEN: token})


def test_a_production_client_gets_the_404_of_an_unknown_id_for_a_virtual_one(production, owned, requests, network):
    sma = HEADERS["sma"]
    network.get("https://monitoring.smaapis.de/v1/plants", json={"plants": []})
    for request in requests:
        # The first search for a lost id makes a call, which X-Vendor-Calls shows; the next ones find its reply cached.
        request.send(production, UNKNOWN, sma)
        answer = request.send(production, owned, sma)
        assert stated(answer) == stated(request.send(production, UNKNOWN, sma)), request
        assert answer.status_code == (403 if "/virtual/" in request.path else 404), request


def test_the_page_token_of_the_owner_opens_nothing_for_others(virtual, other, production, owned, requests, network):
    network.get("https://monitoring.smaapis.de/v1/plants", json={"plants": []})
    further = list(further_pages(virtual, owned, requests))
    assert len(further) == 4
    for request in further:
        assert request.send(virtual, owned).status_code == 200
        for caller, headers in ((other, {}), (production, HEADERS["sma"])):
            answer = request.send(caller, owned, headers)
            assert stated(answer) == stated(request.send(caller, UNKNOWN, headers)), request
            assert answer.status_code in (400, 404)


def test_an_invalid_window_does_not_tell_a_virtual_id_from_an_unknown_one(other, owned, requests):
    window = {"summaryLevel": "month", "start": "2001-01-01T00:00:00", "end": "2000-01-01T00:00:00"}
    for path in {request.path for request in requests if request.path.endswith("intervals")}:
        request = Request("GET", path, window)
        assert stated(request.send(other, owned)) == stated(request.send(other, UNKNOWN)), path


def test_while_a_vendor_fails_a_virtual_id_is_still_like_an_unknown_one(app, production, owned, network):
    network.get("https://monitoring.smaapis.de/v1/plants", status=403)
    for path in KINDS:
        _, *answers = [
            Caller(app, "production").get(f"/{path}/{ids[path]}", HEADERS["sma"]) for ids in (UNKNOWN, owned, UNKNOWN)
        ]
        assert stated(answers[0]) == stated(answers[1])
        assert answers[0].json["code"] in ("forbidden", "unauthorized")


@pytest.mark.databases
def test_another_virtual_client_gets_the_404_of_an_unknown_id(other, virtual, owned, requests):
    for request in requests:
        answer = request.send(other, owned)
        assert stated(answer) == stated(request.send(other, UNKNOWN)), request
        assert answer.status_code == 404, request
    assert other.ids("sites") == other.ids("batteries") == other.virtual_ids("solar-inverters") == []
    assert virtual.ids("sites") == [owned["sites"]], "nothing was deleted"


def test_a_virtual_client_gets_the_404_of_an_unknown_id_for_one_of_a_former_vendor(app, virtual, requests):
    ids = {path: f"{tag}-000000000000000f" for path, tag in KINDS.items()}
    rows = [IdRow(ids[path], "former", tag, ("7",)) for path, tag in KINDS.items()]
    app.extensions["services"].id_table.remember(rows, Deadline(10))
    for request in requests:
        assert stated(request.send(virtual, ids)) == stated(request.send(virtual, UNKNOWN)), request


@pytest.mark.databases
def test_a_deleted_id_of_the_client_itself_is_like_an_unknown_one(virtual, owned, requests):
    assert virtual.delete(f"sites/{owned['sites']}") == 204
    for request in requests:
        assert stated(request.send(virtual, owned)) == stated(request.send(virtual, UNKNOWN)), request


def test_the_404_blames_no_credentials_that_the_request_may_not_have(virtual):
    for path, id in UNKNOWN.items():
        answer = virtual.get(f"/{path}/{id}").json
        assert answer["code"] == "not_found"
        assert answer["detail"] == "There is nothing with this id, or this client and its credentials do not reach it."


def test_the_400_for_an_unknown_vendor_names_virtual_only_to_clients_that_have_virtual_devices(production, virtual):
    known = f"vendor: This server knows {', '.join(discover())}"
    for path in KINDS:
        assert production.get(f"/{path}?vendor=foo", HEADERS["sma"]).json["detail"] == f"{known}."
        assert virtual.get(f"/{path}?vendor=foo").json["detail"] == f"{known}, virtual."


def test_a_filter_shows_no_virtual_devices_to_another_client(production, other, owned, virtual, network):
    for path in KINDS:
        for caller, headers in ((production, HEADERS["sma"]), (other, {})):
            answer = caller.get(f"/{path}?vendor=virtual", headers)
            assert [value for value in answer.json.values() if value] == []
        assert len(virtual.get(f"/{path}?vendor=virtual").json[path.replace("solar-i", "solarI")]) == 1
        assert virtual.get(f"/{path}?vendor=solis").json["errors"] == {}
    site = virtual.get(f"/virtual/sites/{owned['sites']}").json["vendorID"]
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
    paths = [*KINDS, f"sites/{owned['sites']}", f"batteries/{owned['batteries']}/intervals", "virtual/sites"]
    for path in paths:
        answer = virtual.get(f"/{path}", headers)
        assert (answer.status_code, answer.json["code"]) == (400, "invalid_header")
        assert "mode virtual" in answer.json["detail"]
        assert answer.json["header"].lower() == next(iter(headers)).lower()
    assert virtual.post("sites", {}, headers).status_code == 400
    assert len(network.calls) == 0


def test_a_production_client_is_refused_on_every_operation_with_the_mode(production, owned, requests, virtual):
    lists = [Request(method, f"/virtual/{path}") for path in KINDS for method in ("GET", "POST")]
    below = [request for request in requests if request.path.startswith("/virtual/")]
    assert len({(request.method, request.path) for request in lists + below}) == 12
    for request in lists + below:
        answer = request.send(production, owned)
        assert (answer.status_code, answer.json["code"]) == (403, "virtual_mode_required"), request
        assert "mode virtual" in answer.json["detail"]
        assert "mode production" in answer.json["detail"]
    assert virtual.ids("sites") == [owned["sites"]]


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
                assert operation["security"] == [{"derapi": ["read"]}], path
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
