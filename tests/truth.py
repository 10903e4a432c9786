"""Holds the series that a plugin reads against the truth of the fleet."""

from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import sandbox
from sandbox.server import running
from tests.series_reader import SeriesReader
from vendors.kit import Level, Quality
from vendors.kit.series.resample import Interval
from vendors.kit.series.windows import EARLIEST, RequestedWindow

# The most seconds between two rows of a vendor.
ROW_SECONDS = timedelta(minutes=15).total_seconds()


class Vendor(SeriesReader):
    """A vendor's plugin with its emulator, whose intervals can be checked."""

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
        """The span of which the vendor keeps no rows any more."""
        if self.dialect.keeps_rows and (level.is_fine or case.device):
            yield EARLIEST, self.now - self.dialect.keeps_rows

    def check_each(self, case, intervals_read, *, trusts_derived=True):
        """Holds intervals against the truth: partial ones may have less energy, all others have as much.

        trusts_derived: whether that is so for intervals whose values were split or spread, too.
        """
        starts = [interval.start for interval in intervals_read]
        assert starts == sorted(set(starts))
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

    def check_sums(self, case, fine, coarse):
        """Holds whole intervals against the sums of the shorter intervals within them."""
        most_off = (0.001 if self.is_fine else 2 * self.step_kwh) * case.devices
        for interval in coarse:
            parts = [part for part in fine if part.start >= interval.start and part.end <= interval.end]
            if not parts or Quality.PARTIAL in {interval.quality, *(part.quality for part in parts)}:
                continue
            for flow, kwh in enumerate(interval.kwh):
                assert abs(kwh - sum(part.kwh[flow] for part in parts)) <= most_off * (len(parts) + 1)

    def _check_charge(self, case, intervals_read, level):
        """The mean state of charge is true within a point, and within the change during a native row; days and months
        have none."""
        charged = [interval for interval in intervals_read if interval.soc_percent is not None]
        assert not charged or level.is_fine
        if intervals_read and level.is_fine:
            assert bool(charged) != (f"{case.operation}.soc_percent" in self.plugin.lacks)
        for interval in charged:
            start, end = interval.start.timestamp(), interval.end.timestamp()
            true = [
                case.site.site.soc_percent(start - ROW_SECONDS + part * (end - start + ROW_SECONDS) / 16)
                for part in range(17)
            ]
            true = [percent for percent in true if percent is not None]
            assert min(true) - 1 <= interval.soc_percent <= max(true) + 1, (interval, true)

    def _as_counted(self, case, interval):
        """The span of the vendor's totals of a date or month: for Solis it is that of the inverters' clock."""
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
            if self._is_near_reset(case, interval):
                # The step of the counter, and the energy between its last reading and the reset.
                most_off *= 2
        return most_off * case.devices + 1e-6

    def _is_near_reset(self, case, interval):
        """Whether the inverters' midnight, when counters fall to 0, lies in the interval or just next to it."""
        zone = self.zone(case)
        day = interval.start.astimezone(zone).replace(hour=0, minute=0)
        midnights = [day + day.dst() + timedelta(days=number) for number in (-1, 0, 1, 2)]
        near = timedelta(minutes=10)
        return any(interval.start - near <= at <= interval.end + near for at in midnights)

    def _check_all_there(self, case, intervals_read, level, start, end, may_miss):
        """Demands every interval with energy of the window, but for the last ones and for spans that may be missing."""
        ends = {interval.start: interval.end for interval in intervals_read}
        window = RequestedWindow(level, start, end).widened(self.zone(case), self.now, case.site.site.operational_since)
        newest = self.now - self.plugin.lag - timedelta(minutes=20)
        most_off = (0.0 if self.is_fine else self.step_kwh) * case.devices
        for begins, finishes in pairwise(window.boundaries()):
            may_be_missing = finishes > newest or any(a < finishes and b > begins for a, b in may_miss)
            if begins in ends:
                assert ends[begins] == finishes
            elif not may_be_missing:
                true = case.kwh(begins, finishes)
                assert max(true) <= most_off, (begins, finishes, true)


@contextmanager
def vendor_of(name, sites):
    app = sandbox.create_app(sites, 1)
    with running(app) as url:
        yield Vendor(name, app, url)


def local(zone, *when):
    """A moment of that clock."""
    return datetime(*when, tzinfo=ZoneInfo(zone))


LEVELS = tuple(Level)
