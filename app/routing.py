"""What holds for every route: which hosts are served, how parameters are read, how answers may be cached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.parse import urlsplit

import flask_smorest
import marshmallow as ma
from flask import Flask, Response, current_app, request
from webargs.flaskparser import FlaskParser

from app import errors, network
from app.config import Settings
from app.errors import Problem, invalid

BODY_LIMIT = 64 * 1024  # bytes; held in memory while they arrive
# A load balancer asks for the health by address, and the answer holds no link.
ANY_HOST = frozenset({"health.show"})
# RFC 6749 demands its own error body, so that endpoint reads its parameters itself.
OWN_PARAMETERS = frozenset({"oauth.token"})


class StrictParser(FlaskParser):
    """Refuses what the schema does not know, with 400 and the name of the parameter."""

    DEFAULT_VALIDATION_STATUS = 400
    DEFAULT_UNKNOWN_BY_LOCATION = {**FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION, "query": ma.RAISE}

    def handle_error(self, error: ma.ValidationError, *arguments: Any, **options: Any) -> NoReturn:
        raise invalid(" ".join(_sentences(error.messages))) from error

    def _handle_invalid_json_error(self, error: Exception, *arguments: Any, **options: Any) -> NoReturn:
        raise invalid("The body is not valid JSON.") from error


def _sentences(messages: Any, name: str = "") -> list[str]:
    """ "name: message" for each message in marshmallow's nested answer, whose first level is the location."""
    if isinstance(messages, Mapping):
        return [
            sentence
            for key, inner in messages.items()
            for sentence in _sentences(inner, str(key) if name in {"", "query", "json"} else f"{name}.{key}")
        ]
    return [f"{name}: {message}" for message in messages]


class Blueprint(flask_smorest.Blueprint):
    """flask-smorest's Blueprint with the strict parser."""

    ARGUMENTS_PARSER = StrictParser()


class Api(flask_smorest.Api):
    """flask-smorest's Api with our shape of errors, in answers and in /openapi.json."""

    ERROR_SCHEMA = errors.ProblemSchema

    def _register_responses(self) -> None:
        """Errors have a content type that other answers have not; flask-smorest knows one for all."""
        self.DEFAULT_RESPONSE_CONTENT_TYPE = errors.MEDIA_TYPE
        super()._register_responses()
        del self.DEFAULT_RESPONSE_CONTENT_TYPE

    def handle_http_exception(self, error: Any) -> Response:
        return errors.from_http(error)


def base_url() -> str:
    """Where this service is reached, for links in answers: scheme and host, without a slash at the end."""
    settings: Settings = current_app.config["SETTINGS"]
    return settings.public_url or f"{request.scheme}://{request.host}"


def init_app(app: Flask) -> None:
    """Registers the checks that come before authentication and the headers of every answer."""
    app.url_map.merge_slashes = False
    app.before_request(_refuse_unknown_host)
    app.before_request(_refuse_large_body)

    @app.after_request
    def set_headers(response: Response) -> Response:
        # What a caller sees depends on the credentials it sent; no cache in between may keep it.
        response.headers.setdefault("Cache-Control", "private, no-store")
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def _refuse_unknown_host() -> None:
    """A page elsewhere could point its own name at this machine; and links must not carry foreign names."""
    settings: Settings = current_app.config["SETTINGS"]
    try:
        host = urlsplit(f"//{request.host}").hostname or ""
    except ValueError:
        host = ""
    own = urlsplit(settings.public_url or "").hostname
    if request.endpoint in ANY_HOST or network.is_loopback(host) or (own and host == own):
        return
    raise Problem(
        400,
        "unknown_host",
        "This service does not answer under this host. Set PUBLIC_URL to the URL that its users see.",
    )


def _refuse_large_body() -> None:
    length = request.content_length
    if length is None and "Transfer-Encoding" in request.headers:
        # werkzeug cuts a body of unknown length at the limit and says nothing.
        length = len(request.get_data()) + 1
    if (length or 0) > BODY_LIMIT:
        raise too_large(BODY_LIMIT)


def too_large(limit: int) -> Problem:
    """413: the body exceeds a limit in bytes."""
    return Problem(413, "content_too_large", f"The body may have at most {limit} bytes.")


def refuse_odd_parameters() -> None:
    """Repeated query parameters, and any where a route takes none: ignoring them would hide a mistake."""
    if request.routing_exception or request.endpoint in OWN_PARAMETERS:
        return
    for name, values in request.args.lists():
        if len(values) > 1:
            raise invalid(f"{name}: The query parameter is repeated.")
    if request.args and not _takes_query():
        raise invalid(f"{next(iter(request.args))}: This path takes no query parameters.")


def _takes_query() -> bool:
    """Whether the view declares a query schema, in the notes that flask-smorest keeps on its function."""
    view = current_app.view_functions[request.endpoint or ""]
    method = "get" if request.method == "HEAD" else request.method.lower()
    view = getattr(getattr(view, "view_class", None), method, view)
    declared = getattr(view, "_apidoc", {}).get("arguments", {}).get("parameters", [])
    return any(isinstance(parameter, Mapping) and parameter["in"] == "query" for parameter in declared)
