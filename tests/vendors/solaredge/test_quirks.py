"""SolarEdge's own ways."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest

from tests.vendors.solaredge.played import sample, series
from tests.vendors.support import BASE, open_vendor
from vendors.kit import Client, Level, NotFound, RateLimited, Unauthorized
from vendors.kit.calls.sweep import Sweep
from vendors.kit.series.windows import QUARTER
from vendors.solaredge.records import FLOWS, PRODUCED, buckets, to_device, to_flows, to_samples, to_site, totals
from vendors.solaredge.windows import instant, windows


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


def test_a_full_page_with_a_row_that_cannot_be_read_is_not_the_last(network):
    network.get(BASE + "/v2/sites", json={"sites": {"site": [{}, *({"siteId": number} for number in range(999))]}})
    network.get(BASE + "/v2/sites", json={"sites": {"site": [{"siteId": 1000}]}})
    sweep = Sweep(open_vendor("solaredge"))
    sweep.run(lambda vendor: vendor.sites())
    assert len(sweep.records) == 1000
    assert sweep.failure.code == "bad_reply"


@pytest.mark.parametrize(
    ("headers", "retry_after", "says"),
    [
        ({"x-ratelimit-remaining-minute": "0", "retry-after": "17"}, 17, "quota"),
        ({"x-ratelimit-remaining-minute": "0"}, 60, "quota"),
        ({"x-ratelimit-remaining-minute": "7"}, 86_400, "credits of this month"),
        ({"x-ratelimit-remaining-minute": "7", "retry-after": "-1"}, 86_400, "credits of this month"),
    ],
)
def test_the_two_kinds_of_429_are_told_apart(network, headers, retry_after, says):
    network.get(BASE + "/v2/sites", status=429, headers=headers)
    with pytest.raises(RateLimited) as limited:
        list(open_vendor("solaredge").sites())
    assert limited.value.retry_after == retry_after
    assert says in limited.value.detail


def test_no_call_is_made_while_the_credits_of_the_month_are_spent(network):
    """By the answer's own word it would be held for seconds only."""
    network.get(BASE + "/v2/sites", status=429, headers={"x-ratelimit-remaining-minute": "7"})
    plugin = open_vendor("solaredge")
    for number in range(2):
        with pytest.raises(RateLimited) as limited:
            list(plugin.sites())
        assert (len(network.calls), limited.value.retry_after) == (1, pytest.approx(86_400, abs=600)), number


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
    assert to_device("1", sample("devices_live_inverter")[0]).record().model == "SE5000H-RW000BNN4"


def test_a_nameplate_of_0_is_unknown():
    assert to_device("1", sample("devices_live_inverter")[0]).record().rated_power_kw is None


def test_the_detail_of_a_site_tells_its_time_zone_and_a_start_with_offset():
    site = to_site(sample("site_metadata_fixture")).record()
    assert site.timezone == "America/Chicago"
    assert site.operational_since.isoformat() == "2021-04-01T00:00:00-05:00"
    assert site.peak_power_kw == 7.6


def test_an_inverter_that_the_site_no_longer_has_is_not_found(network):
    network.get(BASE + "/v2/sites/1", json={"siteId": 1})
    network.get(BASE + "/v2/sites/1/devices", json=[])
    with pytest.raises(NotFound):
        open_vendor("solaredge").solar_inverter(("1", "7E1234B5-67"))


def test_null_is_no_bucket_and_0_is_one():
    rows = buckets({"energy": series("WH", 250, None, 0)}, PRODUCED, QUARTER)
    assert [(row.start.isoformat()[11:16], row.end.isoformat()[11:16], row.kwh) for row in rows] == [
        ("08:00", "08:15", (0.25,)),
        ("08:30", "08:45", (0.0,)),
    ]


@pytest.mark.parametrize(("unit", "kwh"), [("WH", 0.002), ("KWH", 2.0), ("kWh", 2.0), ("MWH", 2000.0)])
def test_a_series_is_in_the_unit_that_it_names(unit, kwh):
    assert to_samples({"energy": series(unit, 2)}, PRODUCED)[0].kwh == (kwh,)


def test_a_bucket_that_lacks_one_of_two_flows_is_none():
    flows = {FLOWS[0]: series("WH", 250, 250), FLOWS[1]: series("WH", 0, None)}
    assert [row.kwh for row in buckets(flows, FLOWS, QUARTER)] == [(0.25, 0.0)]
    assert buckets({FLOWS[0]: series("WH", 250)}, FLOWS, QUARTER) == []


def test_a_battery_that_turned_round_within_a_quarter_has_one_direction():
    told = {"chargePower": series("W", 3000, 1000), "dischargePower": series("KW", 0, 1.5)}
    now = to_flows(told | {"stateOfEnergy": series("PERCENTAGE", 50, 49)})[-1]
    assert (now.charge_kw, now.discharge_kw, now.soc_percent) == (0.0, 0.5, 49)
    assert now.until.isoformat() == "2026-06-01T08:30:00+00:00"


def test_a_charge_is_told_without_flows_and_a_flow_without_the_other():
    assert to_flows({"stateOfEnergy": series("PERCENTAGE", 50)})[0].soc_percent == 50
    (alone,) = to_flows({"dischargePower": series("W", 1500)})
    assert (alone.charge_kw, alone.discharge_kw, alone.soc_percent) == (None, 1.5, None)
    assert to_flows({"chargePower": series("HP", 2), "stateOfEnergy": series("KWH", 2)}) == []


