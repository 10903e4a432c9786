"""What is left to write in the files that `flask --app wsgi vendors new` made: each place is marked with WRITE."""

import re

import pytest

from app.config import ROOT
from tests.vendors.test_folders import FOLDERS

MARK = re.compile(r"\bWRITE\b[:,]?\s*(?P<task>[^\"'`\n]*)")


def unwritten(root, vendor):
    """A line for each mark, in the order of the work: recorded replies, plugin, emulator, section."""
    folders = [root / "tests/vendors" / vendor, root / "vendors" / vendor, root / "sandbox" / vendor]
    files = [path for folder in folders for path in sorted(folder.glob("*.*")) if path.suffix in (".json", ".py")]
    files += [path for path in [root / f"sandbox/{vendor}.py"] if path.exists()]
    for path in files:
        yield from _marked(path.relative_to(root), path.read_text())
    document = root / "docs/vendors.md"
    _, _, section = document.read_text().partition(f"\n## {vendor}\n")
    yield from _marked(document.relative_to(root), section.partition("\n## ")[0], f"section {vendor}")


def _marked(path, text, place=""):
    for number, line in enumerate(text.splitlines(), 1):
        for mark in MARK.finditer(line):
            yield f"{path}, {place or f'line {number}'}: write {mark['task'].strip()}".removesuffix(": write ")


@pytest.mark.parametrize("vendor", FOLDERS)
def test_nothing_of_a_skeleton_is_left_to_write(vendor):
    tasks = list(unwritten(ROOT, vendor))
    assert not tasks, f"{len(tasks)} places of the skeleton of {vendor} are left, in this order:\n" + "\n".join(tasks)
