"""Imports go one way, the environment has one reader, and vendors are named in one place."""

import ast
import re
import sys

import pytest

from tests.imports import ROOT, circles, import_graph, imports
from vendors.kit.registry import discover

OURS = {"app", "vendors", "simulation", "sandbox", "tests", "wsgi", "benchmarks", "demo"}


def files(folder):
    return sorted((ROOT / folder).rglob("*.py"))


def of_ours(path):
    return {name.split(".")[0] for name in imports(path)} & OURS


@pytest.mark.parametrize(
    ("folder", "allowed"),
    [
        ("simulation", {"simulation"}),
        ("sandbox", {"sandbox", "simulation"}),
        ("vendors", {"vendors"}),
        ("app", {"app", "vendors", "simulation"}),
    ],
)
def test_imports_go_one_way(folder, allowed):
    wrong = {str(path.relative_to(ROOT)): of_ours(path) - allowed for path in files(folder) if of_ours(path) - allowed}
    wrong.pop("app/cli.py", None)  # Its command starts the sandbox.
    assert not wrong


def test_only_the_command_line_knows_the_sandbox():
    assert of_ours(ROOT / "app/cli.py") <= {"app", "vendors", "sandbox"}


def plugins():
    return [path for path in files("vendors") if "kit" not in path.parts and path.name != "__init__.py"]


@pytest.mark.parametrize("path", plugins(), ids=lambda path: path.stem)
def test_a_plugin_imports_the_kit_and_the_standard_library_only(path):
    own_package = f"vendors.{path.parent.name}"
    for name in imports(path):
        top = name.split(".")[0]
        assert top in sys.stdlib_module_names or name.startswith(("vendors.kit", own_package)), name


@pytest.mark.parametrize("path", plugins(), ids=lambda path: path.stem)
def test_a_plugin_does_not_catch_sleep_log_or_read_settings(path):
    tree = ast.parse(path.read_text())
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Try)]
    assert not set(imports(path)) & {"logging", "os", "time", "threading", "http.client", "urllib.request", "socket"}


def test_only_the_settings_read_the_environment():
    readers = {
        str(path.relative_to(ROOT))
        for folder in ("app", "vendors", "simulation", "sandbox")
        for path in files(folder)
        if re.search(r"os\.environ|getenv|environs|dotenv", path.read_text())
    }
    assert readers == {"app/config.py"}


def test_no_vendor_is_named_in_the_service():
    names = re.compile(rf"\b({'|'.join(discover())}|enphase|enphasevpp|tesla)\b", re.I)
    found = {
        str(path.relative_to(ROOT)): match.group()
        for path in files("app")
        # A URL in an example of the API's documentation is no dependency.
        if (match := names.search(re.sub(r"https://\S+", "", path.read_text())))
    }
    assert not found


# Delete an entry once its circle is open: the test fails for an entry that is no longer a circle, too.
KNOWN_CIRCLES = {
    frozenset(
        {
            "vendors.kit.calls.client",
            "vendors.kit.calls.cloud",
            "vendors.kit.calls.pipeline",
            "vendors.kit.vendor",
        }
    ),
    frozenset({"app.server.connection", "app.server.slow_readers", "app.server.worker"}),
}


def test_no_modules_import_each_other_in_a_circle():
    assert circles(import_graph("app", "vendors", "simulation", "sandbox")) == KNOWN_CIRCLES


def test_a_circle_is_found_through_types_functions_and_packages(tmp_path):
    sources = {
        "room/__init__.py": "from room.first import start",
        "room/first.py": "from room import second",
        "room/second.py": "def late():\n    import room.third",
        "room/third.py": "if TYPE_CHECKING:\n    from room.first import start",
        "room/apart.py": "import room",
    }
    for name, source in sources.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(source)
    assert circles(import_graph("room", root=tmp_path)) == {frozenset({"room.first", "room.second", "room.third"})}
