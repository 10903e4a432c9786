"""Opens plugins in tests: over recorded replies, or at any base URL, without pauses."""

from vendors.kit import Deadline, Mode, Replies, Transport, Vendor, open_cloud
from vendors.kit.registry import discover

BASE = "https://vendor.test"
# One for all tests: reading the trusted certificates takes longer than most of them.
TRANSPORT = Transport()

# What people would send; made up, and long enough to be recognised should it appear where it must not.
HEADERS = {
    "sma": {"X-Authorization-sma": "Bearer sentinel-sma-token-0123456789"},
    "smasbox": {"X-Authorization-smasbox": "Bearer sentinel-smasbox-token-0123456789"},
    "solis": {
        "X-Authorization-solis": "Basic MTMwMDAwMDAwMDAwMDAwMDAwMTowMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg=="
    },
    "solaredge": {"X-Authorization-solaredge": "sentinel-solaredge-key-0123456789"},
    "enphase": {
        "X-Authorization-enphase": "Bearer sentinel-enphase-token-0123456789",
        "X-enphase-api-key": "sentinel-enphase-key-0123456789",
    },
    "enphasevpp": {
        "X-Authorization-enphasevpp": "Bearer sentinel-enphasevpp-token-0123456789",
        "X-enphasevpp-api-key": "sentinel-enphasevpp-key-0123456789",
    },
    "tesla": {"X-Authorization-tesla": "Bearer sentinel-tesla-token-0123456789"},
}


def cloud_of(name, base_url=BASE, replies=None):
    """A cloud whose retries do not wait."""
    cloud = open_cloud(name, discover()[name], TRANSPORT, replies or Replies(), base_url)
    cloud.pause = 0.0
    return cloud


def open_vendor(name, base_url=BASE, *, seconds=5.0, headers=None, cloud=None, refresh=False) -> Vendor:
    """The plugin with a made-up credential."""
    cloud = cloud or cloud_of(name, base_url)
    credential = cloud.vendor.credential_headers.read(name, headers or HEADERS[name])
    return cloud.open(credential, Deadline(seconds), Mode.REFRESH if refresh else Mode.REUSE)
