"""The Grid Services API: accounts, programs, and the sites enrolled in them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from flask import Blueprint, Response

from sandbox.enphase.systems.cloud import EnphaseCloud
from sandbox.enphase.systems.present import Present
from sandbox.enphase.systems.requests import NotFound, Unprocessable
from sandbox.enphase.systems.state import State
from sandbox.enphase.systems.telemetry import Telemetry
from sandbox.enphase.systems.totals import Totals
from sandbox.enphasevpp import accounts, errors
from sandbox.enphasevpp.accounts import ACCOUNTS, MAIN, Access, Account
from sandbox.enphasevpp.constants import OVERLAP_DELETED, OVERLAP_REFUSED
from sandbox.enphasevpp.events.book import EventBook
from sandbox.enphasevpp.events.endpoints import Events
from sandbox.enphasevpp.programs import Programs, Rules
from sandbox.quotas import Spent
from sandbox.replies import Refused
from sandbox.tokens import Tokens
from sandbox.world import World

View = Callable[..., Response]
HEALTH_PERCENT = 99.1


class EnphaseVpp(EnphaseCloud):
    """Enphase's cloud for utilities.

    More options: `pwr` (the power of a microinverter under its other name), `no_cancelling` and `no_ending` (programs
    permit neither to cancel events nor to end them). Choice: `overlap`, how an event is answered that is not taken.
    """

    vendor = "enphasevpp"
    outside = ("/auth/",)
    options: ClassVar[tuple[str, ...]] = (*EnphaseCloud.options, "pwr", "no_cancelling", "no_ending")
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {"overlap": (OVERLAP_REFUSED, OVERLAP_DELETED)}
    micro_durations = ("5mins", "15mins")
    # Rows of 5 minutes exist on sites that are configured for them: here, none is.
    meter_durations = ("15mins",)
    # As in the published example.
    blanks = "  "
    resolution = replace(EnphaseCloud.resolution, soc_percent=0.1)

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.access = Access(world.real_time)
        self.programs = Programs(tuple(self.systems.values()), self.account, self.entry, self.rules)
        self.events = Events(
            EventBook(world.batteries, world.clock.now),
            self.programs,
            world.clock.now,
            lambda site_id: world.writes.count(self.vendor, site_id),
            lambda: self.chosen["overlap"] == OVERLAP_DELETED,
        )

    def headers(self) -> dict[str, str]:
        return self.access.headers(MAIN)

    def credentials(self) -> Sequence[Mapping[str, str]]:
        client = {"clientID": MAIN.client_id, "clientSecret": MAIN.client_secret}
        return ({"type": "vpp", **client, "apiKey": MAIN.key},)

    @property
    def tokens(self) -> Tokens:
        return self.access.tokens

    def about(self, base: str) -> dict[str, Any]:
        token = {"url": f"{base}/auth/oauth2/token", "client_id": MAIN.client_id, "client_secret": MAIN.client_secret}
        others = {account.name: {"headers": self.access.headers(account)} for account in ACCOUNTS[1:]}
        return {"token": token, "accounts": others}

    def credential(self) -> str:
        return self.account().name

    def account(self) -> Account:
        """The account that asks. The order of the checks is not documented. Raises Refused."""
        of_key = accounts.of_key()
        if of_key is None:
            raise Refused(errors.error(403, errors.NO_KEY, f"{errors.NO_KEY}. Please check your x-api-key"))
        holder = self.access.holder()
        if holder is None:
            raise Refused(self.error(401))
        if holder != of_key:
            raise Refused(errors.error(403, errors.OTHER_KEY, f"{errors.OTHER_KEY}. Please check your x-api-key"))
        return holder

    def rules(self) -> Rules:
        """The rules of all programs."""
        return Rules("no_cancelling" not in self.switched_on, "no_ending" not in self.switched_on)

    def error(self, status: int, detail: str = "") -> Response:
        """A quota is the gateway's business, like its answer."""
        if status == 429:
            return errors.gateway(status, "Too Many Requests")
        return errors.error(status, more=detail or None)

    def unprocessable(self, error: Unprocessable) -> Response:
        if error.kind == "date":
            return errors.error(400, errors.BAD_DATE)
        if error.kind == "missing":
            return errors.error(422, "Unprocessable Entity", error.details)
        known = {"granularity": errors.BAD_GRANULARITY, "duration": errors.BAD_DURATION, "age": errors.TOO_OLD}
        return errors.error(422, known.get(error.kind, errors.DOWNSTREAM), error.details)

    def not_found(self, error: NotFound) -> Response:
        return errors.error(404, "Not Found", str(error))

    def percent(self, value: float) -> float:
        return round(value, 1)

    def battery_totals(self, now: State) -> dict[str, Any]:
        """State of charge and health of the whole, and its capacity; null without a battery."""
        battery = now.seen.site.battery
        charge = now.seen.site.soc_percent(now.ready)
        return {
            "soc": None if charge is None else round(charge, 1),
            "soh": HEALTH_PERCENT if battery else None,
            "capacity_wh": round(1000 * battery.capacity_kwh) if battery else None,
            "last_report_at": now.last_report,
        }

    def unit_charge(self, now: State) -> str | None:
        """Null in the published example."""
        return None

    @property
    def power_name(self) -> str:
        return "pwr" if "pwr" in self.switched_on else "powr"

    def too_many(self, spent: Spent) -> Response:
        """Not documented: what gateways of this kind say, without Retry-After."""
        return errors.gateway(429, "Limit Exceeded" if spent.limit.is_plan else "Too Many Requests")

    def routes(self) -> Blueprint:
        blueprint = self.blueprint()
        blueprint.post("/auth/oauth2/token")(self.access.token)
        views: dict[str, View] = {
            "/programs": self.programs.list_programs,
            "/programs/<program_id>": self.programs.show,
            "/systems/search/<program_id>": self.programs.search,
            "/systems/event_types": Present(self).event_types,
        }
        views |= {f"/systems/<system_id>/{path}": view for path, view in self._site_views().items()}
        for path, view in views.items():
            blueprint.add_url_rule(f"/api/v1{path}", path, view)
        blueprint.post("/api/v2/events")(self.events.create)
        blueprint.get("/api/v2/events")(self.events.list_events)
        blueprint.get("/api/v2/events/<event_id>")(self.events.show)
        blueprint.delete("/api/v2/events/<event_id>")(self.events.end)
        blueprint.put("/api/v1/events/optout/<event_id>")(self.events.opt_out)
        return blueprint

    def _site_views(self) -> dict[str, View]:
        """The views of one site, by path."""
        telemetry, totals, present = Telemetry(self), Totals(self), Present(self)
        return {
            "summary": totals.summary,
            "devices": self.list_devices,
            "devices/micros/<serial>/telemetry": telemetry.micro,
            "devices/encharges/<serial>/telemetry": telemetry.encharge,
            "telemetry/production_micro": telemetry.production_micro,
            "telemetry/production_meter": telemetry.production_meter,
            "telemetry/consumption_meter": telemetry.consumption_meter,
            "telemetry/battery": telemetry.battery,
            "production_lifetime": totals.production_lifetime,
            "battery_lifetime": totals.battery_lifetime,
            "latest_telemetry": present.latest,
            "battery_settings": present.battery_settings,
            "site_open_events": present.open_events,
            "site_events": present.events,
            "site_alarms": present.alarms,
        }

    def system(self, system_id: str) -> State:
        """The site, if it is enrolled in one of the account's programs."""
        if not system_id.isdecimal():
            raise Refused(errors.error(400, errors.BAD_SITE, f"For input string: {system_id}"))
        for program_id in self.account().programs:
            for seen in self.programs.enrolled(program_id):
                if seen.site_id == system_id:
                    return self.state(seen)
        raise Refused(errors.error(403, errors.NOT_ENROLLED, errors.NOT_ENROLLED))
