"""Vendor JSON of any kind is either read or refused, and never guessed."""

import math
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendors.kit.parsing.reading import (
    WrongRecord,
    as_object,
    by_member,
    calendar_date,
    charge_and_discharge,
    check_id,
    epoch,
    flag,
    mapping,
    moment,
    number,
    number_at,
    optional_text,
    positive,
    power_kw,
    rows,
    stamp,
    text,
)
from vendors.kit.reply import UNREADABLE
from vendors.sma.records import to_device as sma_device
from vendors.sma.records import to_site as sma_site
from vendors.solaredge.records import to_device as solaredge_device
from vendors.solaredge.records import to_site as solaredge_site
from vendors.solis.records import to_devices as solis_devices
from vendors.solis.records import to_site as solis_site

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


# The members that each converter cannot do without.
REQUIRED = {
    sma_site: {"plantId"},
    solis_site: {"id"},
    solaredge_site: {"siteId"},
    solis_devices: {"id", "stationId"},
    sma_device: {"type", "deviceId"},
    solaredge_device: {"type", "serialNumber"},
}


@given(ROWS)
@pytest.mark.parametrize("convert", REQUIRED)
def test_a_converter_refuses_only_rows_without_their_ids_and_never_invents_a_number(convert, raw):
    site = ["1"] if convert in (sma_device, solaredge_device) else []
    is_refusable = any(is_refused(raw, name) for name in REQUIRED[convert])
    try:
        converted = convert(*site, raw)
    except UNREADABLE:
        assert is_refusable, "all ids are there"
        return
    for row in converted if isinstance(converted, list) else [converted] if converted else []:
        assert not is_refusable
        record = row.record()
        assert all(isinstance(part, str) and part for part in record.key)
        for member in ("rated_power_kw", "nameplate_kwh", "peak_power_kw"):
            value = getattr(record, member, None)
            assert value is None or (value > 0 and math.isfinite(value))


def is_refused(raw, name):
    """Whether a member is no id: not there, or neither a text with visible characters alone nor a whole number."""
    value = raw.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return True
    return not str(value).strip() or not str(value).isprintable()


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


def test_a_time_without_offset_is_utc_and_a_time_with_offset_keeps_it():
    assert moment({"t": "2021-11-03T00:00:00"}, "t") == datetime(2021, 11, 3, tzinfo=UTC)
    assert moment({"t": "2021-04-01T00:00:00-05:00"}, "t").isoformat() == "2021-04-01T00:00:00-05:00"
    assert moment({"t": "REDACTED"}, "t") is None


def test_a_nested_object_of_a_wrong_kind_is_empty():
    assert mapping({"location": "REDACTED"}, "location") == {}


@pytest.mark.parametrize("raw", [None, [], "x", {"data": None}, {"data": {"records": {}}}, {"data": {}}])
def test_rows_that_are_not_where_they_should_be_are_refused(raw):
    with pytest.raises((KeyError, TypeError)):
        rows(raw, "data", "records")


# How vendors write that there is no time: the zero time of their database, or the end of its calendar.
NO_TIMES = [
    "0001-01-01T00:00:00+10:00",
    "0001-01-01T00:00:00",
    "9999-12-31T23:59:59-10:00",
    "9999-12-31T23:59:59",
    "1970-01-01T00:00:00Z",
]
NO_EPOCHS = [0, "0", -62135596800, 253402300799, 253402300800, 1e300, -1]
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize("written", NO_TIMES)
def test_the_ends_of_the_calendar_are_no_times(written):
    for clock in (UTC, BERLIN):
        assert moment({"at": written}, "at", clock) is None
        assert stamp({"at": written}, "at", clock) is None


@pytest.mark.parametrize("written", NO_EPOCHS)
def test_epoch_seconds_at_the_ends_of_the_calendar_are_no_times(written):
    assert epoch({"at": written}, "at") is None


@pytest.mark.parametrize("written", ["0001-01-01", "9999-12-31", "1970-01-01", "9999-12"])
def test_the_ends_of_the_calendar_are_no_dates(written):
    assert calendar_date({"at": written}, "at") is None


