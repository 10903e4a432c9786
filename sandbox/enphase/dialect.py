"""The Monitoring API: its credentials, plans and routes."""

from collections.abc import Callable
from math import ceil
from typing import Any, ClassVar

from flask import Blueprint, Response

from sandbox.consent.consents import Consents
from sandbox.enphase import applications, errors
from sandbox.enphase.access import Access
from sandbox.enphase.applications import APPLICATIONS, DEVELOPER, TOP, Application
from sandbox.enphase.constants import CONFIGURATION, DEVICE_LEVEL, PARTNER, PLANS
from sandbox.enphase.inverters import Inverters
from sandbox.enphase.listing import Listing, entry_of
from sandbox.enphase.systems.cloud import EnphaseCloud
from sandbox.enphase.systems.present import Present
from sandbox.enphase.systems.requests import NotFound, Unprocessable
from sandbox.enphase.systems.site import EnphaseSite
from sandbox.enphase.systems.state import State
from sandbox.enphase.systems.telemetry import Telemetry
from sandbox.enphase.systems.totals import Totals
from sandbox.quotas import Spent
from sandbox.replies import Refused, reply
from sandbox.tokens import Tokens
from sandbox.world import World

View = Callable[..., Response]
SECONDS = {"per_minute": 60, "per_month": 30 * 86_400}


