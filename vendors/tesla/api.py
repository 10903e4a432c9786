"""Tesla Fleet API, energy endpoints.

Credential: `X-Authorization-tesla: Bearer <token>`, a third-party token of the site's owner with the scope
`energy_device_data`. Every answer below 500 costs its owner money.
Calls: sites 1; devices 1 + S for S sites with solar or battery; one site 2; one inverter 4 and one battery 2, but 1
each where the site has several of the kind; intervals 1 for each day of quarters or hours, month of days or year of
months, and 1 for the clock and the devices, kept for an hour. No paging.
Quirks: products are vehicles and sites mixed, and sites of a mere electricity contract. Accounts live in regions: 421
means the other one. A retired site stays listed, and its calls answer 500 for good, as those about other sites do now
and then. Device lists may be missing: then one inverter or battery stands for all of the site. A Powerwall 3 stands
among the gateways. Serial numbers repeat, so devices are keyed on the DIN (`<part number>--<serial number>`). Powers
and energies are the site's: a device has them if it is the only one of its kind there.
Source: https://developer.tesla.com/docs/fleet-api, and replies that public clients recorded; read November 2026.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from vendors.kit import (
    Battery,
    CalendarUnit,
    DeviceRow,
    Freshness,
    Key,
    Level,
    ListRow,
    NotOffered,
    Reply,
    Request,
    Row,
    Series,
    Site,
    SiteRow,
    SolarInverter,
    Stage,
    Vendor,
    VendorError,
    calendar_tiles,
    day_start,
    find_record,
    next_period,
    unique,
    within,
)
from vendors.kit.parsing.reading import Raw, as_object, kilo, moment, number, rows
from vendors.kit.series.windows import EARLIEST
from vendors.tesla import devices
from vendors.tesla.errors import meaning
from vendors.tesla.records import (
    D,
    Installation,
    charge_percent,
    flows_kw,
    has,
    mode_of,
    response_of,
    to_id_with_devices,
    to_site,
    with_details,
)
from vendors.tesla.series import FLOWS, PRODUCED, Energies, to_production, to_rows

PRODUCTS = "/api/1/products"
SITE_INFO = "/api/1/energy_sites/{}/site_info"
LIVE_STATUS = "/api/1/energy_sites/{}/live_status"
HISTORY = "/api/1/energy_sites/{}/calendar_history"
# The history's period, which is also the calendar's unit that one call covers.
PERIODS = {
    Level.QUARTER: CalendarUnit.DAY,
    Level.HOUR: CalendarUnit.DAY,
    Level.DAY: CalendarUnit.MONTH,
    Level.MONTH: CalendarUnit.YEAR,
}


class Tesla(Vendor):
    stage = Stage.SERIES
    hosts = {
        "tesla": {
            "na": "https://fleet-api.prd.na.vn.cloud.tesla.com",
            "eu": "https://fleet-api.prd.eu.vn.cloud.tesla.com",
            "cn": "https://fleet-api.prd.cn.vn.cloud.tesla.cn",
        }
    }
    # Its cloud renews live values every few minutes; asking more often costs the same and tells the same.
    fresh_seconds = {**Vendor.fresh_seconds, Freshness.LIVE: 120.0}
    lag = timedelta(minutes=10)
    # `of_several`: of a device that is not the only one of its kind at its site. The offset of a site's clock comes
    # only where its zone has no name.
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
        return meaning(reply, request)

    def spent(self, reply: Reply) -> float | None:
        if reply.headers.get("RateLimit-Remaining") != "0":
            return None
        return number(reply.headers, "RateLimit-Reset")

    def sites(self) -> Iterator[SiteRow]:
        yield from self.client.get(PRODUCTS).rows("response", to=to_site)

    def devices(self, site: str | None = None) -> Iterator[DeviceRow]:
        sites = [site] if site else self.client.get(PRODUCTS).rows("response", to=to_id_with_devices)
        yield from self.client.each(sites, lambda one: self._installation(one).devices)

    def site(self, key: Key) -> Site:
        here = self._installation(key[0])
        live = self.client.optional(lambda: self._live(here.id)).result() or {}
        return with_details(Site(key=key, vendor_id=key[0], name=key[0]), here, live)

    def solar_inverter(self, key: Key) -> SolarInverter:
        here = self._installation(key[0])
        inverter = find_record(here.devices, SolarInverter, key)
        if not here.has_one(SolarInverter):
            return inverter
        today = self.client.now.astimezone(here.clock).date()
        of_today = self.client.optional(lambda: self._rows(here, PRODUCED, CalendarUnit.DAY, today))
        lifetime = self.client.optional(lambda: self._lifetime(here))
        live = self.client.optional(lambda: self._live(here.id)).result() or {}
        return replace(
            inverter,
            power_kw=kilo(live, "solar_power"),
            measured_at=moment(live, "timestamp"),
            recent_production=to_production(of_today.result() or [], day_start(today, here.clock)),
            lifetime_production=to_production(lifetime.result() or [], here.since),
        )

    def battery(self, key: Key) -> Battery:
        here = self._installation(key[0])
        battery = replace(find_record(here.devices, Battery, key), mode=mode_of(here.info))
        if not here.has_one(Battery):
            return battery
        live = self.client.optional(lambda: self._live(here.id)).result() or {}
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
        components = reply.record(lambda raw: as_object(raw["response"]["components"]))
        parts = devices.parts_of(components)

        def listed(name: str, to: Callable[[str, Raw], ListRow[D] | None]) -> list[ListRow[D]]:
            path = ("response", "components", name)
            return reply.rows(*path, to=lambda raw: to(site, devices.whole(parts, raw)), optional=True)

        with_packs = [*listed("batteries", devices.to_battery), *listed("gateways", devices.to_gateway_battery)]
        batteries, inverters = devices.without_packs(with_packs), []
        if components.get("solar"):
            hybrids = [*listed("batteries", devices.to_hybrid), *listed("gateways", devices.to_hybrid)]
            inverters = [*listed("inverters", devices.to_inverter), *hybrids]
            if not inverters and not components.get("inverters"):
                inverters = [devices.synthetic_inverter(site, info)]
        if components.get("battery") and not batteries and (with_packs or not components.get("batteries")):
            batteries = [devices.synthetic_battery(site, info)]
        # A unit may stand in several lists.
        return Installation(site, info, unique([*inverters, *batteries]))

    def _live(self, site: str) -> Raw:
        found: Raw = self.client.get(LIVE_STATUS, site, freshness=Freshness.LIVE).record(partial(response_of, site))
        return found

    def _of_device(self, key: Key, kind: type[D], energies: Energies, level: Level) -> Series:
        """The site's series, if that is the device's; NotFound for a device that is not there."""
        here = self._installation(key[0])
        find_record(here.devices, kind, key)
        if not here.has_one(kind):
            raise NotOffered
        return self._series(here, energies, level)

    def _of_site(self, key: Key, component: str, energies: Energies, level: Level) -> Series:
        """Not offered where the site has no such component: zeros would cost as much as what flowed."""
        here = self._installation(key[0])
        if not has(here.info, component):
            raise NotOffered
        return self._series(here, energies, level)

    def _series(self, here: Installation, energies: Energies, level: Level) -> Series:
        period = PERIODS[level]
        tiles = calendar_tiles(period, here.clock, lambda first: [self._rows(here, energies, period, first)])
        return Series(here.clock, tiles, self.lag, since=here.since)

    def _rows(self, here: Installation, energies: Energies, period: CalendarUnit, first: date) -> list[Row]:
        """The rows of a day, or those of the days of a month or the months of a year, up to now."""
        start, end = day_start(first, here.clock), day_start(next_period(period, first), here.clock)
        window = {
            "start_date": start.astimezone(here.clock).isoformat(),
            # Up to midnight the last day would be empty.
            "end_date": (end - timedelta(seconds=1)).astimezone(here.clock).isoformat(),
        }
        found = self._history(here, energies, period, window, self.client.freshness(end))
        return within(found, start, min(end, self.client.now))

    def _lifetime(self, here: Installation) -> list[Row]:
        return within(self._history(here, PRODUCED, "lifetime", {}, Freshness.TODAY), EARLIEST, self.client.now)

    def _history(
        self, here: Installation, energies: Energies, period: str, window: Mapping[str, str], freshness: Freshness
    ) -> list[Row]:
        params = {"kind": "energy", "period": period, **window}
        if isinstance(here.clock, ZoneInfo):
            params["time_zone"] = here.clock.key
        reply = self.client.get(HISTORY, here.id, params=params, freshness=freshness)

        def read(raw: Raw) -> list[Row]:
            # Without any row the list is null.
            told = rows(response_of(here.id, raw), "time_series", optional=True)
            return to_rows(told, energies, period, here.clock)

        return reply.record(read)
