"""Runs a document: writes the files that it shows into a copy of the source tree, and runs its commands there.

A fenced block whose first line names a file (```python vendors/sunny/api.py) is that file. `docs/vendors.md#sunny` is
the section of that name, and `file+` replaces or adds the functions, classes and imports of the block. A block
```console has commands after `$ `, each with its output. `python -m tests.book FILE` writes the real outputs.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from app.config import ROOT

LEFT_OUT = shutil.ignore_patterns(".venv", ".git", ".demo", "instance", "__pycache__", ".*_cache", ".hypothesis")
BLOCK = re.compile(r"^```(?P<kind>\w+)(?: (?P<path>\S+))?\n(?P<body>.*?)^```$", re.M | re.S)
# Lines of pytest that depend on the number of tests, on time or on the width of the screen.
NOISE = re.compile(r"[.sFEx]+ +\[ *\d+%\]|=+ (FAILURES|short test summary info) =+|_+ .* _+|FAILED .*")
SECONDS = re.compile(r"(, \d+ deselected)? in [\d.]+s( \([\d:]+\))?")
# With one of these variables set, pytest prints a whole failure once more in its summary.
ON_CI = {"CI", "BUILD_NUMBER"}
COUNTED = re.compile(r"\d+ (passed|skipped)")


class SourceTree:
    """A copy of the source tree in which a document is followed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        shutil.copytree(ROOT, root, ignore=LEFT_OUT)
        self._environ = {name: value for name, value in os.environ.items() if name not in ON_CI}
        self._environ |= {"PYTHONPATH": str(root), "INSTANCE_PATH": str(root / "instance")}
        self._environ |= {"COLUMNS": "120", "PYTEST_ADDOPTS": "-p no:cacheprovider"}

    def write(self, path: str, text: str) -> None:
        """Writes a file, or with `file#name` a section of it."""
        name, _, section = path.removesuffix("+").partition("#")
        file = self._root / name
        if path.endswith("+"):
            text = merged(file.read_text(), text)
        if section:
            before, _, rest = file.read_text().partition(f"\n## {section}\n")
            _, heading, after = rest.partition("\n## ")
            text = f"{before}\n{text}{heading}{after}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def run(self, command: str) -> str:
        """The output of a command of the virtual environment, without what differs from run to run."""
        done = subprocess.run(
            [sys.executable, "-m", *_words(command)],
            cwd=self._root, env=self._environ, text=True, check=False, timeout=600,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        output = done.stdout.replace(f"{self._root}/", "")
        lines = [SECONDS.sub("", line.rstrip()) for line in output.splitlines()]
        return "".join(f"{line}\n" for line in lines if line and not NOISE.fullmatch(line))

    def follow(self, document: str) -> Iterator[tuple[str, str, str]]:
        """Does what the document shows; yields each command with the output shown and the real one."""
        for block in BLOCK.finditer(document):
            if block["path"]:
                self.write(block["path"], block["body"])
            elif block["kind"] == "console":
                for command, output in commands(block["body"]):
                    yield command, output, self.run(command)


def merged(module: str, changes: str) -> str:
    """The module with the changed definitions in place of those of their names, and new ones at its end."""
    for change in ast.parse(changes).body:
        new = ast.get_source_segment(changes, change) or ""
        old = next((node for node in ast.parse(module).body if _label(node) == _label(change)), None)
        if old is not None:
            module = module.replace(ast.get_source_segment(module, old) or "", new)
        elif isinstance(change, ast.ImportFrom):
            first = next(node for node in ast.parse(module).body if isinstance(node, ast.ImportFrom))
            source = ast.get_source_segment(module, first) or ""
            module = module.replace(source, f"{source}\n{new}")
        else:
            module = f"{module}\n\n{new}\n"
    return module


def _label(node: ast.stmt) -> str | None:
    """The name of a function or class, or the module from which is imported."""
    if isinstance(node, ast.ImportFrom):
        return f"from {node.module}"
    return getattr(node, "name", None)


def commands(body: str) -> Iterator[tuple[str, str]]:
    """The commands of a block, each with the output below it."""
    for part in re.split(r"^\$ ", body, flags=re.M)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def comparable(output: str) -> str:
    """The output without the numbers of tests that pass or are skipped, which grow with the suite."""
    return COUNTED.sub(r"some \1", output)


def _words(command: str) -> list[str]:
    return [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', command.removeprefix("python -m "))]


def main(path: Path) -> None:
    """Writes the real outputs into the document."""
    text = path.read_text()
    with tempfile.TemporaryDirectory() as folder:
        outputs = {command + output: real for command, output, real in SourceTree(Path(folder) / "tree").follow(text)}
    for block in list(BLOCK.finditer(text)):
        if block["kind"] == "console" and not block["path"]:
            body = "".join(f"$ {command}\n{outputs[command + output]}" for command, output in commands(block["body"]))
            text = text.replace(block[0], f"```console\n{body}```")
    path.write_text(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
