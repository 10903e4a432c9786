"""Checks before every request and headers of every answer: hosts, bounded bodies, known parameters, no caching."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, request

from app import network
from app.config import BODY_LIMIT, Settings
from app.web.problems import Problem, invalid

# A load balancer asks for the health by address, and the answer holds no link.
ANY_HOST = frozenset({"health.show"})
# RFC 6749 demands its own error body, so that endpoint reads its parameters itself.
OWN_PARAMETERS = frozenset({"oauth.token"})


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
