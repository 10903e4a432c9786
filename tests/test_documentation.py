"""Parts of the documentation that follow from the code."""

import re
from pathlib import Path

import pytest

import sandbox
import vendors.kit
from app.config import ROOT
from sandbox import faults
from tests import documents, kit_page
from vendors.kit.parsing import reading

DOCUMENT = Path(__file__).parent.parent / "docs/vendors.md"


@pytest.mark.parametrize("document", documents.DOCUMENTS, ids=lambda path: path.name)
def test_the_parts_of_a_document_that_follow_from_the_code_are_up_to_date(document):
    assert not documents.stale(document.read_text()), f"`make docs` brings {document.name} up to date"


def test_every_part_stands_in_a_document():
    named = [part["name"] for path in documents.DOCUMENTS for part in documents.PART.finditer(path.read_text())]
    assert set(named) == set(documents.PARTS)


def test_a_part_that_has_changed_is_noticed_and_renewed():
    text = (ROOT / "README.md").read_text()
    changed = text.replace("| `solis` |", "| `soils` |", 1)
    assert documents.stale(changed) == ["vendors"]
    assert documents.renewed(changed) == text


def test_the_page_of_the_kit_has_every_name_and_reader_with_its_purpose():
    page = (ROOT / "docs/kit.md").read_text()
    purposes = dict(re.findall(r"^- `([\w.]+)[^`]*`: (.+)$", page, re.M))
    readers = {name for name, value in vars(reading).items() if getattr(value, "__module__", "") == reading.__name__}
    functions = {name for name in readers if name.islower() and not name.startswith("_")}
    assert set(vendors.kit.__all__) | functions <= set(purposes)
    assert {f"Client.{name}" for name in ("get", "post_read", "pages", "each", "optional")} <= set(purposes)
    assert set(kit_page.WITHOUT_DOCSTRING) <= set(vendors.kit.__all__)


@pytest.mark.parametrize("vendor", ["sma", "smasbox", "solis"])
def test_the_sandbox_s_page_names_every_call_that_it_plays(vendor):
    page = (DOCUMENT.parent / "sandbox.md").read_text()
    rules = sandbox.create_app(1).url_map.iter_rules()
    calls = [rule.rule for rule in rules if rule.rule.startswith(f"/{vendor}/")]
    names = {next(part for part in reversed(call.split("/")) if "<" not in part) for call in calls}
    # `stationDay`, `Month`, ... stand there as one row, and SMA's own sandbox among the calls of its cloud.
    missing = {name for name in names if name.removeprefix("inverter").removeprefix("station") not in page}
    assert calls
    assert not missing - {"monitoring"}, f"docs/sandbox.md should name {sorted(missing)}"


def test_the_page_about_faults_has_every_member_of_a_fault_and_every_call_of_the_control_api():
    page = (DOCUMENT.parent / "play-faults.md").read_text()
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.M)) == set(faults.CHECKS)
    rules = [
        rule
        for rule in sandbox.create_app(1).url_map.iter_rules()
        if rule.endpoint.startswith(("control.", "consents.", "batteries."))
    ]
    for rule in rules:
        for method in rule.methods & {"PUT", "DELETE"}:
            assert f"{method} {rule.rule}" in " ".join(page.split()), rule


def lines_of(folder):
    """Lines of Python in a package."""
    return sum(len(path.read_text().splitlines()) for path in folder.rglob("*.py"))


@pytest.mark.parametrize(("pattern", "packages"), [
    (r"Plugins of the stage `series` have ([\d,]+) to ([\d,]+)\s+lines", "vendors"),
    (r"The neighbours have ([\d,]+) to ([\d,]+)\s+lines", "sandbox"),
])  # fmt: skip
def test_the_sizes_of_plugins_and_emulators_that_contributing_names_are_the_real_ones(pattern, packages):
    text = re.sub(r"\s+", " ", (ROOT / "CONTRIBUTING.md").read_text())
    least, most = (int(number.replace(",", "")) for number in re.search(pattern, text).groups())
    sizes = [lines_of(folder) for folder in (ROOT / packages).iterdir() if f"`{folder.name}/`" in text]
    assert min(sizes) == pytest.approx(least, rel=0.1)
    assert max(sizes) == pytest.approx(most, rel=0.1)
