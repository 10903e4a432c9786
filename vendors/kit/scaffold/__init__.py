"""Writes the skeleton of a new vendor into the source tree: plugin, recorded cases, section, and emulator."""

import keyword
import re
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from vendors.kit.registry import discover
from vendors.kit.vendor import Stage

ROOT = Path(__file__).parents[3]
NAME = re.compile("[a-z][a-z0-9]{1,29}")
# Names that mean something else in a URL, a header or the package of vendors.
RESERVED = frozenset({"kit", "vendor", "vendors", "virtual", "derapi"})
DOCUMENT = "docs/vendors.md"
# By stage: skeleton -> file. `{}` stands for the vendor's name. A declared vendor is too short for a skeleton.
FILES = {
    Stage.LIST: {
        "headers.json": "tests/vendors/{}/headers.json",
        "cases.json": "tests/vendors/{}/cases.json",
        "reply.json": "tests/vendors/{}/sites.json",
        "sites.expected.json": "tests/vendors/{}/sites.expected.json",
        "reply_devices.json": "tests/vendors/{}/devices.json",
        "devices.expected.json": "tests/vendors/{}/devices.expected.json",
        "package.py": "vendors/{}/__init__.py",
        "api.py": "vendors/{}/api.py",
        "records.py": "vendors/{}/records.py",
    },
    Stage.STATE: {
        "reply_inverter.json": "tests/vendors/{}/inverter.json",
        "inverter.expected.json": "tests/vendors/{}/inverter.expected.json",
    },
    Stage.SERIES: {
        "reply_history.json": "tests/vendors/{}/history.json",
        "history.expected.json": "tests/vendors/{}/history.expected.json",
        "series.py": "vendors/{}/series.py",
        "emulator.py": "sandbox/{}.py",
    },
}


class ScaffoldError(Exception):
    """The skeleton cannot be written; its text is one line that says why."""


def write_skeleton(name: str, stage: Stage, root: Path = ROOT) -> list[str]:
    """Writes the files of a vendor of this stage; returns their paths below the root. Raises ScaffoldError."""
    files = _files(name, stage)
    _demand_free(name, files, root)
    templates = Environment(
        loader=PackageLoader(__name__, "skeletons"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words = {"name": name, "vendor": name.capitalize(), "has_state": stage != Stage.LIST, "stage": stage}
    words["has_series"] = stage == Stage.SERIES
    for skeleton, path in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(templates.get_template(f"{skeleton}.txt").render(words))
    section = templates.get_template("section.md.txt").render(words)
    with (root / DOCUMENT).open("a") as document:
        document.write(f"\n{section}")
    return [*files.values(), DOCUMENT]


def _files(name: str, stage: Stage) -> dict[str, str]:
    """Skeleton -> path of every file that the stage needs."""
    stages = list(FILES)[: list(FILES).index(stage) + 1]
    return {skeleton: path.format(name) for stage in stages for skeleton, path in FILES[stage].items()}


def _demand_free(name: str, files: dict[str, str], root: Path) -> None:
    if not NAME.fullmatch(name) or name in RESERVED or keyword.iskeyword(name):
        raise ScaffoldError(
            f"{name!r} cannot be a vendor's name: 2 to 30 lower-case letters and digits are expected, a letter first, "
            f"no keyword of Python, and none of {', '.join(sorted(RESERVED))}."
        )
    if not (root / DOCUMENT).exists() or not (root / "tests/vendors").is_dir():
        raise ScaffoldError(f"{root} is no source tree of this project: {DOCUMENT} or tests/vendors is missing.")
    if name in discover():
        raise ScaffoldError(f"There is a vendor {name!r} already: {discover()[name].__module__}.")
    taken = [f"vendors/{name}.py", f"vendors/{name}", f"sandbox/{name}", f"sandbox/{name}.py", *files.values()]
    for path in taken:
        if (root / path).exists():
            raise ScaffoldError(f"{path} exists already: remove it, or choose another name.")
