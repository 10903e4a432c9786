"""`make lock`: pins the newest versions that setup.cfg allows in requirements*.txt, with all that they need.

The files are layers: each has what its extras need and no earlier file has. Comments and the spelling of names stay.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LAYERS = (
    ("requirements.txt", ()),
    ("requirements-otel.txt", ("otel",)),
    ("requirements-dev.txt", ("build", "demo", "test", "docs", "lint")),
    ("requirements-audit.txt", ("audit",)),
)
# The oldest Python that setup.cfg admits, and the system of a deployment.
TARGET = ("--python-version", "3.11", "--python-platform", "linux")
SECONDS = 300

Compile = Callable[[Path, Sequence[str], str], str]


def compiled(root: Path, extras: Sequence[str], pins: str) -> str:
    """The pins of setup.cfg with some extras. Those that are given stay where they can."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "pins.txt"
        output.write_text(pins)
        named = [word for extra in extras for word in ("--extra", extra)]
        options = ["--no-annotate", "--no-header", "--no-strip-extras", "--quiet", "--output-file", str(output)]
        command = [sys.executable, "-m", "uv", "pip", "compile", "setup.cfg", *TARGET, *options, *named]
        subprocess.run(command, cwd=root, check=True, timeout=SECONDS)
        return output.read_text()


def lock(root: Path, *, keep: bool, compile: Compile = compiled) -> None:
    """Writes all layers. keep: changes only the pins that setup.cfg no longer allows."""
    extras: list[str] = []
    pins = "".join((root / name).read_text() for name, _ in LAYERS) if keep else ""
    earlier: set[str] = set()
    for name, more in LAYERS:
        extras += more
        # The pins of earlier layers hold for the later ones.
        lines = _pins(compile(root, extras, pins))
        pins = "\n".join(lines) + "\n" + pins
        file = root / name
        file.write_text(_layer(file.read_text(), [line for line in lines if key(line) not in earlier]))
        earlier |= {key(line) for line in lines}


def key(line: str) -> str:
    """The name of a pinned package, in one spelling."""
    return re.sub(r"[-_.]+", "-", _name(line).partition("[")[0]).lower()


def _name(line: str) -> str:
    """The name as it stands in a line, with extras."""
    return re.split(r"[= ;]", line, maxsplit=1)[0]


def _pins(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _layer(former: str, pins: Iterable[str]) -> str:
    """The file with new pins: with its comments, and with the former spelling of names."""
    comments = [line for line in former.splitlines() if line.startswith("#")]
    spelling = {key(line): _name(line) for line in _pins(former)}
    lines = [spelling.get(key(pin), _name(pin).partition("[")[0]) + pin.removeprefix(_name(pin)) for pin in pins]
    return "\n".join([*comments, *sorted(lines, key=key)]) + "\n"


if __name__ == "__main__":
    lock(ROOT, keep="--keep" in sys.argv)
