"""The reference tables of errors, settings and commands, from the code and .env.example."""

import inspect
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import MISSING, fields

import click
from flask import Flask

from app import cli, config, error_table
from app.control.states import STATES
from app.error_table import ErrorKind
from app.fleet import vendor_problems
from app.metrics.definitions import DEFINITIONS
from app.storage import retention as registry

FAULTS = {"caller": "caller", "server": "this server", "vendor": "vendor"}
DEFAULTS = {field.name.upper(): field.default for field in fields(config.Settings)}
BY_VENDOR = {config.VENDOR_URL: config.VENDOR_ADDRESS, config.VENDOR_LIMIT: "calls/seconds"}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n" + "".join(f"| {' | '.join(cells)} |\n" for cells in lines) + "\n"


def errors_of_vendors() -> str:
    """Texts of `errorDetails` and of problems of vendors, by code."""
    kinds = vendor_problems.kinds()
    rows = ((f"`{kind.code}`", kind.title, str(kind.status), *_explained(kind)) for kind in kinds)
    return table(("code", "reason", "status", "meaning", "whose fault", "what to do"), rows)


def errors_of_the_service() -> str:
    """The problems of this service itself, by code."""
    kinds = sorted(error_table.OWN, key=lambda kind: (kind.status, kind.code))
    rows = ((f"`{kind.code}`", str(kind.status), *_explained(kind)) for kind in kinds)
    return table(("code", "status", "meaning", "whose fault", "what to do"), rows)


def _explained(kind: ErrorKind) -> tuple[str, str, str]:
    cause = kind.cause.replace("X-Authorization-<vendor>", "`X-Authorization-<vendor>`")
    return cause, FAULTS[kind.fault], kind.action


def settings() -> str:
    """All settings in the groups of .env.example, whose comments are their purposes."""
    return "".join(_settings_of(*group) for group in _groups((config.ROOT / ".env.example").read_text()))


def _groups(text: str) -> Iterator[tuple[str, list[str]]]:
    """The title and the paragraphs of each group."""
    parts = re.split(r"^# --- (.+?) -+\n", text, flags=re.M)[1:]
    for title, body in zip(parts[::2], parts[1::2], strict=True):
        yield title, body.strip().split("\n\n")


def _settings_of(title: str, paragraphs: Iterable[str]) -> str:
    introduction, rows = "", []
    for paragraph in paragraphs:
        for comment, examples in re.findall(r"((?:^# .*\n?)+)((?:^#[A-Z_]+=.*\n?)*)", paragraph, re.M):
            purpose = " ".join(line.removeprefix("# ") for line in comment.splitlines())
            if examples:
                purpose = re.sub(r"docs/(\S+\.md)(#[\w-]+)?", r"[\1](\1\2)", purpose)
                rows.append(_row(re.findall(r"^#([A-Z_]+)=", examples, re.M)[0], purpose))
            else:
                introduction += f"{purpose}\n"
    return (
        f"\n## {title}\n"
        + (f"\n{introduction}" if introduction else "")
        + table(("setting", "default", "purpose", "value"), rows)
    )


def _row(name: str, purpose: str) -> tuple[str, str, str, str]:
    for prefix, expected in BY_VENDOR.items():
        if name.startswith(prefix):
            return f"`{prefix}<NAME>`", "", purpose, expected
    return f"`{name}`", _default(name), purpose, config.DESCRIPTIONS[name]["expected"]


def _default(name: str) -> str:
    """The default as a user would write it; nothing where it is made at the first start, or where there is none."""
    value = DEFAULTS[name]
    if value in (MISSING, None, ()):
        return ""
    if name == "INSTANCE_PATH":
        return f"`{value.name}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def commands() -> str:
    """All commands of `flask --app wsgi`, with their purpose, arguments and options."""
    app = Flask("commands")
    cli.init_app(app)
    roots = [app.cli.commands[name] for name in sorted(app.cli.commands)]
    return "\n" + "\n".join(_command(*named) for root in roots for named in _walk(root, str(root.name)))


def _walk(command: click.Command, words: str) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group) or command.invoke_without_command:
        yield words, command
    if isinstance(command, click.Group):
        for name in sorted(command.commands):
            yield from _walk(command.commands[name], f"{words} {name}")


def _command(words: str, command: click.Command) -> str:
    context = click.Context(command)
    arguments = [value.make_metavar(context) for value in command.params if isinstance(value, click.Argument)]
    text = f"## `{' '.join([words, *arguments])}`\n\n{' '.join(inspect.cleandoc(command.help or '').split())}\n"
    records = [value.get_help_record(context) for value in command.params if isinstance(value, click.Option)]
    rows = [[cell.replace("|", "\\|") for cell in (f"`{record[0]}`", record[1])] for record in records if record]
    return text + (table(("option", "meaning"), rows) if rows else "")


def retention() -> str:
    """Everything that is stored, and for how long."""
    kept = (*registry.TABLES.values(), *registry.REDIS.values(), *registry.ELSEWHERE)
    return table(("where", "what", "for how long"), ((line.place, line.content, line.ends) for line in kept))


def order_states() -> str:
    """The states of an order to batteries."""
    rows = (
        (
            f"`{state}`",
            meaning.means,
            meaning.moved_by,
            ", ".join(f"`{after}`" for after in meaning.next) or "final",
        )
        for state, meaning in STATES.items()
    )
    return table(("state", "means", "moved there by", "may become"), rows)


def metrics() -> str:
    """Every metric with its kind and labels, and how the values of several processes become one."""
    rows = (
        (
            f"`{metric.name}`",
            metric.kind.__name__.lower(),
            ", ".join(f"`{label}`" for label in metric.labels),
            {"sum": "sum", "max": "highest", "min": "lowest"}.get(metric.over_processes, "sum"),
            metric.help,
        )
        for metric in DEFINITIONS
    )
    return table(("metric", "kind", "labels", "of all processes", "meaning"), rows)
