"""/errors/<code>: an error explained, as a page for people and as JSON for programs. It needs no token.

The addresses are the `type` of problems. They are no part of the API, so /openapi.json does not list them.
"""

from collections.abc import Iterator
from dataclasses import asdict
from functools import cache

from flask import Blueprint, Response, abort, jsonify, make_response, render_template

from app import error_table
from app.error_table import ErrorKind
from app.fleet import vendor_problems
from app.web.pages.negotiation import prefers_page

SERVICE, VENDOR = "service", "vendor"
# The facts change with a release only; a page would also load assets of the former one.
CACHED = "public, max-age=3600"

blueprint = Blueprint("ErrorPages", __name__)


@cache
def meanings() -> dict[str, list[tuple[str, ErrorKind]]]:
    """By code, each meaning with its source: the service itself, or a call to a vendor."""
    by_code: dict[str, list[tuple[str, ErrorKind]]] = {}
    for source, kind in _kinds():
        by_code.setdefault(kind.code, []).append((source, kind))
    return by_code


def _kinds() -> Iterator[tuple[str, ErrorKind]]:
    yield from ((SERVICE, kind) for kind in error_table.OWN)
    yield from ((VENDOR, kind) for kind in vendor_problems.kinds())


@blueprint.get(f"{error_table.PAGES}<code>")
def show(code: str) -> Response:
    """Shows what the code means, whose fault it is, and what to do."""
    if code not in meanings():
        abort(404)
    facts = {"code": code, "meanings": [{"source": source, **asdict(kind)} for source, kind in meanings()[code]]}
    if prefers_page():
        response = make_response(render_template("error.html", **facts))
    else:
        response = jsonify(facts)
        response.headers["Cache-Control"] = CACHED
    response.vary.add("Accept")
    return response
