"""Checks before every request and headers of every response: hosts, bounded bodies, known parameters, no caching."""

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit, urlunsplit

from flask import Flask, Response, current_app, request
from gunicorn.http.errors import ParseException
from werkzeug.routing import RequestRedirect

from app import network
from app.config import BODY_LIMIT
from app.web.problems import Problem, invalid

# A load balancer asks for the health by address, and Prometheus for metrics; the responses hold no link.
ANY_HOST = frozenset({"Health.show", "Health.ready", "Metrics.show"})
# Routes that read their parameters themselves: RFC 6749 demands an error body for the token endpoint, vendors add
# members to a callback, and owners are answered with pages.
OWN_PARAMETERS = frozenset({"Token.issue", "JoinConsent.granted", "JoinForms.ask", "JoinForms.renew"})


class Guards:
    """Checks that need no token. `public_url`: the service's URL as its users see it, if it has one."""

    def __init__(self, public_url: str | None) -> None:
        self._public_host = urlsplit(public_url or "").hostname

    def init_app(self, app: Flask) -> None:
        """Registers the checks that come before authentication and the headers of every response."""
        app.url_map.merge_slashes = False
        app.before_request(self.refuse_unknown_host)
        app.before_request(refuse_large_body)
        app.after_request(set_headers)
        app.after_request(keep_redirect_relative)

    def refuse_unknown_host(self) -> None:
        """A foreign page could point its own host name at this machine; and links must not carry foreign names."""
        host = hostname(request.host)
        if request.endpoint in ANY_HOST or network.is_loopback(host) or (host and host == self._public_host):
            return
        raise Problem(
            400,
            "unknown_host",
            "This service does not answer under this host. Set PUBLIC_URL to the URL that its users see.",
        )


def hostname(host: str) -> str:
    """The name in a `Host` header, without its port; "" if there is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def base_url(public_url: str | None) -> str:
    """Where this service is reached, for links in responses: scheme and host, without a slash at the end."""
    return public_url or f"{request.scheme}://{request.host}"


def refuse_large_body() -> None:
    """A body over BODY_LIMIT is a 413, also where its length was not declared."""
    length = request.content_length
    if length is None and "Transfer-Encoding" in request.headers:
        # werkzeug silently cuts a body of unknown length at the limit.
        try:
            length = len(request.get_data()) + 1
        except ParseException:
            # Only with gunicorn's own worker, which reads a body as late as here.
            raise Problem(400, "bad_request", "The chunks of the body are not valid HTTP/1.1.") from None
    if (length or 0) > BODY_LIMIT:
        raise too_large(BODY_LIMIT)


def too_large(limit: int) -> Problem:
    """413: the body exceeds a limit in bytes."""
    return Problem(413, "content_too_large", f"The body may have at most {limit} bytes.")


def set_headers(response: Response) -> Response:
    """A response depends on the caller's credentials: no cache on the way may keep it."""
    response.headers.setdefault("Cache-Control", "private, no-store")
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def keep_redirect_relative(response: Response) -> Response:
    """Redirects to the path with a slash at its end: by its last segment, since behind a proxy the scheme, the host and
    the beginning of the path are not those of the URL that the caller sees."""
    if isinstance(request.routing_exception, RequestRedirect):
        url = urlsplit(request.routing_exception.new_url)
        segment = url.path.rstrip("/").rpartition("/")[2]
        response.location = urlunsplit(("", "", f"./{segment}/", url.query, ""))
    return response


def refuse_head(app: Flask, endpoints: Collection[str]) -> None:
    """Makes HEAD a 405 at routes whose GET changes something: werkzeug adds it to each GET, and runs the same view."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint in endpoints and rule.methods:
            rule.methods.discard("HEAD")


def refuse_odd_parameters() -> None:
    """Repeated query parameters, and any where a route takes none, are a 400: ignoring them would hide a mistake."""
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
