"""The imports between the modules of the project, read from their source."""

import ast
from collections.abc import Iterator, Mapping, Set
from pathlib import Path

ROOT = Path(__file__).parent.parent

Graph = Mapping[str, Set[str]]


def imports(path: Path) -> Iterator[str]:
    """The modules that a file imports, with dots; also what it imports from them, which may be modules too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def import_graph(*folders: str, root: Path = ROOT) -> dict[str, set[str]]:
    """Each module of the folders, and those of these modules that it names in an import.

    Imports inside of functions and for type checkers count. `from package import module` is an import of the module,
    not of the package.
    """
    paths = {_module(path, root): path for folder in folders for path in (root / folder).rglob("*.py")}
    return {module: _named(path, paths.keys()) - {module} for module, path in paths.items()}


def _module(path: Path, root: Path) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def _named(path: Path, modules: Set[str]) -> set[str]:
    named = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            full_names = {f"{node.module}.{alias.name}" for alias in node.names}
            named |= {name if name in modules else str(node.module) for name in full_names}
    return named & modules


def circles(graph: Graph) -> set[frozenset[str]]:
    """The largest sets of modules that import each other, directly or through others of the set."""
    reached = {module: _reachable(graph, module) for module in graph}
    return {
        frozenset(other for other in members if module in reached[other])
        for module, members in reached.items()
        if module in members
    }


def _reachable(graph: Graph, module: str) -> set[str]:
    reached: set[str] = set()
    waiting = list(graph[module])
    while waiting:
        target = waiting.pop()
        if target not in reached:
            reached.add(target)
            waiting += graph[target]
    return reached
