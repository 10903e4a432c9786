"""Virtual sites and devices as the fleet returns them, and what a deletion has removed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from app.storage.virtual_tables import VirtualDeviceRow, VirtualSiteRow


@dataclass(frozen=True, slots=True)
class SiteWithDevices:
    """A site's row and those of its devices, by id."""

    row: VirtualSiteRow
    devices: Sequence[VirtualDeviceRow] = ()


class ListedDevice(NamedTuple):
    """The columns of a device that its site shows. Whole rows of 5,000 devices would take four times as long."""

    id: str
    kind: str
    nameplate_kwh: float | None
    mode: str | None


@dataclass(frozen=True, slots=True)
class ListedSite:
    """A site's row, and what it shows of its devices."""

    row: VirtualSiteRow
    devices: Sequence[ListedDevice] = ()


@dataclass(frozen=True, slots=True)
class DeviceAtSite:
    """A device's row and that of its site."""

    row: VirtualDeviceRow
    site: VirtualSiteRow


@dataclass(frozen=True, slots=True)
class Deleted:
    """The ids that a deletion has removed."""

    site: str | None = None
    devices: Sequence[tuple[str, str]] = ()
    """Kind and id of each."""
