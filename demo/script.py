"""The file with all commands of the demo: a shell script, with the responses as comments."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from demo.shell import Variable
from demo.tour import Results, Step

WIDTH = 100
MAX_LINES = 24  # of a response; longer ones are cut in the middle


def script(results: Results) -> str:
    """Defines the variables, then has each command after its title and before its response."""
    lines = ["# Paste what you need, or run all of it in bash.", "", *_exports(results.variables)]
    lines += _commands([results.listed, *results.made, results.yesterday, *results.dispatched, *results.further])
    return "\n".join([*lines, ""])


def _exports(variables: Iterable[Variable]) -> Iterator[str]:
    for variable in variables:
        if variable.seconds:
            yield f"# Lives for {variable.seconds // 60} minutes; run the line again for another."
        yield variable.export


def _commands(steps: Iterable[Step]) -> Iterator[str]:
    for step in steps:
        yield f"\n# {step.title}\n"
        # A response ends without a line break.
        yield f"{step.call.curl(WIDTH)}; echo\n"
        yield from (f"#   {line}" for line in _cut_json(step.answer))


def _cut_json(answer: Any) -> list[str]:
    lines = json.dumps(answer, indent=2).splitlines()
    if len(lines) > MAX_LINES:
        lines[MAX_LINES - 8 : -5] = [f"    ... ({len(lines) - MAX_LINES + 3} more lines)"]
    return lines
