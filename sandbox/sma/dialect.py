"""The Monitoring API: plants, devices, status, and the measurements of `sandbox.sma.measurements`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from flask import Blueprint, Response

from sandbox.consent.consents import Consents
from sandbox.consent.owners import Owner
from sandbox.dialect import Dialect, Resolution, SiteView
from sandbox.quotas import Spent
from sandbox.replies import Refused, reply
from sandbox.sma import constants, data_faults, errors, plants
from sandbox.sma.measurements import ROWS, Measurements
from sandbox.sma.oauth import CLIENT, CLIENT_SECRET, NEW_CLIENT, NEW_CLIENT_SECRET, Access
from sandbox.sma.parameters import asked_for, parameter
from sandbox.sma.plants import Plant
from sandbox.sma.sets import SENSOR_SET
from sandbox.tokens import Tokens
from sandbox.world import World
from simulation import Site


class Sma(Dialect):
    """SMA's production cloud."""

    vendor = "sma"
    # An inverter's power is the whole Wh of five minutes.
    resolution = Resolution(power_w=12.0, soc_percent=0.01)
    data_faults = data_faults.CHANGES
    outside = ("/oauth2/",)
    # How long fine rows last: five minutes mostly, an hour at classic plants.
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {"resolution": tuple(ROWS)}
    prefixes: ClassVar[tuple[str, ...]] = ("",)
    further_sets: ClassVar[tuple[str, ...]] = ()

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.access = Access(world)
        self.plants: dict[str, Plant] = {key: seen for key, seen in self.by_id.items() if isinstance(seen, Plant)}
        self.plant_of = {device_id: plant for plant in self.plants.values() for device_id in plant.entries}

    def describe(self, site: Site) -> SiteView:
        return plants.plant(site, plants.production(site))

    def headers(self) -> dict[str, str]:
        return {f"X-Authorization-{self.vendor}": f"Bearer {self.access.tokens.issue(CLIENT).access}"}

    def credentials(self) -> Sequence[Mapping[str, str]]:
        return ({"type": "customgrant", "clientID": CLIENT, "clientSecret": CLIENT_SECRET},)

    @property
    def tokens(self) -> Tokens:
        return self.access.tokens

    @property
    def consents(self) -> Consents:
        return self.access.consents

    def about(self, base: str) -> dict[str, Any]:
        token = {"url": f"{base}/oauth2/token", "scope": "monitoringApi:read"}
        return {
            "token": {**token, "client_id": CLIENT, "client_secret": CLIENT_SECRET},
            "token_without_consent": {**token, "client_id": NEW_CLIENT, "client_secret": NEW_CLIENT_SECRET},
            "consent": {
                "url": f"{base}/oauth2/auth",
                "type": "oauthclient",
                "clientID": NEW_CLIENT,
                "clientSecret": NEW_CLIENT_SECRET,
            },
        }

    def credential(self) -> str:
        quota = self.access.quota_of_token()
        if quota is None:
            raise Refused(self.error(401, "Unauthorized"))
        return quota

    def error(self, status: int, detail: str = "") -> Response:
        return errors.error(status, detail)

    def too_many(self, spent: Spent) -> Response:
        response = self.error(429, "API rate limit exceeded")
        if constants.SENDS_RETRY_AFTER:
            response.headers["Retry-After"] = str(int(spent.wait) + 1)
        return response

    def routes(self) -> Blueprint:
        blueprint = Blueprint(self.vendor, __name__)
        self.access.add_routes(blueprint)
        for prefix in self.prefixes:
            views: dict[str, Callable[..., Response]] = {
                "/v1/plants": self.list_plants,
                "/v1/plants/<plant_id>": self.show_plant,
                "/v1/plants/<plant_id>/devices": self.list_devices,
                "/v1/plants/<plant_id>/devices/lean": self.list_devices_lean,
                "/v1/plants/<plant_id>/measurements/sets/<set_type>/<period>": self.measure_plant,
                "/v1/devices/<device_id>": self.show_device,
                "/v1/devices/<device_id>/status": self.device_status,
                "/v1/devices/<device_id>/measurements/sets": self.list_sets,
                "/v1/devices/<device_id>/measurements/sets/<set_type>/<period>": self.measure_device,
            }
            for path, view in views.items():
                blueprint.add_url_rule(f"{prefix}{path}", f"{prefix}{path}".replace(".", ""), view)
        return blueprint

    def list_plants(self) -> Response:
        """Every plant whose owner consented: none is no error."""
        name, owners = parameter("Filter").lower(), self.access.owners()
        matching = (
            plant for plant in self.plants.values() if name in plant.site.name.lower() and _is_owned(plant, owners)
        )
        return reply({"plants": [_listed(plant) for plant in matching]})

    def show_plant(self, plant_id: str) -> Response:
        """The plant, not wrapped."""
        return reply({**self.plant(plant_id).head, "description": f"{plant_id} in the sandbox"})

    def list_devices(self, plant_id: str) -> Response:
        """The older list: with the plant, and each device's time zone."""
        plant = self.plant(plant_id)
        zone = {"timezone": plant.site.place.timezone}
        return reply({"plant": plant.head, "devices": [{**entry, **zone} for entry in plant.listed(False)]})

    def list_devices_lean(self, plant_id: str) -> Response:
        """The list of devices; deactivated ones on request."""
        return reply({"devices": list(self.plant(plant_id).listed(asked_for("WithDeactivatedDevices")))})

    def show_device(self, device_id: str) -> Response:
        """The device's details."""
        plant = self.device_plant(device_id)
        details = {
            **plant.entries[device_id],
            "timezone": plant.site.place.timezone,
            "ipAddress": "127.0.0.1",
            "firmwareVersion": "1.0.0.0.R",
            "communicationProtocol": "Speedwire",
            "startUpUtc": plants.start_up_utc(plant.site),
            "isResetted": False,
        }
        device = plant.device(device_id)
        if device and device.kind == "battery":
            details["batteryCapacity"] = 1000 * (device.capacity_kwh or 0.0)
        return reply({"plant": plant.head, "details": details})

    def device_status(self, device_id: str) -> Response:
        """The device with its status."""
        plant = self.device_plant(device_id)
        entry = {**plant.entries[device_id], "timezone": plant.site.place.timezone}
        return reply(
            {
                "plant": plant.head,
                "device": {**entry, "status": constants.STATUS_OK, "operationStatus": "Auto"},
            }
        )

    def list_sets(self, device_id: str) -> Response:
        """The measurement sets that the device offers."""
        return reply(self._measurements().sets(self.device_plant(device_id), device_id))

    def measure_device(self, device_id: str, set_type: str, period: str) -> Response:
        """One measurement set of one device."""
        return reply(self._measurements().of_device(self.device_plant(device_id), device_id, set_type, period))

    def measure_plant(self, plant_id: str, set_type: str, period: str) -> Response:
        """One measurement set of the plant."""
        return reply(self._measurements().of_plant(self.plant(plant_id), set_type, period))

    def plant(self, plant_id: str) -> Plant:
        """The plant. Raises Refused."""
        if plant_id not in self.plants:
            raise Refused(self.error(404, f"Plant {plant_id} not found"))
        return self._consented(self.plants[plant_id])

    def device_plant(self, device_id: str) -> Plant:
        """The plant that has the device. Raises Refused."""
        if device_id not in self.plant_of:
            raise Refused(self.error(404, f"Device {device_id} not found"))
        return self._consented(self.plant_of[device_id])

    def _measurements(self) -> Measurements:
        return Measurements(self.now, self.chosen["resolution"], self.further_sets)

    def _consented(self, plant: Plant) -> Plant:
        if not _is_owned(plant, self.access.owners()):
            raise Refused(self.error(constants.FOREIGN_STATUS, "Forbidden"))
        return plant


class SmaSandbox(Sma):
    """SMA's sandbox: the same API, below `/monitoring` too."""

    vendor = "smasbox"
    prefixes = ("", "/monitoring")
    further_sets = (SENSOR_SET,)

    def describe(self, site: Site) -> SiteView:
        return plants.plant(site, plants.sandbox(site))


def _is_owned(plant: Plant, owners: Iterable[Owner]) -> bool:
    return any(owner.owns(plant.site.number) for owner in owners)


def _listed(plant: Plant) -> dict[str, Any]:
    entry = plant.head
    if asked_for("WithInstallation"):
        entry["installation"] = plants.installation(plant.site)
    if asked_for("WithLocation"):
        entry["location"] = plants.location(plant.site)
    if asked_for("WithStatus"):
        entry["status"] = constants.STATUS_OK
    return entry
