"""Imports go one way, the environment has one reader, and vendors are named in one place."""

import ast
import re
import sys
from pathlib import Path

import pytest

from vendors.kit.registry import discover

ROOT = Path(__file__).parent.parent
OURS = {"app", "vendors", "simulation", "sandbox", "tests", "wsgi", "benchmarks", "demo"}


def files(folder):
    return sorted((ROOT / folder).rglob("*.py"))


def imports(path):
    """The modules that a file imports, with dots."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


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


def test_only_the_settings_of_gunicorn_import_the_server():
    paths = [path for path in (*files("app"), *ROOT.glob("*.py")) if path.parent != ROOT / "app/server"]
    importers = {path.name for path in paths if any(name.startswith("app.server") for name in imports(path))}
    assert importers == {"gunicorn.conf.py"}


def test_the_server_imports_no_part_of_the_service_that_knows_flask():
    low_modules = ("app.server", "app.config", "app.network", "app.version", "app.bounded_log")
    names = {name for path in files("app/server") for name in imports(path) if name.startswith("app.")}
    assert not {name for name in names if not name.startswith(low_modules)}


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
