"""SMA Monitoring API v1, and SMA's public sandbox as `smasbox`.

Credential: `X-Authorization-sma: Bearer <access token>`; SMA's tokens live 300 s. Stored: a client, whose own token
sees every owner who has agreed (custom grant), or one that acts for a single owner.
Calls: sites 1; devices 1 + S for S sites; one site 3; one inverter 4; one battery 3; intervals 1 for each day of
quarters or hours, month of days, year of months, 1 for the time zone, and of a site 1 for its devices. No paging. At
most 4 calls in parallel (SMA publishes no number); a token bucket of unknown size answers 429.
Quirks: serial numbers are not unique, so devices are keyed on deviceId. Charging stations are listed as
"Solar Inverters" but have no generatorPower. Absent values are left out. An account without the owner's
consent has an empty list, which is no error. Ids that moved to ennexOS answer 308.
Source: https://developer.sma.de/sma-apis.html, read November 2026.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date
from functools import partial
from typing import TypeVar

from vendors.kit import (
    OAUTH_CLIENT,
    AnyDevice,
    Battery,
    DeviceRow,
    Freshness,
    Key,
    Level,
    ListCalls,
    NotFound,
    NotOffered,
    Production,
    Reply,
    Request,
    Row,
    Series,
    Site,
    SiteRow,
    SolarInverter,
    Stage,
    Status,
    Variant,
    Vendor,
    VendorError,
    calendar_tiles,
    day_start,
    find_record,
    next_period,
    without_impossible,
)
from vendors.kit.parsing.reading import Raw, moment, text, zone
from vendors.sma.consent import BY_MAIL, OWNERS, TOKENS
from vendors.sma.errors import failure_of
from vendors.sma.records import DEVICES, GENERATORS, checked, generators_kw, to_device, to_site
from vendors.sma.series import FLOWS, PERIODS, PRODUCED, Source, to_rows
from vendors.sma.state import Present, lifetime_kwh, to_present, to_status, with_today

DEVICE, PLANT = "/v1/devices/{}", "/v1/plants/{}"
DEVICE_LIST = PLANT + "/devices/lean"
MEASUREMENTS = "/measurements/sets/{}/{}"
SOLAR_SET, BATTERY_SET, PLANT_SET = "EnergyAndPowerPv", "EnergyAndPowerBattery", "EnergyBalance"
ENERGIES = {"ReturnEnergyValues": "true"}

T = TypeVar("T")


class Sma(Vendor):
    stage = Stage.SERIES
    hosts = {
        "sma": {"main": "https://monitoring.smaapis.de"},
        "smasbox": {"main": "https://sandbox.smaapis.de/monitoring"},
    }
    titles = {"sma": "SMA", "smasbox": "SMA sandbox"}
    variants = (
        Variant("customgrant", OAUTH_CLIENT, TOKENS, BY_MAIL),
        Variant("oauthclient", OAUTH_CLIENT, consent=OWNERS),
    )
    list_calls = ListCalls("1", "1, and 1 for each site")
    follows_308 = True
    no_control = "SMA offers no public call that controls batteries."
    lacks = frozenset({
        "site.utc_offset_hours", "site.bess.nameplate_kwh", "site.bess.mode", "solar_inverter.kind",
        "solar_inverter.recent_errors", "battery.rated_power_kw", "battery.kind", "battery.mode",
        "battery.recent_errors",
    })  # fmt: skip

    def failure(self, reply: Reply, request: Request) -> VendorError | None:
        return failure_of(reply)

    def sites(self) -> Iterator[SiteRow]:
        extras = {"WithInstallation": "true", "WithLocation": "true"}
        yield from self.client.get("/v1/plants", params=extras).rows("plants", to=to_site)

    def devices(self, site: str | None = None) -> Iterator[DeviceRow]:
        plants = [site] if site else [row.vendor_id for row in self.sites()]
        yield from self.client.each(plants, self._devices_of, one_call=True)

    def _devices_of(self, plant: str) -> list[DeviceRow]:
        reply = self.client.get(DEVICE_LIST, plant, only=DEVICES)
        reply.record(lambda raw: checked(raw, reply.url))
        return reply.rows("devices", to=partial(to_device, plant))

    def site(self, key: Key) -> Site:
        site = self._known_site(key)
        newest = self.client.optional(lambda: self._newest(self._plant(site, PRODUCED))).result() or Present()
        return replace(
            site,
            bess=newest.bess,
            power_kw=newest.power_kw,
            charge_kw=newest.charge_kw,
            discharge_kw=newest.discharge_kw,
            measured_at=newest.measured_at,
        )

    def solar_inverter(self, key: Key) -> SolarInverter:
        device, source = self._device(key, SolarInverter)
        today = self.client.now.astimezone(source.clock).date()
        of_today = self.client.optional(lambda: self._rows(Level.QUARTER, source, today))
        lifetime = self.client.optional(lambda: self._lifetime(source))
        status, word = self.client.optional(lambda: self._status(source)).result() or (None, None)
        inverter = replace(device, lifetime_production=lifetime.result(), status=status, vendor_status=word)
        return with_today(inverter, of_today.result() or [], day_start(today, source.clock))

    def battery(self, key: Key) -> Battery:
        device, source = self._device(key, Battery)
        live = self.client.optional(lambda: self._newest(source))
        status, word = self.client.optional(lambda: self._status(source)).result() or (None, None)
        newest = live.result() or Present()
        return replace(
            device,
            soc_percent=newest.soc_percent,
            charge_kw=newest.charge_kw,
            discharge_kw=newest.discharge_kw,
            measured_at=newest.measured_at,
            status=status,
            vendor_status=word,
        )

    def solar_intervals(self, key: Key, level: Level) -> Series:
        return self._series(self._device(key, SolarInverter)[1], level)

    def battery_intervals(self, key: Key, level: Level) -> Series:
        return self._series(self._device(key, Battery)[1], level)

    def site_solar_intervals(self, key: Key, level: Level) -> Series:
        site = self._known_site(key)
        return self._series(replace(self._plant(site, PRODUCED), max_kw=self._max_kw(site)), level)

    def site_battery_intervals(self, key: Key, level: Level) -> Series:
        if not any(row.kind is Battery for row in self._devices_of(key[0])):
            raise NotOffered
        return self._series(self._plant(self._known_site(key), FLOWS), level)

    def _known_site(self, key: Key) -> Site:
        return find_record(self.sites(), Site, key)

    def _device(self, key: Key, kind: type[AnyDevice]) -> tuple[AnyDevice, Source]:
        """The device and its set of measurements. Raises NotFound for a device of another kind."""
        reply = self.client.get(DEVICE, *key)
        reply.record(lambda raw: checked(raw, reply.url))
        row = reply.record(lambda raw: to_device(text(raw["plant"], "plantId"), raw["details"]))
        device = row.record() if row else None
        if not isinstance(device, kind):
            raise NotFound(reply.url, "it is of another kind, or out of service")
        clock = reply.record(lambda raw: zone(raw["plant"], "timezone")) or UTC
        since = reply.record(lambda raw: moment(raw["details"], "startUpUtc"))
        if isinstance(device, Battery):
            return device, Source(DEVICE, device.vendor_id, BATTERY_SET, FLOWS, clock, since)
        return device, Source(DEVICE, device.vendor_id, SOLAR_SET, PRODUCED, clock, since, device.rated_power_kw)

    def _plant(self, site: Site, members: tuple[str, ...]) -> Source:
        return Source(PLANT, site.vendor_id, PLANT_SET, members, site.clock, site.operational_since)

    def _max_kw(self, site: Site) -> float | None:
        """Peak power of a plant, or the rated power of its devices if that is more; None without a peak power.

        Neither bounds a plant alone: a peak power may be out of date, and devices may have no rating. Deactivated
        devices count, since past rows hold their energy.
        """
        if site.peak_power_kw is None:
            return None
        params = {"WithDeactivatedDevices": "true"}
        reply = self.client.get(DEVICE_LIST, site.vendor_id, params=params, only=GENERATORS)
        return max(site.peak_power_kw, reply.record(lambda raw: generators_kw(checked(raw, reply.url))))

    def _series(self, source: Source, level: Level) -> Series:
        tiles = calendar_tiles(PERIODS[level].unit, source.clock, lambda first: [self._rows(level, source, first)])
        return Series(source.clock, tiles, self.lag, nights=source.members is PRODUCED, since=source.since)

    def _rows(self, level: Level, source: Source, first: date) -> list[Row]:
        """The rows of a day, the days of a month or the months of a year, up to now."""
        period = PERIODS[level]
        start, end = day_start(first, source.clock), day_start(next_period(period.unit, first), source.clock)
        params = {"Date": first.strftime(period.date_format)} | (ENERGIES if level.is_fine else {})
        until = min(end, self.client.now)
        rows = self._measured(
            source,
            period.name,
            lambda raw: to_rows(raw, source, period.usual_resolution, start, until),
            params,
            self.client.freshness(end),
        )
        return without_impossible(rows, source.max_kw)

    def _newest(self, source: Source) -> Present:
        """The newest row."""
        now = self.client.now
        return self._measured(source, "Recent", lambda raw: to_present(raw, source.clock, now), {}, Freshness.LIVE)

    def _lifetime(self, source: Source) -> Production | None:
        total_kwh = self._measured(source, "Total", lifetime_kwh, {"WithTotal": "true"}, Freshness.TODAY)
        return None if total_kwh is None else Production(total_kwh, source.since)

    def _measured(
        self, source: Source, period: str, to: Callable[[Raw], T], params: dict[str, str], freshness: Freshness
    ) -> T:
        """One set of measurements over a period, converted by `to`."""
        reply = self.client.get(
            source.path + MEASUREMENTS, source.id, source.set, period, params=params, freshness=freshness
        )
        return reply.record(lambda raw: to(checked(raw, reply.url)))

    def _status(self, source: Source) -> tuple[Status | None, str | None]:
        reply = self.client.get(DEVICE + "/status", source.id, freshness=Freshness.LIVE)
        return reply.record(lambda raw: to_status(checked(raw, reply.url)))
