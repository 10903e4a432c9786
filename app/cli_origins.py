"""The commands for the origins whose pages may read a client's sessions of Join."""

import click

from app.api.services import services
from app.cli_clients import printable_name, unknown_client
from app.cli_group import Group, print_json
from app.join.origins import is_origin

origins = Group("origins", help="Origins (https://...) whose pages may read the sessions of Join that a client starts.")


def _origin(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """An origin as browsers send it."""
    if not is_origin(value):
        raise click.BadParameter("an origin is expected, such as https://www.example.org, without a path.")
    return value


@origins.command("add")
@click.argument("client_id", callback=printable_name)
@click.argument("origin", callback=_origin)
def add(client_id: str, origin: str) -> None:
    """Let pages of an origin read a client's sessions."""
    _require(client_id)
    services().join.origins.add(client_id, origin)
    _show(client_id)


@origins.command("remove")
@click.argument("client_id", callback=printable_name)
@click.argument("origin", callback=_origin)
def remove(client_id: str, origin: str) -> None:
    """No longer let pages of an origin read a client's sessions."""
    _require(client_id)
    if not services().join.origins.remove(client_id, origin):
        raise click.ClickException(f"The client has not registered {origin}.")
    _show(client_id)


@origins.command("list")
@click.argument("client_id", callback=printable_name)
def list_origins(client_id: str) -> None:
    """Show a client's origins."""
    _require(client_id)
    _show(client_id)


def _require(client_id: str) -> None:
    if services().clients.find(client_id) is None:
        raise unknown_client(client_id)


def _show(client_id: str) -> None:
    services().database.checkpoint()
    print_json({"client_id": client_id, "origins": services().join.origins.all(client_id)})
