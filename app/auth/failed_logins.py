"""Log of failed logins: client, address and reason, at the token endpoint and with bearer tokens."""

import re
import time
from collections.abc import Callable

import structlog
from flask import Flask, request

from app.bounded_log import BoundedLog, clean
from app.web.log import HIDDEN

# A client that mixes up its id and its secret sends the secret as id. Ids have 32 characters, secrets more.
SECRET = re.compile(r"[A-Za-z0-9+/=_-]{33,}")


class FailedLogins:
    """Logs failed logins, a bounded number of lines a minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = BoundedLog(structlog.stdlib.get_logger("app.login"), "login failed", clock=clock)

    def report(self, client_id: str | None, error: str, why: str) -> None:
        """Logs the failed login of the current request. `client_id` is the caller's text; `why` is ours."""
        self._log.warning(
            client=None if client_id is None else clean(SECRET.sub(HIDDEN, client_id)),
            address=clean(request.remote_addr or "") or None,
            error=error,
            why=why,
        )

    def init_app(self, app: Flask) -> None:
        """Lets any later request write the number of lines that were left out."""

        @app.teardown_request
        def settle(error: BaseException | None) -> None:
            self._log.settle()
