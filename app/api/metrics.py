"""GET /metrics, for Prometheus. To a caller that may not read it, it is a path that does not exist.

It is no part of the API, and in no document of it.
"""

import hmac

from flask import Flask, Request, Response, request
from prometheus_client import CONTENT_TYPE_LATEST
from werkzeug.exceptions import NotFound

from app import network
from app.api.services import services
from app.web import guards
from app.web.strict_api import Blueprint

PATH = "/metrics"
# Headers by which a request shows that it came through a proxy, as WSGI spells them: its peer is then no caller.
FORWARDED = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_", "HTTP_X_REAL_IP", "HTTP_VIA")

blueprint = Blueprint("Metrics", __name__, description="Metrics for Prometheus.")


@blueprint.get(PATH)
def show() -> Response:
    """Shows all metrics of the service."""
    return Response(services().metrics.text(), content_type=CONTENT_TYPE_LATEST)


class MetricsGate:
    """Hides the path from callers that may not read it.

    With METRICS_TOKEN a caller needs it, and may use any host's name. Without, it has to be on this machine, and use a
    name of this machine: a foreign page could point its own name here.
    """

    def __init__(self, token: str | None, public_url: str | None) -> None:
        self._token, self._public_url = token, public_url

    def init_app(self, app: Flask) -> None:
        """Puts the check before every request. It belongs before the check of the host, which knows no path."""
        app.before_request(self.hide)

    def hide(self) -> None:
        """Makes the request one of an unknown path, so that each later step answers as to any of these."""
        if request.path == PATH and not self._may_read(request):
            request.url_rule, request.routing_exception = None, NotFound()

    def _may_read(self, request: Request) -> bool:
        if self._token is not None:
            authorization = request.authorization
            sent = authorization.token if authorization and authorization.type == "bearer" else None
            return hmac.compare_digest((sent or "").encode(), self._token.encode())
        is_forwarded = any(name.startswith(FORWARDED) for name in request.environ)
        if is_forwarded or self._public_url:
            return False
        return network.is_loopback(request.remote_addr or "") and network.is_loopback(guards.requested_host())
