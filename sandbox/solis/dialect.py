"""The SolisCloud endpoints: envelope, paging, lists and details. The charts are in `sandbox.solis.charts`."""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence

from flask import Blueprint, Response, request

from sandbox.dialect import Dialect, Resolution, SiteView
from sandbox.quotas import Spent
from sandbox.replies import Refused
from sandbox.solis import constants, data_faults, records, stations
from sandbox.solis.account import Account
from sandbox.solis.alarms import alarms
from sandbox.solis.charts import Charts
from sandbox.solis.envelope import failure, member, paged, success, unknown
from sandbox.solis.inverters import LIFETIME_STEP_WH, STEP_WH, Inverter, Station, station
from sandbox.solis.signature import refusal
from sandbox.world import World
from simulation import Site

# Made up.
KEY_ID, KEY_SECRET = "1300000000000000001", "0123456789abcdef0123456789abcdef"
COUNTS_FRESH_SECONDS = 60


class Solis(Dialect):
    """SolisCloud, for one account that owns every station."""

    vendor = "solis"
    resolution = Resolution(energy_wh=STEP_WH, lifetime_wh=LIFETIME_STEP_WH, apart_seconds=constants.TOGETHER_SECONDS)
    data_faults = data_faults.CHANGES
    refused_status = 403
    # strict_md5: Content-MD5 must be that of the body. alarms: each inverter has more of them than a page holds.
    options = ("strict_md5", "alarms")

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.account = Account(seen for seen in self.sites if isinstance(seen, Station))
        self._counted: tuple[int, dict[str, int]] = (-1, {})

    def describe(self, site: Site) -> SiteView:
        return station(site)

    def headers(self) -> dict[str, str]:
        credential = b64encode(f"{KEY_ID}:{KEY_SECRET}".encode()).decode()
        return {"X-Authorization-solis": f"Basic {credential}"}

    def credentials(self) -> Sequence[Mapping[str, str]]:
        return ({"type": "apikeysecret", "keyID": KEY_ID, "keySecret": KEY_SECRET},)

    def credential(self) -> str:
        path = request.path.removeprefix(f"/{self.vendor}")
        strict = "strict_md5" in self.switched_on
        status = refusal(request, path, KEY_ID, KEY_SECRET, self.world.real_time(), strict)
        if status is not None:
            raise Refused(self.error(status))
        return KEY_ID

    def error(self, status: int, detail: str = "") -> Response:
        return Response(f"{status} {detail}".strip(), status=status, content_type="text/plain")

    def too_many(self, spent: Spent) -> Response:
        if not spent.limit.is_plan:
            return self.error(constants.TOO_FAST_STATUS, "Too Many Requests")
        days = round(spent.limit.seconds / 86_400)
        return failure("R0000", f"No authority too many request {spent.limit.calls} times in {days}DAYS")

    def routes(self) -> Blueprint:
        blueprint = Blueprint(self.vendor, __name__)
        calls: dict[str, Callable[[], Response]] = {
            "userStationList": self.list_stations,
            "stationDetail": self.show_station,
            "stationDetailList": self.list_station_details,
            "inverterList": self.list_inverters,
            "inverterDetail": self.show_inverter,
            "inverterDetailList": self.list_details,
            "alarmList": self.list_alarms,
            **Charts(self.account, self.world.clock).calls(),
        }
        for name, answer in calls.items():
            blueprint.add_url_rule(f"/v1/api/{name}", name, answer, methods=["POST"])
        return blueprint

    def list_stations(self) -> Response:
        """The stations, with how many are online."""
        chosen = tuple(self.account.stations.values())
        online = sum(any(unit.is_online(self.now) for unit in station.units) for station in chosen)
        status = {"all": len(chosen), "normal": online, "fault": 0, "offline": len(chosen) - online, "building": 0}
        rows, page = paged(chosen)
        listed = [stations.listed(station, self.now) for station in rows]
        return success({"stationStatusVo": {**status, "mppt": 0}, "page": {"records": listed, **page}, "mpptSwitch": 0})

    def show_station(self) -> Response:
        """One station."""
        return success(stations.detailed(self.account.requested_station(), self.now))

    def list_station_details(self) -> Response:
        """The details of all stations; the documents disagree on where they stand, and clients read `data.records`."""
        rows, page = paged(tuple(self.account.stations.values()))
        return success({"records": [stations.detailed(station, self.now) for station in rows], **page})

    def list_inverters(self) -> Response:
        """The inverters of one station, or of all."""
        station_id = member("stationId")
        if station_id and station_id not in self.account.stations:
            return unknown()
        chosen = self.account.stations[station_id].units if station_id else self.account.units
        rows, page = paged(chosen)
        listed = [records.listed(unit, self.now) for unit in rows]
        status = self._counts() if chosen is self.account.units else _count(chosen, self.now)
        return success({"inverterStatusVo": status, "page": {"records": listed, **page}, "mpptSwitch": 1})

    def show_inverter(self) -> Response:
        """One inverter, by id or serial number."""
        return success(records.detailed(self.account.requested_unit(), self.now))

    def list_details(self) -> Response:
        """The details of all inverters; the rows lie one level higher than in `inverterList`."""
        rows, page = paged(self.account.units)
        return success({"records": [records.detailed(unit, self.now) for unit in rows], **page})

    def list_alarms(self) -> Response:
        """The alarms of one inverter, or of all: none, unless they are switched on."""
        serial = member("alarmDeviceSn")
        units = (
            [unit for unit in self.account.units if serial in ("", unit.device.serial)]
            if "alarms" in self.switched_on
            else ()
        )
        rows, page = paged([alarm for unit in units for alarm in alarms(unit, self.now)])
        return success({"records": rows, **page})

    def _counts(self) -> dict[str, int]:
        """Of all inverters; counted once a minute, for a large fleet would make every page slow."""
        minute = int(self.now // COUNTS_FRESH_SECONDS)
        if self._counted[0] != minute:
            self._counted = (minute, _count(self.account.units, self.now))
        return self._counted[1]


def _count(units: Sequence[Inverter], now: float) -> dict[str, int]:
    online = sum(unit.is_online(now) for unit in units)
    return {"all": len(units), "normal": online, "fault": 0, "offline": len(units) - online, "mppt": 0}
