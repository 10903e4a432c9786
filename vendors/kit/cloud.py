"""A vendor cloud as this process reaches it: its addresses, connections, threads and kept replies."""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from vendors.kit.client import Client
from vendors.kit.credentials import Credential
from vendors.kit.deadline import Deadline
from vendors.kit.replies import Replies
from vendors.kit.transport import CONNECTIONS, Transport
from vendors.kit.vendor import Vendor

# Sweeps of one vendor at a time in one process. Below the number of request threads of a worker (64), so
# that a vendor that hangs cannot hold them all.
MAX_SWEEPS = 48


@dataclass
class Cloud:
    """Shared by all requests. Its pools start their threads on first use, after gunicorn's fork."""

    name: str
    vendor: type[Vendor]
    urls: Mapping[str, str]
    transport: Transport
    replies: Replies
    pause: float = 1.0
    """Scales the pause before a retry; tests set 0."""
    places: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(MAX_SWEEPS))
    """Taken before a sweep is submitted, given back when that sweep ends, not when its request ends."""

    def __post_init__(self) -> None:
        self.sweeps = ThreadPoolExecutor(MAX_SWEEPS, thread_name_prefix=f"sweep-{self.name}")
        self.calls = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix=f"call-{self.name}")

    def open(self, credential: Credential, deadline: Deadline, *, refresh: bool = False) -> Vendor:
        """The vendor for one request. refresh: ask anew although a kept reply is fresh."""
        vendor = self.vendor(credential)
        vendor.client = Client(self, vendor, deadline, refresh)
        return vendor


def open_cloud(name: str, vendor: type[Vendor], transport: Transport, replies: Replies, base_url: str = "") -> Cloud:
    """The cloud with its public addresses, or all roles at `base_url`."""
    urls = {role: base_url.rstrip("/") or url for role, url in vendor.hosts[name].items()}
    return Cloud(name, vendor, urls, transport, replies)
