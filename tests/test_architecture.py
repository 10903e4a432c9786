"""Imports go one way and never in a circle, the environment has one reader, and vendors are named in one place."""

import ast
import difflib
import re
import sys

import pytest

import app
from tests import module_map
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


# The rooms of app/, from top to bottom: a room imports those below it, and none at its own height.
ROOMS = [
    ("app",),  # create_app
    ("cli",),
    ("cli_origins",),
    ("cli_clients", "cli_credentials", "cli_doctor", "cli_grants", "cli_retention", "cli_vendors"),
    ("cli_group",),
    ("api", "doctor"),
    ("join", "control"),
    ("virtual", "credentials"),
    ("fleet", "auth", "metrics"),
    ("web", "server"),  # The worker knows no Flask.
    ("config",),
    ("setting_types",),
    ("storage", "network", "version", "bounded_log", "error_table", "lifecycle"),
]
HEIGHT = {room: height for height, rooms in enumerate(reversed(ROOMS)) for room in rooms}


def room_of(module):
    """The package below app/, or the module where it lies in app/ itself."""
    return [*module.split("."), "app"][1]


def test_each_room_of_the_service_imports_only_rooms_below_it():
    graph = import_graph("app")
    rooms = {room_of(module) for module in graph}
    assert rooms <= set(HEIGHT), f"give {rooms - set(HEIGHT)} a height in ROOMS"
    upward = [
        f"{module} imports {imported}: {room_of(module)} may import only what stands below it in ROOMS"
        for module in sorted(graph)
        for imported in sorted(graph[module])
        if room_of(module) != room_of(imported) and HEIGHT[room_of(module)] <= HEIGHT[room_of(imported)]
    ]
    assert not upward, "\n".join(upward)


def test_the_name_of_each_room_leads_to_it():
    """An import into app/__init__.py can put another module in its place."""
    rooms = {room.split(".")[1]: module for room, module in sys.modules.items() if re.fullmatch(r"app\.\w+", room)}
    assert {"virtual", "credentials"} <= rooms.keys()
    assert {name for name, module in rooms.items() if getattr(app, name) is not module} == set()


def test_only_the_settings_of_gunicorn_import_the_server():
    importers = {
        str(path.relative_to(ROOT))
        for path in [*files("app"), *files("vendors"), *ROOT.glob("*.py")]
        if "app.server" in {".".join(name.split(".")[:2]) for name in imports(path)}
    }
    outside = {path for path in importers if not path.startswith("app/server/")}
    assert outside == {"gunicorn.conf.py"}


def test_the_services_of_the_application_are_looked_up_in_one_place():
    look_up = re.compile(r"\.extensions\b|config\[")
    modules = {str(path.relative_to(ROOT)) for path in files("app") if look_up.search(path.read_text())}
    # gunicorn's hooks run outside of a request, and have only the application.
    assert modules == {"app/api/services.py", "app/server/hooks.py"}


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
    names_by_module = {
        str(path.relative_to(ROOT)): match.group()
        for path in files("app")
        # A URL in an example of the API's documentation is no dependency.
        if (match := names.search(re.sub(r"https://\S+", "", path.read_text())))
    }
    assert not names_by_module


def test_no_modules_import_each_other_in_a_circle():
    assert not circles(import_graph("app", "vendors", "simulation", "sandbox"))


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


def test_the_module_map_names_each_module_with_its_purpose():
    text = module_map.DOCUMENT.read_text()
    expected = module_map.with_map(text)
    changed = [line for line in difflib.ndiff(text.splitlines(), expected.splitlines()) if line[0] in "+-"]
    assert text == expected, "run `make docs`:\n" + "\n".join(changed)
