"""Single reads of a plugin, and the truth of the fleet at the time of each record (`measured_at`)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from unittest import mock
from zoneinfo import ZoneInfo

from tests.services import Account, Played
from tests.vendors.stages import offers
from tests.vendors.support import open_vendor
from vendors.kit import Battery, Client, Level, NotOffered, SolarInverter
from vendors.kit.calls.reply_cache import ReplyCache
from vendors.kit.series.read import intervals
from vendors.kit.series.resample import Interval
from vendors.kit.series.windows import RequestedWindow

READS = {"solar_inverter": SolarInverter, "battery": Battery}
# Devices of each kind read at a site: a roof may have hundreds of microinverters.
MOST_DEVICES = 2
# By read: members with a power or a state of charge, and their names in the truth; by member: the step of an energy.
PRESENT = {
    "site": {"power_kw": "power_kw", "charge_kw": "charge_kw", "discharge_kw": "discharge_kw"}
    | {"bess.soc_percent": "soc_percent"},
    "solar_inverter": {"power_kw": "power_kw"},
    "battery": {"charge_kw": "charge_kw", "discharge_kw": "discharge_kw", "soc_percent": "soc_percent"},
}
PRODUCTIONS = {"recent_production": "energy_wh", "lifetime_production": "lifetime_wh"}
# In steps of the vendor's resolution, the size from which a value shows a wrong sign or unit.
STEPS_SEEN = 10
ROUNDING = 1e-6
# Number of parts of the span in which a value may have been measured, at whose borders the truth is taken.
PARTS = 4
A_DAY = timedelta(hours=25)


class Live:
    """A vendor's plugin with its emulator, both at the same time."""

    def __init__(self, app, url, name):
        self._http, self.account, self.name = app.test_client(), Account(Played(url), name), name
        truth = self._truth("")
        self.resolution = truth["resolutions"][name]
        self.step = timedelta(seconds=self.resolution["seconds"])
        self._zones = [ZoneInfo(site["timezone"]) for site in truth["sites"]]
        self._since = [datetime.fromisoformat(site["operational_since"]) for site in truth["sites"]]
        self.now = datetime.now(UTC)
        self.account.cloud.reply_cache = ReplyCache(clock=lambda: self.now.timestamp())

    @property
    def plugin(self):
        return open_vendor(self.name, headers=self.account.headers, cloud=self.account.cloud, seconds=60)

    def reports(self, label):
        """Whether the vendor has this member, such as `battery.soc_percent`, and single reads of its kind at all."""
        return label not in self.plugin.lacks and offers(type(self.plugin), label.partition(".")[0])

    def at(self, now):
        """Sets all clocks, also that of cached replies; a clock that goes back empties the cache."""
        if now < self.now:
            self.account.cloud.reply_cache = ReplyCache(clock=lambda: self.now.timestamp())
        self.now = now
        self.account.played.put("/clock", {"now": now.isoformat()})
        return mock.patch.object(Client, "now", now)

    def local(self, number, day, hour, minute):
        """A time of that site's clock."""
        return datetime(day.year, day.month, day.day, hour, minute, tzinfo=self._zones[number]).astimezone(UTC)

    def midnight(self, number):
        return self.local(number, self.now.astimezone(self._zones[number]).date(), 0, 0)

    def reads(self, number):
        """A site and its devices, each by a single read."""
        view = self.account.views[number]
        key = next(site.key for site in self.plugin.sites() if site.vendor_id == view["site"])
        yield Read(self, number, "site", None, key)
        for label in READS:
            for device, key in self.devices(number, label):
                yield Read(self, number, label, device, key)

    def devices(self, number, label):
        """The devices of a kind as the truth has them, with the keys that the plugin gives them."""
        view, kind = self.account.views[number], READS[label]
        keys = {row.vendor_id: row.key for row in self.plugin.devices(view["site"]) if row.kind is kind}
        for device in [device for device in view["devices"] if device["kind"] == label][:MOST_DEVICES]:
            yield device, next(keys[id] for id in device["ids"].values() if id in keys)

    def has_series(self, label, key):
        kind = {"solar_inverter": "solar", "battery": "battery"}[label]
        try:
            getattr(self.plugin, f"{kind}_intervals")(key, Level.QUARTER)
        except NotOffered:
            return False
        return True

    def newest_of_all(self, reads):
        """End and energy of the newest interval, of every series of the site and of the devices that were read."""
        newest = {}
        for level in Level:
            for kind, label in (("solar", "solar_inverter"), ("battery", "battery")):
                if label in reads:
                    newest |= self._newest(f"{kind}_intervals", level, reads[label].key)
                newest |= self._newest(f"site_{kind}_intervals", level, reads["site"].key)
        return newest

    def _newest(self, operation, level, key):
        if {operation, f"{operation}.{level}"} & self.plugin.lacks:
            return {}
        series = getattr(self.plugin, operation)(key, level)
        window = RequestedWindow(level, self.now - timedelta(hours=4), None).widened(
            series.zone, self.now, series.since
        )
        page = intervals(series, window, 1000, self.now)
        newest = [interval for interval in page if isinstance(interval, Interval)][-1]
        return {(operation, level): (newest.end, newest.kwh)}

    def state(self, number, device, at):
        return self._truth("/state", number, device, at=at.isoformat(), seconds=self.resolution["seconds"])

    def produced_kwh(self, number, device, start, end):
        start = start or self._since[number]
        span = {"start": start.isoformat(), "end": max(start, end).isoformat()}
        return self._truth("/energy", number, device, **span)["wh"] / 1000

    def _truth(self, path, number=None, device=None, **query):
        """The sandbox's answer. The last part of a device's id, by which it is named, is unique among its kind."""
        if number is not None:
            query |= {"vendor": self.name, "site": self.account.views[number]["site"]}
        if device:
            query["device"] = list(device["ids"].values())[-1]
        response = self._http.get(f"/truth{path}", query_string=query)
        assert response.status_code == 200, response.text
        return response.json


