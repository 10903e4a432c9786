"""Series as a plugin reads them from its emulator, at one moment of a clock that stands still."""

from contextlib import contextmanager
from dataclasses import dataclass
from unittest import mock
from zoneinfo import ZoneInfo

from tests.services import Account, Played
from tests.vendors.support import open_vendor
from vendors.kit import Battery, Client, NotOffered, SolarInverter
from vendors.kit.series.read import ReadUpTo, intervals
from vendors.kit.series.resample import Interval
from vendors.kit.series.windows import RequestedWindow

# In kWh, the step of counters up to which every row is known to be exact.
FINE_STEP_KWH = 0.001
# Models of devices without a series: Enphase took that of AC Batteries out of its APIs.
WITHOUT_SERIES = {"ACB"}
# By the kind of a series: the class of its devices, and members of the truth.
KINDS = {"solar": SolarInverter, "battery": Battery}
QUANTITIES = {"solar": ("pv",), "battery": ("charge", "discharge")}
MAX_PAGES = 400


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
        """The energies that truly flowed."""
        spans = start.timestamp(), end.timestamp()
        view = self.site.view
        if self.device:
            return tuple(view.energy_wh(self.device, name, *spans) / 1000 for name in QUANTITIES[self.kind])
        return tuple(view.site_energy_wh(name, *spans) / 1000 for name in QUANTITIES[self.kind])

    @property
    def devices(self):
        """How many devices the series is of."""
        return 1 if self.device else self._of_its_kind

    @property
    def is_one_of_several(self):
        """Whether a vendor that has energies of sites only cannot know those of the device."""
        return self.device is not None and self._of_its_kind > 1

    @property
    def _of_its_kind(self):
        device_kind = {"solar": "solar_inverter", "battery": "battery"}[self.kind]
        return sum(device.kind == device_kind for device in self.site.view.devices)


class SeriesReader:
    """A vendor's plugin with its emulator, and the series that it reads at the moment `now`."""

    def __init__(self, name, app, url):
        self.name, self.dialect, self._app = name, app.extensions["dialects"][name], app
        self.account = Account(Played(url), name)
        self.now = None

    @property
    def step_kwh(self):
        """The step of the vendor's counters: an interval may be off by it, for each device of the series."""
        return self.dialect.resolution.energy_wh / 1000

    @property
    def is_fine(self):
        """Whether the step is so small that an interval without a value has no energy."""
        return self.step_kwh <= FINE_STEP_KWH

    @contextmanager
    def at(self, now):
        """Stops the clocks of plugin and emulator at that moment."""
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
        """The key that the plugin gives to the site or device. Raises LookupError for one that is not listed."""
        keys = self._keys_of_device(case) if case.device else self._keys_of_site(case)
        for key in keys:
            return key
        raise LookupError(case)

    def _keys_of_site(self, case):
        return (site.key for site in self.account.sweep("sites").records if site.vendor_id == case.site.site_id)

    def _keys_of_device(self, case):
        native = set(case.device.native.values())
        return (
            device.key
            for device in self.account.sweep().records
            if (type(device), device.vendor_site_id) == (KINDS[case.kind], case.site.site_id)
            and device.vendor_id in native
        )

    def read(self, case, level, start=None, end=None, size=10_000):
        """All intervals of the window, page by page; None where the vendor does not offer the series."""
        key, all_intervals, since = self.key(case), [], start
        for _ in range(MAX_PAGES):
            try:
                series = getattr(self.plugin, case.operation)(key, level)
            except NotOffered:
                return None
            window = RequestedWindow(level, since, end).widened(series.zone, self.now, series.since)
            page = list(intervals(series, window, size, self.now))
            all_intervals += [interval for interval in page if isinstance(interval, Interval)]
            since = [reached.until for reached in page if isinstance(reached, ReadUpTo)][-1]
            if since >= window.end:
                return all_intervals
        raise AssertionError("no progress")

    def zone(self, case):
        """The site's clock."""
        return ZoneInfo(case.site.site.place.timezone)
