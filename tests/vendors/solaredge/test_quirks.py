"""SolarEdge's own ways."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.vendors.support import BASE, open_vendor
from vendors.kit import Level, NotFound, RateLimited, Sweep, Unauthorized
from vendors.kit.windows import QUARTER
from vendors.solaredge.shapes import PRODUCED, buckets, to_device, to_samples, to_site
from vendors.solaredge.windows import instant, windows

HERE = Path(__file__).parent


def sample(name):
    return json.loads((HERE / f"{name}.json").read_text())


def test_a_bare_key_goes_as_x_api_key_and_never_into_the_url(network):
    network.get(BASE + "/v2/sites", json={"sites": {"site": []}})
    list(open_vendor("solaredge").devices())
    request = network.calls[0].request
    assert request.headers["X-API-Key"] == "sentinel-solaredge-key-0123456789"
    assert "Authorization" not in request.headers
    assert "sentinel" not in request.url


def test_a_bearer_token_goes_as_authorization(network):
    network.get(BASE + "/v2/sites", status=401, json=sample("error_401_problem"))
    vendor = open_vendor("solaredge", headers={"X-Authorization-SolarEdge": "Bearer sentinel-token"})
    with pytest.raises(Unauthorized):
        list(vendor.devices())
    assert network.calls[0].request.headers["Authorization"] == "Bearer sentinel-token"
    assert "X-API-Key" not in network.calls[0].request.headers


def test_inverters_and_batteries_are_asked_for_together_and_sites_a_thousand_a_page(network):
    network.get(BASE + "/v2/sites", json={"sites": {"site": [{"siteId": number} for number in range(2)]}})
    for number in range(2):
        network.get(BASE + f"/v2/sites/{number}/devices", json=sample("devices_fixture_inverter_meter_battery"))
    assert len(list(open_vendor("solaredge").devices())) == 4
    assert network.calls[0].request.url.endswith("/v2/sites?page=1&sites-in-page=1000")
    assert {call.request.url.partition("?")[2] for call in network.calls[1:]} == {"types=INVERTER&types=BATTERY"}


@pytest.mark.parametrize(("first", "calls"), [(999, 1), (1000, 2)])
def test_a_page_that_is_not_full_is_the_last(network, first, calls):
    network.get(BASE + "/v2/sites", json={"sites": {"site": [{"siteId": number} for number in range(first)]}})
    network.get(BASE + "/v2/sites", json={"sites": {"site": []}})
    assert len(list(open_vendor("solaredge").sites())) == first
    assert len(network.calls) == calls


@pytest.mark.parametrize(
    ("headers", "retry_after", "says"),
    [
        ({"x-ratelimit-remaining-minute": "0", "retry-after": "17"}, 17, "quota"),
        ({"x-ratelimit-remaining-minute": "0"}, 60, "quota"),
        ({"x-ratelimit-remaining-minute": "7"}, 86_400, "credits of this month"),
    ],
)
def test_the_two_kinds_of_429_are_told_apart(network, headers, retry_after, says):
    network.get(BASE + "/v2/sites", status=429, headers=headers)
    with pytest.raises(RateLimited) as limited:
        list(open_vendor("solaredge").sites())
    assert limited.value.retry_after == retry_after
    assert says in limited.value.detail


def test_a_site_that_is_forbidden_does_not_hide_the_others(network):
    network.get(BASE + "/v2/sites", json={"sites": {"site": [{"siteId": 1}, {"siteId": 2}]}})
    network.get(BASE + "/v2/sites/1/devices", status=403)
    network.get(BASE + "/v2/sites/2/devices", json=sample("devices_2022_tutorial"))
    sweep = Sweep(open_vendor("solaredge"))
    sweep.run(lambda vendor: vendor.devices())
    assert len(sweep.records) == 2
    assert f"{sweep.failure}{sweep.incomplete}" == (
        "Forbidden: https://vendor.test/v2/sites/1/devices (incomplete: 1 of 2 sites)"
    )


def test_the_part_number_stands_for_a_model_that_is_missing():
    assert to_device("1", sample("devices_live_inverter")[0]).model == "SE5000H-RW000BNN4"


def test_a_nameplate_of_0_is_unknown():
    assert to_device("1", sample("devices_live_inverter")[0]).rated_power_kw is None


def test_the_detail_of_a_site_tells_its_time_zone_and_a_start_with_offset():
    site = to_site(sample("site_metadata_fixture"))
    assert site.timezone == "America/Chicago"
    assert site.operational_since.isoformat() == "2021-04-01T00:00:00-05:00"
    assert site.peak_power_kw == 7.6


def test_an_inverter_that_the_site_no_longer_has_is_not_found(network):
    network.get(BASE + "/v2/sites/1", json={"siteId": 1})
    network.get(BASE + "/v2/sites/1/devices", json=[])
    with pytest.raises(NotFound):
        open_vendor("solaredge").solar_inverter(("1", "7E1234B5-67"))


def series(unit, *values):
    stamps = (f"2026-06-01T10:{15 * number:02}:00+02:00" for number in range(len(values)))
    rows = [{"timestamp": at, "value": value} for at, value in zip(stamps, values, strict=True)]
    return {"unit": unit, "values": rows}


def test_null_is_no_bucket_and_0_is_one():
    rows = buckets({"energy": series("WH", 250, None, 0)}, PRODUCED, QUARTER)
    assert [(row.start.isoformat()[11:16], row.end.isoformat()[11:16], row.kwh) for row in rows] == [
        ("08:00", "08:15", (0.25,)),
        ("08:30", "08:45", (0.0,)),
    ]


@pytest.mark.parametrize(("unit", "kwh"), [("WH", 0.002), ("KWH", 2.0), ("kWh", 2.0), ("MWH", 2000.0)])
def test_a_series_is_in_the_unit_that_it_names(unit, kwh):
    assert to_samples({"energy": series(unit, 2)}, PRODUCED)[0].kwh == (kwh,)


@pytest.mark.parametrize("unit", ["J", "", None, "W"])
def test_a_series_without_a_known_unit_says_nothing(unit):
    assert to_samples({"energy": series(unit, 2)}, PRODUCED) == []


def test_an_hour_lasts_until_the_next_one_begins():
    stamps = ("2026-04-05T01:00:00+11:00", "2026-04-05T02:00:00+10:30", "2026-04-05T03:00:00+10:30")
    energy = {"unit": "WH", "values": [{"timestamp": at, "value": 1} for at in stamps]}
    rows = buckets({"energy": energy}, PRODUCED, 4 * QUARTER)
    assert [(row.end - row.start) / timedelta(minutes=1) for row in rows] == [90, 60, 60]


@pytest.mark.parametrize(
    ("zone", "day", "level", "longest"),
    [
        ("Europe/Berlin", (2026, 6, 1), Level.QUARTER, 12),
        ("Europe/Berlin", (2026, 3, 29), Level.QUARTER, 11),
        ("Europe/Berlin", (2025, 10, 26), Level.QUARTER, 11),
        ("Europe/Berlin", (2025, 10, 26), Level.HOUR, 23),
        ("America/Santiago", (2025, 9, 6), Level.HOUR, 23),
        ("America/Santiago", (2026, 4, 4), Level.QUARTER, 11),
    ],
)
def test_windows_cover_a_day_and_keep_off_the_hours_in_which_clocks_change(zone, day, level, longest):
    clock = ZoneInfo(zone)
    start = datetime(*day, tzinfo=clock).astimezone(UTC)
    end = (datetime(*day, tzinfo=clock) + timedelta(days=1)).astimezone(UTC)
    found = list(windows(level, start, end, clock))
    assert instant(found[0][0], clock) == start
    assert instant(found[-1][1], clock) == end
    assert [one[1] for one in found[:-1]] == [one[0] for one in found[1:]]
    for begins, ends in found:
        assert instant(ends, clock) - instant(begins, clock) <= timedelta(hours=longest)
        assert not any(0 < at.hour * 60 + at.minute <= 240 for at in (begins, ends))
