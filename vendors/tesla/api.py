"""Tesla Fleet API, energy endpoints.

Credential: `X-Authorization-tesla: Bearer <token>`, a third-party token of the site's owner with the scope
`energy_device_data`. Stored: an application, which is registered in each region, and to which owners agree. Every
answer below 500 costs its owner money.
Calls: sites 1; devices 1 + S for S sites with solar or battery; one site 2; one inverter 4 and one battery 2, but 1
each where the site has several of the kind; intervals 1 for each day of quarters or hours, month of days or year of
months, and 1 for the clock and the devices, cached for an hour. No paging.
Quirks: products are vehicles and sites mixed, and sites of a mere electricity contract. Accounts belong to a region:
421 means another region. A retired site stays listed, and its calls answer 500 permanently, as calls for other sites do
now and then. Device lists may be missing: then a synthetic inverter or battery represents all of the site. A
Powerwall 3 is listed with the gateways. Serial numbers repeat, so devices are keyed on the DIN (`<part number>--<serial
number>`). Powers and energies are the site's: a device has them if it is the only device of its kind there.
Source: https://developer.tesla.com/docs/fleet-api, and replies that public clients recorded; read November 2026.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from vendors.kit import (
    OAUTH_CLIENT,
    AnyDevice,
    Battery,
    CalendarUnit,
    DeviceRow,
    Freshness,
    Key,
    Level,
    ListCalls,
    NotOffered,
    Reply,
    Request,
    Row,
    Series,
    Site,
    SiteRow,
    SolarInverter,
    Stage,
    Variant,
    Vendor,
    VendorError,
    calendar_tiles,
    day_start,
    find_record,
    next_period,
    within,
)
from vendors.kit.parsing.reading import Raw, kilo, moment, number, rows
from vendors.kit.series.windows import EARLIEST
from vendors.tesla.consent import OWNERS, PARTNER
from vendors.tesla.errors import failure_of
from vendors.tesla.records import devices_of, response_of, to_id_with_devices, to_site
from vendors.tesla.series import FLOWS, PRODUCED, Energies, to_rows
from vendors.tesla.state import Installation, charge_percent, flows_kw, has, mode_of, to_production, with_details

PRODUCTS = "/api/1/products"
SITE_INFO = "/api/1/energy_sites/{}/site_info"
LIVE_STATUS = "/api/1/energy_sites/{}/live_status"
HISTORY = "/api/1/energy_sites/{}/calendar_history"
# The history's period, which is also the calendar's unit that a call covers.
PERIODS = {
    Level.QUARTER: CalendarUnit.DAY,
    Level.HOUR: CalendarUnit.DAY,
    Level.DAY: CalendarUnit.MONTH,
    Level.MONTH: CalendarUnit.YEAR,
}


REGION = "/api/1/users/region"


class Tesla(Vendor):
    stage = Stage.SERIES
    hosts = {
        "tesla": {
            "na": "https://fleet-api.prd.na.vn.cloud.tesla.com",
            "eu": "https://fleet-api.prd.eu.vn.cloud.tesla.com",
            "cn": "https://fleet-api.prd.cn.vn.cloud.tesla.cn",
        }
    }
    titles = {"tesla": "Tesla"}
    variants = (Variant("app", OAUTH_CLIENT, consent=OWNERS),)
    registration = PARTNER
    list_calls = ListCalls("1", "1, and 1 for each site with solar or battery")
    # The cloud renews live values every few minutes; more frequent calls would cost money for equal values.
    fresh_seconds = {**Vendor.fresh_seconds, Freshness.LIVE: 120.0}
    lag = timedelta(minutes=10)
    no_control = (
        "Tesla takes modes and a reserve, but no power and no end: what was set would have to be taken back afterwards."
    )
    # `utc_offset_hours` is lacking where the site's time zone has a name.
    lacks = frozenset({
        "site.peak_power_kw", "site.utc_offset_hours", "solar_inverter.name", "solar_inverter.status",
        "solar_inverter.vendor_status", "solar_inverter.recent_errors", "battery.name", "battery.status",
        "battery.vendor_status", "battery.recent_errors", "solar_intervals.of_several",
        "battery_intervals.of_several", "battery_intervals.soc_percent",
        "site_battery_intervals.soc_percent",
    })  # fmt: skip

    def sign(self, request: Request) -> None:
        super().sign(request)
        request.headers["Content-Type"] = "application/json"

    def failure(self, reply: Reply, request: Request) -> VendorError | None:
        return failure_of(reply, request)

    def spent(self, reply: Reply) -> float | None:
        if reply.headers.get("RateLimit-Remaining") != "0":
            return None
        return number(reply.headers, "RateLimit-Reset")

    def account_region(self) -> str | None:
        region = self.client.get(REGION, freshness=Freshness.UNCACHED).record(lambda raw: raw["response"]["region"])
        return region.lower() if isinstance(region, str) else None

    def sites(self) -> Iterator[SiteRow]:
        yield from self.client.get(PRODUCTS).rows("response", to=to_site)

    def devices(self, site: str | None = None) -> Iterator[DeviceRow]:
        sites = [site] if site else self.client.get(PRODUCTS).rows("response", to=to_id_with_devices)
        yield from self.client.each(sites, lambda id: self._installation(id).devices, one_call=True)

    def site(self, key: Key) -> Site:
        installation = self._installation(key[0])
        live = self.client.optional(lambda: self._live(installation.id)).result() or {}
        return with_details(Site(key=key, vendor_id=key[0], name=key[0]), installation, live)

    def solar_inverter(self, key: Key) -> SolarInverter:
        installation = self._installation(key[0])
        inverter = find_record(installation.devices, SolarInverter, key)
        if not installation.has_one(SolarInverter):
            return inverter
        today = self.client.now.astimezone(installation.clock).date()
        of_today = self.client.optional(lambda: self._rows(installation, PRODUCED, CalendarUnit.DAY, today))
        lifetime = self.client.optional(lambda: self._lifetime(installation))
        live = self.client.optional(lambda: self._live(installation.id)).result() or {}
        return replace(
            inverter,
            power_kw=kilo(live, "solar_power"),
            measured_at=moment(live, "timestamp"),
            recent_production=to_production(of_today.result() or [], day_start(today, installation.clock)),
            lifetime_production=to_production(lifetime.result() or [], installation.since),
        )

    def battery(self, key: Key) -> Battery:
        installation = self._installation(key[0])
        battery = replace(find_record(installation.devices, Battery, key), mode=mode_of(installation.info))
        if not installation.has_one(Battery):
            return battery
        live = self.client.optional(lambda: self._live(installation.id)).result() or {}
        charge_kw, discharge_kw = flows_kw(live)
        return replace(
            battery,
            soc_percent=charge_percent(live),
            charge_kw=charge_kw,
            discharge_kw=discharge_kw,
            measured_at=moment(live, "timestamp"),
        )

    def solar_intervals(self, key: Key, level: Level) -> Series:
        return self._of_device(key, SolarInverter, PRODUCED, level)

    def battery_intervals(self, key: Key, level: Level) -> Series:
        return self._of_device(key, Battery, FLOWS, level)

    def site_solar_intervals(self, key: Key, level: Level) -> Series:
        return self._of_site(key, "solar", PRODUCED, level)

    def site_battery_intervals(self, key: Key, level: Level) -> Series:
        return self._of_site(key, "battery", FLOWS, level)

    def _installation(self, site: str) -> Installation:
        """The site with its devices, for the price of one call."""
        reply = self.client.get(SITE_INFO, site)
        info = reply.record(partial(response_of, site))
        return Installation(site, info, devices_of(reply, site, info))

    def _live(self, site: str) -> Raw:
        live: Raw = self.client.get(LIVE_STATUS, site, freshness=Freshness.LIVE).record(partial(response_of, site))
        return live

    def _of_device(self, key: Key, kind: type[AnyDevice], energies: Energies, level: Level) -> Series:
        """The site's series where the device is alone of its kind. Raises NotFound for a device that is not listed."""
        installation = self._installation(key[0])
        find_record(installation.devices, kind, key)
        if not installation.has_one(kind):
            raise NotOffered
        return self._series(installation, energies, level)

    def _of_site(self, key: Key, component: str, energies: Energies, level: Level) -> Series:
        """The site's series. Raises NotOffered where it has no such component: zeros would cost as much as energies."""
        installation = self._installation(key[0])
        if not has(installation.info, component):
            raise NotOffered
        return self._series(installation, energies, level)

    def _series(self, site: Installation, energies: Energies, level: Level) -> Series:
        period = PERIODS[level]
        tiles = calendar_tiles(period, site.clock, lambda first: [self._rows(site, energies, period, first)])
        return Series(site.clock, tiles, self.lag, since=site.since)

    def _rows(self, site: Installation, energies: Energies, period: CalendarUnit, first: date) -> list[Row]:
        """The rows of a day, the days of a month or the months of a year, up to now."""
        start, end = day_start(first, site.clock), day_start(next_period(period, first), site.clock)
        window = {
            "start_date": start.astimezone(site.clock).isoformat(),
            # With midnight as its end, a history has a last day that is empty or useless.
            "end_date": (end - timedelta(seconds=1)).astimezone(site.clock).isoformat(),
        }
        history = self._history(site, energies, period, window, self.client.freshness(end))
        return within(history, start, min(end, self.client.now))

    def _lifetime(self, site: Installation) -> list[Row]:
        return within(self._history(site, PRODUCED, "lifetime", {}, Freshness.TODAY), EARLIEST, self.client.now)

    def _history(
        self,
        site: Installation,
        energies: Energies,
        period: str,
        window: Mapping[str, str],
        freshness: Freshness,
    ) -> list[Row]:
        params = {"kind": "energy", "period": period, **window}
        if isinstance(site.clock, ZoneInfo):
            params["time_zone"] = site.clock.key
        reply = self.client.get(HISTORY, site.id, params=params, freshness=freshness)

        def convert(raw: Raw) -> list[Row]:
            # A history without rows is null.
            time_series = rows(response_of(site.id, raw), "time_series", optional=True)
            return to_rows(time_series, energies, period, site.clock)

        return reply.record(convert)
