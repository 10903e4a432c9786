"""docs/promises.md: every promise has tests that exist, or a reason why it has none."""

import re

import pytest

from app.config import ROOT

PAGE = (ROOT / "docs/promises.md").read_text()
ROWS = [line.strip("| \n").split(" | ") for line in PAGE.splitlines() if re.match(r"\| \d+ \|", line)]
LINK = re.compile(r"\[([^\]]+)\]\(\.\./(tests/[\w/]+\.py)\)")


def test_every_promise_has_a_row():
    assert [int(row[0]) for row in ROWS] == [number for number in range(1, 45) if number != 24]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_promise_is_kept_by_tests_that_exist_or_is_open_with_a_reason(row):
    _, _, _, kept_by = row
    tests = LINK.findall(kept_by)
    for words, file in tests:
        name = f"def test_{words.replace(' ', '_')}("
        assert name in (ROOT / file).read_text(), f"{file} has no {name}"
    reason = re.search(r"(?:^Open\.|In part:) (.{20,})", kept_by)
    assert tests or kept_by.startswith("Open.")
    assert reason or not re.search("Open|In part", kept_by), "an open promise needs a reason"