def test_days_and_months_have_no_state_of_charge():
    told = {FLOWS[0]: series("WH", 250), FLOWS[1]: series("WH", 0), "stateOfEnergy": series("PERCENTAGE", 50)}
    for unit in ("day", "month"):
        assert [row.soc_percent for row in totals(told, FLOWS, ZoneInfo("Europe/Berlin"), unit)] == [None]
    assert buckets(told, FLOWS, QUARTER)[0].soc_percent == 50


def test_a_time_without_an_offset_is_not_taken_for_one_of_this_server():
    with pytest.raises(ValueError, match="without an offset"):
        to_samples({"energy": {"unit": "WH", "values": [{"timestamp": "2026-06-01T10:00:00", "value": 1}]}}, PRODUCED)


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


def test_the_hours_of_a_day_of_25_are_asked_for_in_parts(network, monkeypatch):
    monkeypatch.setattr(Client, "now", datetime(2025, 10, 26, 15, 0, tzinfo=UTC))
    berlin = {"siteId": 1, "location": {"timezone": "Europe/Berlin"}}
    network.get(BASE + "/v2/sites/1", json=berlin)
    network.get(BASE + "/v2/sites/1/devices", json=sample("devices_fixture_inverter_meter_battery"))
    network.get(BASE + "/v2/sites/1/inverters/telemetry", json={"inverters": {}})
    open_vendor("solaredge").solar_inverter(("1", "7E1234B5-67"))
    asked = [parse_qs(urlsplit(call.request.url).query) for call in network.calls]
    assert [(one["from"], one["to"]) for one in asked if one.get("resolution") == ["HOUR"]] == [
        (["2025-10-26T00:00:00"], ["2025-10-26T12:00:00"]),
        (["2025-10-26T12:00:00"], ["2025-10-27T00:00:00"]),
    ]


def test_open_alerts_are_read_to_the_last_page_and_are_those_of_the_device(network, monkeypatch):
    monkeypatch.setattr(Client, "now", datetime(2026, 9, 29, 17, 50, tzinfo=UTC))
    (alert,) = sample("alerts_open_fixture")
    site = BASE + "/v2/sites/1"
    network.get(site, json=sample("site_metadata_fixture") | {"siteId": 1})
    network.get(site + "/devices", json=sample("devices_fixture_inverter_meter_battery"))
    network.get(site + "/inverters/telemetry", json=sample("inverters_telemetry_fixture"))
    network.get(site + "/alerts", json=[alert | {"siteId": 1, "component": None}] * 100)
    network.get(site + "/alerts", json=[alert | {"siteId": 1}])
    inverter = open_vendor("solaredge").solar_inverter(("1", "7E1234B5-67"))
    assert [message.text for message in inverter.recent_errors.found] == ["EQUIPMENT: DC Isolation"]


def test_a_site_without_a_time_zone_is_asked_in_utc_and_its_days_keep_their_dates(network):
    network.get(BASE + "/v2/sites/1", json={"siteId": 1})
    network.get(BASE + "/v2/sites/1/devices", json=[])
    days = [{"timestamp": f"2026-06-0{day}T00:00:00+02:00", "value": day} for day in (1, 2)]
    network.get(BASE + "/v2/sites/1/energy", json={"unit": "KWH", "values": days})
    plugin = open_vendor("solaredge")
    tiles = plugin.site_solar_intervals(("1",), Level.DAY).tiles(
        datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 3, tzinfo=UTC)
    )
    (rows,) = next(iter(tiles)).read()
    assert [(row.start.day, row.kwh) for row in rows] == [(1, (1.0,)), (2, (2.0,))]
    assert "from=2026-06-01T00%3A00%3A00Z" in network.calls[-1].request.url


@pytest.mark.parametrize(("second", "powers"), [([2000, 2000], (3.0, 0.0)), ([2000, None], (None, None))])
def test_a_battery_that_is_silent_leaves_the_flow_of_its_site_unknown(network, monkeypatch, second, powers):
    monkeypatch.setattr(Client, "now", datetime(2026, 6, 1, 8, 40, tzinfo=UTC))
    network.get(BASE + "/v2/sites/1", json={"siteId": 1, "location": {"timezone": "Europe/Berlin"}})
    batteries = [{"type": "BATTERY", "serialNumber": serial_number} for serial_number in ("A", "B")]
    network.get(BASE + "/v2/sites/1/devices", json=batteries)
    network.get(BASE + "/v2/sites/1/energy", json=series("WH", None, None))
    told = {
        serial_number: {
            "chargePower": series("W", *watts),
            "dischargePower": series("W", *(watt and 0 for watt in watts)),
        }
        for serial_number, watts in (("A", [1000, 1000]), ("B", second))
    }
    network.get(BASE + "/v2/sites/1/storage/telemetry", json={"storage": told})
    site = open_vendor("solaredge").site(("1",))
    assert (site.charge_kw, site.discharge_kw) == powers
    assert site.measured_at == datetime(2026, 6, 1, 8, 30, tzinfo=UTC)
