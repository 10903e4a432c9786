"""One site, solar inverter or battery. Optional members that the vendor does not report are left out."""

import marshmallow as ma

from app.api.schemas.fields import Prepared, ResponseSchema, VendorErrors, VendorName
from app.api.schemas.lists import ErrorDetails, Summary


class Location(ResponseSchema):
    """Where a site is."""

    lat = ma.fields.Float(metadata={"description": "Degrees, north positive."})
    lon = ma.fields.Float(metadata={"description": "Degrees, east positive."})
    timezone = ma.fields.String(metadata={"description": "IANA name."})
    current_utc_offset = ma.fields.Float(
        required=True, data_key="currentUTCOffset", metadata={"description": "Hours, east positive."}
    )


class Bess(ResponseSchema):
    """All batteries of a site together."""

    nameplate_kwh = ma.fields.Float(data_key="nameplateKwh")
    mode = ma.fields.String()
    soc_percent = ma.fields.Float(data_key="stateOfChargePercent")


class Production(ResponseSchema):
    """Energy from `start` to now."""

    kwh = ma.fields.Float(required=True)
    start = ma.fields.AwareDateTime(required=True, allow_none=True)


class LogEntry(ResponseSchema):
    """A message in a device's log: an error, a warning or an information; the last entry is the start of the log."""

    error = ma.fields.String()
    warning = ma.fields.String()
    info = ma.fields.String()
    start = ma.fields.AwareDateTime()


class DetailSchema(ResponseSchema):
    """Members that sites and devices share."""

    id = ma.fields.String(required=True)
    vendor = VendorName(required=True)
    vendor_id = ma.fields.String(required=True, data_key="vendorID", metadata={"description": "The vendor's own id."})
    measured_at = ma.fields.AwareDateTime(
        data_key="measuredAt", metadata={"description": "The vendor's time of its newest values."}
    )
    fetched_at = ma.fields.AwareDateTime(
        required=True, data_key="fetchedAt", metadata={"description": "When this server asked the vendor."}
    )
    errors = VendorErrors()
    error_details = ErrorDetails()


class SiteSchema(DetailSchema):
    """One site with its devices."""

    name = ma.fields.String(required=True)
    location_utc_offset = ma.fields.Float(
        required=True, data_key="locationUTCOffset", metadata={"description": "Hours, east positive."}
    )
    location = ma.fields.Nested(Location)
    operational_since = ma.fields.AwareDateTime(data_key="operationalSince")
    batteries = Prepared(ma.fields.Nested(Summary), required=True)
    solar_inverters = Prepared(ma.fields.Nested(Summary), required=True, data_key="solarInverters")
    bess = ma.fields.Nested(Bess)
    peak_power_kw = ma.fields.Float(data_key="peakPowerKw", metadata={"description": "DC size of the generator."})
    power_kw = ma.fields.Float(data_key="powerKw", metadata={"description": "Solar power at measuredAt."})
    charge_kw = ma.fields.Float(data_key="chargeKw")
    discharge_kw = ma.fields.Float(data_key="dischargeKw")


class DeviceSchema(DetailSchema):
    """Members that solar inverters and batteries share."""

    model = ma.fields.String(required=True, metadata={"description": "Empty when the vendor tells none."})
    serial_number = ma.fields.String(
        required=True, data_key="serialNumber", metadata={"description": "Empty when the vendor tells none."}
    )
    site_id = ma.fields.String(required=True, data_key="siteID")
    name = ma.fields.String()
    reported_at = ma.fields.AwareDateTime(
        required=True, data_key="reportedAt", metadata={"description": "When this answer was made."}
    )
    kind = ma.fields.String(metadata={"enum": ["string", "micro", "hybrid", "synthetic"]})
    rated_power_kw = ma.fields.Float(data_key="ratedPowerKw", metadata={"description": "AC rating."})
    status = ma.fields.String(metadata={"description": "Ours; see the documentation for the list."})
    vendor_status = ma.fields.String(data_key="vendorStatus", metadata={"description": "The vendor's own word."})
    recent_errors = ma.fields.List(ma.fields.Nested(LogEntry), data_key="recentErrors")


class SolarInverterSchema(DeviceSchema):
    """One solar inverter."""

    power_kw = ma.fields.Float(data_key="powerKw", metadata={"description": "At measuredAt."})
    recent_production = ma.fields.Nested(
        Production, data_key="recentProduction", metadata={"description": "Since midnight on the site's clock."}
    )
    lifetime_production = ma.fields.Nested(Production, data_key="lifetimeProduction")


class BatterySchema(DeviceSchema):
    """One battery."""

    nameplate_kwh = ma.fields.Float(data_key="nameplateKwh")
    mode = ma.fields.String(metadata={"enum": ["Self Consumption", "Savings", "Backup"]})
    soc_percent = ma.fields.Float(data_key="stateOfChargePercent")
    charge_kw = ma.fields.Float(data_key="chargeKw", metadata={"description": "Into the battery, at measuredAt."})
    discharge_kw = ma.fields.Float(data_key="dischargeKw", metadata={"description": "Out of it."})
