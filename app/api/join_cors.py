"""Cross-origin requests (CORS) to the routes that a client's own page calls: for origins that the client has
registered, found by the session in the path. Never for all origins, and never with cookies."""

from flask import Flask, Response, request
from sqlalchemy.exc import SQLAlchemyError

from app.api.services import services
from app.storage.join_tables import JoinSessionRow

ENDPOINTS = frozenset({"JoinSessions.list_vendors", "JoinSessions.fetch_token", "JoinConsent.granted"})
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET",
    "Access-Control-Allow-Headers": "Authorization, api-version, Content-Type",
    "Access-Control-Max-Age": "600",
}


def init_app(app: Flask) -> None:
    """Answers preflights before the bearer check, which they cannot pass, and adds the headers to every response."""
    app.before_request(answer_preflight)
    app.after_request(add_headers)


def answer_preflight() -> Response | None:
    """The answer to a preflight of these routes; without headers, which is a refusal, if the origin is not known."""
    if request.method != "OPTIONS" or request.endpoint not in ENDPOINTS:
        return None
    response = Response(status=204)
    if _allows_origin():
        response.headers.update(PREFLIGHT)
    return response


def add_headers(response: Response) -> Response:
    """Lets pages of a registered origin read the response."""
    if request.endpoint in ENDPOINTS:
        response.vary.add("Origin")
        try:
            is_allowed = _allows_origin()
        except SQLAlchemyError:
            # The request has failed for the same reason. An error here would be a 500 without a line in the log.
            is_allowed = False
        if is_allowed:
            response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
    return response


def is_registered(row: JoinSessionRow) -> bool:
    """Whether the request comes from a page of an origin that the session's client has registered."""
    origin = request.headers.get("Origin")
    return origin is not None and services().join.origins.knows(row.client_id, origin)


def _allows_origin() -> bool:
    if "Origin" not in request.headers:
        return False
    session_id = (request.view_args or {}).get("sessionID") or request.args.get("state", "")
    row = services().join.sessions.find(session_id)
    return row is not None and is_registered(row)
