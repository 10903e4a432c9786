"""GET /solar-inverters/{id}, also when the table of ids is lost."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete, select

from app.storage.database import IdTableRow
from app.storage.id_table import IdRow
from tests.app.support import ALL, SMA, SOLIS, ids_of
from tests.vendors.support import HEADERS
from vendors.kit.deadline import Deadline

pytestmark = pytest.mark.databases


def test_every_listed_id_can_be_read(get, clouds):
    for id in ids_of(get("/solar-inverters?vendor=sma")):
        answer = get(f"/solar-inverters/{id}")
        assert answer.status_code == 200
        details = answer.json
        assert details["reportedAt"].endswith("+00:00")
        assert details.pop("fetchedAt").endswith("+00:00")
        assert re.fullmatch(r"site-[0-9a-z]{16}", details["siteID"])
        del details["reportedAt"], details["siteID"]
        assert details == {"id": id, "vendor": "sma", "vendorID": details["vendorID"], "model": "STP",
                         "serialNumber": "7", "name": "Roof", "ratedPowerKw": 6.0}  # fmt: skip
        assert details["vendorID"] in ("131", "241")


def test_the_two_inverters_of_a_site_have_the_same_site_id(get, clouds):
    sites = {get(f"/solar-inverters/{id}").json["siteID"] for id in ids_of(get("/solar-inverters?vendor=solaredge"))}
    assert len(sites) == 1


def test_an_id_can_be_read_in_another_process_and_without_its_row(get, app, settings, start_service, bearer, clouds):
    id = ids_of(get("/solar-inverters?vendorID=131"))[0]
    other = start_service(settings).test_client()
    assert other.get(f"/solar-inverters/{id}", headers=bearer | ALL).status_code == 200
    for reader in (get, lambda path: other.get(path, headers=bearer | ALL)):
        with app.extensions["services"].database.session() as session:
            session.execute(delete(IdTableRow))
        assert reader(f"/solar-inverters/{id}").status_code == 200


def test_a_search_for_a_lost_id_writes_every_id_that_it_finds(get, app, clouds):
    ids = ids_of(get("/solar-inverters?vendor=sma"))
    get()
    with app.extensions["services"].database.session() as session:
        session.execute(delete(IdTableRow))
    get(f"/solar-inverters/{ids[0]}")
    with app.extensions["services"].database.session() as session:
        assert set(ids) <= set(session.scalars(select(IdTableRow.id)))


def test_a_lost_id_is_found_within_the_minute_after_a_search_for_another_id(get, app, clouds):
    ids = ids_of(get("/solar-inverters?vendor=sma"))
    get()
    assert get("/solar-inverters/solr-0000000000000000").status_code == 404
    calls = len(clouds.calls)
    with app.extensions["services"].database.session() as session:
        session.execute(delete(IdTableRow))
    answers = [get(f"/solar-inverters/{id}").status_code for id in ids]
    assert answers == [200] * len(ids)
    assert len(clouds.calls) - calls == 4 * len(ids), "only the reads themselves"


def test_a_list_writes_its_rows_again_after_a_read_found_the_table_empty(get, app, clouds):
    ids = ids_of(get())
    with app.extensions["services"].database.session() as session:
        session.execute(delete(IdTableRow))
    get(f"/solar-inverters/{ids[0]}", headers={"X-Authorization-smasbox": "nonsense"})
    get()
    with app.extensions["services"].database.session() as session:
        assert set(session.scalars(select(IdTableRow.id))) == set(ids)


def test_a_search_that_failed_is_tried_again_after_some_seconds(get, service_clock, network):
    network.post(f"{SOLIS}/v1/api/inverterList", status=503)
    for seconds, calls in ((0, 2), (4, 2), (2, 4)):
        service_clock.now += seconds
        answer = get("/solar-inverters/solr-0000000000000000", headers=HEADERS["solis"])
        assert (answer.status_code, len(network.calls)) == (502, calls)


def test_parallel_reads_of_lost_ids_all_find_them(app, get, http, bearer, clouds):
    ids = ids_of(get("/solar-inverters?vendor=sma"))
    get()
    with app.extensions["services"].database.session() as session:
        session.execute(delete(IdTableRow))
    with ThreadPoolExecutor(6) as threads:
        paths = [f"/solar-inverters/{id}" for id in ids * 3]
        reads = [threads.submit(app.test_client().get, path, headers=bearer | ALL) for path in paths]
        assert [read.result().status_code for read in reads] == [200] * len(reads)


def test_an_unknown_id_is_a_404_and_costs_one_sweep_a_minute(get, clouds):
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


def test_a_failed_search_for_a_lost_id_is_that_vendors_error_and_not_a_404(get, network):
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


def test_an_id_of_a_vendor_that_this_server_no_longer_has_is_not_reported_as_gone(get, network, app):
    row = IdRow("solr-0000000000000000", "former", "solr", ("7",))
    app.extensions["services"].id_table.remember([row], Deadline(10))
    answer = get(f"/solar-inverters/{row.id}", headers=HEADERS["solis"])
    assert (answer.status_code, answer.json["code"], answer.json["vendor"]) == (403, "vendor_access_missing", "former")
    assert len(network.calls) == 0, "no vendor is searched for it"
    answer = get(f"/solar-inverters/{row.id}", headers={"X-Authorization-former": "x"})
    assert (answer.status_code, answer.json["code"], answer.json["vendor"]) == (400, "unknown_vendor", "former")


@pytest.mark.parametrize(
    ("reply", "status", "code"),
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
def test_a_single_read_fails_with_the_status_of_its_kind(get, clouds, reply, status, code):
    id = ids_of(get("/solar-inverters?vendorID=131"))[0]
    clouds.replace("GET", f"{SMA}/v1/devices/131", **reply)
    answer = get(f"/solar-inverters/{id}")
    assert (answer.status_code, answer.json["code"], answer.json["vendor"]) == (status, code, "sma")
    assert answer.headers.get("Retry-After") == ("9" if status == 429 else None)


def test_a_bug_in_a_converter_that_runs_late_is_a_plugin_fault_and_no_500(get, clouds, monkeypatch):
    id = get("/sites?vendor=sma").json["sites"][0].rsplit("/", 1)[1]

    def faulty(raw):
        return raw["nothing like it"]

    monkeypatch.setattr("vendors.sma.records.of_site", faulty)
    # As a plugin may do whose vendor has no call for a single site.
    monkeypatch.setattr("vendors.sma.api.Sma.site", lambda vendor, key: next(vendor.sites()).record())
    answer = get(f"/sites/{id}", headers=ALL | {"Cache-Control": "no-cache"})
    assert (answer.status_code, answer.json["code"], answer.json["vendor"]) == (502, "plugin_fault", "sma")


def test_ids_never_change():
    from app.fleet.ids import Ids
    from vendors.kit import Battery, SolarInverter

    ids = Ids("a key of at least thirty-two characters")
    assert ids.of(SolarInverter, "solaredge", ("1234567", "7E1234B5-67")) == "solr-8vcouvfpv2213izc"
    assert ids.of(Battery, "solis", ("1308675217944611083",)) == "batt-key4odqfonq9px38"
