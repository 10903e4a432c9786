"""The commands for the clients of the API."""

from collections.abc import Sequence
from datetime import UTC, datetime

import click

from app.api.services import services
from app.auth import scopes
from app.auth.clients import API_VERSIONS, DEFAULT_API_VERSION, MAX_FORMER_SECRETS, MODES, TooManySecrets
from app.auth.scopes import Scope
from app.cli_group import Group, print_json
from vendors.kit.deadline import Deadline

clients = Group("clients", help="Who may call the API.")

HOUR = 3600
CANCEL_SECONDS = 30.0
MAX_OVERLAP_HOURS = 31 * 24


def printable_name(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """A name that a list can show on one line."""
    if not value.strip() or not value.isprintable() or len(value) > 100:
        raise click.BadParameter("1 to 100 printable characters are expected.")
    return value.strip()


def unknown_client(client_id: str) -> click.ClickException:
    """The failure of a command for a client that does not exist."""
    return click.ClickException(f"There is no client {client_id!r}; `clients list` shows the ids.")


def _scopes(context: click.Context, parameter: click.Parameter, value: str) -> frozenset[Scope]:
    """Scopes from a text with blanks between them."""
    if not value.split() or not set(value.split()) <= set(Scope):
        raise click.BadParameter(f"one or more of {', '.join(Scope)} are expected, with blanks between them.")
    return scopes.parse(value)


@clients.command("create")
@click.argument("name", callback=printable_name)
@click.option("--mode", type=click.Choice(MODES), default="production", show_default=True)
@click.option("--api-version", type=click.Choice(API_VERSIONS), default=DEFAULT_API_VERSION, show_default=True)
@click.option(
    "--scopes",
    "granted",
    callback=_scopes,
    default=scopes.text(scopes.DEFAULT),
    show_default=True,
    help="What the client may do, with blanks between: read, credentials, control.",
)
def create_client(name: str, mode: str, api_version: str, granted: frozenset[Scope]) -> None:
    """Create a client. Its secret is shown once."""
    client_id, secret = services().clients.create(name, mode, api_version, granted)
    services().database.checkpoint()
    print_json(
        {
            "client_id": client_id,
            "client_secret": secret,
            "name": name,
            "mode": mode,
            "api_version": api_version,
            "scopes": scopes.text(granted),
        }
    )


@clients.command("set-scopes")
@click.argument("client_id", callback=printable_name)
@click.argument("granted", metavar="SCOPE...", type=click.Choice([*map(str, Scope)]), nargs=-1, required=True)
def set_scopes(client_id: str, granted: Sequence[str]) -> None:
    """Replace what a client may do: read, credentials, control. Its tokens lose what it loses within 5 seconds."""
    wanted = scopes.parse(" ".join(granted))
    if not services().clients.set_scopes(client_id, wanted):
        raise unknown_client(client_id)
    services().database.checkpoint()
    print_json({"client_id": client_id, "scopes": scopes.text(wanted)})


@clients.command("rotate-secret")
@click.argument("client_id", callback=printable_name)
@click.option(
    "--overlap",
    type=click.IntRange(0, MAX_OVERLAP_HOURS),
    default=24,
    show_default=True,
    help="Hours for which the present secret stays valid; with 0 it ends at once, and every former one too.",
)
def rotate_secret(client_id: str, overlap: int) -> None:
    """Give a client another secret, which is shown once. Its tokens stay valid."""
    ends_at = int(datetime.now(UTC).timestamp()) + overlap * HOUR
    try:
        secret = services().clients.rotate_secret(client_id, overlap * HOUR)
    except TooManySecrets as error:
        advice = "wait until one has expired, or end them all with --overlap 0"
        raise click.ClickException(f"{MAX_FORMER_SECRETS} former secrets are still valid: {advice}.") from error
    if secret is None:
        raise unknown_client(client_id)
    services().database.checkpoint()
    print_json({"client_id": client_id, "client_secret": secret, "former_secret_valid_until": _iso_time(ends_at)})


@clients.command("sign-in-link")
@click.argument("client_id", callback=printable_name)
def make_sign_in_link(client_id: str) -> None:
    """Print a link that signs in to the fleet view once, within 5 minutes. For the demo only."""
    settings = services().settings
    if not settings.demo_sign_in:
        raise click.ClickException("This service takes no links: DEMO_SIGN_IN is not set, which is for the demo only.")
    if services().clients.find(client_id) is None:
        raise unknown_client(client_id)
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
            "scopes": client.scopes,
            "created_at": _iso_time(client.created_at),
            "last_used_at": _iso_time(client.last_used_at),
            "revoked_at": _iso_time(client.revoked_at),
        }
        for client in services().clients.all()
    ]
    print_json({"clients": rows})


@clients.command("revoke")
@click.argument("client_id", callback=printable_name)
def revoke_client(client_id: str) -> None:
    """End a client's access and delete what belongs to it; its tokens stop within 5 seconds.

    Its open orders to batteries are cancelled first, where their vendor answers within 30 seconds.
    """
    cancelled, left = services().open_orders.cancel_all(client_id, Deadline(CANCEL_SECONDS))
    deleted = services().clients.revoke(client_id)
    if deleted is None:
        raise click.ClickException(f"There is no client {client_id!r}.")
    services().database.checkpoint()
    orders = {"cancelled": cancelled, "not_cancelled": [each.members() for each in left]}
    print_json({"client_id": client_id, "revoked": True, "deleted": deleted, "orders": orders})
