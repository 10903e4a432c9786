"""The members of a site or device, whatever times its record holds."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from app.api import detail_members
from vendors.kit import SolarInverter

NOW = datetime(2026, 6, 17, 12, tzinfo=UTC)
LAG = timedelta(minutes=10)
AHEAD, BEHIND = timezone(timedelta(hours=10)), timezone(-timedelta(hours=10))


def members(measured_at):
    ids = {"key": ("1",), "vendor_id": "1", "site_key": ("1",), "vendor_site_id": "1"}
    record = SolarInverter(**ids, power_kw=1.5, measured_at=measured_at)
    return detail_members.device(detail_members.FetchedRecord("tesla", record, NOW, LAG, {}, {}), "id", "site", NOW)


@pytest.mark.parametrize(
    "at",
    [datetime(1, 1, 1, tzinfo=AHEAD), datetime(9999, 12, 31, 23, tzinfo=BEHIND), datetime(2026, 6, 1)],
    ids=["no date in UTC before", "no date in UTC after", "on no clock"],
)
def test_a_time_without_a_date_in_utc_is_left_out(at):
    device = members(at)
    assert "measured_at" not in device
    assert device["power_kw"] == 1.5


@pytest.mark.parametrize(
    ("ago", "is_present"),
    [(0, True), (40, True), (41, False), (-5, True), (-31, False), (-24 * 60, False)],
)
def test_old_power_and_power_of_the_future_are_left_out(ago, is_present):
    at = NOW - timedelta(minutes=ago)
    device = members(at.astimezone(AHEAD))
    assert ("power_kw" in device) == is_present
    assert (device["measured_at"], device["measured_at"].tzinfo) == (at, UTC)
