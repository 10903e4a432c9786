"""`flask --app wsgi vendors new`: a skeleton that is red, and says what to write next."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from app.config import ROOT
from tests.vendors.skeletons import unwritten
from vendors.kit import Stage
from vendors.kit.scaffold import FILES, ScaffoldError, write_skeleton

LEFT_OUT = shutil.ignore_patterns(".venv", ".git", ".demo", "instance", "__pycache__", ".*_cache", ".hypothesis")
FOLDERS = ("docs", "sandbox", "tests/vendors", "vendors")


@pytest.fixture
def tree(tmp_path):
    """The folders of a source tree that a new vendor has files in, empty but for the page of vendors."""
    for folder in FOLDERS:
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "docs/vendors.md").write_text("# Vendors\n")
    return tmp_path


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of this source tree; gives a function that runs Python in it."""
    root = tmp_path_factory.mktemp("copy") / "tree"
    shutil.copytree(ROOT, root, ignore=LEFT_OUT)

    def run(*words):
        environ = {**os.environ, "PYTHONPATH": str(root), "INSTANCE_PATH": str(root / "instance"), "COLUMNS": "200"}
        return subprocess.run(
            [sys.executable, *words], cwd=root, env=environ, capture_output=True, text=True, check=False, timeout=300
        )

    return run


@pytest.mark.exhaustive
def test_the_first_run_of_a_skeleton_is_red_and_names_what_to_write_next(copy):
    made = copy("-m", "flask", "--app", "wsgi", "vendors", "new", "sunny", "--stage", "series")
    assert made.returncode == 0, made.stderr
    answer = json.loads(made.stdout)
    assert {"tests/vendors/sunny/cases.json", "vendors/sunny/api.py", "sandbox/sunny.py"} <= set(answer["written"])
    command = answer["next"].removeprefix(".venv/bin/python ").split()
    run = copy(*command, "-p", "no:cacheprovider", "-m", "not exhaustive")
    assert run.returncode == 1, run.stdout
    (failed,) = (line for line in run.stdout.splitlines() if line.startswith("FAILED"))
    assert "test_nothing_of_a_skeleton_is_left_to_write[sunny]" in failed
    assert "places of the skeleton of sunny are left, in this order" in run.stdout
    tasks = [line for line in run.stdout.splitlines() if ": write " in line]
    assert "tests/vendors/sunny/sites.json" in tasks[0]
    assert "docs/vendors.md, section sunny: write what the vendor does not report." in tasks[-1]
    assert any("write sites(): yield from self.client.get" in task for task in tasks)
    for command in (["check"], ["format", "--check"]):
        lint = copy("-m", "ruff", *command, "vendors/sunny", "sandbox/sunny.py")
        assert lint.returncode == 0, lint.stdout


@pytest.mark.parametrize("stage", FILES)
def test_a_skeleton_has_the_files_of_its_stage_and_a_mark_in_each(stage, tree):
    written = write_skeleton("sunny", stage, tree)
    found = {str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_file()}
    assert found == set(written)
    marked = {task.partition(",")[0] for task in unwritten(tree, "sunny")}
    assert found - marked == {"tests/vendors/sunny/headers.json"}
    assert ("sandbox/sunny.py" in found) == (stage is Stage.SERIES)
    assert ("tests/vendors/sunny/inverter.json" in found) == (stage is not Stage.LIST)
    for path in tree.rglob("*.json"):
        json.loads(path.read_text())
    for path in tree.rglob("*.py"):
        compile(path.read_text(), path, "exec")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("Sunny", "'Sunny' cannot be a vendor's name: 2 to 30 lower-case letters and digits are expected"),
        ("../sunny", "'../sunny' cannot be a vendor's name"),
        ("kit", "'kit' cannot be a vendor's name"),
        ("class", "'class' cannot be a vendor's name"),
        ("sma", "There is a vendor 'sma' already: vendors.sma.api."),
        ("clock", "sandbox/clock.py exists already: remove it, or choose another name."),
    ],
)
def test_a_name_that_is_invalid_or_taken_is_refused_in_one_line_and_nothing_is_written(name, line, tree):
    (tree / "sandbox/clock.py").touch()
    before = sorted(tree.rglob("*"))
    with pytest.raises(ScaffoldError) as refused:
        write_skeleton(name, Stage.LIST, tree)
    assert str(refused.value).startswith(line)
    assert "\n" not in str(refused.value)
    assert sorted(tree.rglob("*")) == before


def test_outside_of_a_source_tree_nothing_is_written(tmp_path):
    with pytest.raises(ScaffoldError, match="is no source tree of this project"):
        write_skeleton("sunny", Stage.LIST, tmp_path)


def test_the_command_prints_the_refusal_alone(app):
    result = app.test_cli_runner().invoke(args=["vendors", "new", "sma"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: There is a vendor 'sma' already: vendors.sma.api.\n"


def test_the_command_names_the_stages_as_a_plugin_is_shown_to_have_them(app):
    result = app.test_cli_runner().invoke(args=["vendors", "new", "sunny", "--stage", "roof"])
    assert result.exit_code == 2
    assert "'roof' is not one of 'list', 'state', 'series'" in result.stderr
