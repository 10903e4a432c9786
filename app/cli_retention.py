"""The command that deletes stored data whose time is over."""

import time

import click
from flask.cli import with_appcontext

from app.api.services import services
from app.cli_group import OneLine, print_json
from app.storage import retention


@click.command("prune", cls=OneLine)
@click.option("--dry-run", is_flag=True, help="Delete nothing; only count the rows.")
@with_appcontext
def prune(dry_run: bool) -> None:
    """Delete stored rows whose time is over, and print their number by table.

    It may run at any time, for example once a day.
    """
    database = services().database
    with database.session() as session, session.begin_nested() as attempt:
        counts = retention.prune(session, int(time.time()))
        if dry_run:
            attempt.rollback()
    database.checkpoint()
    print_json({"dry_run": dry_run, "rows": counts})
