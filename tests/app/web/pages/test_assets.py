"""The files behind the pages: small, and where they are of others, unchanged."""

import hashlib
from pathlib import Path

import pytest

from app.config import ROOT
from app.web.pages import assets

PAGES = ROOT / "app/web/pages"
# SHA-256 of files of others as their packages have them.
UNCHANGED = {
    "app/web/pages/static/vendored/uplot/uPlot.iife.min.js": (
        "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f"
    ),
    "app/web/pages/static/vendored/uplot/uPlot.min.css": (
        "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04"
    ),
    "tests/browser/vendored/axe/axe.min.js": "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c",
}
OWN = [path for path in PAGES.rglob("*") if path.suffix in {".js", ".css", ".html"} and "vendored" not in path.parts]


@pytest.mark.parametrize("name", UNCHANGED)
def test_a_file_of_others_is_unchanged_and_has_its_licence_and_version_next_to_it(name: str) -> None:
    path = ROOT / name
    assert hashlib.sha256(path.read_bytes()).hexdigest() == UNCHANGED[name]
    assert (path.parent / "LICENSE.txt").read_text()
    assert "unchanged from the npm package" in (path.parent / "VERSION.txt").read_text()


def test_every_script_or_style_of_others_is_listed() -> None:
    vendored = {
        path.relative_to(ROOT).as_posix()
        for folder in ("app", "tests")
        for path in (ROOT / folder).rglob("vendored/*/*")
        if path.suffix in {".js", ".css"}
    }
    assert vendored == set(UNCHANGED)


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_our_files_stay_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 250


def test_scripts_never_make_markup_or_code_of_text_and_keep_nothing() -> None:
    forbidden = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function")
    kept = ("localStorage", "sessionStorage", "document.cookie", "indexedDB")
    for path in OWN:
        if path.suffix == ".js":
            text = path.read_text()
            assert not [word for word in (*forbidden, *kept) if word in text], path.name


def test_the_digest_follows_the_contents(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(assets, "OWN", tmp_path)
    digests = set()
    for text in ("one", "two"):
        (tmp_path / "x.js").write_text(text)
        digests.add(assets.load.__wrapped__().digest)
    assert len(digests) == 2
