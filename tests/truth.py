"""Series as a plugin tells them against what is true of the fleet, both at one moment of a clock that stands."""

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
from vendors.kit import Asked, Client, Interval, Level, NotOffered, Quality, ReadUpTo, intervals
from vendors.kit.series.windows import EARLIEST

# kWh by which an interval may be off, for each device in it.
MOST_OFF = {"solis": 0.1}
USUALLY_OFF = 0.001
# Enphase refuses rows that are older than two years; its totals of a site's days have no such end.
KEEPS = {"enphase": timedelta(days=729), "enphasevpp": timedelta(days=729)}
# Models of devices that have no series of their own: Enphase took that of AC Batteries out of its APIs.
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
        wanted = {"solar": "solar_inverter", "battery": "battery"}[self.kind]
        return sum(device.kind == wanted for device in self.site.view.devices)


class Vendor:
    """One vendor's plugin before its emulator, at the moment `now`."""

    def __init__(self, name, app, url):
        self.name, self.dialect, self._app = name, app.extensions["dialects"][name], app
        self.account = Account(Played(url), name)
        self.now = None

    @contextmanager
    def at(self, now):
        """The clock of both stands there."""
        self.now = now
        self.account.played.put("/clock", {"now": now.isoformat()})
        self.account.cloud.replies = type(self.account.cloud.replies)()
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
        found = self.account.sweep("devices" if case.device else "sites").records
        native = set(case.device.native.values()) if case.device else {case.site.site_id}
        kinds = {"solar": "SolarInverter", "battery": "Battery"}
        for record in found:
            is_here = not case.device or record.vendor_site_id == case.site.site_id
            is_right = not case.device or type(record).__name__ == kinds[case.kind]
            if is_here and is_right and record.vendor_id in native:
                return record.key
        raise LookupError(case)

    def read(self, case, level, start=None, end=None, size=10_000):
        """All intervals of the window, page by page; None where the vendor does not offer it."""
        key, found, begun, pages = self.key(case), [], start, 0
        while True:
            plugin = self.plugin
            try:
                series = getattr(plugin, case.operation)(key, level)
            except NotOffered:
                return None
            window = Asked(level, begun, end).widened(series.zone, self.now, series.since)
            until = None
            for one in intervals(series, window, size, self.now):
                if isinstance(one, ReadUpTo):
                    until = one.until
                else:
                    found.append(one)
            pages += 1
            assert pages < 400, "no progress"
            assert until is not None
            if until >= window.end:
                return found
            begun = until

    def check(self, case, level, start, end, size=10_000, may_miss=()):
        """Every interval with truth above 0 is there, and every one given is right. Gives what was read."""
        found = self.read(case, level, start, end, size)
        lacks = {case.operation, f"{case.operation}.{level}"}
        if case.is_one_of_several:
            lacks.add(f"{case.operation}.of_several")
        assert (found is None) == bool(lacks & self.plugin.lacks)
        if found is None:
            return None
        self.check_each(case, found)
        if case.kind == "battery":
            self._check_charge(case, found, level)
        else:
            assert {one.soc_percent for one in found} <= {None}, "the sun has no state of charge"
        self._check_all_there(case, found, level, start, end, [*may_miss, *self._forgotten(case, level)])
        return found

    def _forgotten(self, case, level):
        """The time of which the vendor has no rows any more."""
        if self.name in KEEPS and (level.is_fine or case.device):
            yield EARLIEST, self.now - KEEPS[self.name]

    def check_each(self, case, found, *, trusts_derived=True):
        """Holds intervals against the truth: partial ones may have less energy, all others have as much.

        trusts_derived: whether that is so for intervals whose values were split or spread, too.
        """
        assert [one.start for one in found] == sorted({one.start for one in found})
        for one in found:
            assert isinstance(one, Interval)
            truth = case.kwh(*self._as_counted(case, one))
            most_off = self._most_off(case, one)
            for given, true in zip(one.kwh, truth, strict=True):
                assert given >= 0
                if one.quality is Quality.PARTIAL:
                    assert given <= true + most_off, (one, true)
                elif trusts_derived or one.quality is Quality.MEASURED:
                    assert abs(given - true) <= most_off, (one, true)

    def _check_charge(self, case, found, level):
        """The mean state of charge is within a point, and what it changes by within a native row; of days and
        months there is none."""
        told = [one for one in found if one.soc_percent is not None]
        assert not told or level.is_fine
        if found and level.is_fine:
            assert bool(told) != (f"{case.operation}.soc_percent" in self.plugin.lacks)
        row = timedelta(minutes=15).total_seconds()
        for one in told:
            start, end = one.start.timestamp(), one.end.timestamp()
            true = [case.site.site.soc_percent(start - row + step * (end - start + row) / 16) for step in range(17)]
            true = [percent for percent in true if percent is not None]
            assert min(true) - 1 <= one.soc_percent <= max(true) + 1, (one, true)

    def _as_counted(self, case, one):
        """The span that the vendor's own totals of a date or month have: with Solis those of the inverters' clock."""
        start, end = one.start, min(one.end, self.now)
        if self.name != "solis" or one.end - one.start < timedelta(hours=20):
            return start, end
        zone = self.zone(case)
        return tuple(at + at.astimezone(zone).dst() for at in (start, end))

    def _most_off(self, case, one):
        most_off = MOST_OFF.get(self.name, USUALLY_OFF)
        if self.name == "solis":
            # Between two readings of a large inverter its power changes.
            most_off += 0.005 * max(one.kwh) / case.devices
            if self._begins_anew(case, one):
                # The step of the counter, and what flowed between its last reading and the reset.
                most_off *= 2
        return most_off * case.devices + 1e-6

    def _begins_anew(self, case, one):
        """Whether the inverters' midnight lies in the interval, or just beside it."""
        zone = self.zone(case)
        day = one.start.astimezone(zone).replace(hour=0, minute=0)
        midnights = [day + day.dst() + timedelta(days=number) for number in (-1, 0, 1, 2)]
        near = timedelta(minutes=10)
        return any(one.start - near <= at <= one.end + near for at in midnights)

    def _check_all_there(self, case, found, level, start, end, may_miss):
        given = {one.start: one.end for one in found}
        zone = self.zone(case)
        window = Asked(level, start, end).widened(zone, self.now, case.site.site.operational_since)
        borders = list(window.borders())
        lag = self.plugin.lag + timedelta(minutes=20)
        for begins, ends in pairwise(borders):
            if begins in given:
                assert given[begins] == ends
            elif ends <= self.now - lag and not any(a < ends and b > begins for a, b in may_miss):
                most_off = MOST_OFF.get(self.name, 0.0) * case.devices
                assert max(case.kwh(begins, ends)) <= most_off, (begins, ends, case.kwh(begins, ends))

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
