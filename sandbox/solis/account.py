"""The stations of the one account, and the one of them, or the inverter, that a request names."""

from collections.abc import Iterable

from sandbox.replies import Refused
from sandbox.solis.constants import MISSING_ID
from sandbox.solis.envelope import failure, member, unknown
from sandbox.solis.inverters import Inverter, Station


class Account:
    """All stations by id, and all their inverters."""

    def __init__(self, stations: Iterable[Station]) -> None:
        self.stations = {station.site_id: station for station in stations}
        self.units = tuple(unit for station in self.stations.values() for unit in station.units)
        self._unit_by = {name: unit for unit in self.units for name in (unit.device.native["id"], unit.device.serial)}

    def requested_station(self) -> Station:
        """The station whose id stands in the request's body. Raises Refused."""
        station_id = member("id")
        if not station_id:
            raise Refused(failure(MISSING_ID, "id is missing"))
        if station_id not in self.stations:
            raise Refused(unknown())
        return self.stations[station_id]

    def requested_unit(self) -> Inverter:
        """The inverter whose id or serial number stands in the request's body. Raises Refused."""
        name = member("id") or member("sn")
        if not name:
            raise Refused(failure(MISSING_ID, "id or sn is missing"))
        if name not in self._unit_by:
            raise Refused(unknown())
        return self._unit_by[name]
