"""The commands: `flask --app wsgi ...`. Answers go to stdout, as JSON only; the log goes to stderr."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click
import orjson
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext

from app import network
from app.auth.clients import API_VERSIONS, DEFAULT_API_VERSION, MODES, Clients
from app.config import Settings
from app.storage import database_faults
from app.storage.database import Database


class OneLine(click.Command):
    """A command whose failures are one line on stderr."""

    def invoke(self, context: click.Context) -> Any:
        try:
            with database_faults.in_one_line():
                return super().invoke(context)
        except database_faults.DatabaseFault as fault:
            raise click.ClickException(str(fault)) from fault
        except OSError as error:  # The answer, or the log, could not be written.
            raise click.ClickException(f"{error.strerror}.") from error


class Group(AppGroup):
    """A group of such commands."""

    command_class = OneLine


clients = Group("clients", help="Who may call the API.")
db = Group("db", help="The database.")


def _print(answer: Mapping[str, Any]) -> None:
    click.echo(orjson.dumps(answer, option=orjson.OPT_INDENT_2))


def _clients() -> Clients:
    found: Clients = current_app.extensions["clients"]
    return found


def _database() -> Database:
    found: Database = current_app.extensions["database"]
    return found


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
    """Make a client. Its secret is shown once."""
    client_id, secret = _clients().create(name, mode, api_version)
    _database().checkpoint()
    _print(
        {
            "client_id": client_id,
            "client_secret": secret,
            "name": name,
            "mode": mode,
            "api_version": api_version,
        }
    )


def _moment(epoch: int | None) -> str | None:
    return None if epoch is None else datetime.fromtimestamp(epoch, UTC).isoformat()


@clients.command("list")
def list_clients() -> None:
    """Show all clients, without their secrets."""
    found = [
        {
            "client_id": client.id,
            "name": client.name,
            "mode": client.mode,
            "api_version": client.api_version,
            "created_at": _moment(client.created_at),
            "revoked_at": _moment(client.revoked_at),
        }
        for client in _clients().all()
    ]
    _print({"clients": found})


@clients.command("revoke")
@click.argument("client_id", callback=_name)
def revoke_client(client_id: str) -> None:
    """End a client's access; its tokens stop within 5 seconds."""
    if not _clients().revoke(client_id):
        raise click.ClickException(f"There is no client {client_id!r}.")
    _database().checkpoint()
    _print({"client_id": client_id, "revoked": True})


@db.command("upgrade")
def upgrade() -> None:
    """Bring the tables up to date."""
    _database().upgrade()


class OneLineGroup(OneLine, AppGroup):
    """A group that is a command itself when no other is named."""

    command_class = OneLine


@click.group("vendors", cls=OneLineGroup, invoke_without_command=True)
@click.pass_context
def vendors(context: click.Context) -> None:
    """List the vendors that were found, with the stage of each."""
    if context.invoked_subcommand is None:
        # Not needed to serve the other commands, and slow to find.
        from vendors.kit import registry

        plugins = sorted(registry.discover().items())
        _print({"vendors": {name: f"{kind.__module__}.{kind.__qualname__} ({kind.stage})" for name, kind in plugins}})


@vendors.command("new")
@click.argument("name")
@click.option("--stage", type=click.Choice(["list", "state", "series"]), default="list", show_default=True)
def new_vendor(name: str, stage: str) -> None:
    """Write the skeleton of a new vendor: recorded cases, plugin, section, and for series an emulator."""
    from vendors.kit import Stage, scaffold

    try:
        files = scaffold.write_skeleton(name, Stage(stage))
    except scaffold.ScaffoldError as error:
        raise click.ClickException(str(error)) from error
    _print({"written": files, "next": f".venv/bin/python -m pytest tests/vendors -k {name}"})


@click.command("sandbox", cls=OneLine)
@click.option("--port", type=click.IntRange(1, 65535), help="Default: SANDBOX_PORT, else 9000.")
@click.option("--sites", type=click.IntRange(1), default=8, show_default=True, help="Sites of the fleet.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed gives another fleet.")
@with_appcontext
def serve_sandbox(port: int | None, sites: int, seed: int) -> None:
    """Play the clouds of all vendors on this machine, until Ctrl-C."""
    # Only this command may know of the sandbox: the service itself must not depend on it.
    import sandbox

    settings: Settings = current_app.config["SETTINGS"]
    port = port or settings.sandbox_port
    network.refuse_used_port("127.0.0.1", port, "SANDBOX_PORT")
    sandbox.serve(port=port, sites=sites, seed=seed)


def init_app(app: Flask) -> None:
    """Adds the commands to `flask`."""
    for command in (clients, db, vendors, serve_sandbox):
        app.cli.add_command(command)
