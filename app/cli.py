"""The commands: `flask --app wsgi ...`. Results go to stdout, as JSON only; the log goes to stderr."""

import sys
from collections.abc import Sequence
from math import ceil
from typing import Any

import click
from flask import Flask
from flask.cli import with_appcontext

from app import network
from app.api.services import services
from app.auth.clients import VIRTUAL
from app.cli_clients import clients, printable_name, unknown_client
from app.cli_credentials import credentials
from app.cli_doctor import doctor
from app.cli_grants import grants
from app.cli_group import Group, OneLine, print_json
from app.cli_origins import origins
from app.cli_retention import prune
from app.cli_vendors import vendors
from app.storage.database import ClientRow
from app.storage.virtual_tables import BATTERY, SOLAR_INVERTER
from app.virtual import seeding
from app.virtual.fleet import MAX_SITES
from app.virtual.results import SiteWithDevices
from app.web.problems import Problem

db = Group("db", help="The database.")
virtual = Group("virtual", help="Virtual devices of clients of mode virtual.")


def _check_mode(client_id: str) -> None:
    """Refuses a client that cannot have virtual devices."""
    client = services().database.get(ClientRow, client_id)
    if client is None:
        raise unknown_client(client_id)
    if client.mode != VIRTUAL:
        advice = f"only clients of mode {VIRTUAL} have virtual devices."
        raise click.ClickException(f"The client {client.id} is of mode {client.mode}; {advice}")
    if client.revoked_at is not None:
        raise click.ClickException(f"The client {client.id} is revoked; create another client.")


@virtual.command("seed")
@click.argument("client_id", metavar="CLIENT", callback=printable_name)
@click.option("--sites", type=click.IntRange(1, MAX_SITES), default=10, show_default=True, help="Sites to make.")
def seed(client_id: str, sites: int) -> None:
    """Fill a client with a plausible fleet.

    CLIENT is the id of a client of mode virtual. Its sites are in five time zones; every third has a battery.
    """
    _check_mode(client_id)
    created: list[SiteWithDevices] = []
    refusal = _fill(client_id, sites, created)
    # After a refusal too: what was made stays.
    services().database.checkpoint()
    print_json({"client_id": client_id} | _summary(created))
    if refusal is not None:
        raise click.ClickException(f"{refusal.detail} {len(created)} of {sites} sites were made.")


def _fill(client_id: str, sites: int, created: list[SiteWithDevices]) -> Problem | None:
    """Makes sites, adds them to those created, and shows the progress; the reason why it ended early, or None."""
    # A bar in a pipe is its label alone, a line for each step.
    step = 1 if sys.stderr.isatty() else ceil(sites / 10)
    try:
        with click.progressbar(length=sites, label="Making sites", file=sys.stderr, update_min_steps=step) as bar:
            for batch in seeding.seed(services().virtual_fleet, services().inventory, client_id, sites):
                created += batch
                bar.label = f"{len(created)} of {sites} sites"
                bar.update(len(batch))
    except Problem as problem:
        return problem
    return None


def _summary(sites: Sequence[SiteWithDevices]) -> dict[str, Any]:
    kinds = [device.kind for site in sites for device in site.devices]
    return {
        "sites": len(sites),
        "solar_inverters": kinds.count(SOLAR_INVERTER),
        "batteries": kinds.count(BATTERY),
        "time_zones": sorted({site.row.timezone for site in sites}),
    }


@db.command("upgrade")
def upgrade() -> None:
    """Bring the tables up to date."""
    services().database.upgrade()


@db.command("downgrade")
@click.argument("revision", metavar="REVISION")
@click.confirmation_option(prompt="Delete all that only the newer tables hold?")
def downgrade(revision: str) -> None:
    """Take the tables back to REVISION, such as 0004, with the service stopped. Needs the newer release's code."""
    services().database.downgrade(revision)


@click.command("sandbox", cls=OneLine)
@click.option("--port", type=click.IntRange(1, 65535), help="Default: SANDBOX_PORT, else 9000.")
@click.option("--sites", type=click.IntRange(1), default=8, show_default=True, help="Sites of the fleet.")
@click.option("--seed", type=int, default=1, show_default=True, help="Each seed gives its own fleet.")
@with_appcontext
def serve_sandbox(port: int | None, sites: int, seed: int) -> None:
    """Play the clouds of all vendors on this machine, until Ctrl-C."""
    # Imported here: only this command may depend on the sandbox, the service itself must not.
    import sandbox

    port = port or services().settings.sandbox_port
    network.refuse_used_port("127.0.0.1", port, "SANDBOX_PORT")
    sandbox.serve(port=port, sites=sites, seed=seed)


def init_app(app: Flask) -> None:
    """Adds the commands to `flask`."""
    clients.add_command(origins)
    for command in (clients, credentials, grants, db, prune, virtual, vendors, serve_sandbox, doctor):
        app.cli.add_command(command)
