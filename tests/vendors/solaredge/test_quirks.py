"""SolarEdge's own ways."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from responses.matchers import query_param_matcher

from tests.vendors.support import BASE, open_vendor
from vendors.kit import Asked, BadReply, Client, Interval, Level, NotFound, Quality, RateLimited, Sweep, Unauthorized
from vendors.kit import intervals as read_intervals
from vendors.kit.windows import QUARTER
from vendors.solaredge.shapes import FLOWS, PRODUCED, buckets, to_device, to_flows, to_samples, to_site, totals
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


CHICAGO = {"siteId": 1, "installationDate": "2019-04-01T00:00:00-05:00", "location": {"timezone": "America/Chicago"}}
SITE = BASE + "/v2/sites/1"


def device(kind, serial_number, **members):
    return {"type": kind, "serialNumber": serial_number, "active": True, "name": f"{kind} 1"} | members


SWAPPED = [
    device("INVERTER", "OLD", active=False),
    device("INVERTER", "NEW"),
    device("BATTERY", "BATT-001", active=False),
    device("BATTERY", "BATT-002"),
]


def flows(*watts, soc=67.8, **of):
    """A battery that charges with these powers, a quarter each."""
    zeros = [0.0] * len(watts)
    return {
        "chargePower": series("W", *watts),
        "dischargePower": series("W", *zeros),
        "chargeEnergy": series("WH", *(watt / 4 for watt in watts)),
        "dischargeEnergy": series("WH", *zeros),
        "stateOfEnergy": series("PERCENTAGE", *[soc] * len(watts)),
    } | of


@pytest.fixture
def installed(network, monkeypatch):
    """A site in Chicago on the morning of the first of June; `add` gives it further answers by path."""
    monkeypatch.setattr(Client, "now", datetime(2026, 6, 1, 9, 20, tzinfo=UTC))
    network.get(SITE, json=CHICAGO)

    def add(path, body, **more):
        network.get(SITE + path, json=body, **more)
        return network

    return add


def quarters(operation, key=("1",), level=Level.QUARTER):
    """The intervals of the hour after 08:00 UTC."""
    found = getattr(open_vendor("solaredge"), operation)(key, level)
    window = Asked(level, datetime(2026, 6, 1, 8, tzinfo=UTC), datetime(2026, 6, 1, 9, tzinfo=UTC))
    told = read_intervals(found, window.widened(found.zone, Client.now, found.since), 100, Client.now)
    return [one for one in told if isinstance(one, Interval)]


@pytest.mark.parametrize("active", [False, "false", "False"])
def test_a_device_that_was_replaced_is_no_device(network, active):
    devices = [one | ({"active": active} if one["active"] is False else {}) for one in SWAPPED]
    network.get(SITE + "/devices", json=devices)
    assert [found.serial_number for found in open_vendor("solaredge").devices("1")] == ["NEW", "BATT-002"]


@pytest.mark.parametrize("read", ["solar_inverter", "solar_intervals"])
def test_a_device_that_was_replaced_is_not_found_by_its_old_id(installed, read):
    installed("/devices", SWAPPED)
    with pytest.raises(NotFound):
        getattr(open_vendor("solaredge"), read)(("1", "OLD"), *[Level.HOUR] if read == "solar_intervals" else [])


def test_a_battery_that_was_replaced_does_not_silence_the_charge_of_its_site(installed):
    installed("/devices", SWAPPED)
    installed("/energy", series("WH", None))
    told = {"BATT-001": flows(0.0, 0.0, 0.0), "BATT-002": flows(3000.0, 3000.0, 3000.0)}
    installed("/storage/telemetry", {"storage": told})
    site = open_vendor("solaredge").site(("1",))
    assert (site.charge_kw, site.discharge_kw, site.bess.soc_percent) == (3.0, 0.0, 67.8)


def test_a_battery_that_was_replaced_leaves_the_intervals_of_its_site_whole(installed):
    installed("/devices", SWAPPED)
    installed("/storage/telemetry", {"storage": {"BATT-002": flows(3000.0, 3000.0, 3000.0)}})
    found = quarters("site_battery_intervals")
    assert [(one.kwh, one.quality, one.soc_percent) for one in found] == [((0.75, 0.0), Quality.MEASURED, 67.8)] * 3


def test_what_a_replaced_battery_did_in_its_time_stays_in_the_history_of_its_site(installed):
    installed("/devices", SWAPPED)
    installed("/storage/telemetry", {"storage": {"BATT-001": flows(1000.0, 1000.0), "BATT-002": {}}})
    found = quarters("site_battery_intervals")
    assert [(one.kwh, one.quality) for one in found] == [((0.25, 0.0), Quality.MEASURED)] * 2


def test_a_device_that_is_listed_twice_counts_once(installed):
    installed("/devices", [device("BATTERY", "A"), device("BATTERY", "A"), device("BATTERY", "A", active=False)])
    installed("/energy", series("WH", None))
    installed("/storage/telemetry", {"storage": {"A": flows(3000.0, 3000.0)}})
    plugin = open_vendor("solaredge")
    assert [found.serial_number for found in plugin.devices("1")] == ["A"]
    assert plugin.site(("1",)).charge_kw == 3.0
    assert [one.kwh for one in quarters("site_battery_intervals")] == [(0.75, 0.0)] * 2


def at(*stamps_and_wh, **of):
    return {"unit": "WH", "values": [{"timestamp": stamp, "value": wh} for stamp, wh in stamps_and_wh]} | of


def test_today_and_the_present_are_rows_of_today_up_to_now(installed):
    installed("/devices", SWAPPED)
    installed("/alerts", [])
    rows = [
        ("2026-05-31T23:00:00-05:00", 5000),
        ("2026-06-01T00:00:00-05:00", 0),
        ("2026-06-01T03:00:00-05:00", 300),
        ("2026-06-01T05:00:00-05:00", 7000),
        ("2026-06-02T03:00:00-05:00", 9000),
    ]
    years = [("2018-01-01T00:00:00-06:00", 1), ("2026-01-01T00:00:00-06:00", 2000), ("2027-01-01T00:00:00-06:00", 4000)]
    for resolution, found in (("HOUR", rows), ("QUARTER_HOUR", rows), ("YEAR", years)):
        answer = {"inverters": {"NEW": {"energy": at(*found, resolution=resolution)}}}
        match = [query_param_matcher({"resolution": resolution}, strict_match=False)]
        installed("/inverters/telemetry", answer, match=match)
    inverter = open_vendor("solaredge").solar_inverter(("1", "NEW"))
    assert inverter.recent_production.kwh == 0.3
    assert inverter.lifetime_production.kwh == 2.0
    assert (inverter.power_kw, inverter.measured_at) == (1.2, datetime(2026, 6, 1, 8, 15, tzinfo=UTC))


def test_a_row_of_another_call_s_time_is_not_in_the_way_of_that_call_s(installed, monkeypatch):
    """Each gives 12 hours; the first one tells something of the second one's."""
    monkeypatch.setattr(Client, "now", datetime(2026, 6, 1, 20, tzinfo=UTC))
    installed("/devices", [])
    morning, evening = ("2026-06-01T11:45:00-05:00", 100), ("2026-06-01T12:00:00-05:00", 200)
    installed("/energy", at(morning, ("2026-06-01T14:30:00-05:00", 9000)))
    installed("/energy", at(evening))
    found = open_vendor("solaredge").site_solar_intervals(("1",), Level.QUARTER)
    window = Asked(Level.QUARTER, datetime(2026, 6, 1, 11), datetime(2026, 6, 1, 15))
    told = read_intervals(found, window.widened(found.zone, Client.now, found.since), 100, Client.now)
    assert [one.kwh for one in told if isinstance(one, Interval)] == [(0.1,), (0.2,)]


