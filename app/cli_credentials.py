"""The commands for the keys of stored vendor credentials."""

import sys
from collections import defaultdict

import click

from app.api.services import services
from app.cli_group import Group, print_json

credentials = Group("credentials", help="Stored vendor credentials and their keys.")


@credentials.command("rotate")
def rotate() -> None:
    """Encrypt all stored secrets with the first key in CREDENTIAL_KEYS. May be interrupted, and run again."""
    rotation = services().credentials.rotation
    if not services().settings.credential_keys:
        raise click.ClickException("There is no key: set CREDENTIAL_KEYS.")
    encrypted: defaultdict[str, int] = defaultdict(int)
    unreadable: list[str] = []
    with click.progressbar(length=rotation.outdated(), label="Encrypting", file=sys.stderr) as bar:
        for batch in rotation.run():
            encrypted[batch.table] += batch.encrypted
            unreadable += batch.unreadable
            bar.update(batch.size)
    services().database.checkpoint()
    print_json({"encrypted": encrypted, "unreadable": unreadable})
    if unreadable:
        raise click.ClickException("Some secrets cannot be read; the log on stderr tells why.")


@credentials.command("discard")
@click.confirmation_option(prompt="Delete all stored secrets that no key in CREDENTIAL_KEYS opens?")
def discard() -> None:
    """Delete the stored secrets whose key is lost. The clients have to store them again."""
    deleted = services().credentials.rotation.discard()
    services().database.checkpoint()
    print_json({"deleted": deleted})
