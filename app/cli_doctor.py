"""The command `flask doctor`, which also runs where the service cannot start, and changes nothing."""

import sys

import click
from flask import Flask

from app.cli_group import OneLine, print_json
from app.doctor.diagnosis import diagnose
from app.doctor.findings import EXIT_CODES, as_json, as_table, worst

# Options of `flask` itself whose value is the next word.
WITH_VALUE = {"-A", "--app", "-e", "--env-file"}


@click.command("doctor", cls=OneLine)
@click.option("--json", "wants_json", is_flag=True, help="Print JSON in place of the table.")
@click.pass_context
def doctor(context: click.Context, wants_json: bool) -> None:
    """Check settings, database, migrations, Redis, keys, vendors and clock.

    No credential is sent or shown. Ends with 0 if all is well, with 1 after a fault, with 3 if there are only warnings.
    """
    findings = diagnose()
    if wants_json:
        print_json(as_json(findings))
    else:
        click.echo(as_table(findings))
    context.exit(EXIT_CODES[worst(findings)])


def is_asked() -> bool:
    """Whether this process is `flask doctor`."""
    words = [] if "gunicorn.arbiter" in sys.modules else sys.argv[1:]
    for before, word in zip(["", *words], words, strict=False):
        if before not in WITH_VALUE and not word.startswith("-"):
            return word == "doctor"
    return False


def app_with_doctor_only() -> Flask:
    """An application that serves nothing: create_app would make and upgrade the default database before any check."""
    app = Flask("app", static_folder=None)
    app.cli.add_command(doctor)
    return app
