"""SolarEdge's buckets of energy and power, and the windows of its calls."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.vendors.solaredge.played import series
from vendors.kit import Level
from vendors.kit.series.windows import QUARTER
from vendors.solaredge.series import FLOWS, PRODUCED, buckets, to_samples, totals
from vendors.solaredge.state import to_battery_states
from vendors.solaredge.telemetry import call_windows, instants


def test_null_is_no_bucket_and_0_is_one():
    rows = buckets({"energy": series("WH", 250, None, 0)}, PRODUCED, QUARTER)
    assert [(row.start.isoformat()[11:16], row.end.isoformat()[11:16], row.kwh) for row in rows] == [
        ("08:00", "08:15", (0.25,)),
        ("08:30", "08:45", (0.0,)),
    ]


@pytest.mark.parametrize(("unit", "kwh"), [("WH", 0.002), ("KWH", 2.0), ("kWh", 2.0), ("MWH", 2000.0)])
def test_a_series_is_in_the_unit_that_it_names(unit, kwh):
    assert to_samples({"energy": series(unit, 2)}, PRODUCED)[0].kwh == (kwh,)


def test_a_bucket_without_one_of_its_two_energies_is_left_out():
    flows = {FLOWS[0]: series("WH", 250, 250), FLOWS[1]: series("WH", 0, None)}
    assert [row.kwh for row in buckets(flows, FLOWS, QUARTER)] == [(0.25, 0.0)]
    assert buckets({FLOWS[0]: series("WH", 250)}, FLOWS, QUARTER) == []


def test_a_battery_that_changed_direction_within_a_quarter_has_the_net_power():
    powers = {"chargePower": series("W", 3000, 1000), "dischargePower": series("KW", 0, 1.5)}
    now = to_battery_states(powers | {"stateOfEnergy": series("PERCENTAGE", 50, 49)})[-1]
    assert (now.charge_kw, now.discharge_kw, now.soc_percent) == (0.0, 0.5, 49)
    assert now.end.isoformat() == "2026-06-01T08:30:00+00:00"


def test_a_charge_is_reported_without_powers_and_a_power_without_the_other():
    assert to_battery_states({"stateOfEnergy": series("PERCENTAGE", 50)})[0].soc_percent == 50
    (alone,) = to_battery_states({"dischargePower": series("W", 1500)})
    assert (alone.charge_kw, alone.discharge_kw, alone.soc_percent) == (None, 1.5, None)
    assert to_battery_states({"chargePower": series("HP", 2), "stateOfEnergy": series("KWH", 2)}) == []


def test_days_and_months_have_no_state_of_charge():
    battery = {FLOWS[0]: series("WH", 250), FLOWS[1]: series("WH", 0), "stateOfEnergy": series("PERCENTAGE", 50)}
    for unit in ("day", "month"):
        assert [row.soc_percent for row in totals(battery, FLOWS, ZoneInfo("Europe/Berlin"), unit)] == [None]
    assert buckets(battery, FLOWS, QUARTER)[0].soc_percent == 50


def test_a_time_without_an_offset_is_not_taken_for_one_of_this_server():
    with pytest.raises(ValueError, match="without an offset"):
        to_samples({"energy": {"unit": "WH", "values": [{"timestamp": "2026-06-01T10:00:00", "value": 1}]}}, PRODUCED)


@pytest.mark.parametrize("unit", ["J", "", None, "W"])
def test_a_series_without_a_known_unit_has_no_values(unit):
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
def test_windows_cover_a_day_and_do_not_end_in_the_hours_in_which_clocks_change(zone, day, level, longest):
    clock = ZoneInfo(zone)
    start = datetime(*day, tzinfo=clock).astimezone(UTC)
    end = (datetime(*day, tzinfo=clock) + timedelta(days=1)).astimezone(UTC)
    windows = list(call_windows(level, start, end, clock))
    spans = [instants(window, clock) for window in windows]
    assert (spans[0][0], spans[-1][1]) == (start, end)
    assert [window[1] for window in windows[:-1]] == [window[0] for window in windows[1:]]
    for window, (begin, finish) in zip(windows, spans, strict=True):
        assert finish - begin <= timedelta(hours=longest)
        assert not any(0 < at.hour * 60 + at.minute <= 240 for at in window)