def test_a_quarter_after_now_is_not_of_the_running_hour(installed):
    """Where quarters came in place of hours."""
    installed("/devices", [])
    rows = at(*((f"2026-06-01T04:{minute:02}:00-05:00", 100) for minute in (0, 15, 30, 45)), resolution="QUARTER_HOUR")
    installed("/energy", rows)
    found = open_vendor("solaredge").site_solar_intervals(("1",), Level.HOUR)
    window = Asked(Level.HOUR, datetime(2026, 6, 1, 4), datetime(2026, 6, 1, 5))
    told = read_intervals(found, window.widened(found.zone, Client.now, found.since), 100, Client.now)
    assert [one.kwh for one in told if isinstance(one, Interval)] == [(0.2,)]


def test_a_charge_after_now_is_not_the_newest(installed):
    installed("/devices", SWAPPED)
    installed("/energy", series("WH", None))
    charge = [{"timestamp": f"2026-06-0{day}T03:00:00-05:00", "value": 30 + day} for day in (1, 2)]
    told = flows(3000.0, stateOfEnergy={"unit": "PERCENTAGE", "values": charge})
    installed("/storage/telemetry", {"storage": {"BATT-002": told}})
    site = open_vendor("solaredge").site(("1",))
    assert (site.bess.soc_percent, site.charge_kw, site.measured_at.day) == (31, 3.0, 1)