@dataclass
class Read:
    """A site or a device, by a single read."""

    live: Live
    number: int
    label: str
    device: dict | None
    key: tuple

    def __post_init__(self):
        self.record = getattr(self.live.plugin, self.label)(self.key)
        self.as_of = self.record.measured_at or self.live.now
        self._seen = set()

    def check(self):
        """Holds its values against the truth. Returns the members that were large enough to show a fault."""
        assert self.as_of <= self.live.now, self._says()
        assert self.as_of >= self._oldest or not self._has_changed(), self._says()
        for member, name in PRESENT[self.label].items():
            value = self._value(member)
            self._compare(member, value, self._states(name, value), self._step_of(name))
        for member, step in PRODUCTIONS.items():
            if self.label == "solar_inverter":
                self._compare_production(member, getattr(self.record, member), self.live.resolution[step] / 1000)
        return self._seen

    def moving(self):
        """Name and value of the reported members that change while the sun shines and the battery charges."""
        for member in ("measured_at", "bess.soc_percent", "soc_percent", *PRODUCTIONS):
            value = self._value(member)
            if value is not None:
                yield member, getattr(value, "kwh", value)

    def _value(self, path):
        value = self.record
        for member in path.split("."):
            value = getattr(value, member, None)
        return value

    def _states(self, name, value):
        """The truth at the time of the record, and at earlier times at which the value may have been measured.

        In the dark many vendors have no rows, so that the time of no value, or of 0, is unknown.
        """
        seconds = self.live.resolution["apart_seconds"] if self.label == "site" else 0
        if name == "soc_percent":
            seconds = self.live.resolution["charge_seconds"]
        oldest = self.as_of - timedelta(seconds=seconds) if value else min(self._oldest, self.as_of)
        times = [self.as_of - part * (self.as_of - oldest) / PARTS for part in range(PARTS + 1)]
        return [self.live.state(self.number, self.device, at)[name] or 0.0 for at in dict.fromkeys(times)]

    def _compare_production(self, member, production, step):
        """Allows for an energy that is older than the powers of the same record, by the vendor's lag."""
        start = production and production.start
        if member == "recent_production":
            start = start or self.live.midnight(self.number)
            assert timedelta(0) <= self.live.now - start <= A_DAY, self._says(member, start)
        oldest = min(self._oldest, self.as_of)
        true = [self.live.produced_kwh(self.number, self.device, start, end) for end in (oldest, self.as_of)]
        self._compare(member, production and production.kwh, true, step)

    def _compare(self, member, value, true, step):
        name, least, most = f"{self.label}.{member}", min(true), max(true)
        if name in self.live.plugin.lacks:
            assert value is None, self._says(name, value)
        elif value is None:
            assert least <= step or self._may_lack(member), self._says(name, value, true)
        else:
            assert least - step - ROUNDING <= value <= most + step + ROUNDING, self._says(name, value, true, step)
            self._seen |= {name} if least > STEPS_SEEN * step else set()

    @property
    def _oldest(self):
        """The oldest time that the newest value may have, by the vendor's lag and the length of its rows."""
        return self.live.now - self.live.plugin.lag - 2 * self.live.step

    def _has_changed(self):
        """Whether energy flowed at the oldest time that the newest value may have: at night an inverter may sleep."""
        state = self.live.state(self.number, self.device, self._oldest)
        return any(state[name] for name in ("power_kw", "charge_kw", "discharge_kw"))

    def _may_lack(self, member):
        """Whether the value may be missing: of a device without a series, of a site with such batteries alone, and the
        charge of several batteries together, which no vendor reports."""
        if self.label != "site":
            return not self.live.has_series(self.label, self.key)
        batteries = [key for _, key in self.live.devices(self.number, "battery")]
        is_sum = member == "bess.soc_percent" and len(batteries) > 1
        return is_sum or (member != "power_kw" and not any(self.live.has_series("battery", key) for key in batteries))

    def _step_of(self, name):
        """How far a value may be off; a power by as much for each device in it."""
        if name == "soc_percent":
            return self.live.resolution[name]
        return self.live.resolution["power_w"] / 1000 * (1 if self.device else self._devices)

    @property
    def _devices(self):
        return len(self.live.account.views[self.number]["devices"])

    def _says(self, *more):
        return f"site {self.number} at {self.live.now}", self.record, *more
