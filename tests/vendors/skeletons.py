"""What is left to write in files that `flask --app wsgi vendors new` made: each such place is marked with WRITE."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.config import ROOT

MARK = "WRITE"


def skip_unwritten(vendor: str, *files: str) -> None:
    """Skips a test whose files in the vendor's folder, or without files whose plugin, are still a skeleton's."""
    paths = [ROOT / "tests/vendors" / vendor / file for file in files] or list((ROOT / "vendors" / vendor).glob("*.py"))
    for path in paths:
        if MARK in path.read_text():
            pytest.skip(f"{path.relative_to(ROOT)} is not written yet")


def unwritten(root: Path, vendor: str) -> Iterator[str]:
    """A line for each mark, in the order of the work: recorded replies, plugin, emulator, section."""
    folders = [root / "tests/vendors" / vendor, root / "vendors" / vendor, root / "sandbox" / vendor]
    files = [
        path for folder in folders for path in sorted(folder.glob("*.*"), key=step) if path.suffix in (".json", ".py")
    ]
    files += [path for path in [root / f"sandbox/{vendor}.py"] if path.exists()]
    for path in files:
        yield from _marked(path.relative_to(root), path.read_text())
    document = root / "docs/vendors.md"
    _, _, section = document.read_text().partition(f"\n## {vendor}\n")
    yield from _marked(document.relative_to(root), section.partition("\n## ")[0], f"section {vendor}")


def step(path: Path) -> tuple[bool, bool, str, str]:
    """Sorts replies before cases, sites before devices, and a reply before what is expected of it."""
    subject, _, suffixes = path.name.partition(".")
    return path.name == "cases.json", not subject.startswith("sites"), subject, "." * ("expected" in suffixes)


def _marked(path: Path, text: str, place: str = "") -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        if MARK in line:
            yield f"{path}, {place or f'line {number}'}: write {_task(line, is_json=path.suffix == '.json')}"


def _task(line: str, *, is_json: bool) -> str:
    """The longest text behind a mark of the line: in JSON up to the end of its string."""
    texts = [text.partition('"')[0] if is_json else text for text in line.split(MARK)[1:]]
    return max(texts, key=len).strip(" \"'`,:").removesuffix("')").removesuffix('")') or "the id"
