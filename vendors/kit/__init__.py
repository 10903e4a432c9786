"""What vendor plugins are made of. Plugins import from here and from the standard library only."""

from vendors.kit.budget import Ledger, Rate
from vendors.kit.calls import Mode
from vendors.kit.client import Client
from vendors.kit.cloud import Cloud, open_cloud
from vendors.kit.credentials import Credential, CredentialHeaders, basic, bearer
from vendors.kit.deadline import Deadline
from vendors.kit.errors import (
    BackendError,
    BadReply,
    Busy,
    Forbidden,
    NotFound,
    NotOffered,
    Permanent,
    RateLimited,
    Refused,
    Retired,
    Timeout,
    Unauthorized,
    VendorDown,
    VendorError,
)
from vendors.kit.paths import fits_path
from vendors.kit.records import (
    Battery,
    Bess,
    Key,
    Keyed,
    Message,
    Messages,
    Production,
    Record,
    Site,
    SolarInverter,
    Status,
)
from vendors.kit.replies import Replies
from vendors.kit.reply import Reply
from vendors.kit.resample import Interval
from vendors.kit.rows import NEAR, Quality, Reporting, Row, Sample, amounts, believable, labelled, latest, steps
from vendors.kit.series import MAX_CALLS, Series, Tile, Told, calendar, intervals, spans
from vendors.kit.sweep import Sweep
from vendors.kit.transport import RawReply, Request, Transport
from vendors.kit.vendor import Limits, Vendor
from vendors.kit.windows import (
    Asked,
    BadWindow,
    Level,
    Window,
    border,
    day_start,
    following,
    hours,
    next_border,
    wall_time,
)

__all__ = [
    "MAX_CALLS",
    "NEAR",
    "Asked",
    "BackendError",
    "BadReply",
    "BadWindow",
    "Battery",
    "Bess",
    "Busy",
    "Client",
    "Cloud",
    "Credential",
    "CredentialHeaders",
    "Deadline",
    "Forbidden",
    "Interval",
    "Key",
    "Keyed",
    "Ledger",
    "Level",
    "Limits",
    "Message",
    "Messages",
    "Mode",
    "NotFound",
    "NotOffered",
    "Permanent",
    "Production",
    "Quality",
    "Rate",
    "RateLimited",
    "RawReply",
    "Record",
    "Refused",
    "Replies",
    "Reply",
    "Reporting",
    "Request",
    "Retired",
    "Row",
    "Sample",
    "Series",
    "Site",
    "SolarInverter",
    "Status",
    "Sweep",
    "Tile",
    "Timeout",
    "Told",
    "Transport",
    "Unauthorized",
    "Vendor",
    "VendorDown",
    "VendorError",
    "Window",
    "amounts",
    "basic",
    "bearer",
    "believable",
    "border",
    "calendar",
    "day_start",
    "fits_path",
    "following",
    "hours",
    "intervals",
    "labelled",
    "latest",
    "next_border",
    "open_cloud",
    "spans",
    "steps",
    "wall_time",
]
