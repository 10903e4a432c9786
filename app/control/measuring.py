"""Values that a vendor shows of the batteries of a site: their power and charge now, their rating, and what flowed."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from app.control.verification import Flow
from vendors.kit import Battery, Bess, Key, Level, NotOffered, Quality, Vendor, VendorError
from vendors.kit.records import kind_of
from vendors.kit.series.read import intervals
from vendors.kit.series.resample import Interval
from vendors.kit.series.windows import RequestedWindow

# Batteries of a site that are read one by one where the list does not state their rating.
MAX_BATTERIES = 10
# Quarters of the longest order that is looked at afterwards, with some to spare.
MAX_QUARTERS = 4 * 24 * 8
KW_DIGITS = 3


@dataclass(frozen=True)
class Measured:
    """The state of all batteries of a site at one time. kw: positive while discharging."""

    vendor_id: str
    at: datetime
    kw: float | None = None
    soc_percent: float | None = None
    mode: str | None = None

    def members(self) -> dict[str, Any]:
        """As the receipt shows it; without values that the vendor does not report."""
        values = {"kw": self.kw, "stateOfChargePercent": self.soc_percent, "mode": self.mode}
        return {"at": self.at.isoformat()} | {name: value for name, value in values.items() if value is not None}


def measured(vendor: Vendor, key: Key, now: datetime) -> Measured | None:
    """The present power and charge; None if the vendor does not show them. No failure stops an order: what is not seen
    is not proven."""
    with suppress(VendorError, NotOffered):
        site = vendor.site(key)
        kw = None
        if site.charge_kw is not None or site.discharge_kw is not None:
            kw = round((site.discharge_kw or 0.0) - (site.charge_kw or 0.0), KW_DIGITS)
        at = site.measured_at.astimezone(UTC) if site.measured_at and site.measured_at.tzinfo else now
        bess = site.bess or Bess()
        return Measured(site.vendor_id, at, kw, bess.soc_percent, bess.mode)
    return None


def rating_kw(vendor: Vendor, site: str) -> float | None:
    """The rated power of all batteries of the site with this vendor id together; None if that of any is not known."""
    with suppress(VendorError, NotOffered):
        ratings = list(_ratings(vendor, site))
        known = [rating for rating in ratings if rating is not None]
        return round(sum(known), KW_DIGITS) if known and len(known) == len(ratings) else None
    return None


def _ratings(vendor: Vendor, site: str) -> Iterator[float | None]:
    rows = [row for row in vendor.devices(site) if kind_of(row) is Battery]
    for row in rows:
        record = row.record()
        rating = record.rated_power_kw if isinstance(record, Battery) else None
        if rating is None and len(rows) <= MAX_BATTERIES and "battery.rated_power_kw" not in vendor.lacks:
            rating = vendor.battery(row.key).rated_power_kw
        yield rating


def flows(vendor: Vendor, key: Key, start: datetime, end: datetime, now: datetime) -> Sequence[Flow]:
    """The flows from the quarter before the start to the end, by quarters, as far as the vendor shows them."""
    with suppress(VendorError, NotOffered):
        series = vendor.site_battery_intervals(key, Level.QUARTER)
        window = RequestedWindow(Level.QUARTER, start - timedelta(minutes=15), end + timedelta(minutes=15)).widened(
            series.zone, now, series.since
        )
        return [
            Flow(row.start.astimezone(UTC), row.end.astimezone(UTC), row.kwh[0], row.kwh[1], row.soc_percent)
            for row in intervals(series, window, MAX_QUARTERS, now)
            if isinstance(row, Interval) and row.start < end and row.quality is not Quality.PARTIAL
        ]
    return []
