"""The endpoints by which a test plays what happens to batteries, and sees what they were commanded."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, request

from sandbox.batteries.happenings import Conditions, Happenings
from sandbox.fields import BadField, an_object, flag, number, one_of, whole
from sandbox.replies import reply
from sandbox.world import World
from simulation.battery import MODES

NOT_STORED = {"Cache-Control": "no-store"}
LONGEST_SECONDS = 30 * 86_400
# Events are retried for five minutes; a battery that obeys later than that never does.
LONGEST_DELAY, MOST_KW, MOST_READS = 300, 10_000, 100
OUTAGE, OWNER_MODE, OPT_OUT = "outage", "owner_mode", "opt_out"
Change = Callable[[Happenings], Happenings]
CHECKS: Mapping[str, Callable[[str, Any], Any]] = {
    "delay_seconds": number(0, LONGEST_DELAY),
    "ignores": flag,
    "most_kw": lambda field, raw: None if raw is None else number(0, MOST_KW)(field, raw),
    "stale_reads": whole(0, MOST_READS),
    "drops": flag,
}


def routes(world: World) -> Blueprint:
    """`GET`, `PUT`, `POST` and `DELETE /batteries`."""
    blueprint = Blueprint("batteries", __name__)
    control = BatteryControl(world)
    blueprint.get("/batteries")(control.show)
    blueprint.put("/batteries")(control.set_conditions)
    blueprint.post("/batteries")(control.happen)
    blueprint.delete("/batteries")(control.forget)
    return blueprint


class BatteryControl:
    """The endpoints of one sandbox. `site` is a number of the fleet; without it all sites are meant."""

    def __init__(self, world: World) -> None:
        self._world = world

    def show(self) -> Response:
        """Of each site, how well its events fare, what happens there, and all commands of its battery."""
        batteries = self._world.batteries
        sites = [
            {
                "site": site,
                "conditions": asdict(batteries.conditions(site)),
                "happenings": asdict(batteries.happenings(site)),
                "commands": [asdict(command) for command in batteries.commands(site)],
            }
            for site in self._numbers({})
        ]
        return reply({"sites": sites}, headers=NOT_STORED)

    def set_conditions(self) -> Response:
        """Sets how well events fare that are made from now on; conditions that are not named take their default."""
        members = an_object(_body(), {"site", *CHECKS})
        checked: dict[str, Any] = {
            name: check(name, members[name]) for name, check in CHECKS.items() if name in members
        }
        for site in self._numbers(members):
            self._world.batteries.set_conditions(site, Conditions(**checked))
        return reply(members)

    def happen(self) -> Response:
        """Lets something happen, now or some seconds later by the clock of the data."""
        members = an_object(_body(), {"site", "what", "after_seconds", "seconds", "mode"})
        what = one_of((OUTAGE, OWNER_MODE, OPT_OUT))("what", members.get("what"))
        seconds = number(0, LONGEST_SECONDS)
        start = self._world.clock.now() + seconds("after_seconds", members.get("after_seconds", 0))
        end = start + seconds("seconds", members.get("seconds", 0 if what == OPT_OUT else None))
        mode = one_of(MODES)("mode", members.get("mode")) if what == OWNER_MODE else ""
        changes: dict[str, Change] = {
            OUTAGE: lambda happenings: happenings.with_outage(start, end),
            OWNER_MODE: lambda happenings: happenings.with_mode(start, end, mode),
            OPT_OUT: lambda happenings: happenings.with_opt_out(start),
        }
        for site in self._numbers(members):
            self._world.batteries.happen(site, changes[what])
        return reply(members)

    def forget(self) -> Response:
        """Takes back all conditions, all that happened, and all events."""
        self._world.batteries.forget()
        return Response(status=204)

    def _numbers(self, members: dict[str, Any]) -> range:
        """The numbers of the sites that are meant."""
        count = len(self._world.fleet.sites)
        if "site" not in members:
            return range(count)
        if count == 0:
            raise BadField("site", "the fleet has no site")
        site = whole(0, count - 1)("site", members["site"])
        return range(site, site + 1)


def _body() -> Any:
    return request.get_json(force=True, silent=True)
