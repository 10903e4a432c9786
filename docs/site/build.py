"""Builds the documentation as a site: `make docs`. The service shows it below /docs/ once it is there.

The pages are the files in Markdown, with README.md and CONTRIBUTING.md. docs/index.md gives their order: each of its
headings is a group, and each link below it a page of the group. A link that leads nowhere ends the build.
"""

import re
import shutil
from pathlib import Path

from sphinx.cmd.build import build_main

ROOT = Path(__file__).resolve().parent.parent.parent
SITE = ROOT / "build/docs"
WORK = ROOT / "build/docs-work"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PICTURES = sorted((ROOT / "docs").glob("*.svg"))
LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:|#)([^)#\s]*)(#[^)]*)?\)")


def for_the_site(page: Path) -> str:
    """The text of a page with links as they are in the site, where all pages lie in one folder."""

    def moved(link: re.Match[str]) -> str:
        target = (page.parent / link[3]).resolve()
        if target in (*PAGES, *PICTURES):
            return f"{link[1]}[{link[2]}]({target.name}{link[4] or ''})"
        return link[2]  # A file of the project that is no page.

    return LINK.sub(moved, page.read_text())


def contents(index: str) -> str:
    """The tables of contents for Sphinx, from the headings and links of the index."""
    groups = re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", index, re.M | re.S)
    tables = (
        f"```{{toctree}}\n:hidden:\n:caption: {title}\n\n"
        + "\n".join(f"{name} <{page}>" for name, page in re.findall(r"^- \[(.+?)\]\(([\w-]+)\.md\)", text, re.M))
        + "\n```\n"
        for title, text in groups
    )
    return "\n".join(tables)


def build(work: Path) -> Path:
    """Builds the site in a folder for its work, and returns the folder of the site. Ends the process on a fault."""
    source, site = work / "source", work / "site"
    source.mkdir(parents=True)
    for page in PAGES:
        (source / page.name).write_text(for_the_site(page))
    for picture in PICTURES:
        shutil.copy(picture, source)
    index = source / "index.md"
    index.write_text(f"{index.read_text()}\n{contents(index.read_text())}")
    options = ["--quiet", "--fail-on-warning", "--keep-going", "--conf-dir", str(Path(__file__).parent)]
    status = build_main([*options, "--doctree-dir", str(work / "doctrees"), str(source), str(site)])
    if status:
        raise SystemExit(status)
    for leftover in (".buildinfo", "objects.inv", "_static/pygments.css"):
        (site / leftover).unlink(missing_ok=True)
    shutil.rmtree(site / "_sources", ignore_errors=True)
    return site


def main() -> None:
    """Puts a new site in the place of the former one, which stays where the build fails."""
    shutil.rmtree(WORK, ignore_errors=True)
    site = build(WORK)
    shutil.rmtree(SITE, ignore_errors=True)
    site.rename(SITE)
    shutil.rmtree(WORK)
    print(f"{SITE.relative_to(ROOT)}: {len(PAGES)} pages")


if __name__ == "__main__":
    main()
