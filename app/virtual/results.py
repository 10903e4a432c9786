"""Virtual sites and devices as the fleet returns them, and what a deletion has removed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from app.storage.virtual_tables import VirtualControlEventRow, VirtualDeviceRow, VirtualSiteRow


@dataclass(frozen=True, slots=True)
class SiteWithDevices:
    """A site's row, those of its devices, by id, and those of the commands to its batteries, by their starts."""

    row: VirtualSiteRow
    devices: Sequence[VirtualDeviceRow] = ()
    events: Sequence[VirtualControlEventRow] = ()


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
    """A device's row and that of its site; of a battery also those of the site's commands, by their starts."""

    row: VirtualDeviceRow
    site: VirtualSiteRow
    events: Sequence[VirtualControlEventRow] = ()


@dataclass(frozen=True, slots=True)
class Deleted:
    """The ids that a deletion has removed."""

    site: str | None = None
    devices: Sequence[tuple[str, str]] = ()
    """Kind and id of each."""