def test_a_month_is_its_first_date():
    assert calendar_date({"at": "2026-06"}, "at") == date(2026, 6, 1)
    assert calendar_date({"at": "2026-06-17"}, "at") == date(2026, 6, 17)


def test_a_time_without_an_offset_is_on_the_clock_that_it_is_read_with():
    written = {"at": "2026-06-17T12:00:00", "offset": "2026-06-17T12:00:00+05:30"}
    assert moment(written, "at", BERLIN).utcoffset() == timedelta(hours=2)
    assert stamp(written, "at", BERLIN).utcoffset() == timedelta(hours=2)
    assert stamp(written, "offset", BERLIN).utcoffset() == stamp(written, "offset").utcoffset() == timedelta(hours=5.5)


@pytest.mark.parametrize(("written", "why"), [("2026-06-17T12:00:00", "without an offset"), ("noon", "isoformat")])
def test_the_time_of_a_row_is_refused_if_it_is_no_time_or_its_clock_is_unknown(written, why):
    with pytest.raises(ValueError, match=why):
        stamp({"at": written}, "at")


@given(st.datetimes() | st.datetimes(timezones=st.timezones()))
def test_a_time_that_is_read_has_a_date_on_any_clock(at):
    found = moment({"at": at.isoformat()}, "at", ZoneInfo("Pacific/Kiritimati"))
    for clock in (UTC, ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Pacific/Pago_Pago")):
        assert found is None or found.astimezone(clock)


@pytest.mark.parametrize(
    ("value", "truth"),
    [
        (True, True), (False, False), ("false", False), (" TRUE ", True), (0, False), (1, True), ("0", False),
        (" 1", True), (1.0, True), (None, None), (2, None), (-1, None), ("2", None), ("no", None), ("", None),
        ([], None), ({}, None), (float("nan"), None),
    ],
)  # fmt: skip
def test_only_booleans_their_texts_and_0_or_1_are_truth_values(value, truth):
    assert flag({"active": value}, "active") is truth


@pytest.mark.parametrize("answer", [{"id": 7}, {"id": "7"}, {"id": None}, {}, [], None, {"id": {}}])
def test_a_reply_without_an_id_or_with_the_requested_id_is_accepted(answer):
    check_id(answer, "id", "7")


def test_a_reply_about_another_site_or_device_is_refused():
    with pytest.raises(WrongRecord):
        check_id({"id": 8}, "id", "7")


@pytest.mark.parametrize("value", [None, "", "text", 0, 7, True, [], [{}]])
def test_a_required_object_is_an_object(value):
    with pytest.raises(TypeError):
        as_object(value)
    assert as_object({"a": value}) == {"a": value}


@pytest.mark.parametrize(("net_kw", "flows"), [(2.0, (2.0, 0.0)), (-2.0, (0.0, 2.0)), (0.0, (0.0, 0.0))])
def test_a_positive_power_charges_the_battery_and_a_negative_power_discharges_it(net_kw, flows):
    assert charge_and_discharge(net_kw) == flows


def test_an_unknown_power_is_no_charge_and_no_discharge():
    assert charge_and_discharge(None) == (None, None)


@pytest.mark.parametrize(
    ("values", "index", "expected"),
    [([1, "2.5"], 1, 2.5), ([1], 1, None), ([], 0, None), ([None], 0, None), ("12", 0, None), (None, 0, None)],
)
def test_a_number_is_read_at_an_index_of_a_list(values, index, expected):
    assert number_at(values, index) == expected


def test_objects_are_found_by_a_member_and_everything_else_in_the_list_is_skipped():
    raw = {"extended": [{"code": "bs", "value": 1}, {"value": 2}, None, "text", {"code": 7}]}
    assert by_member(raw, "extended", "code") == {"bs": {"code": "bs", "value": 1}, "7": {"code": 7}}


@pytest.mark.parametrize("raw", [{}, {"extended": None}, {"extended": {"code": "bs"}}, {"extended": "text"}])
def test_without_a_list_no_object_is_found(raw):
    assert by_member(raw, "extended", "code") == {}
