"""The Grid Services API: accounts, programs, and the sites enrolled in them."""

from collections.abc import Callable
from typing import Any, ClassVar

from flask import Blueprint, Response

from sandbox.enphase_world.cloud import EnphaseCloud
from sandbox.enphase_world.requests import Unprocessable
from sandbox.enphase_world.state import State
from sandbox.enphasevpp import accounts, errors
from sandbox.enphasevpp.accounts import ACCOUNTS, MAIN, Access, Account
from sandbox.enphasevpp.programs import Programs
from sandbox.quotas import Spent
from sandbox.replies import Refused
from sandbox.world import World


class EnphaseVpp(EnphaseCloud):
    """Enphase's cloud for utilities. One more option: `pwr` (the power of a microinverter under its other name)."""

    vendor = "enphasevpp"
    outside = ("/auth/",)
    options: ClassVar[tuple[str, ...]] = (*EnphaseCloud.options, "pwr")
    # As in the published example.
    blanks = "  "

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.access = Access(world.real_time)
        self.programs = Programs(self)

    def headers(self) -> dict[str, str]:
        return self.access.headers(MAIN)

    def about(self, base: str) -> dict[str, Any]:
        token = {"url": f"{base}/auth/oauth2/token", "client_id": MAIN.client_id, "client_secret": MAIN.client_secret}
        others = {one.name: {"headers": self.access.headers(one)} for one in ACCOUNTS[1:]}
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

    def error(self, status: int, detail: str = "") -> Response:
        return errors.error(status, more=detail or None)

    def unprocessable(self, error: Unprocessable) -> Response:
        if error.kind == "date":
            return errors.error(400, errors.BAD_DATE)
        if error.kind == "missing":
            return errors.error(422, "Unprocessable Entity", error.details)
        known = {"granularity": errors.BAD_GRANULARITY, "duration": errors.BAD_DURATION, "age": errors.TOO_OLD}
        return errors.error(422, known.get(error.kind, errors.DOWNSTREAM), error.details)

    def too_many(self, spent: Spent) -> Response:
        """Not documented: what gateways of this kind say, without Retry-After."""
        return errors.gateway(429, "Limit Exceeded" if spent.limit.is_plan else "Too Many Requests")

    def routes(self) -> Blueprint:
        blueprint = self.blueprint()
        blueprint.post("/auth/oauth2/token")(self.access.token)
        views: dict[str, Callable[..., Response]] = {
            "/programs": self.programs.list_programs,
            "/programs/<program_id>": self.programs.show,
            "/systems/search/<program_id>": self.programs.search,
            "/systems/<system_id>/devices": self.list_devices,
        }
        for path, view in views.items():
            blueprint.add_url_rule(f"/api/v1{path}", path, view)
        return blueprint

    def system(self, system_id: str) -> State:
        """The site, if it is enrolled in one of the account's programs."""
        if not system_id.isdecimal():
            raise Refused(errors.error(400, errors.BAD_SITE, f"For input string: {system_id}"))
        for program_id in self.account().programs:
            for seen in self.programs.enrolled(program_id):
                if seen.site_id == system_id:
                    return self.state(seen)
        raise Refused(errors.error(403, errors.NOT_ENROLLED, errors.NOT_ENROLLED))
