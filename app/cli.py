"""The commands: `flask --app wsgi ...`. Results go to stdout, as JSON only; the log goes to stderr."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from math import ceil
from typing import Any

import click
from flask import Flask
from flask.cli import with_appcontext

from app import network
from app.api.services import services
from app.auth.clients import API_VERSIONS, DEFAULT_API_VERSION, MODES, VIRTUAL
from app.cli_credentials import credentials
from app.cli_group import Group, OneLine, print_json
from app.cli_vendors import vendors
from app.storage.database import ClientRow
from app.storage.virtual_tables import BATTERY, SOLAR_INVERTER
from app.virtual import seeding
from app.virtual.fleet import MAX_SITES
from app.virtual.results import SiteWithDevices
from app.web.problems import Problem

clients = Group("clients", help="Who may call the API.")
db = Group("db", help="The database.")
virtual = Group("virtual", help="Virtual devices of clients of mode virtual.")


def _name(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """A name that a list can show on one line."""
    if not value.strip() or not value.isprintable() or len(value) > 100:
        raise click.BadParameter("1 to 100 printable characters are expected.")
    return value.strip()


@clients.command("create")
@click.argument("name", callback=_name)
@click.option("--mode", type=click.Choice(MODES), default="production", show_default=True)
@click.option("--api-version", type=click.Choice(API_VERSIONS), default=DEFAULT_API_VERSION, show_default=True)
def create_client(name: str, mode: str, api_version: str) -> None:
    """Create a client. Its secret is shown once."""
    client_id, secret = services().clients.create(name, mode, api_version)
    services().database.checkpoint()
    print_json(
        {
            "client_id": client_id,
            "client_secret": secret,
            "name": name,
            "mode": mode,
            "api_version": api_version,
        }
    )


@clients.command("sign-in-link")
@click.argument("client_id", callback=_name)
def make_sign_in_link(client_id: str) -> None:
    """Print a link that signs in to the fleet view once, within 5 minutes. For the demo only."""
    settings = services().settings
    if not settings.demo_sign_in:
        raise click.ClickException("This service takes no links: DEMO_SIGN_IN is not set, which is for the demo only.")
    if services().clients.find(client_id) is None:
        raise click.ClickException(f"There is no client {client_id!r}; `clients list` shows the ids.")
    # Behind #, so that no request and no log contains it.
    code = services().sign_in_codes.create(client_id)
    base = settings.public_url or f"http://127.0.0.1:{settings.port}"
    print_json({"link": f"{base}/fleet#code={code}"})


def _iso_time(epoch: int | None) -> str | None:
    return None if epoch is None else datetime.fromtimestamp(epoch, UTC).isoformat()


@clients.command("list")
def list_clients() -> None:
    """Show all clients, without their secrets."""
    rows = [
        {
            "client_id": client.id,
            "name": client.name,
            "mode": client.mode,
            "api_version": client.api_version,
            "created_at": _iso_time(client.created_at),
            "revoked_at": _iso_time(client.revoked_at),
        }
        for client in services().clients.all()
    ]
    print_json({"clients": rows})


@clients.command("revoke")
@click.argument("client_id", callback=_name)
def revoke_client(client_id: str) -> None:
    """End a client's access and delete what belongs to it; its tokens stop within 5 seconds."""
    deleted = services().clients.revoke(client_id)
    if deleted is None:
        raise click.ClickException(f"There is no client {client_id!r}.")
    services().database.checkpoint()
    print_json({"client_id": client_id, "revoked": True, "deleted": deleted})


def _check_mode(client_id: str) -> None:
    """Refuses a client that cannot have virtual devices."""
    client = services().database.get(ClientRow, client_id)
    if client is None:
        raise click.ClickException(f"There is no client {client_id!r}; `clients list` shows the ids.")
    if client.mode != VIRTUAL:
        advice = f"only clients of mode {VIRTUAL} have virtual devices."
        raise click.ClickException(f"The client {client.id} is of mode {client.mode}; {advice}")
    if client.revoked_at is not None:
        raise click.ClickException(f"The client {client.id} is revoked; create another client.")


@virtual.command("seed")
@click.argument("client_id", metavar="CLIENT", callback=_name)
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
    for command in (clients, credentials, db, virtual, vendors, serve_sandbox):
        app.cli.add_command(command)
