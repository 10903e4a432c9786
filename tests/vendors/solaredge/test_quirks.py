"""SolarEdge's credentials, lists, quotas and single reads."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.vendors.solaredge.played import sample, series
from tests.vendors.support import BASE, open_vendor
from vendors.kit import Client, Level, NotFound, RateLimited, Unauthorized
from vendors.kit.calls.sweep import Sweep
from vendors.solaredge.records import to_device, to_site


def test_a_bare_key_is_sent_in_x_api_key_and_never_in_the_url(network):
    network.get(BASE + "/v2/sites", json={"sites": {"site": []}})
    list(open_vendor("solaredge").devices())
    request = network.calls[0].request
    assert request.headers["X-API-Key"] == "sentinel-solaredge-key-0123456789"
    assert "Authorization" not in request.headers
    assert "sentinel" not in request.url


def test_a_bearer_token_is_sent_in_authorization(network):
    network.get(BASE + "/v2/sites", status=401, json=sample("error_401_problem"))
    vendor = open_vendor("solaredge", headers={"X-Authorization-SolarEdge": "Bearer sentinel-token"})
    with pytest.raises(Unauthorized):
        list(vendor.devices())
    assert network.calls[0].request.headers["Authorization"] == "Bearer sentinel-token"
    assert "X-API-Key" not in network.calls[0].request.headers


def test_each_site_costs_one_call_for_inverters_and_batteries_and_a_page_holds_1000_sites(network):
    network.get(BASE + "/v2/sites", json={"sites": {"site": [{"siteId": number} for number in range(2)]}})
    for number in range(2):
        network.get(BASE + f"/v2/sites/{number}/devices", json=sample("devices_fixture_inverter_meter_battery"))
    assert len(list(open_vendor("solaredge").devices())) == 4
    assert network.calls[0].request.url.endswith("/v2/sites?page=1&sites-in-page=1000")
    assert {call.request.url.partition("?")[2] for call in network.calls[1:]} == {"types=INVERTER&types=BATTERY"}


@pytest.mark.parametrize(("site_count", "calls"), [(999, 1), (1000, 2)])
def test_a_page_that_is_not_full_is_the_last(network, site_count, calls):
    network.get(BASE + "/v2/sites", json={"sites": {"site": [{"siteId": number} for number in range(site_count)]}})
    network.get(BASE + "/v2/sites", json={"sites": {"site": []}})
    assert len(list(open_vendor("solaredge").sites())) == site_count
    assert len(network.calls) == calls


def test_a_full_page_with_a_row_that_cannot_be_read_is_not_the_last(network):
    network.get(BASE + "/v2/sites", json={"sites": {"site": [{}, *({"siteId": number} for number in range(999))]}})
    network.get(BASE + "/v2/sites", json={"sites": {"site": [{"siteId": 1000}]}})
    sweep = Sweep(open_vendor("solaredge"))
    sweep.run(lambda vendor: vendor.sites())
    assert len(sweep.records) == 1000
    assert sweep.failure.code == "bad_reply"


@pytest.mark.parametrize(
    ("headers", "retry_after", "reason"),
    [
        ({"x-ratelimit-remaining-minute": "0", "retry-after": "17"}, 17, "quota"),
        ({"x-ratelimit-remaining-minute": "0"}, 60, "quota"),
        ({"x-ratelimit-remaining-minute": "7"}, 86_400, "credits of this month"),
        ({"x-ratelimit-remaining-minute": "7", "retry-after": "-1"}, 86_400, "credits of this month"),
    ],
)
def test_a_429_while_the_minute_has_calls_left_means_that_the_month_has_none(network, headers, retry_after, reason):
    network.get(BASE + "/v2/sites", status=429, headers=headers)
    with pytest.raises(RateLimited) as limited:
        list(open_vendor("solaredge").sites())
    assert limited.value.retry_after == retry_after
    assert reason in limited.value.detail


def test_no_call_is_made_while_the_credits_of_the_month_are_spent(network):
    """The plugin makes the kit hold calls for a day; by default it does so for some seconds."""
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


def test_a_missing_model_is_replaced_by_the_part_number():
    assert to_device("1", sample("devices_live_inverter")[0]).record().model == "SE5000H-RW000BNN4"


def test_a_nameplate_of_0_is_unknown():
    assert to_device("1", sample("devices_live_inverter")[0]).record().rated_power_kw is None


def test_a_site_s_detail_gives_its_time_zone_and_the_start_of_its_first_day_there():
    site = to_site(sample("site_metadata_fixture")).record()
    assert site.timezone == "America/Chicago"
    assert site.operational_since.isoformat() == "2021-04-01T00:00:00-05:00"
    assert site.peak_power_kw == 7.6


def test_an_inverter_that_the_site_no_longer_lists_is_not_found(network):
    network.get(BASE + "/v2/sites/1", json={"siteId": 1})
    network.get(BASE + "/v2/sites/1/devices", json=[])
    with pytest.raises(NotFound):
        open_vendor("solaredge").solar_inverter(("1", "7E1234B5-67"))


def test_a_day_of_25_hours_takes_two_calls(network, monkeypatch):
    monkeypatch.setattr(Client, "now", datetime(2025, 10, 26, 15, 0, tzinfo=UTC))
    network.get(BASE + "/v2/sites/1", json={"siteId": 1, "location": {"timezone": "Europe/Berlin"}})
    network.get(BASE + "/v2/sites/1/devices", json=sample("devices_fixture_inverter_meter_battery"))
    network.get(BASE + "/v2/sites/1/inverters/telemetry", json={"inverters": {}})
    open_vendor("solaredge").solar_inverter(("1", "7E1234B5-67"))
    queries = [parse_qs(urlsplit(call.request.url).query) for call in network.calls]
    assert [(query["from"], query["to"]) for query in queries if query.get("resolution") == ["HOUR"]] == [
        (["2025-10-26T00:00:00"], ["2025-10-26T12:00:00"]),
        (["2025-10-26T12:00:00"], ["2025-10-27T00:00:00"]),
    ]


def test_the_alerts_of_a_device_are_picked_from_all_pages_of_its_site_s_alerts(network, monkeypatch):
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


def test_a_site_without_a_time_zone_is_read_in_utc_and_its_days_keep_their_dates(network):
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


@pytest.mark.parametrize(("watts_of_b", "powers_kw"), [([2000, 2000], (3.0, 0.0)), ([2000, None], (None, None))])
def test_the_power_of_all_batteries_is_unknown_while_one_does_not_report(network, monkeypatch, watts_of_b, powers_kw):
    monkeypatch.setattr(Client, "now", datetime(2026, 6, 1, 8, 40, tzinfo=UTC))
    network.get(BASE + "/v2/sites/1", json={"siteId": 1, "location": {"timezone": "Europe/Berlin"}})
    batteries = [{"type": "BATTERY", "serialNumber": serial_number} for serial_number in ("A", "B")]
    network.get(BASE + "/v2/sites/1/devices", json=batteries)
    network.get(BASE + "/v2/sites/1/energy", json=series("WH", None, None))
    storage = {
        serial_number: {
            "chargePower": series("W", *watts),
            "dischargePower": series("W", *(None if watt is None else 0 for watt in watts)),
        }
        for serial_number, watts in (("A", [1000, 1000]), ("B", watts_of_b))
    }
    network.get(BASE + "/v2/sites/1/storage/telemetry", json={"storage": storage})
    site = open_vendor("solaredge").site(("1",))
    assert (site.charge_kw, site.discharge_kw) == powers_kw
    assert site.measured_at == datetime(2026, 6, 1, 8, 30, tzinfo=UTC)
