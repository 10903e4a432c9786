"""Failed logins in the log: which client, from which address, and why; at the token endpoint and with bearer tokens."""

from __future__ import annotations

import re

import structlog
from flask import Flask, current_app, request

from app.bounded_log import BoundedLog, clean
from app.web.log import HIDDEN

# A client that mixes up its id and its secret sends the secret as id. Ids have 32 characters, secrets more.
_SECRET_FORM = re.compile(r"[A-Za-z0-9+/=_-]{33,}")


def report(client_id: str | None, error: str, why: str) -> None:
    """Writes the failed login of the current request. `client_id` is the caller's own text; `why` is ours."""
    log: BoundedLog = current_app.extensions["failed_logins"]
    log.warning(
        client=None if client_id is None else clean(_SECRET_FORM.sub(HIDDEN, client_id)),
        address=clean(request.remote_addr or "") or None,
        error=error,
        why=why,
    )


def init_app(app: Flask) -> None:
    """Makes the bounded log, whose count is settled by any later request."""
    log = BoundedLog(structlog.stdlib.get_logger("app.login"), "login failed")
    app.extensions["failed_logins"] = log

    @app.teardown_request
    def settle(error: BaseException | None) -> None:
        log.settle()
