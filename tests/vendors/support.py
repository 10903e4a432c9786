"""Opens plugins in tests: over recorded replies, or at any base URL, without pauses."""

import json
from pathlib import Path

from vendors.kit import ListRow, Vendor
from vendors.kit.calls.cloud import open_cloud
from vendors.kit.calls.reply_cache import Mode, ReplyCache
from vendors.kit.deadline import Deadline
from vendors.kit.http.transport import Transport
from vendors.kit.registry import discover
from vendors.kit.series.read import intervals
from vendors.kit.series.resample import Interval
from vendors.kit.series.windows import RequestedWindow

BASE = "https://vendor.test"
# One for all tests: reading the trusted certificates takes longer than most of them.
TRANSPORT = Transport()

# What people would send, by vendor name; made up, and long enough to be recognised should it appear where it must not.
HEADERS = {
    name: headers
    for path in sorted(Path(__file__).parent.glob("*/headers.json"))
    for name, headers in json.loads(path.read_text()).items()
}


def cloud_of(name, base_url=BASE, reply_cache=None):
    """A cloud whose retries do not wait."""
    cloud = open_cloud(name, discover()[name], TRANSPORT, reply_cache or ReplyCache(), base_url)
    cloud.pause = 0.0
    return cloud


def credential_of(vendor, name, headers=None):
    """The credential that these headers make."""
    return vendor.credential_headers.read(name, headers or HEADERS[name])


def records_of(collected):
    """Records and intervals as they are, and each row of a list as the record that it holds."""
    return (row.record() if isinstance(row, ListRow) else row for row in collected)


def open_vendor(name, base_url=BASE, *, seconds=5.0, headers=None, cloud=None, refresh=False) -> Vendor:
    """The plugin with a made-up credential."""
    cloud = cloud or cloud_of(name, base_url)
    credential = credential_of(cloud.vendor, name, headers)
    return cloud.open(credential, Deadline(seconds), Mode.REFRESH if refresh else Mode.REUSE)


def recorded(vendor, name):
    """The recorded answer of this name in the vendor's folder."""
    return json.loads((Path(__file__).parent / vendor / f"{name}.json").read_text())


def intervals_between(series, level, start, end, now):
    """The intervals of a series between two times."""
    window = RequestedWindow(level, start, end).widened(series.zone, now, series.since)
    return [interval for interval in intervals(series, window, 1000, now) if isinstance(interval, Interval)]
