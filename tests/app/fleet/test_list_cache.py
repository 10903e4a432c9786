"""Parts of lists that are not made again while the replies that they were made of are the same."""

import pytest

from app.fleet import fanout
from tests.app.support import ALL, SMA, SOLAREDGE, SOLIS, V2, ids_of
from tests.vendors.support import HEADERS
from vendors.kit import SolarInverter
from vendors.kit.calls.reply_cache import MAX_CACHED_BYTES


@pytest.fixture
def asked(monkeypatch):
    """The vendors that were asked, for each list."""
    seen, ask = [], fanout.fan_out

    def watched(clouds, credentials, *others):
        seen.append(sorted(credentials))
        return ask(clouds, credentials, *others)

    monkeypatch.setattr(fanout, "fan_out", watched)
    return seen


@pytest.fixture
def passing(service_clock):
    """Lets time pass for cached replies."""

    def wait(seconds):
        service_clock.now += seconds

    return wait


def test_from_unchanged_replies_nothing_is_made_twice(get, clouds, asked):
    first = get()
    assert ids_of(get()) == ids_of(first)
    assert [one["id"] for one in get(headers=ALL | V2).json["solarInverters"]] == ids_of(first)
    assert asked == [["sma", "solaredge", "solis"]]


def test_what_was_asked_otherwise_is_made_for_itself(get, clouds, asked):
    assert len(ids_of(get())) == 6
    assert len(ids_of(get("/solar-inverters?vendor=sma&vendorSiteID=13"))) == 1
    assert len(ids_of(get("/solar-inverters?vendorID=131"))) == 1
    assert len(get("/batteries").json["batteries"]) == 2
    assert len(get("/sites?vendor=sma").json["sites"]) == 2
    assert len(asked) == 5


def test_a_part_is_made_anew_once_its_replies_are_old(get, clouds, asked, passing, app):
    get()
    passing(min(cloud.vendor.fresh_seconds["inventory"] for cloud in app.extensions["services"].clouds.values()) + 1)
    clouds.replace("GET", f"{SOLAREDGE}/v2/sites/5/devices", json=[])
    assert len(ids_of(get())) == 5
    assert "solaredge" in asked[1]


def test_a_reply_that_was_replaced_changes_the_list(get, clouds, asked):
    assert len(ids_of(get())) == 6
    clouds.replace("GET", f"{SOLAREDGE}/v2/sites/5/devices", json=[])
    assert len(ids_of(get())) == 6, "what is fresh is not asked for"
    assert len(ids_of(get(headers=ALL | {"Cache-Control": "no-cache"}))) == 5
    assert len(ids_of(get())) == 5
    assert asked[1:] == [["sma", "solaredge", "solis"]]


def test_of_another_credential_nothing_is_given(get, clouds):
    assert len(ids_of(get(headers=HEADERS["sma"]))) == 2
    clouds.replace("GET", f"{SMA}/v1/plants", status=401)
    other = get(headers=HEADERS["sma"] | {"X-Authorization-sma": "Bearer another"})
    assert ids_of(other) == []
    assert "Unauthorized" in other.json["errors"]["sma"]


def test_what_was_not_whole_is_asked_again(get, clouds, asked):
    clouds.replace("POST", f"{SOLIS}/v1/api/inverterList", status=403)
    assert get().json["errors"]
    none = {"code": "0", "data": {"page": {"records": [], "pages": 1}}}
    clouds.replace("POST", f"{SOLIS}/v1/api/inverterList", json=none)
    assert get().json["errors"] == {}
    assert asked == [["sma", "solaredge", "solis"], ["solis"]]


def test_what_is_too_large_to_be_kept_is_asked_again(get, clouds, asked):
    rows = [{"type": "INVERTER", "serialNumber": "1", "note": "x" * MAX_CACHED_BYTES}]
    clouds.replace("GET", f"{SOLAREDGE}/v2/sites/5/devices", json=rows)
    assert ids_of(get()) == ids_of(get())
    assert asked[1:] == [["solaredge"]]


def test_the_age_of_a_part_is_that_of_its_oldest_reply(get, clouds, passing):
    get()
    passing(90)
    assert get().headers["Age"] == "90"


def test_no_credential_stands_in_what_is_remembered(get, clouds, app):
    get()
    list_cache = app.extensions["services"].inventory._list_cache
    assert len(list_cache._entries) == 3
    for value in ALL.values():
        assert value.split()[-1] not in repr(list(list_cache._entries.items()))
    assert all(key[2][0] is SolarInverter for key in list_cache._entries)
