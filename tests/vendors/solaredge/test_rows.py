"""SolarEdge's rows: only those of the requested time count, and each is as long as the reply says."""

from datetime import UTC, datetime

import pytest
from responses.matchers import query_param_matcher

from tests.vendors.solaredge.played import SWAPPED, at, flows, quarters, read, series
from tests.vendors.support import open_vendor
from vendors.kit import BadReply, Client, Level, Quality


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
    for resolution, listed in (("HOUR", rows), ("QUARTER_HOUR", rows), ("YEAR", years)):
        answer = {"inverters": {"NEW": {"energy": at(*listed, resolution=resolution)}}}
        match = [query_param_matcher({"resolution": resolution}, strict_match=False)]
        installed("/inverters/telemetry", answer, match=match)
    inverter = open_vendor("solaredge").solar_inverter(("1", "NEW"))
    assert inverter.recent_production.kwh == 0.3
    assert inverter.lifetime_production.kwh == 2.0
    assert (inverter.power_kw, inverter.measured_at) == (1.2, datetime(2026, 6, 1, 8, 15, tzinfo=UTC))


def test_a_row_in_the_time_of_another_call_gives_way_to_that_call_s_row(installed, monkeypatch):
    """Each call covers 12 hours; the first reply has a row of the second call's hours."""
    monkeypatch.setattr(Client, "now", datetime(2026, 6, 1, 20, tzinfo=UTC))
    installed("/devices", [])
    morning, evening = ("2026-06-01T11:45:00-05:00", 100), ("2026-06-01T12:00:00-05:00", 200)
    installed("/energy", at(morning, ("2026-06-01T14:30:00-05:00", 9000)))
    installed("/energy", at(evening))
    intervals = read("site_solar_intervals", Level.QUARTER, (datetime(2026, 6, 1, 11), datetime(2026, 6, 1, 15)))
    assert [interval.kwh for interval in intervals] == [(0.1,), (0.2,)]


def test_a_quarter_after_now_is_not_part_of_the_running_hour(installed):
    """The reply has quarters in place of hours."""
    installed("/devices", [])
    rows = at(*((f"2026-06-01T04:{minute:02}:00-05:00", 100) for minute in (0, 15, 30, 45)), resolution="QUARTER_HOUR")
    installed("/energy", rows)
    intervals = read("site_solar_intervals", Level.HOUR, (datetime(2026, 6, 1, 4), datetime(2026, 6, 1, 5)))
    assert [interval.kwh for interval in intervals] == [(0.2,)]


def test_a_charge_after_now_is_not_the_present_charge(installed):
    installed("/devices", SWAPPED)
    installed("/energy", series("WH", None))
    charge = [{"timestamp": f"2026-06-0{day}T03:00:00-05:00", "value": 30 + day} for day in (1, 2)]
    battery = flows(3000.0, stateOfEnergy={"unit": "PERCENTAGE", "values": charge})
    installed("/storage/telemetry", {"storage": {"BATT-002": battery}})
    site = open_vendor("solaredge").site(("1",))
    assert (site.bess.soc_percent, site.charge_kw, site.measured_at.day) == (31, 3.0, 1)


def test_an_hour_in_two_replies_counts_once(installed, monkeypatch):
    """On a day of 25 hours, which takes two calls."""
    monkeypatch.setattr(Client, "now", datetime(2026, 11, 1, 22, tzinfo=UTC))
    installed("/devices", SWAPPED)
    installed("/alerts", [])
    noon = at(("2026-11-01T12:00:00-06:00", 1000), resolution="HOUR")
    installed("/inverters/telemetry", {"inverters": {"NEW": {"energy": noon}}})
    assert open_vendor("solaredge").solar_inverter(("1", "NEW")).recent_production.kwh == 1.0


