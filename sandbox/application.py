"""The Flask application: one blueprint per vendor below its name, and the control endpoints at the root."""

import time
from collections.abc import Callable

from flask import Flask

from sandbox import control, guard, truth
from sandbox.dialect import discover
from sandbox.world import World
from simulation import Fleet


def create_app(
    fleet_sites: int = 8,
    seed: int = 1,
    *,
    real_time: Callable[[], float] = time.time,
    ticks: Callable[[], float] = time.monotonic,
) -> Flask:
    """A sandbox over a fleet of that many sites; `app.extensions["world"]` is its `World`.

    real_time: epoch seconds, by which tokens expire and signatures age. ticks: the clock of the quotas.
    """
    world = World(Fleet(fleet_sites, seed), real_time, ticks)
    app = Flask("sandbox", static_folder=None)
    app.url_map.merge_slashes = False
    app.extensions["world"] = world
    for dialect in (kind(world) for kind in discover()):
        world.dialects[dialect.vendor] = dialect
        app.register_blueprint(dialect.routes(), url_prefix=f"/{dialect.vendor}")
    guard.install(app, world)
    app.register_blueprint(control.routes(world))
    app.register_blueprint(truth.routes(world))
    return app


def warm_up(app: Flask) -> None:
    """Asks every site for its energies once: the first question at a place works out all its days."""
    world: World = app.extensions["world"]
    for site in world.fleet.sites:
        site.pv_kwh(world.clock.now())
        site.charge_kwh(world.clock.now())
