"""The licences of everything that a deployment installs or that the pages bring along, from the packages' metadata."""

import re
from importlib import metadata

from packaging.requirements import Requirement

from app.config import ROOT
from tests.reference_pages import table

# Licences under which a part may be used, changed or not, next to this project's MIT, and why where that is not plain.
ACCEPTED = {
    **dict.fromkeys(("MIT", "MIT-0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Apache-2.0", "PSF-2.0"), ""),
    "MPL-2.0": "its files are used unchanged",
    "LGPL-3.0-only": "a library that is imported, unchanged, and can be replaced",
}
CLASSIFIERS = {
    "MIT License": "MIT",
    "BSD License": "BSD",
    "Apache Software License": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "ISC License (ISCL)": "ISC",
    "Python Software Foundation License": "PSF-2.0",
}
OLD_NAMES = {
    "Apache 2": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "MIT License": "MIT",
}
# Parts that are no Python packages: name, licence, where its text stands.
WITHIN_PAGES = (
    ("uPlot", "MIT", "app/web/pages/static/vendored/uplot/LICENSE.txt"),
    ("Swagger UI, within flask-swagger-ui", "Apache-2.0", "dist/LICENSE of the package"),
)


def dependencies() -> list[str]:
    """The packages of a deployment."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    return [Requirement(line).name for line in lines if line and not line.startswith("#")]


def licence_of(described: metadata.PackageMetadata) -> str:
    """The licence as an expression of SPDX; empty if the package names none."""
    classifiers = [text.split(" :: ")[-1] for text in described.get_all("Classifier", []) if text.startswith("License")]
    named = [CLASSIFIERS.get(text, text) for text in classifiers if text != "OSI Approved"]
    short = described.get("License", "") or ""
    free_text = OLD_NAMES.get(short, short) if len(short) < 40 and "\n" not in short else ""
    return described.get("License-Expression") or free_text or " AND ".join(named)


def is_accepted(expression: str) -> bool:
    """Whether every licence of an expression is accepted."""
    names = re.split(r" (?:AND|OR) ", expression.replace("(", "").replace(")", ""))
    return all(name in ACCEPTED for name in names)


def licences() -> str:
    """A row for each part, with its licence."""
    packages = [(name, licence_of(metadata.metadata(name)), "its package") for name in dependencies()]
    return table(("part", "licence", "text in"), (*packages, *WITHIN_PAGES))


def accepted() -> str:
    """A row for each licence that is accepted."""
    return table(("licence", "reason, where it is not plain"), ((f"`{name}`", why) for name, why in ACCEPTED.items()))
