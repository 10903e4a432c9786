"""GET /health: whether this process serves. It needs no token and never fails."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, jsonify

from app import version
from app.storage.database import Database

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
def show() -> Response:
    """200 also without a database: the process is alive, and a restart of it would not help."""
    database: Database = current_app.extensions["database"]
    parts = {"database": database.answers()}
    if ledger := current_app.extensions["ledger"]:
        parts["redis"] = ledger.is_shared
    return jsonify(
        {
            "status": "ok" if all(parts.values()) else "degraded",
            "version": version.VERSION,
            **{part: "ok" if answers else "unavailable" for part, answers in parts.items()},
        }
    )
