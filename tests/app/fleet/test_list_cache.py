"""The list cache: which vendors are swept again for a list, and which contribute cached ids."""

import pytest

from app.fleet import fanout
from app.fleet.list_cache import ListCache, VendorIds
from tests.app.support import ALL, SMA, SOLAREDGE, SOLIS, V2, ids_of
from tests.vendors.support import HEADERS, credential_of
from vendors.kit import SolarInverter
from vendors.kit.calls.reply_cache import MAX_CACHED_BYTES


@pytest.fixture
def swept(monkeypatch):
    """For each fan-out, the vendors that were swept."""
    sweeps, fan_out = [], fanout.fan_out

    def recording_fan_out(clouds, credentials, *arguments):
        sweeps.append(sorted(credentials))
        return fan_out(clouds, credentials, *arguments)

    monkeypatch.setattr(fanout, "fan_out", recording_fan_out)
    return sweeps


def test_a_list_whose_replies_are_unchanged_is_built_once(get, clouds, swept):
    first = get()
    assert ids_of(get()) == ids_of(first)
    assert [item["id"] for item in get(headers=ALL | V2).json["solarInverters"]] == ids_of(first)
    assert swept == [["sma", "solaredge", "solis"]]


def test_lists_with_other_filters_or_kinds_are_cached_separately(get, clouds, swept):
    assert len(ids_of(get())) == 6
    assert len(ids_of(get("/solar-inverters?vendor=sma&vendorSiteID=13"))) == 1
    assert len(ids_of(get("/solar-inverters?vendorID=131"))) == 1
    assert len(get("/batteries").json["batteries"]) == 2
    assert len(get("/sites?vendor=sma").json["sites"]) == 2
    assert len(swept) == 5


def test_a_vendor_whose_replies_are_stale_is_swept_again(get, clouds, swept, service_clock, app):
    get()
    services = app.extensions["services"]
    service_clock.now += min(cloud.vendor.fresh_seconds["inventory"] for cloud in services.clouds.values()) + 1
    clouds.replace("GET", f"{SOLAREDGE}/v2/sites/5/devices", json=[])
    assert len(ids_of(get())) == 5
    assert "solaredge" in swept[1]


def test_a_replaced_reply_changes_the_list(get, clouds, swept):
    assert len(ids_of(get())) == 6
    clouds.replace("GET", f"{SOLAREDGE}/v2/sites/5/devices", json=[])
    assert len(ids_of(get())) == 6, "a fresh reply is not requested again"
    assert len(ids_of(get(headers=ALL | {"Cache-Control": "no-cache"}))) == 5
    assert len(ids_of(get())) == 5
    assert swept[1:] == [["sma", "solaredge", "solis"]]


def test_cached_ids_are_not_served_for_another_credential(get, clouds):
    assert len(ids_of(get(headers=HEADERS["sma"]))) == 2
    clouds.replace("GET", f"{SMA}/v1/plants", status=401)
    other = get(headers=HEADERS["sma"] | {"X-Authorization-sma": "Bearer another"})
    assert ids_of(other) == []
    assert "Unauthorized" in other.json["errors"]["sma"]


def test_the_ids_of_a_vendor_that_failed_are_not_cached(get, clouds, swept):
    clouds.replace("POST", f"{SOLIS}/v1/api/inverterList", status=403)
    assert get().json["errors"]
    no_inverters = {"code": "0", "data": {"page": {"records": [], "pages": 1}}}
    clouds.replace("POST", f"{SOLIS}/v1/api/inverterList", json=no_inverters)
    assert get().json["errors"] == {}
    assert swept == [["sma", "solaredge", "solis"], ["solis"]]


def test_ids_from_a_reply_that_is_too_large_for_the_cache_are_not_cached(get, clouds, swept):
    devices = [{"type": "INVERTER", "serialNumber": "1", "note": "x" * MAX_CACHED_BYTES}]
    clouds.replace("GET", f"{SOLAREDGE}/v2/sites/5/devices", json=devices)
    assert ids_of(get()) == ids_of(get())
    assert swept[1:] == [["solaredge"]]


def test_cached_ids_have_the_age_of_their_oldest_reply(get, clouds, service_clock):
    get()
    service_clock.now += 90
    assert get().headers["Age"] == "90"


def test_the_cache_holds_no_credential(app):
    services, entries = app.extensions["services"], {}
    list_cache = ListCache(services.clouds, services.id_table, entries)
    for vendor in ("sma", "solis", "solaredge"):
        credential = credential_of(services.clouds[vendor].vendor, vendor, HEADERS[vendor])
        list_cache.keep(vendor, credential, (SolarInverter, None), VendorIds(["solr-1"], [object()]))
    assert len(entries) == 3
    for value in ALL.values():
        assert value.split()[-1] not in repr(entries)
