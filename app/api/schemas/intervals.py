"""Intervals of energy: the requested window, and the responses."""

import marshmallow as ma
from marshmallow.validate import OneOf

from app.api.schemas.fields import Moment, Prepared, ResponseSchema, VendorErrors
from app.api.schemas.lists import ErrorDetails, PageQuery
from vendors.kit import Level

LEVELS = OneOf([str(level) for level in Level])


class WindowQuery(PageQuery):
    """Which intervals. A window that begins or ends inside an interval is widened to include all of it."""

    level = ma.fields.String(
        data_key="summaryLevel",
        validate=LEVELS,
        metadata={"description": "Default hour."},
    )
    start = Moment(
        metadata={
            "description": "On the site's clock unless it has an offset. Default: a day, 31 days or a year before end."
        }
    )
    end = Moment(metadata={"description": "Not included. Default: now."})


class Reporting(ResponseSchema):
    """How many of the devices that contribute to a value have reported."""

    n = ma.fields.Integer(required=True)
    of = ma.fields.Integer(required=True)


class Interval(ResponseSchema):
    """Energy from start (included) to end (not included)."""

    start = ma.fields.AwareDateTime(required=True)
    end = ma.fields.AwareDateTime(required=True)
    quality = ma.fields.String(
        required=True,
        metadata={
            "enum": ["measured", "derived", "partial"],
            "description": "Whole values of the vendor's, values made of others, or not all of it.",
        },
    )
    reporting = ma.fields.Nested(Reporting)


class SolarInterval(Interval):
    """Production."""

    kwh = ma.fields.Float(required=True)


class BatteryInterval(Interval):
    """Energy into and out of batteries."""

    charge_kwh = ma.fields.Float(required=True, data_key="chargeKwh")
    discharge_kwh = ma.fields.Float(required=True, data_key="dischargeKwh")
    soc_percent = ma.fields.Float(data_key="stateOfChargePercent", metadata={"description": "Mean of the interval."})


class Series(ResponseSchema):
    """Members of every page of intervals."""

    id = ma.fields.String(required=True)
    summary_level = ma.fields.String(required=True, data_key="summaryLevel", validate=LEVELS)
    next_page_token = ma.fields.String(
        data_key="nextPageToken", metadata={"description": "Absent on the last page; a page may be short, or empty."}
    )
    errors = VendorErrors()
    error_details = ErrorDetails()


class SolarSeries(Series):
    """A page of production."""

    intervals = Prepared(ma.fields.Nested(SolarInterval), required=True)


class BatterySeries(Series):
    """A page of energies into and out of batteries."""

    intervals = Prepared(ma.fields.Nested(BatteryInterval), required=True)
