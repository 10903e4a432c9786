"""Vendor JSON of any kind is either read or refused, and never guessed."""

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendors.kit.reading import as_object, mapping, moment, number, optional_text, positive, power_kw, rows, text
from vendors.kit.reply import UNREADABLE
from vendors.sma.shapes import to_device as sma_device
from vendors.sma.shapes import to_site as sma_site
from vendors.solaredge.shapes import to_device as solaredge_device
from vendors.solaredge.shapes import to_site as solaredge_site
from vendors.solis.shapes import to_devices as solis_devices
from vendors.solis.shapes import to_site as solis_site

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NAMES = [
    "plantId",
    "deviceId",
    "type",
    "product",
    "serial",
    "generatorPower",
    "isActive",
    "installation",
    "location",
    "address",
    "peakPower",
    "name",
    "startUpUtc",
    "id",
    "sn",
    "stationId",
    "power",
    "powerStr",
    "machine",
    "batteryNum",
    "batteryList",
    "capacity",
    "capacityStr",
    "timeZone",
    "siteId",
    "serialNumber",
    "model",
    "partNumber",
    "nameplate",
    "installationDate",
    "timezone",
]
ROWS = st.dictionaries(
    st.sampled_from(NAMES), JSON | st.sampled_from(["INVERTER", "Solar Inverters", "7"]), max_size=12
)


@given(ROWS)
@pytest.mark.parametrize(
    "convert",
    [
        sma_site,
        solis_site,
        solaredge_site,
        solis_devices,
        lambda raw: sma_device("1", raw),
        lambda raw: solaredge_device("1", raw),
    ],
)
def test_a_converter_gives_records_or_refuses_and_never_invents_a_number(convert, raw):
    try:
        found = convert(raw)
    except UNREADABLE:
        return
    for record in found if isinstance(found, list) else [found] if found else []:
        assert all(isinstance(part, str) and part for part in record.key)
        for member in ("rated_power_kw", "nameplate_kwh", "peak_power_kw"):
            value = getattr(record, member, None)
            assert value is None or (value > 0 and math.isfinite(value))


@pytest.mark.parametrize("value", [None, True, 1.5, [], {}, "", " ", "\x00"])
def test_a_required_text_is_refused_when_it_is_none(value):
    with pytest.raises((KeyError, TypeError)):
        text({"id": value}, "id")


def test_control_characters_and_blanks_around_a_text_are_dropped():
    assert optional_text({"name": "  Roof\r\n\x1b[31m 1 "}, "name") == "Roof[31m 1"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, 0.0),
        ("0.0", 0.0),
        ("12.5", 12.5),
        (-3, -3.0),
        (None, None),
        ("--", None),
        (True, None),
        ("nan", None),
        (10**400, None),
        ([], None),
    ],
)
def test_a_number_is_read_and_what_is_none_stays_none(value, expected):
    assert number({"x": value}, "x") == expected


def test_a_rating_of_0_is_no_rating():
    assert positive({"x": 0}, "x") is None


@pytest.mark.parametrize(
    ("unit", "expected"), [("W", 0.0015), ("kW", 1.5), ("kWp", 1.5), ("MW", 1500.0), ("hp", None), (None, None)]
)
def test_power_follows_its_unit_and_an_unknown_unit_is_no_value(unit, expected):
    assert power_kw({"power": 1.5, "powerStr": unit}, "power", "powerStr") == expected


def test_a_time_without_offset_is_utc_and_one_with_offset_keeps_it():
    assert moment({"t": "2021-11-03T00:00:00"}, "t") == datetime(2021, 11, 3, tzinfo=UTC)
    assert moment({"t": "2021-04-01T00:00:00-05:00"}, "t").isoformat() == "2021-04-01T00:00:00-05:00"
    assert moment({"t": "REDACTED"}, "t") is None


def test_a_nested_object_of_a_wrong_kind_is_empty():
    assert mapping({"location": "REDACTED"}, "location") == {}


@pytest.mark.parametrize("raw", [None, [], "x", {"data": None}, {"data": {"records": {}}}, {"data": {}}])
def test_rows_that_are_not_where_they_should_be_are_refused(raw):
    with pytest.raises((KeyError, TypeError)):
        rows(raw, "data", "records")


@pytest.mark.parametrize("value", [None, "", "text", 0, 7, True, [], [{}]])
def test_a_required_object_is_an_object(value):
    with pytest.raises(TypeError):
        as_object(value)
    assert as_object({"a": value}) == {"a": value}
