"""/docs/: the documentation as `make docs` has built it, which needs no token. It is no part of the API."""

from flask import Blueprint, Response, send_from_directory

from app.config import ROOT
from app.web.problems import Problem

FOLDER = ROOT / "build/docs"

blueprint = Blueprint("Docs", __name__)


@blueprint.get("/docs/")
@blueprint.get("/docs/<path:name>")
def show(name: str = "index.html") -> Response:
    """Sends a file of the site, and nothing outside of its folder. Browsers keep it, and ask whether it has changed."""
    if not FOLDER.is_dir():
        detail = "The documentation has not been built on this server; `make docs` builds it. Its pages are in docs/."
        raise Problem(404, "not_found", detail)
    return send_from_directory(FOLDER, name)
