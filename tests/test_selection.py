"""The tests that `make test` and `make test-all` run: together all but the soak tests, and none twice."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CASES = """
import pytest

@pytest.mark.one_in(3)
@pytest.mark.parametrize("number", range(7))
def test_thinned(number): pass

@pytest.mark.exhaustive
def test_long(): pass

@pytest.mark.parametrize("number", range(16))
def test_of_many_cases(number): pass

@pytest.mark.parametrize("number", range(10))
def test_of_ten_cases(number): pass

@pytest.mark.parametrize("number", range(90))
def test_of_very_many_cases(number): pass

@pytest.mark.parametrize("number", range(4))
def test_of_four_cases(number): pass

@pytest.mark.serial
def test_usual(): pass
"""


@pytest.fixture
def selected(tmp_path):
    """Returns a function that lists the tests which a marker expression selects."""
    (tmp_path / "test_cases.py").write_text(CASES)
    (tmp_path / "conftest.py").write_text("from tests.selection import pytest_collection_modifyitems")

    def select(expression):
        command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-c", str(ROOT / "setup.cfg")]
        command += ["--rootdir", str(tmp_path), "-p", "no:cacheprovider", "-m", expression, str(tmp_path)]
        environ = {**os.environ, "PYTEST_ADDOPTS": ""}
        printed = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environ).stdout
        return [line.partition("::")[2] for line in printed.splitlines() if "::" in line]

    return select


@pytest.mark.exhaustive
def test_only_some_cases_of_a_marked_or_long_parametrized_test_run_in_make_test(selected):
    many = {f"test_of_many_cases[{number}]" for number in (0, 6, 12)}
    many |= {f"test_of_ten_cases[{number}]" for number in (0, 3, 6, 9)}
    many |= {f"test_of_four_cases[{number}]" for number in (0, 2)}
    very_many = {f"test_of_very_many_cases[{number}]" for number in range(0, 90, 6)}
    usual = {"test_thinned[0]", "test_thinned[3]", "test_thinned[6]", "test_usual"}
    assert set(selected("not exhaustive and not soak")) == usual | many | very_many
    others = {"test_thinned[1]", "test_thinned[2]", "test_thinned[4]", "test_thinned[5]", "test_long"}
    others |= {f"test_of_many_cases[{number}]" for number in range(16)} - many
    others |= {f"test_of_ten_cases[{number}]" for number in range(10)} - many
    others |= {f"test_of_four_cases[{number}]" for number in range(4)} - many
    left = very_many | {f"test_of_very_many_cases[{number}]" for number in range(0, 90, 4)}
    others |= left - very_many
    assert set(selected("exhaustive")) == others
    all_cases = {f"test_of_very_many_cases[{number}]" for number in range(90)}
    assert set(selected("soak")) == all_cases - left


def test_the_make_targets_select_every_test_exactly_once():
    lines = (ROOT / "Makefile").read_text().splitlines()
    chosen = [line.split('-m "')[1].split('"')[0] for line in lines if '-m "' in line]
    parts = {frozenset(expression.split(" and ")) for expression in chosen}
    assert parts == {
        frozenset({"not soak", serial, exhaustive})
        for serial in ("serial", "not serial")
        for exhaustive in ("exhaustive", "not exhaustive")
    }
    assert len(chosen) == 4
