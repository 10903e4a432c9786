"""Known holes of pinned dependencies, by pip-audit and the database of osv.dev."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OSV = "https://api.osv.dev/v1/query"
SECONDS = 120
# Holes that do not concern this project: the id of the advisory, and the reason why not. A line that no audit needs any
# more is removed.
IGNORED: Mapping[str, str] = {}


@dataclass
class Audit:
    """The outcome for one file: its holes, the dependencies that were checked, and why others were not."""

    holes: list[str] = field(default_factory=list)
    checked: int = 0
    unreached: str = ""


def audit(file: Path, url: str = OSV) -> Audit:
    """Asks for every dependency that the file pins."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        try:
            done = subprocess.run(
                _command(file, url, report), capture_output=True, text=True, check=False, timeout=SECONDS
            )
        except subprocess.TimeoutExpired:
            return Audit(unreached=f"no answer within {SECONDS} s")
        # pip-audit writes no report if its source fails, and ends with 1, as it does for a hole.
        if not report.exists():
            return Audit(unreached=(done.stderr.strip().splitlines() or ["no report"])[-1].split(":")[0])
        dependencies = json.loads(report.read_text())["dependencies"]
    skipped = [dependency["name"] for dependency in dependencies if "skip_reason" in dependency]
    return Audit(
        holes=[f"{file.name}: {hole}" for dependency in dependencies for hole in _holes(dependency)],
        checked=len(dependencies) - len(skipped),
        unreached=f"nothing is known of {', '.join(skipped)}" if skipped else "",
    )


def _command(file: Path, url: str, report: Path) -> list[str]:
    ignored = [word for id in IGNORED for word in ("--ignore-vuln", id)]
    options = ["--no-deps", "--disable-pip", "--progress-spinner", "off", "--timeout", "5", "--desc", "off"]
    source = ["--vulnerability-service", "osv", "--osv-url", url]
    output = ["--format", "json", "--output", str(report), "--requirement", str(file)]
    return [sys.executable, "-m", "pip_audit", *options, *source, *ignored, *output]


def _holes(dependency: Mapping[str, Any]) -> Iterator[str]:
    for hole in dependency.get("vulns", ()):
        fixed = ", ".join(hole["fix_versions"]) or "no release yet"
        yield f"{dependency['name']} {dependency['version']} has {hole['id']}, mended in {fixed}"
