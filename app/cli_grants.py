"""The commands for grants of owners."""

import sys
from collections import Counter

import click

from app.api.services import services
from app.cli_group import Group, print_json
from app.credentials.renewals import CALL_SECONDS
from vendors.kit.deadline import Deadline

grants = Group("grants", help="Grants: consents that owners of devices have given.")


@grants.command("renew")
@click.option(
    "--within", type=click.FloatRange(0), default=7, show_default=True, help="Renew what ends within so many days."
)
@click.pass_context
def renew(context: click.Context, within: float) -> None:
    """Renew grants that end soon, and ask vendors about consents by e-mail. To be run daily.

    May be interrupted, and run again. Ends with 1 if a grant could not be renewed.
    """
    failed: dict[str, str] = {}
    renewed, renewals = 0, services().renewals
    with click.progressbar(length=renewals.count(within), label="Renewing", file=sys.stderr) as bar:
        for grant in renewals.due(within):
            failure = renewals.renew(grant)
            if failure is None:
                renewed += 1
            else:
                failed[grant.id] = failure.code
            bar.update(1)
    print_json({"renewed": renewed, "failed": failed, "consentsByMail": _ask_about_mails()})
    services().database.checkpoint()
    if failed:
        context.exit(1)


def _ask_about_mails() -> Counter[str]:
    """The states of the consents by e-mail whose vendor may be asked again now."""
    consents = services().pending_consents
    statuses = (consents.ask(grant, Deadline(CALL_SECONDS)) for grant in consents.due())
    return Counter(status.value for status in statuses if status)
