"""Declarations of the deployment files, read without Docker, Heroku or systemd."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from app.config import ROOT

IGNORED = shutil.ignore_patterns("__pycache__")


@dataclass
class Image:
    """The instructions of the Dockerfile."""

    env: dict[str, str] = field(default_factory=dict)
    copies: list[tuple[list[str], str]] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    user: str = "root"
    healthcheck: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)


def image() -> Image:
    """The image that the Dockerfile describes."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.M)
    described = Image()
    for line in re.sub(r"\s*\\\n\s*", " ", text).splitlines():
        instruction, _, rest = line.partition(" ")
        match instruction:
            case "ENV":
                described.env |= dict(word.split("=", 1) for word in shlex.split(rest))
            case "COPY":
                *sources, target = shlex.split(rest)
                described.copies.append((sources, target))
            case "RUN":
                described.runs.append(rest)
            case "USER":
                described.user = rest
            case "HEALTHCHECK":
                described.healthcheck = json.loads(rest.partition("CMD ")[2])
            case "CMD":
                described.command = json.loads(rest)
    return described


def copy_into(folder: Path) -> None:
    """Copies the files of the image into a folder, as COPY does."""
    for sources, target in image().copies:
        for source in sources:
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, folder / target, ignore=IGNORED)
            else:
                shutil.copy(ROOT / source, folder / target)


def clone_into(folder: Path) -> None:
    """Copies the files that git keeps, as a push to Heroku does; without the tests, which are not used there."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    for name in listed.stdout.split("\0"):
        if name and not name.startswith("tests/") and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


def bare(**settings: object) -> dict[str, str]:
    """An environment with nothing in it but the path to the programs, and these settings."""
    path = os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"])
    return {"PATH": path, **{name: str(value) for name, value in settings.items()}}


def compose() -> dict[str, dict[str, object]]:
    """The services of compose.yaml."""
    services: dict[str, dict[str, object]] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    return services


def procfile() -> dict[str, list[str]]:
    """The commands of the Procfile."""
    lines = (ROOT / "Procfile").read_text().splitlines()
    return {name: shlex.split(command) for name, command in (line.split(": ", 1) for line in lines)}


def app_json() -> dict[str, object]:
    described: dict[str, object] = json.loads((ROOT / "app.json").read_text())
    return described
