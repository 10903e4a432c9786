"""Documents as a newcomer follows them: blocks of commands, their answers, and programs to be saved."""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app import config
from tests.ports import free_port
from tests.processes import clean, read_until, started

MARK = r"<!-- [^>]*: (?:not run by the tests|(?:run|compared) in another test) -->"
# Not of pip's making: `make test` has seen to that.
MAKE = ["make", "--old-file=.venv/complete"]


@dataclass(frozen=True)
class Block:
    """Commands (a command may go over several lines), or what is printed, as JSON or text, or a program."""

    kind: str
    text: str
    is_marked: bool

    @property
    def is_json(self):
        return self.kind == "json"

    @property
    def commands(self):
        return self.text.replace("\\\n", " ").splitlines()


def blocks(text, kinds=("json", "shell")):
    """The blocks of a document: indented ones are commands, fenced ones answers and programs."""
    mark = f"(?P<mark>{MARK}\n\n?)?"
    fenced, indented = r"```(?P<kind>json|text|python)\n(?P<body>.*?)\n```", r"(?P<shell>(?:    [^\n]*\n)+)"
    for match in re.finditer(rf"(?<=\n\n){mark}(?:{fenced}|{indented})", text, re.S):
        body = match["body"] or re.sub("^    ", "", match["shell"], flags=re.M)
        block = Block(match["kind"] or "shell", body, is_marked=match["mark"] is not None)
        if block.kind in kinds:
            yield block


class Shell:
    """bash with variables, where the service and the sandbox have other ports."""

    def __init__(self, port, sandbox_port, **variables):
        self._ports = {":8000": f":{port}", ":9000": f":{sandbox_port}"}
        self.environ = clean(PORT=port, SANDBOX_PORT=sandbox_port)
        self.variables = variables

    def here(self, text):
        """The same with the ports of this service."""
        for written, used in self._ports.items():
            text = text.replace(written, used)
        return text

    def run(self, command):
        """Its output."""
        command, environ = self.here(command), self.environ | self.variables
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            env=environ, cwd=config.ROOT, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, (command, done.stderr)
        return done.stdout


@dataclass(frozen=True)
class Demo:
    """`make demo` while it runs: what it has printed, and a shell with the variables of its export block."""

    shell: Shell
    screen: str


@contextmanager
def running_demo() -> Iterator[Demo]:
    shell = Shell(free_port(), free_port())
    with started([*MAKE, "demo"], shell.environ) as process:
        screen = read_until(process, "until Ctrl-C")
        exports = re.findall(r"^export .*$", screen, re.M)
        names = [line.split()[1].partition("=")[0] for line in exports]
        values = shell.run("\n".join([*exports, *(f'echo "${name}"' for name in names)])).splitlines()
        shell.variables |= dict(zip(names, values, strict=True))
        yield Demo(shell, screen)


def agree(shown, actual):
    """Whether an answer is as shown; of a long list its beginning may be shown."""
    if isinstance(shown, dict):
        assert shown.keys() == actual.keys()
        for name, value in shown.items():
            agree(value, actual[name])
    elif isinstance(shown, list):
        assert len(shown) <= len(actual)
        for expected_row, actual_row in zip(shown, actual, strict=False):
            agree(expected_row, actual_row)
    else:
        assert shown == actual


def last_answer(printed: str):
    """The last of several JSON texts that follow one another."""
    answer, decoder = None, json.JSONDecoder()
    while printed := printed.lstrip():
        answer, end = decoder.raw_decode(printed)
        printed = printed[end:]
    return answer


def follow(text: str, shell: Shell, folder: Path) -> int:
    """Runs the commands of a document in their order, and compares what is printed with what is shown. Returns the
    number of comparisons."""
    printed, compared = "", 0
    files = saved_programs(text, folder)
    for block in blocks(text, ("json", "shell", "text")):
        if block.kind == "shell" and not block.is_marked:
            printed = shell.run(with_paths(block.text, files))
        elif not block.is_marked:
            compare(block, shell, printed)
            compared += 1
    return compared


def saved_programs(text: str, folder: Path) -> dict[str, Path]:
    """Writes each program into the file that the text names first, second, ...; the files by name."""
    programs = blocks(text, ("python",))
    files = {name: folder / name for name in dict.fromkeys(re.findall(r"`(\w+\.py)`", text))}
    for path, program in zip(files.values(), programs, strict=True):
        path.write_text(program.text)
    return files


def with_paths(command: str, files: dict[str, Path]) -> str:
    """The command with the files where they were written."""
    for name, path in files.items():
        command = command.replace(name, str(path))
    return command


def compare(block: Block, shell: Shell, printed: str) -> None:
    """Fails unless the block shows what was printed, or the beginning of it."""
    shown = shell.here(block.text)
    if block.is_json:
        agree(json.loads(shown), last_answer(printed))
    else:
        lines = shown.splitlines()
        assert printed.splitlines()[: len(lines)] == lines
