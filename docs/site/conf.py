"""Settings of Sphinx, which makes the site from the pages in Markdown. docs/site/build.py calls it."""

from pathlib import Path
from typing import Any

project = "derapi-server"
extensions = ["myst_parser"]
# So that a link to a heading is checked, with the anchors that other viewers of Markdown make.
myst_heading_anchors = 4
root_doc = "index"
html_theme = "plain"
html_favicon = "../../app/web/pages/static/icon.svg"
html_theme_path = [str(Path(__file__).parent)]
html_use_index = html_copy_source = html_show_sourcelink = False
html_permalinks = False
# Two hyphens in a text are those of a command.
smartquotes = False
highlight_language = "none"


def setup(app: Any) -> None:
    """Leaves out the search, which would need scripts that make markup of text."""
    app.connect("builder-inited", lambda app: setattr(app.builder, "search", False))
