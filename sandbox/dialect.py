"""The interface of a dialect: one vendor's cloud, as the sandbox plays it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from flask import Blueprint, Response

from sandbox.consent.consents import Consents
from sandbox.data_faults import Change
from sandbox.fields import flag, one_of
from sandbox.quotas import Spent
from sandbox.tokens import Tokens
from sandbox.world import World
from simulation import Device, Site, View


@dataclass(frozen=True)
class SiteView:
    """One site as a vendor shows it: its id there, its devices, and their readings."""

    site: Site
    site_id: str
    view: View

    @property
    def inverters(self) -> tuple[Device, ...]:
        """The solar inverters."""
        return tuple(device for device in self.view.devices if device.kind == "solar_inverter")

    @property
    def batteries(self) -> tuple[Device, ...]:
        """The batteries."""
        return tuple(device for device in self.view.devices if device.kind == "battery")


@dataclass(frozen=True)
class Resolution:
    """How finely a cloud measures one device, which bounds how far its values may be off the truth.

    seconds: the length of the time over which its powers are means.
    power_w, energy_wh, lifetime_wh, soc_percent: the steps of its values. A power that is reported as the energy of a
    row has the step of that energy, divided by the row's length.
    apart_seconds: how far apart the readings of devices may be that are added up to those of a site.
    charge_seconds: how much older than the powers a state of charge may be.
    """

    seconds: int = 300
    power_w: float = 1.0
    energy_wh: float = 1.0
    lifetime_wh: float = 1.0
    soc_percent: float = 1.0
    apart_seconds: int = 0
    charge_seconds: int = 0


class Dialect(ABC):
    """One vendor's cloud. A subclass with a `vendor` name, in any module of this package, is found and served.

    outside: path prefixes below the base without quotas and credentials, such as the token endpoint. Of the faults only
    those that name the path apply there.
    options: oddities that can be switched on, all off by default.
    choices: options that take one of several texts, the first by default.
    data_faults: by name, how this dialect shows that fault of the data. data_fault_options: the options without which
    a fault has nothing to change.
    whole_periods: whether the periods of quotas begin on the grid of UTC (at whole minutes), not with the first call.
    resolution: how finely it measures. keeps_rows: for how long it has fine rows and those of devices; None for ever.
    refused_status: the status of a refused credential; None if the vendor uses it for a call outside a plan as well.
    """

    vendor: ClassVar[str]
    outside: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[tuple[str, ...]] = ()
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    data_faults: ClassVar[Mapping[str, Change]] = {}
    data_fault_options: ClassVar[Mapping[str, Mapping[str, bool]]] = {}
    whole_periods: ClassVar[bool] = False
    resolution: ClassVar[Resolution] = Resolution()
    refused_status: ClassVar[int | None] = 401
    keeps_rows: ClassVar[timedelta | None] = None

    def __init__(self, world: World) -> None:
        self.world = world
        self.set_options({})
        self.sites = tuple(self.describe(site) for site in world.fleet.sites)
        self.by_id = {seen.site_id: seen for seen in self.sites}

    def set_options(self, options: Mapping[str, Any]) -> None:
        """Sets the options that are named, and all others to their default. Raises BadField."""
        switched_on = frozenset(name for name in self.options if flag(name, options.get(name, False)))
        self.chosen = {
            name: one_of(values)(name, options.get(name, values[0])) for name, values in self.choices.items()
        }
        self.switched_on = switched_on

    @abstractmethod
    def describe(self, site: Site) -> SiteView:
        """The site as this vendor sees it."""

    @abstractmethod
    def routes(self) -> Blueprint:
        """The vendor's API below its base."""

    @abstractmethod
    def headers(self) -> dict[str, str]:
        """The headers with which a caller of the service sends a working credential."""

    @abstractmethod
    def credential(self) -> str:
        """The owner of the quota that the current request uses. Raises Refused for a bad credential."""

    @abstractmethod
    def error(self, status: int, detail: str = "") -> Response:
        """The vendor's own form of an error."""

    @abstractmethod
    def too_many(self, spent: Spent) -> Response:
        """The vendor's own answer to a call beyond a quota."""

    def finish(self, response: Response) -> Response:
        """Adds headers that every answer of this vendor has."""
        return response

    def credentials(self) -> Sequence[Mapping[str, str]]:
        """Working credentials in the forms in which a service stores them, by the members of these forms."""
        return ()

    @property
    def tokens(self) -> Tokens | None:
        """The access tokens of its token endpoint; None without one."""
        return None

    @property
    def consents(self) -> Consents | None:
        """The consents of its owners; None where owners give none."""
        return None

    def about(self, base: str) -> Mapping[str, Any]:
        """Further members of the vendor's entry in `GET /`, next to the address and the headers."""
        return {}

    @property
    def now(self) -> float:
        """Epoch seconds of the fleet's data."""
        return self.world.clock.now()