def test_an_hour_that_two_answers_hold_counts_once(installed, monkeypatch):
    """On a day of 25 hours, which takes two calls."""
    monkeypatch.setattr(Client, "now", datetime(2026, 11, 1, 22, tzinfo=UTC))
    installed("/devices", SWAPPED)
    installed("/alerts", [])
    noon = at(("2026-11-01T12:00:00-06:00", 1000), resolution="HOUR")
    installed("/inverters/telemetry", {"inverters": {"NEW": {"energy": noon}}})
    assert open_vendor("solaredge").solar_inverter(("1", "NEW")).recent_production.kwh == 1.0


@pytest.mark.parametrize("place", ["series", "answer"])
def test_rows_are_as_long_as_the_answer_says(installed, place):
    """Hours where quarters were asked for are spread, and say so."""
    installed("/devices", SWAPPED)
    hours = {"resolution": "HOUR"}
    energy = series("WH", 1000) | (hours if place == "series" else {})
    told = {"inverters": {"NEW": {"energy": energy}}} | (hours if place == "answer" else {})
    installed("/inverters/telemetry", told)
    found = quarters("solar_intervals", ("1", "NEW"))
    assert [(one.kwh, one.quality) for one in found] == [((0.25,), Quality.DERIVED)] * 4


def test_a_day_where_quarters_were_asked_for_is_no_quarter_s(installed):
    installed("/devices", [])
    installed("/energy", at(("2026-06-01T03:00:00-05:00", 9000), resolution="DAY"))
    assert quarters("site_solar_intervals") == []


def test_the_power_of_an_hour_is_its_energy(installed):
    installed("/devices", [])
    installed("/energy", at(("2026-06-01T02:00:00-05:00", 1200), resolution="HOUR"))
    site = open_vendor("solaredge").site(("1",))
    assert (site.power_kw, site.measured_at) == (1.2, datetime(2026, 6, 1, 8, tzinfo=UTC))


def test_a_step_that_is_not_known_is_a_bad_reply(installed):
    installed("/devices", [])
    installed("/energy", series("WH", 1000) | {"resolution": "FORTNIGHT"})
    with pytest.raises(BadReply):
        quarters("site_solar_intervals")


def test_another_site_s_answer_is_a_bad_reply(network):
    network.get(SITE, json=CHICAGO | {"siteId": 2})
    with pytest.raises(BadReply) as refused:
        open_vendor("solaredge").site(("1",))
    assert "about another site" in refused.value.detail


def test_telemetry_of_nothing_is_no_interval(installed):
    installed("/devices", SWAPPED)
    for nothing in (None, {}, {"NEW": None}, {"NEW": {"energy": None}}, {"NEW": {"energy": {"values": None}}}):
        installed("/inverters/telemetry", {"inverters": nothing})
    for _ in range(5):
        assert quarters("solar_intervals", ("1", "NEW")) == []


def alert(number=1, **of):
    (one,) = sample("alerts_open_fixture")
    return one | {"alertId": number, "siteId": 1} | of


def errors_of(installed, *pages):
    installed("/devices", [device("INVERTER", "7E1234B5-67")])
    installed("/inverters/telemetry", {"inverters": {}})
    for page in pages:
        network = installed("/alerts", page)
    inverter = open_vendor("solaredge").solar_inverter(("1", "7E1234B5-67"))
    return inverter.recent_errors, sum("/alerts" in call.request.url for call in network.calls)


def test_an_alert_that_is_not_open_any_more_is_not_told(installed):
    found, _ = errors_of(installed, [alert(1, status="CLOSED"), alert(2, type="Arc"), alert(3, status=None)])
    assert [message.text for message in found.found] == ["EQUIPMENT: Arc", "EQUIPMENT: DC Isolation"]


def test_an_alert_on_two_pages_is_told_once(installed):
    found, _ = errors_of(installed, [alert(number) for number in range(100)], [alert(99)])
    assert len(found.found) == 100
    assert found.start.isoformat() == CHICAGO["installationDate"]


def test_of_more_alerts_than_are_read_the_oldest_one_that_was_is_the_beginning(installed):
    pages = [
        [alert(100 * page + one, firstTrigger=f"2026-05-{30 - page}T12:00:00Z") for one in range(100)]
        for page in range(9)
    ]
    found, calls = errors_of(installed, *pages)
    assert (calls, len(found.found)) == (5, 500)
    assert found.start == datetime(2026, 5, 26, 12, tzinfo=UTC)


def test_an_alert_of_another_site_is_not_told(installed):
    found, _ = errors_of(installed, [alert(1, siteId=2), alert(2)])
    assert len(found.found) == 1
