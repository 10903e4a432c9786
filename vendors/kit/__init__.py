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
from vendors.kit.records import Battery, Key, Record, Site, SolarInverter
from vendors.kit.replies import Replies
from vendors.kit.reply import Reply
from vendors.kit.sweep import Sweep
from vendors.kit.transport import RawReply, Request, Transport
from vendors.kit.vendor import Limits, Vendor

__all__ = [
    "BackendError",
    "BadReply",
    "Battery",
    "Busy",
    "Client",
    "Cloud",
    "Credential",
    "CredentialHeaders",
    "Deadline",
    "Forbidden",
    "Key",
    "Ledger",
    "Limits",
    "Mode",
    "NotFound",
    "NotOffered",
    "Permanent",
    "Rate",
    "RateLimited",
    "RawReply",
    "Record",
    "Refused",
    "Replies",
    "Reply",
    "Request",
    "Retired",
    "Site",
    "SolarInverter",
    "Sweep",
    "Timeout",
    "Transport",
    "Unauthorized",
    "Vendor",
    "VendorDown",
    "VendorError",
    "basic",
    "bearer",
    "fits_path",
    "open_cloud",
]
