"""The interface of a vendor plugin."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from vendors.kit.calls.client import Client
from vendors.kit.calls.hooks import Hooks
from vendors.kit.calls.pipeline import Calls
from vendors.kit.calls.reply_cache import Freshness
from vendors.kit.consent.registration import Registration
from vendors.kit.control import Accepted, Control, Event, Interval, PlannedEvent
from vendors.kit.credentials import Credential, CredentialHeaders, bearer
from vendors.kit.errors import NotAskedYet, NotOffered, VendorError
from vendors.kit.limits import Limits, ListCalls, ReportedQuota
from vendors.kit.messages import RawReply, Request
from vendors.kit.records import Battery, DeviceRow, Key, Site, SiteRow, SolarInverter
from vendors.kit.reply import Reply
from vendors.kit.series.read import Series
from vendors.kit.series.windows import Level
from vendors.kit.variants import Variant


class Stage(StrEnum):
    """How much of the interface a plugin offers; each stage includes the stage before it.

    LIST needs recorded replies, STATE as well, SERIES also an emulator in the sandbox.
    """

    DECLARED = "declared"
    """Only `variants`: credentials can be stored, and lists report that this server cannot ask the vendor yet."""
    LIST = "list"
    """`sites()` and `devices()`."""
    STATE = "state"
    """`site()`, and `solar_inverter()` or `battery()`: single reads, with live values."""
    SERIES = "series"
    """At least one series of intervals."""


class Vendor:
    """One vendor cloud, seen with one caller's credential, during one request.

    A plugin declares the class attributes and offers what the vendor has; the methods it leaves out raise
    NotOffered. Its methods may raise any VendorError, and leave HTTP, waiting and errors to `self.client`.
    """

    hosts: ClassVar[Mapping[str, Mapping[str, str]]] = {}
    """Vendor name -> its base URLs by region, the first of which is asked first. A vendor's own sandbox is
    one more name. After a 421 (Misdirected Request) the other regions are asked."""
    stage: ClassVar[Stage] = Stage.LIST
    """The plugin's stage. Requests beyond it are answered with `not_offered`."""
    credential_headers: ClassVar[CredentialHeaders] = CredentialHeaders(bearer)
    variants: ClassVar[Sequence[Variant]] = ()
    """The forms in which credentials of this vendor can be stored."""
    titles: ClassVar[Mapping[str, str]] = {}
    """Vendor name -> the name by which owners of its devices know it. Of each vendor whose owners can give consent."""
    no_consent: ClassVar[str] = ""
    """Why owners cannot give consent, as a sentence for clients that ask for it; "" if they can or never could."""
    registration: ClassVar[Registration | None] = None
    """How an application is registered before owners can give consent to it; None if the vendor demands nothing."""
    limits: ClassVar[Limits] = Limits()
    list_calls: ClassVar[ListCalls] = ListCalls()
    """The calls that the lists take, in words, for callers who want to know beforehand."""
    fresh_seconds: ClassVar[Mapping[Freshness, float]] = {
        Freshness.INVENTORY: 3600.0,
        Freshness.CLOSED: 3600.0,
        Freshness.TODAY: 300.0,
        Freshness.LIVE: 60.0,
        Freshness.UNCACHED: 0.0,
    }
    """How long a reply may be reused; `TODAY`: one native step of the vendor's series."""
    lag: ClassVar[timedelta] = timedelta(minutes=5)
    """The usual time until the vendor reports a device's values."""
    lacks: ClassVar[frozenset[str]] = frozenset()
    """Values that this vendor never reports: members as `record.member`, levels of a series as
    `site_solar_intervals.15mins`, the state of charge in a series as `battery_intervals.soc_percent`.
    `solar_intervals.of_several` is the series of a device at a site with several devices of its kind."""

    control: ClassVar[Control | None] = None
    """What the vendor's cloud can do for batteries; None if this server does not control them there."""
    no_control: ClassVar[str] = "This server does not control batteries of this vendor yet."
    """Why it does not, as a sentence for clients; of no meaning with `control`."""

    follows_308: ClassVar[bool] = False
    """Whether this vendor answers 308 for ids that have moved, to another path of the same host."""

    def __init__(self, credential: Credential, connect: Callable[[Hooks], Calls]) -> None:
        """`connect` prepares the calls, which use this plugin's hooks."""
        self.credential = credential
        self._calls = connect(self)

    @property
    def client(self) -> Client:
        """The calls that this plugin can make. A client keeps its plugin alive: do not store it in the plugin, which
        would make a reference cycle."""
        return Client(self, self._calls)

    def sign(self, request: Request) -> None:
        """Adds the header or signature that authenticates the call; by default the bearer token."""
        request.headers["Authorization"] = f"Bearer {self.credential['token']}"

    def failure(self, reply: Reply, request: Request) -> VendorError | RawReply | None:
        """Meaning of a reply where its status does not tell it: a failure, or another reply to read in its place
        (`reply.instead`); None lets the status decide. It depends on its arguments alone and makes no call. The reply
        is whole, whatever the call's Shape leaves out."""
        return None

    def on_unauthorized(self, reply: Reply, request: Request) -> VendorError | RawReply | None:
        """Meaning of a 401 that `failure` leaves open, for a vendor that refuses with 401 both a bad credential and
        what a good one does not cover. May make a call to find out which; None: the credential is refused."""
        return None

    def spent(self, reply: Reply) -> float | None:
        """Seconds for which no further call should be made, from headers of a successful reply; None for no pause."""
        return None

    def reported_quota(self, reply: Reply) -> ReportedQuota | None:
        """The quota that the headers of a successful reply state; None if they state none."""
        return None

    def sites(self) -> Iterator[SiteRow]:
        """All sites of the account, each made by `Site.listed`."""
        raise self._absent()

    def devices(self, site: str | None = None) -> Iterator[DeviceRow]:
        """All devices of the account, or only of the site with this vendor id, each made by `SolarInverter.listed` or
        `Battery.listed`."""
        raise self._absent()

    def check_credential(self) -> None:
        """Makes the cheapest call that shows whether the credential is accepted: by default the first page of sites, or
        of devices if the vendor lists no sites."""
        try:
            next(iter(self.sites()), None)
        except NotOffered:
            next(iter(self.devices()), None)

    def account_region(self) -> str | None:
        """Region of the credential's account, by its name in `hosts`, from a call; asked after an owner's consent at a
        vendor with several regions. None if the vendor does not name it: a 421 then shows that it is another."""
        return None

    def account_id(self) -> str | None:
        """The vendor's identity of the credential's account, from a call; asked after an owner's consent whose callback
        names parts of the credential, which the browser may have changed: the vendor must refuse the token for parts of
        another account. None refuses the consent."""
        return None

    def site(self, key: Key) -> Site:
        """One site with its present state; NotFound as with devices."""
        raise NotOffered

    def solar_inverter(self, key: Key) -> SolarInverter:
        """One solar inverter with its state and production; NotFound when the vendor does not show it."""
        raise NotOffered

    def battery(self, key: Key) -> Battery:
        """One battery with its state."""
        raise NotOffered

    def solar_intervals(self, key: Key, level: Level) -> Series:
        """The production of a solar inverter, in rows from which intervals of this level can be made."""
        raise NotOffered

    def battery_intervals(self, key: Key, level: Level) -> Series:
        """Charge and discharge of a battery."""
        raise NotOffered

    def site_solar_intervals(self, key: Key, level: Level) -> Series:
        """The production of all solar inverters of a site."""
        raise NotOffered

    def site_battery_intervals(self, key: Key, level: Level) -> Series:
        """Charge and discharge of all batteries of a site."""
        raise NotOffered

    @classmethod
    def planned_events(cls, interval: Interval, now: datetime) -> list[PlannedEvent]:
        """The events that make up what is left of an interval at a time, in order and without a gap. A start that is
        past becomes the earliest time for which the vendor can be asked. Pure; raises CannotExpress."""
        raise NotOffered

    def control_programs(self, key: Key) -> list[str]:
        """The programs in which a site is enrolled, for vendors whose events belong to one."""
        raise NotOffered

    def control_events(self, key: Key, program: str | None, start: datetime, end: datetime) -> list[Event]:
        """All events of a site that touch this time, of any maker; never from a cached reply."""
        raise NotOffered

    def add_control_event(self, key: Key, program: str | None, planned: PlannedEvent) -> Accepted:
        """Makes one event with one call, which is never repeated: a failure that is_uncertain may have made it."""
        raise NotOffered

    def end_control_event(self, key: Key, program: str | None, event: str) -> str:
        """Cancels an event that is scheduled, or ends one that runs, with one call; returns the vendor's words."""
        raise NotOffered

    def _absent(self) -> Exception:
        """The reason why there is no list."""
        return NotAskedYet(why="this server cannot ask it yet") if self.stage is Stage.DECLARED else NotOffered()
