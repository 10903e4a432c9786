"""Series as a plugin reports them, and the truth of the fleet, both at one moment of a clock that stands still."""

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from unittest import mock
from zoneinfo import ZoneInfo

import sandbox
from sandbox.server import running
from tests.services import Account, Played
from tests.vendors.support import open_vendor
from vendors.kit import Client, Level, NotOffered, Quality
from vendors.kit.series.read import ReadUpTo, intervals
from vendors.kit.series.resample import Interval
from vendors.kit.series.windows import EARLIEST, RequestedWindow

# In kWh, the step of counters up to which every row is known to be exact.
FINE_STEP_KWH = 0.001
# Models of devices without a series: Enphase took that of AC Batteries out of its APIs.
WITHOUT_SERIES = {"ACB"}
# Members of the truth, by the kind of the series.
QUANTITIES = {"solar": ("pv",), "battery": ("charge", "discharge")}


@dataclass(frozen=True)
class Case:
    """One series: of a site, or of one device of it."""

    site: object
    device: object | None
    kind: str

    @property
    def operation(self):
        return f"{self.kind}_intervals" if self.device else f"site_{self.kind}_intervals"

    def kwh(self, start, end):
        """The truth."""
        spans = start.timestamp(), end.timestamp()
        view = self.site.view
        if self.device:
            return tuple(view.energy_wh(self.device, name, *spans) / 1000 for name in QUANTITIES[self.kind])
        return tuple(view.site_energy_wh(name, *spans) / 1000 for name in QUANTITIES[self.kind])

    @property
    def devices(self):
        """How many devices are behind it."""
        return 1 if self.device else self._of_its_kind

    @property
    def is_one_of_several(self):
        """Some vendors have energies of sites only: those of a device are known where it is alone of its kind."""
        return self.device is not None and self._of_its_kind > 1

    @property
    def _of_its_kind(self):
        device_kind = {"solar": "solar_inverter", "battery": "battery"}[self.kind]
        return sum(device.kind == device_kind for device in self.site.view.devices)


