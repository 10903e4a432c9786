"""Groups of commands that fail with one line on stderr, and print their results as JSON on stdout."""

from collections.abc import Mapping
from typing import Any

import click
import orjson
from flask.cli import AppGroup

from app.storage import database_faults


class OneLine(click.Command):
    """A command whose failures are one line on stderr."""

    def invoke(self, context: click.Context) -> Any:
        try:
            with database_faults.in_one_line():
                return super().invoke(context)
        except database_faults.DatabaseFault as fault:
            raise click.ClickException(str(fault)) from fault
        except OSError as error:  # The result, or the log, could not be written.
            raise click.ClickException(f"{error.strerror}.") from error


class Group(AppGroup):
    """A group of commands whose failures are one line each."""

    command_class = OneLine


def print_json(result: Mapping[str, Any]) -> None:
    """Prints the result of a command."""
    click.echo(orjson.dumps(result, option=orjson.OPT_INDENT_2))
