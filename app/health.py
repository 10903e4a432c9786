"""GET /health: whether this process serves. It needs no token and never fails."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, jsonify

from app import version
from app.storage import Database

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
def show() -> Response:
    """200 also without a database: the process is alive, and a restart of it would not help."""
    database: Database = current_app.extensions["database"]
    answers = database.answers()
    return jsonify(
        {
            "status": "ok" if answers else "degraded",
            "version": version.VERSION,
            "database": "ok" if answers else "unavailable",
        }
    )