class Enphase(EnphaseCloud):
    """Enphase's cloud for owners and installers.

    More options: `iso_report_dates` (in the summary of inverters), `bare_429` (without the members about the
    period), `plan_403` (a plan that lacks an access control is refused as documented, not as seen).
    """

    vendor = "enphase"
    outside = ("/oauth/",)
    whole_periods = True
    refused_status = None
    options: ClassVar[tuple[str, ...]] = (*EnphaseCloud.options, "iso_report_dates", "bare_429", "plan_403")

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.access = Access(world)

    def headers(self) -> dict[str, str]:
        return self.access.headers(TOP)

    @property
    def tokens(self) -> Tokens:
        return self.access.tokens

    @property
    def consents(self) -> Consents:
        return self.access.consents

    def about(self, base: str) -> dict[str, Any]:
        token = {
            "url": f"{base}/oauth/token",
            "client_id": TOP.client_id,
            "client_secret": TOP.client_secret,
            "username": applications.USERNAME,
            "password": applications.PASSWORD,
        }
        consent = {
            "url": f"{base}/oauth/authorize",
            "type": "developerapp",
            "clientID": DEVELOPER.client_id,
            "clientSecret": DEVELOPER.client_secret,
            "apiKey": DEVELOPER.key,
        }
        others = {
            application.name: {"plan": application.plan, "headers": self.access.headers(application)}
            for application in APPLICATIONS[1:]
        }
        plans = {
            name: [{"calls": getattr(plan, period), "seconds": seconds} for period, seconds in SECONDS.items()]
            for name, plan in PLANS.items()
        }
        return {"token": token, "consent": consent, "applications": others, "plans": plans}

    def credential(self) -> str:
        """The API key: all owners of an application share its quota."""
        return self.application().key

    def application(self) -> Application:
        """The application that asks. Raises Refused."""
        holder, of_key = self.access.holder(), applications.of_key()
        if holder is None or of_key is None:
            raise Refused(self.error(401))
        if holder != of_key:
            details = "API Key and Client ID of the access token do not match"
            raise Refused(errors.error(401, details, message="API Key -Client mismatch"))
        return of_key

    def demand(self, control: str) -> None:
        """Refuses the call when the plan lacks that access control."""
        if control not in PLANS[self.application().plan].extras:
            raise Refused(self.error(403 if "plan_403" in self.switched_on else 401))

    def error(self, status: int, detail: str = "") -> Response:
        return errors.error(status, detail)

    def unprocessable(self, error: Unprocessable) -> Response:
        return errors.error(422, error.details)

    def not_found(self, error: NotFound) -> Response:
        return errors.error(404, str(error))

    def percent(self, value: float) -> float:
        return round(value)

    def battery_totals(self, now: State) -> dict[str, Any]:
        return {"last_reported_aggregate_soc": self.unit_charge(now)}

    def unit_charge(self, now: State) -> str | None:
        percent = now.seen.site.soc_percent(now.ready)
        return None if percent is None else f"{round(percent)}%"

    def too_many(self, spent: Spent) -> Response:
        """No Retry-After: what there is to know stands in the body, or is left out."""
        details = f"Usage limit exceeded for plan {self.application().plan}"
        if "bare_429" in self.switched_on:
            return errors.error(429, details)
        seconds = spent.limit.seconds
        end = ceil(self.world.real_time() + spent.wait)
        period = "month" if spent.limit.is_plan else "minute"
        window: dict[str, Any] = {"period": period, "period_start": int(end - seconds), "period_end": end}
        return errors.error(429, details, **window, limit=spent.limit.calls)

    def routes(self) -> Blueprint:
        blueprint = self.blueprint()
        self.access.add_routes(blueprint)
        for path, view in self._views().items():
            blueprint.add_url_rule(f"/api/v4/systems{path}", path, view)
        for control, views in self._gated_views().items():
            for path, view in views.items():
                blueprint.add_url_rule(f"/api/v4/systems{path}", path, self._gated(control, view))
        # GET too, or it would be taken for a system of that name.
        blueprint.add_url_rule(
            "/api/v4/systems/search", "search", Listing(self.visible, self.entry).search, methods=["GET", "POST"]
        )
        return blueprint

    def _views(self) -> dict[str, View]:
        """The views that every plan may call, by path."""
        listing = Listing(self.visible, self.entry)
        telemetry, totals, present = Telemetry(self), Totals(self), Present(self)
        return {
            "": listing.list_systems,
            "/": listing.list_systems,
            "/retrieve_system_id": listing.of_gateway,
            "/event_types": present.event_types,
            "/inverters_summary_by_envoy_or_site": self.summarize_inverters,
            "/<system_id>": self.show_system,
            "/<system_id>/summary": totals.summary,
            "/<system_id>/devices": self.list_devices,
            "/<system_id>/telemetry/production_micro": telemetry.production_micro,
            "/<system_id>/telemetry/production_meter": telemetry.production_meter,
            "/<system_id>/telemetry/consumption_meter": telemetry.consumption_meter,
            "/<system_id>/telemetry/battery": telemetry.battery,
            "/<system_id>/energy_lifetime": totals.production_lifetime,
            "/<system_id>/battery_lifetime": totals.battery_lifetime,
            "/<system_id>/latest_telemetry": present.latest,
            "/<system_id>/open_events": present.open_events,
            "/<system_id>/events": present.events,
            "/<system_id>/open_alarms": present.open_alarms,
            "/<system_id>/alarms": present.alarms,
        }

    def _gated_views(self) -> dict[str, dict[str, View]]:
        """The views that only some plans may call, by access control and path."""
        telemetry = Telemetry(self)
        devices: dict[str, View] = {
            "/<system_id>/devices/micros/telemetry": self.list_micro_rows,
            "/<system_id>/devices/micros/<serial>/telemetry": telemetry.micro,
            "/<system_id>/devices/encharges/<serial>/telemetry": telemetry.encharge,
        }
        settings: dict[str, View] = {"/config/<system_id>/battery_settings": Present(self).battery_settings}
        return {DEVICE_LEVEL: devices, CONFIGURATION: settings}

    def _gated(self, control: str, view: View) -> View:
        def answer(**parts: str) -> Response:
            self.demand(control)
            return view(**parts)

        return answer

    def show_system(self, system_id: str) -> Response:
        """One system."""
        return reply(self.entry(self.system(system_id).seen))

    def summarize_inverters(self) -> Response:
        """A page of the microinverters of a site or gateway."""
        return Inverters(self.visible, self.state).summary(iso_dates="iso_report_dates" in self.switched_on)

    def list_micro_rows(self, system_id: str) -> Response:
        """A page of the microinverters of a system, with their telemetry."""
        return Inverters.telemetry(self.system(system_id), self.now)

    def entry(self, seen: EnphaseSite) -> dict[str, Any]:
        return entry_of(seen, super().entry(seen), is_partner=self.application().plan == PARTNER)

    def visible(self) -> list[EnphaseSite]:
        """The systems that the token covers."""
        return [seen for seen in self.systems.values() if self._covers(seen.site.number)]

    def system(self, system_id: str) -> State:
        if system_id not in self.systems:
            raise NotFound("System", system_id)
        seen = self.systems[system_id]
        if not self._covers(seen.site.number):
            raise Refused(self.error(403))
        return self.state(seen)

    def _covers(self, number: int) -> bool:
        """Whether the token covers that site: those of the owner who consented, else those of the application."""
        owner, systems = self.access.owner(), self.application().systems
        if owner is not None:
            return owner.owns(number)
        return systems == applications.ALL_SYSTEMS or (systems == applications.FIRST_SYSTEM and number == 0)
