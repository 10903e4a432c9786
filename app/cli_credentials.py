"""The commands for stored vendor credentials and their keys."""

import sys
from collections import defaultdict

import click

from app.api.credential_check import checked
from app.api.services import services
from app.cli_group import Group, print_json
from app.credentials.rotation import Rotation
from app.fleet.credential_check import Verdict

credentials = Group("credentials", help="Stored vendor credentials and their keys.")


@credentials.command("check")
@click.argument("id")
@click.pass_context
def check(context: click.Context, id: str) -> None:
    """Try stored credentials with one call to their vendor. Ends with 1 unless they work."""
    result = checked(id)
    if result is None:
        raise click.ClickException(f"There are no stored credentials {id!r}.")
    print_json(result)
    if result["result"] != Verdict.WORKS:
        context.exit(1)


@credentials.command("rotate")
def rotate() -> None:
    """Encrypt all stored secrets with the first key in CREDENTIAL_KEYS. May be interrupted, and run again."""
    rotation = _rotation()
    encrypted: defaultdict[str, int] = defaultdict(int)
    unreadable: list[str] = []
    with click.progressbar(length=rotation.outdated(), label="Encrypting", file=sys.stderr) as bar:
        for batch in rotation.run():
            encrypted[batch.table] += batch.encrypted
            unreadable += batch.unreadable
            bar.update(batch.size)
    flows, unreadable_flows = services().join.rotation.run()
    encrypted |= {"join_flows": flows} if flows else {}
    unreadable += unreadable_flows
    services().database.checkpoint()
    print_json({"encrypted": encrypted, "unreadable": unreadable})
    if unreadable:
        raise click.ClickException("Some secrets cannot be read; the log on stderr tells why.")


@credentials.command("discard")
@click.confirmation_option(prompt="Delete all stored secrets that no key in CREDENTIAL_KEYS opens?")
def discard() -> None:
    """Delete the stored secrets whose key is lost. The clients have to store them again."""
    # Without keys it would delete all secrets, for example in a shell that lacks the service's settings.
    deleted = _rotation().discard() | {"join_flows": services().join.rotation.discard()}
    services().database.checkpoint()
    print_json({"deleted": deleted})


def _rotation() -> Rotation:
    """The rotation of this service; refused without any key."""
    if not services().settings.credential_keys:
        raise click.ClickException("There is no key: set CREDENTIAL_KEYS.")
    return services().credentials.rotation
