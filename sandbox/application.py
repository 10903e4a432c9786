"""The Flask application: a blueprint for each vendor below its name, and the sandbox's own endpoints at the root."""

import time
from collections.abc import Callable

from flask import Flask

from sandbox import control, guard, truth
from sandbox.batteries import control as battery_control
from sandbox.consent import control as consent_control
from sandbox.registry import discover
from sandbox.world import World
from simulation import Fleet


def create_app(
    fleet_sites: int = 8,
    seed: int = 1,
    *,
    real_time: Callable[[], float] = time.time,
    ticks: Callable[[], float] = time.monotonic,
) -> Flask:
    """A sandbox over a fleet of `fleet_sites` sites.

    `app.extensions` holds its `World` as "world", and its dialects by vendor as "dialects".
    real_time: epoch seconds, by which tokens expire and signatures age. ticks: the clock of the quotas, in seconds.
    """
    world = World(Fleet(fleet_sites, seed), real_time, ticks)
    dialects = {vendor: dialect(world) for vendor, dialect in discover().items()}
    app = Flask("sandbox", static_folder=None)
    app.url_map.merge_slashes = False
    app.extensions |= {"world": world, "dialects": dialects}
    for vendor, dialect in dialects.items():
        app.register_blueprint(dialect.routes(), url_prefix=f"/{vendor}")
    guard.install(app, world, dialects)
    app.register_blueprint(control.routes(world, dialects))
    app.register_blueprint(consent_control.routes(dialects))
    app.register_blueprint(battery_control.routes(world))
    app.register_blueprint(truth.routes(world.fleet, dialects))
    return app


def warm_up(app: Flask) -> None:
    """Computes each site's energies once: the first call for a place computes all its days, which takes seconds."""
    world: World = app.extensions["world"]
    for site in world.fleet.sites:
        site.pv_kwh(world.clock.now())
        site.charge_kwh(world.clock.now())
