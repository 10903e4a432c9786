"""Every error of the API in one shape: problem details (RFC 9457). Views raise `Problem`."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import marshmallow as ma
import structlog
from flask import Flask, Response, current_app, g
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from app import error_table

MEDIA_TYPE = "application/problem+json"

logger = structlog.stdlib.get_logger(__name__)


class Problem(Exception):
    """An error response. `code` is a fixed word for programs, `detail` a sentence for people."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        title: str | None = None,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.title = title or HTTPStatus(status).phrase
        self.headers = dict(headers or {})
        self.members = members

    def body(self, request_id: str, types: str) -> dict[str, Any]:
        """The problem as its JSON members; `types` stands before the code in `type`."""
        return {
            "type": types + self.code,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "requestId": request_id,
            **self.members,
        }

    def response(self, types: str = error_table.PAGES) -> Response:
        """The problem as an HTTP response, with the request's id."""
        body = current_app.json.dumps(self.body(g.get("request_id", ""), types))
        return current_app.response_class(body, self.status, self.headers, mimetype=MEDIA_TYPE)


class ProblemSchema(ma.Schema):
    """The shape of every error, for the API's own documentation. Optional members belong to some codes only."""

    class Meta:
        # Clients ignore members that they do not know (RFC 9457, section 3.2).
        unknown = ma.INCLUDE

    type = ma.fields.String(required=True, metadata={"format": "uri-reference"})
    title = ma.fields.String(required=True)
    status = ma.fields.Integer(required=True, metadata={"description": "The HTTP status."})
    detail = ma.fields.String(required=True, metadata={"description": "One sentence for people."})
    code = ma.fields.String(required=True, metadata={"description": "A fixed word for programs."})
    requestId = ma.fields.String(required=True, metadata={"description": "Also in the log and in X-Request-ID."})
    vendor = ma.fields.String(metadata={"description": "The vendor that failed."})
    fault = ma.fields.String(metadata={"description": "Whose it is.", "enum": ["caller", "vendor", "server"]})
    action = ma.fields.String(metadata={"description": "What to do next."})
    url = ma.fields.String(metadata={"description": "The vendor's host."})
    retryAfter = ma.fields.Integer(metadata={"description": "Seconds."})
    header = ma.fields.String(metadata={"description": "The header that is wrong."})
    expectedHeaders = ma.fields.List(ma.fields.String(), metadata={"description": "Send at least one of them."})
    error = ma.fields.String(metadata={"description": "At the token endpoint, as in RFC 6749."})
    error_description = ma.fields.String(metadata={"description": "At the token endpoint, as in RFC 6749."})
    limit = ma.fields.Integer(metadata={"description": "How many sites or devices a client may have."})


class InvalidRequest(Problem):
    """400: the request does not fit the documented parameters."""


def invalid(detail: str, **members: Any) -> InvalidRequest:
    """400: the request does not fit the documented parameters."""
    return InvalidRequest(400, "validation_error", detail, title="Invalid request", **members)


# In place of werkzeug's text, where we know more.
DETAILS = {
    404: "There is nothing at this path.",
    405: "This path does not take this method; the header Allow lists those it takes.",
}


def from_http(error: HTTPException) -> Problem:
    """The problem for a request that Flask or werkzeug refused, with the headers of its status (Allow, Retry-After)."""
    status = error.code or 500
    code = HTTPStatus(status).phrase.lower().replace(" ", "_").replace("'", "")
    detail = DETAILS.get(status) or error.description or HTTPStatus(status).phrase
    headers = {name: value for name, value in error.get_headers() if name.lower() != "content-type"}
    return Problem(status, code, detail, headers=headers)


def from_database() -> Problem:
    """503: the service's database does not answer."""
    detail = "The service cannot reach its database; try again shortly."
    return Problem(503, "database_unavailable", detail, headers={"Retry-After": "5"})


def init_app(app: Flask, public_url: str | None) -> None:
    """Turns every error into a problem. An unexpected error is logged with its traceback and hidden from the caller."""
    types = error_table.types(public_url)

    @app.errorhandler(Problem)
    def problem(error: Problem) -> Response:
        return error.response(types)

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Response:
        if error.code is not None and error.code < 400:
            return error.get_response()  # type: ignore[return-value]  # Werkzeug declares its base class
        return from_http(error).response(types)

    @app.errorhandler(SQLAlchemyError)
    def database(error: SQLAlchemyError) -> Response:
        logger.error("database", exc_info=error)
        return from_database().response(types)

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        logger.error("unforeseen", exc_info=error)
        detail = "The service failed; its log has the cause under this request's id."
        return Problem(500, "internal_server_error", detail).response(types)