@pytest.mark.parametrize("place", ["series", "reply"])
def test_rows_are_as_long_as_the_reply_says(installed, place):
    """Hours in place of the requested quarters are spread, and marked as derived."""
    installed("/devices", SWAPPED)
    hours = {"resolution": "HOUR"}
    energy = series("WH", 1000) | (hours if place == "series" else {})
    reply = {"inverters": {"NEW": {"energy": energy}}} | (hours if place == "reply" else {})
    installed("/inverters/telemetry", reply)
    intervals = quarters("solar_intervals", ("1", "NEW"))
    assert [(interval.kwh, interval.quality) for interval in intervals] == [((0.25,), Quality.DERIVED)] * 4


def test_a_day_in_place_of_the_requested_quarters_gives_no_intervals(installed):
    installed("/devices", [])
    installed("/energy", at(("2026-06-01T03:00:00-05:00", 9000), resolution="DAY"))
    assert quarters("site_solar_intervals") == []


def test_the_power_in_a_bucket_of_an_hour_is_its_energy(installed):
    installed("/devices", [])
    installed("/energy", at(("2026-06-01T02:00:00-05:00", 1200), resolution="HOUR"))
    site = open_vendor("solaredge").site(("1",))
    assert (site.power_kw, site.measured_at) == (1.2, datetime(2026, 6, 1, 8, tzinfo=UTC))


def test_an_unknown_resolution_is_a_bad_reply(installed):
    installed("/devices", [])
    installed("/energy", series("WH", 1000) | {"resolution": "QUARTER_HOUR"})
    assert quarters("site_solar_intervals")
    installed("/energy", series("WH", 1000) | {"resolution": "FORTNIGHT"})
    with pytest.raises(BadReply, match="/energy") as raised:
        quarters("site_solar_intervals")
    assert raised.value.why == "a member is missing or has a wrong type"


def test_a_bucket_that_is_repeated_as_null_is_not_the_present_state(installed):
    installed("/devices", SWAPPED)
    installed("/alerts", [])
    stamps = [f"2026-06-01T03:{minute:02}:00-05:00" for minute in (45, 30, 45)]

    def thrice(unit, value):
        rows = zip(stamps, (0.0, value, None), strict=True)
        return {"unit": unit, "values": [{"timestamp": stamp, "value": reading} for stamp, reading in rows]}

    powers = {"chargePower": thrice("W", 3000), "dischargePower": thrice("W", 0)}
    battery = powers | {"stateOfEnergy": thrice("PERCENTAGE", 9)}
    installed("/storage/telemetry", {"storage": {"BATT-002": battery}})
    installed("/energy", thrice("WH", 750))
    plugin = open_vendor("solaredge")
    site, battery = plugin.site(("1",)), plugin.battery(("1", "BATT-002"))
    assert (site.power_kw, site.charge_kw, site.bess.soc_percent) == (3.0, 3.0, 9)
    assert (battery.soc_percent, battery.charge_kw) == (9, 3.0)
    assert site.measured_at == battery.measured_at == datetime(2026, 6, 1, 8, 45, tzinfo=UTC)


@pytest.mark.parametrize(
    ("years", "kwh"),
    [
        ({2024: 1000, 2025: 2000, 2026: 500}, 3.5),
        ({2024: None, 2025: 2000, 2026: 500}, 2.5),
        ({2024: 1000, 2025: 2000, 2026: None}, None),
        ({2024: 1000, 2025: None, 2026: 500}, None),
        ({2024: 1000, 2025: 2000}, None),
        ({2025: None, 2026: None}, None),
        ({2025: 2000, 2026: 500, 2027: None}, 2.5),
    ],
)
def test_a_lifetime_without_one_of_its_years_is_unknown(installed, years, kwh):
    """A device may be younger than its site: null before its first year does not count as missing."""
    installed("/devices", SWAPPED)
    installed("/alerts", [])
    energy = at(*((f"{year}-01-01T00:00:00-06:00", wh) for year, wh in years.items()), resolution="YEAR")
    match = [query_param_matcher({"resolution": "YEAR"}, strict_match=False)]
    installed("/inverters/telemetry", {"inverters": {"NEW": {"energy": energy}}}, match=match)
    installed("/inverters/telemetry", {"inverters": {}})
    lifetime = open_vendor("solaredge").solar_inverter(("1", "NEW")).lifetime_production
    assert (lifetime and lifetime.kwh) == kwh
