"""Battery control: a plan, its status, and the history of orders."""

from typing import Any

import marshmallow as ma
from marshmallow.validate import Length, Range

from app.api import paging
from app.api.schemas.body_fields import Number, RequestBody, Time
from app.api.schemas.fields import Flag, ResponseSchema, Text, VendorErrors, WholeNumber
from app.api.schemas.lists import ErrorDetails, PageQuery
from app.control.plan import MAX_INTERVALS, MEMBERS
from app.control.states import State
from vendors.kit.control import Command, Interval, Priority

# Above the power of any site whose batteries stand in one cloud account.
MOST_KW = 100_000
COMMAND = {
    "type": "string",
    "description": "`idle` neither charges nor discharges. `discharge` with `kw` 0 may serve the loads and does not "
    "charge; `charge` with `kw` 0 may take what the sun gives and does not discharge.",
}


class ControlInterval(RequestBody):
    """A command to the batteries of a site, from start (included) to end (not included)."""

    command = ma.fields.Enum(Command, by_value=True, required=True, metadata=COMMAND)
    start = Time(required=True, metadata={"description": "A time that is past means now."})
    end = Time(required=True)
    kw = Number(validate=Range(0, MOST_KW), metadata={"description": "Power; by default what the vendor permits."})
    limit_percent = Number(
        data_key="stateOfChargeLimitPercent",
        validate=Range(0, 100),
        metadata={"description": "Charge up to it, or discharge down to it."},
    )
    priority = ma.fields.Enum(
        Priority,
        by_value=True,
        metadata={"type": "string", "description": "Which source or load goes first; see docs/control.md."},
    )
    allow_export = ma.fields.Boolean(
        data_key="allowExport", truthy={True}, falsy={False}, metadata={"description": "Whether to feed the grid."}
    )

    @ma.validates_schema
    def idle_has_no_power(self, members: dict[str, Any], **_: Any) -> None:
        """Refuses a power for an idle battery."""
        if members.get("command") is Command.IDLE and members.get("kw"):
            raise ma.ValidationError("Must be 0 or absent with the command idle.", "kw")

    @ma.post_load
    def interval(self, members: dict[str, Any], **_: Any) -> tuple[Interval, dict[str, Any]]:
        """The interval in the terms of plugins, and its members as they were sent."""
        asked = {MEMBERS[name]: _plain(value) for name, value in members.items()}
        return Interval(**members), asked


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else getattr(value, "value", value)


class ControlPlan(RequestBody):
    """The whole list of a site; an empty list cancels."""

    intervals = ma.fields.List(ma.fields.Nested(ControlInterval), required=True, validate=Length(max=MAX_INTERVALS))


class ControlQuery(ma.Schema):
    """How a plan is written."""

    program = Text(
        data_key="programID",
        metadata={"description": "The vendor's program; needed if the site is enrolled in several."},
    )
    force = Flag(
        load_default=False,
        metadata={"description": "Whether to replace what others made or changed at the site in this time."},
    )


class HistoryQuery(PageQuery):
    """Which page of orders."""

    # A receipt may hold hundreds of read-backs.
    page_size = WholeNumber(
        data_key="pageSize", validate=Range(1, 100), metadata={"description": f"Default {paging.DEFAULT_SIZE}."}
    )


class IntervalStatus(ResponseSchema):
    """An interval of the present list."""

    order = ma.fields.String(required=True, data_key="orderID", metadata={"description": "As in the history."})
    command = ma.fields.String(required=True, metadata={"enum": [command.value for command in Command]})
    start = ma.fields.AwareDateTime(required=True)
    end = ma.fields.AwareDateTime(required=True)
    kw = ma.fields.Float()
    limit_percent = ma.fields.Float(data_key="stateOfChargeLimitPercent")
    priority = ma.fields.String(metadata={"enum": [priority.value for priority in Priority]})
    allow_export = ma.fields.Boolean(data_key="allowExport")
    status = ma.fields.String(
        required=True,
        metadata={
            "description": f"One of {', '.join(state.value for state in State)}, and behind a colon the vendor's "
            "words. See docs/control.md.",
            "example": "accepted: Event created successfully",
        },
    )
    reported_at = ma.fields.AwareDateTime(required=True, data_key="reportedAt")


class Writes(ResponseSchema):
    """The writes of the site within the last 24 hours, of all clients."""

    per_day = ma.fields.Integer(required=True, data_key="perDay", metadata={"description": "As many may be made."})
    used = ma.fields.Integer(required=True)
    pending = ma.fields.Integer(
        required=True,
        metadata={"description": "Of this list, still to be made: they go out with the next PUT or GET."},
    )


class ControlStatus(ResponseSchema):
    """The present list of a site, as far as it is known to be carried out."""

    id = ma.fields.String(required=True, metadata={"example": "site-4a754i27ee1cb550"})
    intervals = ma.fields.List(ma.fields.Nested(IntervalStatus), required=True)
    writes = ma.fields.Nested(Writes, required=True)
    errors = VendorErrors()
    error_details = ErrorDetails()


class Receipt(IntervalStatus):
    """An order: what was asked, what was sent, and what was seen."""

    plan = ma.fields.String(required=True, data_key="planID", metadata={"description": "Of the PUT that made it."})
    client = ma.fields.String(required=True, data_key="clientID", metadata={"description": "The client that asked."})
    vendor = ma.fields.String(required=True)
    program = ma.fields.String(data_key="programID")
    credentials = ma.fields.String(
        data_key="credentialsID", metadata={"description": "Stored credentials or grant; absent for a header's."}
    )
    state = ma.fields.String(required=True, metadata={"enum": [state.value for state in State]})
    is_final = ma.fields.Boolean(required=True, data_key="isFinal")
    asked = ma.fields.Dict(required=True, metadata={"description": "The interval as it was sent."})
    rating_kw = ma.fields.Float(
        data_key="ratedPowerKw", metadata={"description": "Of all batteries of the site; caps the expected power."}
    )
    before = ma.fields.Dict(metadata={"description": "The site's state before the first write."})
    events = ma.fields.List(ma.fields.Dict(), required=True, metadata={"description": "In the vendor's terms."})
    writes = ma.fields.List(ma.fields.Dict(), required=True, metadata={"description": "Each with its answer."})
    read_backs = ma.fields.List(ma.fields.Dict(), required=True, data_key="readBacks")
    verdict = ma.fields.Dict(metadata={"description": "The rule that applied, and its numbers."})
    created_at = ma.fields.AwareDateTime(required=True, data_key="createdAt")
    closed_at = ma.fields.AwareDateTime(data_key="closedAt")


class ControlHistory(ResponseSchema):
    """A page of orders, the newest first."""

    id = ma.fields.String(required=True)
    items = ma.fields.List(ma.fields.Nested(Receipt), required=True, data_key="orders")
    next_page_token = ma.fields.String(data_key="nextPageToken", metadata={"description": "Absent on the last page."})
