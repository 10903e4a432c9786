"""`vendors.kit` exports the names that authors of plugins need, and no other name."""

import ast
import re
from pathlib import Path

import vendors
import vendors.kit

MODULES = [path for path in Path(vendors.__path__[0]).rglob("*.py") if "kit" not in path.parts]
OFFERED = set(re.findall(r"`(\w+)`", vendors.kit.__doc__))


def imported_by_plugins():
    return {
        alias.name
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == "vendors.kit"
        for alias in node.names
    }


def test_each_exported_name_is_used_by_a_plugin_or_documented_as_offered():
    assert set(vendors.kit.__all__) - imported_by_plugins() == OFFERED


def test_each_name_that_a_plugin_imports_is_exported():
    assert imported_by_plugins() <= set(vendors.kit.__all__)


def test_each_exported_name_exists():
    assert not [name for name in vendors.kit.__all__ if not hasattr(vendors.kit, name)]
