"""The service accepts exactly the texts and times that /openapi.json describes."""

import re
from datetime import UTC, datetime, timedelta, timezone

import marshmallow as ma
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.schemas.fields import PATTERN, TIME_FORMS, Moment, Text


@given(st.text(st.characters(exclude_categories=["Cs"])) | st.text("a\x00\x1f\x7f\x9f\xa0\u2028\u2029\u202e\n 🏠"))
def test_a_text_is_accepted_where_the_described_pattern_and_lengths_permit_it(text):
    is_described = bool(re.search(PATTERN.replace("$", r"\Z"), text)) and 1 <= len(text) <= 200
    try:
        Text().deserialize(text)
    except ma.ValidationError:
        assert not is_described
    else:
        assert is_described


@given(st.datetimes(), st.integers(-14 * 60, 14 * 60))
def test_a_time_is_accepted_in_each_described_form(time, minutes):
    forms = [form.get("format", "local") for form in TIME_FORMS]
    assert forms == ["date-time", "date", "local"]
    with_offset = time.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert Moment().deserialize(with_offset.isoformat()) == with_offset
    assert Moment().deserialize(time.isoformat() + "Z") == time.replace(tzinfo=UTC)
    assert Moment().deserialize(time.date().isoformat()) == datetime.combine(time.date(), datetime.min.time())
    local = time.replace(microsecond=0).isoformat()
    assert re.search(TIME_FORMS[2]["pattern"], local)
    assert Moment().deserialize(local) == time.replace(microsecond=0)


@pytest.mark.parametrize("local", ["2026-13-01T00:00", "2026-01-32T00:00", "2026-01-01T24:00", "2026-01-01 00:00", "x"])
def test_what_is_no_time_fits_no_described_form_of_a_local_time(local):
    assert not re.search(TIME_FORMS[2]["pattern"], local)


def test_what_a_device_has_recently_produced_has_a_start_and_what_it_produced_in_all_may_have_none(http):
    schemas = http.get("/openapi.json").json["components"]["schemas"]
    assert schemas["RecentProduction"]["properties"]["start"]["type"] == "string"
    assert schemas["LifetimeProduction"]["properties"]["start"]["type"] == ["string", "null"]
    for series in ("SolarSeries", "BatterySeries"):
        assert schemas[series]["properties"]["summaryLevel"]["enum"] == ["15mins", "hour", "day", "month"]
