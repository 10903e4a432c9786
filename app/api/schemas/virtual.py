"""Virtual sites and devices: bodies of requests, and pages of lists."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import marshmallow as ma
from marshmallow.validate import OneOf, Range

from app.api.schemas.body_fields import Number, RequestBody, Time, in_calendar
from app.api.schemas.details import BatterySchema, SiteSchema, SolarInverterSchema
from app.api.schemas.fields import ResponseSchema, Text
from app.virtual import new, zones
from app.virtual.new import NewBattery, NewSite, NewSolarInverter
from vendors.kit import Production

FIRST_YEAR = 2015
# Far more than any device has; every value within it can be computed with.
MAX_KWH = 1_000_000_000
# From less than the smallest battery on the market to more than the largest plant.
MIN_NAMEPLATE_KWH, MAX_NAMEPLATE_KWH = 0.1, 1_000_000
# The clocks of all time zones lie within it.
UTC_OFFSETS = Range(-12, 14)


class NewLocation(RequestBody):
    """Where a site is."""

    latitude = Number(data_key="lat", validate=Range(-90, 90), metadata={"description": "Degrees, north positive."})
    longitude = Number(data_key="lon", validate=Range(-180, 180), metadata={"description": "Degrees, east positive."})
    timezone = ma.fields.String(metadata={"description": "IANA name."})
    current_utc_offset = Number(
        data_key="currentUTCOffset",
        validate=UTC_OFFSETS,
        metadata={"description": "Hours, east positive; an offset that the zone has at some time of this year."},
    )

    @ma.validates("timezone")
    def known(self, value: str, **kwargs: Any) -> None:
        if value not in zones.known():
            raise ma.ValidationError("There is no such time zone; send an IANA name, such as Europe/Berlin.")


class CreateVirtualSiteRequest(RequestBody):
    """A site to be made; the server fills in what is left out."""

    name = Text()
    location = ma.fields.Nested(NewLocation)
    location_utc_offset = Number(
        data_key="locationUTCOffset",
        validate=UTC_OFFSETS,
        metadata={"description": "Hours; as location.currentUTCOffset."},
    )
    operational_since = Time(
        naive=True,
        data_key="operationalSince",
        metadata={"description": "From 2015 to now; on the site's clock unless it has an offset."},
    )

    @ma.post_load
    def site(self, body: dict[str, Any], **kwargs: Any) -> NewSite:
        """The site, once its members are found to agree with each other."""
        now = datetime.now(UTC)
        location = body.get("location", {})
        offsets = {"locationUTCOffset": body.get("location_utc_offset")}
        offsets["currentUTCOffset"] = location.get("current_utc_offset")
        zone = _zone(
            location.get("timezone"), {name: hours for name, hours in offsets.items() if hours is not None}, now
        )
        members = {name: location[name] for name in ("latitude", "longitude") if name in location}
        if "operational_since" in body:
            members["operational_since"] = _since(body["operational_since"], zone, now)
        return NewSite(body.get("name"), timezone=zone, **members)


def _zone(timezone: str | None, offsets: dict[str, float], now: datetime) -> str:
    """The posted zone, or else one that has the posted offsets; the default one if it has them."""
    zone = timezone or new.TIMEZONE
    for name, hours in offsets.items():
        if timezone is None and not zones.has_offset(zone, hours, now):
            zone = zones.with_offset(hours) or zone
        if not zones.has_offset(zone, hours, now):
            fault = [f"The clock of {zone} has no such offset."]
            if timezone is None:
                fault = ["No time zone has this offset all year; send location.timezone."]
            raise ma.ValidationError({name: fault} if name == "locationUTCOffset" else {"location": {name: fault}})
    if timezone is None and not all(zones.has_offset(zone, hours, now) for hours in offsets.values()):
        raise ma.ValidationError("Contradicts location.currentUTCOffset.", "locationUTCOffset")
    return zone


def _since(time: datetime, zone: str, now: datetime) -> datetime:
    try:
        since = in_calendar(time, zone)
        first = datetime(FIRST_YEAR, 1, 1, tzinfo=ZoneInfo(zone))
        if not first <= since <= now:
            raise ma.ValidationError(f"Must lie between the beginning of {FIRST_YEAR} and now.")
    except ma.ValidationError as error:
        raise ma.ValidationError(error.messages, "operationalSince") from None
    return since


class NewRecentProduction(RequestBody):
    """Energy from `start` to `reportedAt`."""

    kwh = Number(required=True, validate=Range(0, MAX_KWH))
    start = Time(required=True)

    @ma.post_load
    def production(self, body: dict[str, Any], **kwargs: Any) -> Production:
        return Production(**body)


class NewLifetimeProduction(NewRecentProduction):
    """As recent production; the start may be unknown."""

    start = Time(required=True, allow_none=True)


class CreateVirtualDevice(RequestBody):
    """Members that solar inverters and batteries share."""

    name = Text()
    site_id = ma.fields.String(
        data_key="siteID", metadata={"description": "Id of one of the client's virtual sites. Without it, one is made."}
    )
    reported_at = Time(data_key="reportedAt", metadata={"description": "Returned by /virtual/ as it is sent."})
    model = Text()
    serial_number = Text(data_key="serialNumber")


class CreateVirtualSolarInverterRequest(CreateVirtualDevice):
    """A solar inverter to be made; the server fills in what is left out."""

    recent_production = ma.fields.Nested(NewRecentProduction, data_key="recentProduction")
    lifetime_production = ma.fields.Nested(NewLifetimeProduction, data_key="lifetimeProduction")

    @ma.post_load
    def device(self, body: dict[str, Any], **kwargs: Any) -> tuple[NewSolarInverter, str | None]:
        """The device, and the id of its site."""
        site_id = body.pop("site_id", None)
        return NewSolarInverter(**body), site_id


class CreateVirtualBatteryRequest(CreateVirtualDevice):
    """A battery to be made; the server fills in what is left out."""

    nameplate_kwh = Number(
        data_key="nameplateKwh",
        validate=Range(MIN_NAMEPLATE_KWH, MAX_NAMEPLATE_KWH),
        load_default=new.NAMEPLATE_KWH,
    )
    mode = ma.fields.String(validate=OneOf(new.BATTERY_MODES), load_default=new.MODE)
    soc_percent = Number(
        data_key="stateOfChargePercent",
        validate=Range(0, 100),
        load_default=new.SOC_PERCENT,
        metadata={"description": "The lowest that the battery will have; above 80 it is held at 80."},
    )

    @ma.post_load
    def device(self, body: dict[str, Any], **kwargs: Any) -> tuple[NewBattery, str | None]:
        """The device, and the id of its site."""
        site_id = body.pop("site_id", None)
        return NewBattery(**body), site_id


class VirtualPage(ResponseSchema):
    """Members of every page of a list."""

    next_page_token = ma.fields.String(data_key="nextPageToken", metadata={"description": "Absent on the last page."})


class VirtualSites(VirtualPage):
    """A page of virtual sites."""

    items = ma.fields.List(ma.fields.Nested(SiteSchema), required=True, data_key="virtualSites")


class VirtualSolarInverters(VirtualPage):
    """A page of virtual solar inverters."""

    items = ma.fields.List(ma.fields.Nested(SolarInverterSchema), required=True, data_key="virtualSolarInverters")


class VirtualBatteries(VirtualPage):
    """A page of virtual batteries."""

    items = ma.fields.List(ma.fields.Nested(BatterySchema), required=True, data_key="virtualBatteries")
