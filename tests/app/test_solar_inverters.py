"""GET /solar-inverters and /solar-inverters/{id}: the path of a request from headers to JSON."""

import json
import re

import pytest
from sqlalchemy import delete, select

from app import create_app
from app.storage import Resource
from tests.vendors.support import HEADERS

SMA = "https://monitoring.smaapis.de"
SOLIS = "https://www.soliscloud.com:13333"
SOLAREDGE = "https://monitoringapi.solaredge.com"
ALL = HEADERS["sma"] | HEADERS["solis"] | HEADERS["solaredge"]
V2 = {"api-version": "v2024-09-01"}
ID = re.compile(r"solr-[0-9a-z]{16}")


@pytest.fixture
def clouds(network):
    """Three vendors: 2 inverters and a battery at SMA, 3 at Solis, 1 at SolarEdge."""
    network.get(f"{SMA}/v1/plants", json={"plants": [{"plantId": "13"}, {"plantId": "24"}]})
    for plant in ("13", "24"):
        inverter = {"deviceId": f"{plant}1", "type": "Solar Inverters", "generatorPower": 6000.0, "product": "STP",
                    "serial": "7", "name": "Roof"}  # fmt: skip
        battery = {"deviceId": f"{plant}2", "type": "Battery Inverter"}
        network.get(f"{SMA}/v1/plants/{plant}/devices/lean", json={"devices": [inverter, battery]})
        network.get(f"{SMA}/v1/devices/{plant}1", json={"plant": {"plantId": plant}, "details": inverter})
    rows = [{"id": f"100000000000000000{number}", "stationId": "9", "sn": f"S{number}"} for number in range(3)]
    network.post(f"{SOLIS}/v1/api/inverterList", json={"code": "0", "data": {"page": {"records": rows, "pages": 1}}})
    network.get(f"{SOLAREDGE}/v2/sites", json={"sites": {"site": [{"siteId": 5}]}})
    network.get(f"{SOLAREDGE}/v2/sites/5/devices", json=[{"type": "INVERTER", "serialNumber": "7E140000-01"}])
    return network


@pytest.fixture
def get(http, bearer):
    def call(path="/solar-inverters", headers=ALL, **options):
        return http.get(path, headers=bearer | headers, **options)

    return call


def ids_of(answer):
    return [url.rsplit("/", 1)[1] for url in answer.json["solar-inverters"]]


def test_v1_gives_absolute_urls_of_all_vendors_inverters_and_an_empty_errors_object(get, clouds):
    answer = get()
    assert answer.status_code == 200
    assert set(answer.json) == {"solar-inverters", "errors"}
    assert answer.json["errors"] == {}
    assert len(answer.json["solar-inverters"]) == 6
    for url in answer.json["solar-inverters"]:
        assert url.startswith("http://localhost/solar-inverters/")
        assert ID.fullmatch(url.rsplit("/", 1)[1])


def test_v2024_09_01_gives_objects_with_ids_and_no_null(get, clouds):
    answer = get(headers=ALL | V2)
    assert set(answer.json) == {"solarInverters", "errors"}
    assert [set(item) for item in answer.json["solarInverters"]] == [{"id"}] * 6


def test_both_versions_list_the_same_ids_in_the_same_order(get, clouds):
    assert ids_of(get()) == [item["id"] for item in get(headers=ALL | V2).json["solarInverters"]]
    assert ids_of(get()) == sorted(ids_of(get()))


def test_a_client_pinned_to_a_version_needs_no_header(http, new_client, clouds):
    token = http.post(
        "/oauth2/token", data={"grant_type": "client_credentials"}, auth=new_client(api_version="v2024-09-01")
    ).json["access_token"]
    answer = http.get("/solar-inverters", headers=ALL | {"Authorization": f"Bearer {token}"})
    assert "solarInverters" in answer.json


def test_an_unknown_version_is_a_400_that_names_the_header(get):
    answer = get(headers=ALL | {"api-version": "v2"})
    assert (answer.status_code, answer.json["code"]) == (400, "unknown_api_version")
    assert "api-version" in answer.json["detail"]