class Vendor:
    """One vendor's plugin before its emulator, at the moment `now`."""

    def __init__(self, name, app, url):
        self.name, self.dialect, self._app = name, app.extensions["dialects"][name], app
        self.account = Account(Played(url), name)
        self.now = None

    @property
    def step_kwh(self):
        """The step of the vendor's counters: an interval may be off by it, for each device behind the series."""
        return self.dialect.resolution.energy_wh / 1000

    @property
    def is_fine(self):
        """Whether the step is so small that an interval without a value has no energy."""
        return self.step_kwh <= FINE_STEP_KWH

    @contextmanager
    def at(self, now):
        """The clock of both stands there."""
        self.now = now
        self.account.played.put("/clock", {"now": now.isoformat()})
        self.account.cloud.reply_cache = type(self.account.cloud.reply_cache)()
        with mock.patch.object(Client, "now", now):
            yield self

    @property
    def plugin(self):
        return open_vendor(self.name, headers=self.account.headers, cloud=self.account.cloud, seconds=60)

    def cases(self, number, kind):
        """The series of a kind at a site of the fleet: the site's own, then its devices', the first three."""
        site = self.dialect.sites[number]
        devices = site.inverters if kind == "solar" else site.batteries
        readable = [device for device in devices if device.model not in WITHOUT_SERIES]
        return [Case(site, device, kind) for device in [None, *readable[:3]] if devices]

    def key(self, case):
        """The key that the plugin gives to the site or device."""
        records = self.account.sweep("devices" if case.device else "sites").records
        native = set(case.device.native.values()) if case.device else {case.site.site_id}
        kinds = {"solar": "SolarInverter", "battery": "Battery"}
        for record in records:
            is_here = not case.device or record.vendor_site_id == case.site.site_id
            is_right = not case.device or type(record).__name__ == kinds[case.kind]
            if is_here and is_right and record.vendor_id in native:
                return record.key
        raise LookupError(case)

    def read(self, case, level, start=None, end=None, size=10_000):
        """All intervals of the window, page by page; None where the vendor does not offer it."""
        key, intervals_read, since, pages = self.key(case), [], start, 0
        while True:
            plugin = self.plugin
            try:
                series = getattr(plugin, case.operation)(key, level)
            except NotOffered:
                return None
            window = RequestedWindow(level, since, end).widened(series.zone, self.now, series.since)
            until = None
            for interval in intervals(series, window, size, self.now):
                if isinstance(interval, ReadUpTo):
                    until = interval.until
                else:
                    intervals_read.append(interval)
            pages += 1
            assert pages < 400, "no progress"
            assert until is not None
            if until >= window.end:
                return intervals_read
            since = until

    def check(self, case, level, start, end, size=10_000, may_miss=()):
        """Demands that every interval with energy is there, and that each is right. Returns the intervals."""
        intervals_read = self.read(case, level, start, end, size)
        lacks = {case.operation, f"{case.operation}.{level}"}
        if case.is_one_of_several:
            lacks.add(f"{case.operation}.of_several")
        assert (intervals_read is None) == bool(lacks & self.plugin.lacks)
        if intervals_read is None:
            return None
        self.check_each(case, intervals_read)
        if case.kind == "battery":
            self._check_charge(case, intervals_read, level)
        else:
            assert {interval.soc_percent for interval in intervals_read} <= {None}, "the sun has no state of charge"
        self._check_all_there(case, intervals_read, level, start, end, [*may_miss, *self._forgotten(case, level)])
        return intervals_read

    def _forgotten(self, case, level):
        """The time of which the vendor has no rows any more."""
        if self.dialect.keeps_rows and (level.is_fine or case.device):
            yield EARLIEST, self.now - self.dialect.keeps_rows

    def check_each(self, case, intervals_read, *, trusts_derived=True):
        """Holds intervals against the truth: partial ones may have less energy, all others have as much.

        trusts_derived: whether that is so for intervals whose values were split or spread, too.
        """
        assert [interval.start for interval in intervals_read] == sorted(
            {interval.start for interval in intervals_read}
        )
        for interval in intervals_read:
            assert isinstance(interval, Interval)
            truth = case.kwh(*self._as_counted(case, interval))
            most_off = self._most_off(case, interval)
            for value, true in zip(interval.kwh, truth, strict=True):
                assert value >= 0
                if interval.quality is Quality.PARTIAL:
                    assert value <= true + most_off, (interval, true)
                elif trusts_derived or interval.quality is Quality.MEASURED:
                    assert abs(value - true) <= most_off, (interval, true)

    def _check_charge(self, case, intervals_read, level):
        """The mean state of charge is within a point, and what it changes by within a native row; of days and
        months there is none."""
        charged = [interval for interval in intervals_read if interval.soc_percent is not None]
        assert not charged or level.is_fine
        if intervals_read and level.is_fine:
            assert bool(charged) != (f"{case.operation}.soc_percent" in self.plugin.lacks)
        row = timedelta(minutes=15).total_seconds()
        for interval in charged:
            start, end = interval.start.timestamp(), interval.end.timestamp()
            true = [case.site.site.soc_percent(start - row + step * (end - start + row) / 16) for step in range(17)]
            true = [percent for percent in true if percent is not None]
            assert min(true) - 1 <= interval.soc_percent <= max(true) + 1, (interval, true)

    def _as_counted(self, case, interval):
        """The span that the vendor's own totals of a date or month have: with Solis those of the inverters' clock."""
        start, end = interval.start, min(interval.end, self.now)
        if self.name != "solis" or interval.end - interval.start < timedelta(hours=20):
            return start, end
        zone = self.zone(case)
        return tuple(at + at.astimezone(zone).dst() for at in (start, end))

    def _most_off(self, case, interval):
        most_off = self.step_kwh
        if self.name == "solis":
            # Between two readings of a large inverter its power changes.
            most_off += 0.005 * max(interval.kwh) / case.devices
            if self._begins_anew(case, interval):
                # The step of the counter, and what flowed between its last reading and the reset.
                most_off *= 2
        return most_off * case.devices + 1e-6

    def _begins_anew(self, case, interval):
        """Whether the inverters' midnight lies in the interval, or just next to it."""
        zone = self.zone(case)
        day = interval.start.astimezone(zone).replace(hour=0, minute=0)
        midnights = [day + day.dst() + timedelta(days=number) for number in (-1, 0, 1, 2)]
        near = timedelta(minutes=10)
        return any(interval.start - near <= at <= interval.end + near for at in midnights)

    def _check_all_there(self, case, intervals_read, level, start, end, may_miss):
        ends = {interval.start: interval.end for interval in intervals_read}
        zone = self.zone(case)
        window = RequestedWindow(level, start, end).widened(zone, self.now, case.site.site.operational_since)
        borders = list(window.boundaries())
        lag = self.plugin.lag + timedelta(minutes=20)
        for start_of_interval, end_of_interval in pairwise(borders):
            if start_of_interval in ends:
                assert ends[start_of_interval] == end_of_interval
            elif end_of_interval <= self.now - lag and not any(
                a < end_of_interval and b > start_of_interval for a, b in may_miss
            ):
                most_off = (0.0 if self.is_fine else self.step_kwh) * case.devices
                assert max(case.kwh(start_of_interval, end_of_interval)) <= most_off, (
                    start_of_interval,
                    end_of_interval,
                    case.kwh(start_of_interval, end_of_interval),
                )

    def zone(self, case):
        """The site's clock."""
        return ZoneInfo(case.site.site.place.timezone)


@contextmanager
def vendor_of(name, sites):
    app = sandbox.create_app(sites, 1)
    with running(app) as url:
        yield Vendor(name, app, url)


def local(zone, *when):
    """A moment of that clock."""
    return datetime(*when, tzinfo=ZoneInfo(zone))


LEVELS = tuple(Level)
