"""GET /metrics, for Prometheus. To a caller that may not read it, it is a path that does not exist.

It is no part of the API, and in no document of it.
"""

import hmac
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Response, abort, request
from prometheus_client import CONTENT_TYPE_LATEST
from werkzeug.datastructures import Authorization

from app import network
from app.api.services import services
from app.web import guards
from app.web.strict_api import Blueprint

PATH = "/metrics"
# Leads to no route, so that each step answers as to any path that does not exist; the log shows what happened.
HIDDEN = "/metrics (hidden)"
# Set by the gate. A caller cannot set it: the names of its headers begin with HTTP_ here.
ALLOWED = "derapi.may_read_metrics"
# Headers by which a request shows that it came through a proxy, as WSGI spells them: its peer is then no caller.
FORWARDED = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_", "HTTP_X_REAL_IP", "HTTP_VIA")

blueprint = Blueprint("Metrics", __name__, description="Metrics for Prometheus.")
Wsgi = Callable[[Any, Any], Iterable[bytes]]


@blueprint.get(PATH)
def show() -> Response:
    """Shows all metrics of the service. A request that has come past the gate finds nothing."""
    if ALLOWED not in request.environ:
        abort(404)
    return Response(services().metrics.text(), content_type=CONTENT_TYPE_LATEST)


def leads_to_metrics(path: str) -> bool:
    """Whether routing finds the view under this path: it ignores the number of slashes at the beginning."""
    return path.lstrip("/") == PATH.lstrip("/")


class MetricsGate:
    """Hides the path from callers that may not read it, before the application sees the request.

    With METRICS_TOKEN a caller needs it, and may use any host's name. Without, it has to be on this machine, and use a
    name of this machine: a foreign page could point its own name here.
    """

    def __init__(self, token: str | None, public_url: str | None) -> None:
        self._token, self._public_url = token, public_url

    def init_app(self, app: Flask) -> None:
        """Puts the gate in front of the application, and of what believes the headers of proxies."""
        wsgi: Wsgi = app.wsgi_app

        def gate(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            if leads_to_metrics(environ["PATH_INFO"]):
                if self._may_read(environ):
                    environ[ALLOWED] = True
                else:
                    environ["PATH_INFO"] = HIDDEN
            return wsgi(environ, start_response)

        # As Flask documents for middleware.
        app.wsgi_app = gate  # type: ignore[method-assign]

    def _may_read(self, environ: dict[str, Any]) -> bool:
        if self._token is not None:
            authorization = Authorization.from_header(environ.get("HTTP_AUTHORIZATION"))
            sent = authorization.token if authorization and authorization.type == "bearer" else None
            return hmac.compare_digest((sent or "").encode(), self._token.encode())
        if self._public_url or any(name.startswith(FORWARDED) for name in environ):
            return False
        host = guards.hostname(environ.get("HTTP_HOST", ""))
        return network.is_loopback(environ.get("REMOTE_ADDR", "")) and network.is_loopback(host)