def test_one_failing_vendor_costs_only_its_own_entry(get, clouds):
    clouds.replace("POST", f"{SOLIS}/v1/api/inverterList", status=403)
    answer = get()
    assert len(ids_of(answer)) == 3
    assert answer.json["errors"] == {"solis": f"Unauthorized: {SOLIS}/v1/api/inverterList"}


def test_error_details_say_code_status_fault_and_what_to_do(get, clouds):
    clouds.replace("GET", f"{SOLAREDGE}/v2/sites", status=429, headers={"Retry-After": "30"})
    clouds.replace("POST", f"{SOLIS}/v1/api/inverterList", status=410)
    details = get(headers=ALL | V2).json["errorDetails"]
    assert details["solaredge"] == {
        "code": "rate_limited",
        "status": 429,
        "detail": "The vendor's quota for this credential is spent.",
        "fault": "caller",
        "action": "Wait for the time in retryAfter before asking for this vendor again.",
        "url": f"{SOLAREDGE}/v2/sites",
        "retryAfter": 30,
    }
    assert (details["solis"]["code"], details["solis"]["fault"]) == ("api_retired", "server")
    assert "errorDetails" not in get().json, "version v1 stays as it was"


def test_an_error_never_shows_a_query_string(get, clouds):
    clouds.replace("GET", f"{SMA}/v1/plants", status=500)
    assert get().json["errors"] == {"sma": f"Bad Gateway: {SMA}/v1/plants"}


def test_a_wrong_scheme_is_told_without_a_call(get, clouds):
    answer = get(headers={"X-Authorization-sma": "Basic c2VudGluZWw6eA=="})
    assert answer.json == {
        "solar-inverters": [],
        "errors": {"sma": "Unauthorized: X-Authorization-sma must be: Bearer <token>"},
    }
    assert len(clouds.calls) == 0


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("solarege", "Unknown vendor: did you mean solaredge?"),
        ("xyz", "Unknown vendor: this server knows sma, smasbox, solaredge, solis"),
    ],
)
def test_an_unknown_vendor_is_an_entry_of_its_own(get, clouds, name, says):
    answer = get(headers=HEADERS["solis"] | {f"X-Authorization-{name}": "Bearer x"})
    assert answer.json["errors"] == {name: says}
    assert len(ids_of(answer)) == 3


def test_no_vendor_header_at_all_is_a_403_that_names_them(get):
    answer = get(headers={"X-enphase-api-key": "companion"})
    assert (answer.status_code, answer.json["code"]) == (403, "vendor_access_missing")
    assert answer.json["expectedHeaders"] == [
        "X-Authorization-sma", "X-Authorization-smasbox", "X-Authorization-solaredge", "X-Authorization-solis",
    ]  # fmt: skip


def test_a_virtual_client_has_an_empty_list_and_calls_nobody(http, new_client, network):
    token = http.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=new_client(mode="virtual"))
    headers = ALL | {"Authorization": f"Bearer {token.json['access_token']}"}
    assert http.get("/solar-inverters", headers=headers).json == {"solar-inverters": [], "errors": {}}
    assert http.get("/solar-inverters/solr-0000000000000000", headers=headers).status_code == 404
    assert len(network.calls) == 0


