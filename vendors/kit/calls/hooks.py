"""The part of a plugin that the engine of a call uses, so that the engine need not know the plugin's class."""

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar, Protocol

from vendors.kit.calls.reply_cache import Freshness
from vendors.kit.credentials import Credential
from vendors.kit.errors import VendorError
from vendors.kit.limits import Limits, ReportedQuota
from vendors.kit.messages import RawReply, Request
from vendors.kit.reply import Reply


class Hooks(Protocol):
    """A plugin's declarations and hooks for calls. `vendors.kit.vendor.Vendor` describes each of them."""

    credential: Credential
    limits: ClassVar[Limits]
    fresh_seconds: ClassVar[Mapping[Freshness, float]]
    lag: ClassVar[timedelta]
    follows_308: ClassVar[bool]

    def sign(self, request: Request) -> None: ...

    def failure(self, reply: Reply, request: Request) -> VendorError | RawReply | None: ...

    def on_unauthorized(self, reply: Reply, request: Request) -> VendorError | RawReply | None: ...

    def spent(self, reply: Reply) -> float | None: ...

    def reported_quota(self, reply: Reply) -> ReportedQuota | None: ...
