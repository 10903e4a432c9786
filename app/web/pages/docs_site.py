"""/docs/: the documentation as `make docs` has built it, which needs no token. It is no part of the API."""

from flask import Blueprint, Response, abort, send_from_directory

from app.config import ROOT
from app.web.problems import Problem

FOLDER = ROOT / "build/docs"

blueprint = Blueprint("Docs", __name__)


@blueprint.app_context_processor
def for_templates() -> dict[str, bool]:
    """Tells the pages whether there is a site to link to."""
    return {"has_docs": FOLDER.is_dir()}


@blueprint.get("/docs/")
@blueprint.get("/docs/<path:name>")
def show(name: str = "index.html") -> Response:
    """Sends a file of the site, and nothing outside of its folder. Browsers keep it, and ask whether it has changed."""
    if not FOLDER.is_dir():
        detail = "The documentation has not been built on this server; `make docs` builds it."
        raise Problem(404, "not_found", detail)
    if "\0" in name or not (FOLDER / name).resolve().is_relative_to(FOLDER.resolve()):
        abort(404)
    return send_from_directory(FOLDER, name)