@pytest.mark.parametrize("name", ["X-Authorization-SMA", "x-authorization-sma", "X-AUTHORIZATION-Sma"])
def test_the_case_of_a_header_does_not_matter(get, clouds, name):
    assert len(ids_of(get(headers={name: HEADERS["sma"]["X-Authorization-sma"]}))) == 2


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("Bearer one, Bearer two", "was sent twice"),
        ("Bearer " + "x" * 9000, "longer than 8192"),
        ("Bearer  two-blanks", "visible ASCII"),
        ("Bearer t\u00e4st", "visible ASCII"),
        ("Bearer a\tb", "visible ASCII"),
    ],
)
def test_a_value_that_cannot_be_a_credential_is_a_400_with_the_header_s_name_alone(get, network, value, says):
    answer = get(headers={"X-Authorization-sma": value})
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_header")
    assert answer.json["header"] == "X-Authorization-Sma"
    assert says in answer.json["detail"]
    assert value not in answer.text


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("vendor=solis", 3),
        ("vendor=smasbox", 0),
        ("vendor=virtual", 0),
        ("vendorID=131", 1),
        ("vendorID=nothing", 0),
        ("vendorSiteID=13", 1),
        ("vendorSiteID=9", 3),
        ("vendor=sma&vendorSiteID=24&vendorID=241", 1),
        ("vendor=sma&vendorSiteID=24&vendorID=131", 0),
    ],
)
def test_filters_hold_all_at_once(get, clouds, query, count):
    # What a vendor answers for the site of another one.
    clouds.get(re.compile(f"{SMA}/v1/plants/(9|no)/devices/lean"), status=404)
    clouds.get(re.compile(f"{SOLAREDGE}/v2/sites/(9|13|24)/devices"), status=404)
    empty = {"code": "0", "data": {"page": {"records": [], "pages": 0}}}
    if "vendorSiteID=13" in query or "vendorSiteID=24" in query:
        clouds.replace("POST", f"{SOLIS}/v1/api/inverterList", json=empty)
    answer = get(f"/solar-inverters?{query}")
    assert (len(ids_of(answer)), answer.json["errors"]) == (count, {})


def test_a_site_filter_asks_only_for_that_site(get, clouds):
    get("/solar-inverters?vendor=sma&vendorSiteID=24")
    assert [call.request.url for call in clouds.calls] == [f"{SMA}/v1/plants/24/devices/lean"]


@pytest.mark.parametrize("site", ["..", "a%2Fb", "%253F", "a%5Cb"])
def test_a_site_id_that_cannot_stand_in_a_path_lists_nothing_and_calls_nobody(get, network, site):
    answer = get(f"/solar-inverters?vendorSiteID={site}")
    assert (ids_of(answer), answer.json["errors"], len(network.calls)) == ([], {}, 0)


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("vendor=tesler", "vendor"),
        ("vendor=", "vendor"),
        ("vendor=sma&vendor=solis", "vendor"),
        ("color=red", "color"),
        ("vendorID=", "vendorID"),
        ("vendorSiteID=a%00b", "vendorSiteID"),
        ("pageSize=0", "pageSize"),
        ("pageSize=1001", "pageSize"),
        ("pageSize=many", "pageSize"),
        ("pageSize=", "pageSize"),
        ("pageToken=nonsense", "pageToken"),
        ("pageToken=", "pageToken"),
        ("pageToken=%C3%A4", "pageToken"),
    ],
)
def test_a_bad_query_is_a_400_that_names_the_parameter(get, clouds, query, named):
    answer = get(f"/solar-inverters?{query}", headers=ALL | V2)
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    assert named in answer.json["detail"]


@pytest.mark.parametrize("query", ["pageSize=10", "pageToken=x"])
def test_version_v1_has_no_pages_and_says_so(get, query):
    answer = get(f"/solar-inverters?{query}")
    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.json["detail"]
    assert "api-version: v2024-09-01" in answer.json["detail"]


def test_pages_follow_each_other_without_new_calls_and_end_without_token(get, clouds):
    whole = [item["id"] for item in get(headers=ALL | V2).json["solarInverters"]]
    calls, seen, query = len(clouds.calls), [], "pageSize=4"
    while True:
        page = get(f"/solar-inverters?{query}", headers=ALL | V2).json
        seen.append([item["id"] for item in page["solarInverters"]])
        if "nextPageToken" not in page:
            break
        query = f"pageSize=4&pageToken={page['nextPageToken']}"
    assert seen == [whole[:4], whole[4:]]
    assert len(clouds.calls) == calls


def test_a_full_last_page_has_no_token(get, clouds):
    assert "nextPageToken" not in get("/solar-inverters?pageSize=6", headers=ALL | V2).json


def test_a_page_token_serves_only_its_own_query_and_client(get, http, new_client, clouds):
    token = get("/solar-inverters?pageSize=1", headers=ALL | V2).json["nextPageToken"]
    other_query = get(f"/solar-inverters?vendor=sma&pageToken={token}", headers=ALL | V2)
    assert (other_query.status_code, other_query.json["code"]) == (400, "invalid_page_token")
    other = http.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=new_client())
    headers = ALL | V2 | {"Authorization": f"Bearer {other.json['access_token']}"}
    assert http.get(f"/solar-inverters?pageToken={token}", headers=headers).status_code == 400


