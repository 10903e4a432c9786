"""The documentation as a site: built from docs/, and served under the policy of all pages."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app.config import ROOT
from app.web.pages import docs_site
from tests.processes import SECONDS

PAGE = "<!doctype html><title>Documentation</title>"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small site in the place of the one that `make docs` builds, and a secret next to it."""
    folder = tmp_path / "site"
    (folder / "_static").mkdir(parents=True)
    (folder / "index.html").write_text(PAGE)
    (folder / "_static/style.css").write_text("body {}")
    (tmp_path / "secret.txt").write_text("secret")
    monkeypatch.setattr(docs_site, "FOLDER", folder)
    return folder


def test_the_site_is_served_without_a_token_under_the_policy_of_all_pages(http: FlaskClient, site: Path) -> None:
    for path in ("/docs/", "/docs/index.html"):
        answer = http.get(path, buffered=True)
        assert (answer.status_code, answer.text, answer.mimetype) == (200, PAGE, "text/html")
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
    style = http.get("/docs/_static/style.css", buffered=True)
    assert (style.mimetype, style.headers["X-Content-Type-Options"]) == ("text/css", "nosniff")


def test_a_browser_keeps_a_page_and_asks_whether_it_has_changed(http: FlaskClient, site: Path) -> None:
    first = http.get("/docs/", buffered=True)
    assert first.headers["Cache-Control"] == "no-cache"
    again = http.get("/docs/", buffered=True, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    (site / "index.html").write_text(f"{PAGE} changed")
    assert http.get("/docs/", buffered=True, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "%2e%2e/secret.txt",
        "..%2fsecret.txt",
        "_static/../../secret.txt",
        "/etc/passwd",
        "index.html%00",
        "_static",
        "x",
    ],
)
def test_nothing_outside_of_the_site_is_served(http: FlaskClient, site: Path, path: str) -> None:
    answer = http.get(f"/docs/{path}", buffered=True)
    assert answer.status_code == 404
    assert answer.json["code"] == "not_found"


def test_a_link_that_leads_out_of_the_site_is_not_followed(http: FlaskClient, site: Path) -> None:
    (site / "out.txt").symlink_to(site.parent / "secret.txt")
    (site / "in.css").symlink_to(site / "_static/style.css")
    assert http.get("/docs/out.txt", buffered=True).status_code == 404
    assert http.get("/docs/in.css", buffered=True).status_code == 200


def test_a_site_that_was_not_built_is_a_problem_that_says_how(
    http: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docs_site, "FOLDER", tmp_path / "missing")
    problem = http.get("/docs/", buffered=True).json
    assert (problem["status"], problem["code"]) == (404, "not_found")
    assert "make docs" in problem["detail"]


def test_pages_link_to_the_site_where_it_was_built(
    http: FlaskClient, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = {"Accept": "text/html"}
    assert 'href="../docs/"' in http.get("/errors/not_found", headers=browser).text
    monkeypatch.setattr(docs_site, "FOLDER", tmp_path / "missing")
    assert 'href="../docs/"' not in http.get("/errors/not_found", headers=browser).text


class Page(HTMLParser):
    """Parts of a page that the policy would refuse, and the targets of its links."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.refused: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name == "style" or name.startswith("on"):
                self.refused.append(f"{tag} {name}")
            if name in ("src", "href") and tag != "a" and re.match("[a-z]+:|//", value or ""):
                self.refused.append(f"{tag} from elsewhere: {value}")
            if name in ("href", "src"):
                self.links.append(value or "")
            if name == "id":
                self.ids.add(value or "")
        if tag in ("script", "style", "base", "iframe", "form"):
            self.refused.append(tag)


@pytest.mark.exhaustive
def test_the_whole_site_is_built_and_holds_nothing_that_the_policy_refuses(
    http: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import sys, pathlib, build; print(build.build(pathlib.Path(sys.argv[1])))"
    built = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "work")],
        cwd=ROOT / "docs/site", capture_output=True, text=True, check=False, timeout=SECONDS,
    )  # fmt: skip
    assert (built.returncode, built.stderr) == (0, "")
    folder = Path(built.stdout.strip())
    monkeypatch.setattr(docs_site, "FOLDER", folder)
    pages = {path.name: Page(path.read_text()) for path in folder.glob("*.html")}
    assert {"README.html", "index.html", "tutorial.html", "errors.html"} <= pages.keys()
    for name, page in pages.items():
        assert not page.refused, name
        assert http.get(f"/docs/{name}", buffered=True).status_code == 200
        for link in page.links:
            target, _, anchor = link.partition("#")
            if not re.match("[a-z]+:", link):
                assert not target or (folder / target).exists(), (name, link)
                assert not anchor or anchor in pages[target or name].ids, (name, link)
