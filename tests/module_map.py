"""The module map at the end of docs/architecture.md: each module with the first sentence of its docstring.

`make docs` writes it.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "docs/architecture.md"
HEADING = "## Module map\n"
FOLDERS = ("app", "vendors/kit")


def purpose(path: Path) -> str:
    """The first sentence of a module's docstring, without its full stop."""
    paragraph = " ".join((ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n\n")[0].split())
    return re.split(r"\.(?: |$)", paragraph)[0]


def lines() -> Iterator[str]:
    """A heading for each package, and below it a line for each module; migrations are left out."""
    for folder in FOLDERS:
        for init in sorted((ROOT / folder).rglob("__init__.py")):
            package = init.parent
            if "migrations" in package.parts:
                continue
            yield f"\n### `{package.relative_to(ROOT)}/`: {purpose(init)}\n"
            for path in sorted(package.glob("*.py")):
                if path != init:
                    yield f"- `{path.name}`: {purpose(path)}"


def with_map(text: str) -> str:
    """The document with the present map."""
    before, heading, _ = text.partition(HEADING)
    return "\n".join([before + heading + "\nWritten by `make docs` from the modules' docstrings.", *lines(), ""])


if __name__ == "__main__":
    DOCUMENT.write_text(with_map(DOCUMENT.read_text()))