def test_a_page_token_works_in_another_process(get, settings, bearer, clouds):
    first = get("/solar-inverters?pageSize=4", headers=ALL | V2).json
    other = create_app(settings).test_client()
    second = other.get(f"/solar-inverters?pageToken={first['nextPageToken']}", headers=bearer | ALL | V2).json
    assert len(second["solarInverters"]) == 2


def test_no_cache_forces_fresh_calls_and_a_failed_refresh_evicts_nothing(get, clouds):
    get()
    calls = len(clouds.calls)
    get()
    assert len(clouds.calls) == calls
    assert len(ids_of(get(headers=ALL | {"Cache-Control": "no-cache"}))) == 6
    assert len(clouds.calls) == 2 * calls
    clouds.replace("POST", f"{SOLIS}/v1/api/inverterList", status=500)
    assert "solis" in get(headers=ALL | {"Cache-Control": "no-cache"}).json["errors"]
    assert len(ids_of(get())) == 6


def test_head_answers_like_get_without_a_body(http, bearer, clouds):
    answer = http.head("/solar-inverters", headers=bearer | ALL)
    assert (answer.status_code, answer.data, answer.mimetype) == (200, b"", "application/json")


@pytest.mark.parametrize("path", ["/solar-inverters/", "/solar-inverters//", "/.//solar-inverters"])
def test_slashes_are_not_corrected_by_redirects(get, path):
    assert get(path).status_code == 404


def test_every_listed_id_can_be_read(get, clouds):
    for id in ids_of(get("/solar-inverters?vendor=sma")):
        answer = get(f"/solar-inverters/{id}")
        assert answer.status_code == 200
        found = answer.json
        assert found["reportedAt"].endswith("+00:00")
        assert re.fullmatch(r"site-[0-9a-z]{16}", found["siteID"])
        del found["reportedAt"], found["siteID"]
        assert found == {"id": id, "vendor": "sma", "vendorID": found["vendorID"], "model": "STP",
                         "serialNumber": "7", "name": "Roof"}  # fmt: skip
        assert found["vendorID"] in ("131", "241")


def test_the_two_inverters_of_a_site_have_the_same_site_id(get, clouds):
    sites = {get(f"/solar-inverters/{id}").json["siteID"] for id in ids_of(get("/solar-inverters?vendor=solaredge"))}
    assert len(sites) == 1


def test_an_id_can_be_read_in_another_process_and_with_the_row_lost(get, app, settings, bearer, clouds):
    id = ids_of(get("/solar-inverters?vendorID=131"))[0]
    other = create_app(settings).test_client()
    assert other.get(f"/solar-inverters/{id}", headers=bearer | ALL).status_code == 200
    for reader in (get, lambda path: other.get(path, headers=bearer | ALL)):
        with app.extensions["database"].session() as session:
            session.execute(delete(Resource))
        assert reader(f"/solar-inverters/{id}").status_code == 200


def test_a_healing_sweep_writes_every_row_that_it_saw(get, app, clouds):
    ids = ids_of(get("/solar-inverters?vendor=sma"))
    get()
    with app.extensions["database"].session() as session:
        session.execute(delete(Resource))
    get(f"/solar-inverters/{ids[0]}")
    with app.extensions["database"].session() as session:
        assert set(ids) <= set(session.scalars(select(Resource.id)))


def test_an_id_that_nobody_knows_is_a_404_and_costs_one_sweep_a_minute(get, clouds):
    for _ in range(3):
        answer = get("/solar-inverters/solr-0000000000000000", headers=ALL | {"Cache-Control": "no-cache"})
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert sum("inverterList" in call.request.url for call in clouds.calls) == 1


@pytest.mark.parametrize(
    "id", ["batt-0000000000000000", "x", "solr-", "%00", "solr-ä", "solr-ABCDEFGHIJKLMNOP", "solr-00000000000000000"]
)
def test_an_id_of_another_kind_is_a_404_without_a_call(get, network, id):
    assert get(f"/solar-inverters/{id}").status_code == 404
    assert len(network.calls) == 0


def test_a_failed_healing_sweep_is_that_vendor_s_error_and_not_a_404(get, network):
    network.post(f"{SOLIS}/v1/api/inverterList", status=503)
    answer = get("/solar-inverters/solr-0000000000000000", headers=HEADERS["solis"])
    assert (answer.status_code, answer.json["code"], answer.json["vendor"]) == (502, "backend_error", "solis")


def test_a_known_id_without_access_to_its_vendor_is_a_403_that_names_the_header(get, clouds):
    id = ids_of(get("/solar-inverters?vendor=sma"))[0]
    answer = get(f"/solar-inverters/{id}", headers=HEADERS["solis"])
    assert (answer.status_code, answer.json["code"]) == (403, "vendor_access_missing")
    assert "X-Authorization-sma" in answer.json["detail"]
    refused = get(f"/solar-inverters/{id}", headers={"X-Authorization-sma": "nonsense"})
    assert (refused.status_code, refused.json["code"]) == (403, "unauthorized")


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        ({"status": 401}, 403, "unauthorized"),
        ({"status": 403}, 403, "forbidden"),
        ({"status": 404}, 404, "not_found"),
        ({"status": 429, "headers": {"Retry-After": "9"}}, 429, "rate_limited"),
        ({"status": 500}, 502, "backend_error"),
        ({"body": "<html>"}, 502, "bad_reply"),
        ({"json": {"plant": {}, "details": {}}}, 502, "bad_reply"),
    ],
)
def test_a_single_read_fails_with_the_status_of_its_kind(get, clouds, answer, status, code):
    id = ids_of(get("/solar-inverters?vendorID=131"))[0]
    clouds.replace("GET", f"{SMA}/v1/devices/131", **answer)
    found = get(f"/solar-inverters/{id}")
    assert (found.status_code, found.json["code"], found.json["vendor"]) == (status, code, "sma")
    assert found.headers.get("Retry-After") == ("9" if status == 429 else None)


def test_ids_never_change():
    from app.ids import Ids
    from vendors.kit import Battery, SolarInverter

    ids = Ids("a key of at least thirty-two characters")
    assert ids.of(SolarInverter, "solaredge", ("1234567", "7E1234B5-67")) == "solr-8vcouvfpv2213izc"
    assert ids.of(Battery, "solis", ("1308675217944611083",)) == "batt-key4odqfonq9px38"


def test_public_url_stands_in_the_links(settings, bearer, clouds):
    from dataclasses import replace

    other = create_app(replace(settings, public_url="https://derapi.example.org/api"))
    answer = other.test_client().get("/solar-inverters", headers=bearer | HEADERS["solaredge"])
    assert answer.json["solar-inverters"][0].startswith("https://derapi.example.org/api/solar-inverters/solr-")


def test_a_database_that_fails_does_not_fail_a_list(get, app, clouds, monkeypatch):
    get("/solar-inverters?vendor=smasbox")  # The client itself is remembered for some seconds.

    def broken():
        from sqlalchemy.exc import OperationalError

        raise OperationalError("x", {}, Exception())

    monkeypatch.setattr(app.extensions["database"], "session", broken)
    assert len(ids_of(get())) == 6
    monkeypatch.undo()
    assert get(f"/solar-inverters/{ids_of(get('/solar-inverters?vendorID=131'))[0]}").status_code == 200


def test_no_secret_is_logged(get, clouds, capfd, settings):
    from app import log

    log.configure("DEBUG")
    clouds.replace("GET", f"{SMA}/v1/plants", status=500)
    get()
    logged = capfd.readouterr().err
    log.configure(settings.log_level)
    assert "/solar-inverters" in logged
    for headers in HEADERS.values():
        for value in headers.values():
            assert value.split()[-1] not in logged
    assert "0123456789abcdef0123456789abcdef" not in logged
    for line in logged.splitlines():
        json.loads(line)
