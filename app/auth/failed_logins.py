"""Failed logins, at the token endpoint and with bearer tokens: a log, and limits on those at the token endpoint."""

import re
import time
from collections.abc import Callable
from hashlib import blake2b

import structlog
from flask import Flask, request

from app.auth.caller_limits import caller_network
from app.auth.rate_limit import RateLimit
from app.bounded_log import BoundedLog, clean
from app.web.log import HIDDEN

# A client that mixes up its id and its secret sends the secret as id. Ids have 32 characters, secrets more.
SECRET = re.compile(r"[A-Za-z0-9+/=_-]{33,}")


class FailedLogins:
    """Logs failed logins, a bounded number of lines a minute, and limits how many there may be.

    pairs: the limit of a client and an address together: wrong secrets from elsewhere never lock the client out.
    addresses: that of an address, for all clients whose secrets it tries.
    """

    def __init__(self, pairs: RateLimit, addresses: RateLimit, clock: Callable[[], float] = time.monotonic) -> None:
        self._pairs, self._addresses = pairs, addresses
        self._log = BoundedLog(structlog.stdlib.get_logger("app.login"), "login failed", clock=clock)

    def report(self, client_id: str | None, error: str, why: str) -> None:
        """Logs the failed login of the current request. `client_id` is the caller's text; `why` is ours."""
        self._log.warning(
            client=None if client_id is None else clean(SECRET.sub(HIDDEN, client_id)),
            address=clean(request.remote_addr or "") or None,
            error=error,
            why=why,
        )

    def count(self, client_id: str | None) -> None:
        """Counts a failed login of this client from the address of the current request."""
        self._pairs.count(_pair(client_id))
        self._addresses.count(caller_network())

    def exceeded(self, client_id: str | None) -> int:
        """Seconds until the address of the current request may try to log this client in; 0 if it may now."""
        return max(self._pairs.exceeded(_pair(client_id)), self._addresses.exceeded(caller_network()))

    def init_app(self, app: Flask) -> None:
        """Lets any later request write the number of lines that were left out."""

        @app.teardown_request
        def settle(error: BaseException | None) -> None:
            self._log.settle()


def _pair(client_id: str | None) -> str:
    """The key of a client and the current request's address. The id is the caller's text, and may be a secret."""
    return f"{caller_network()} {blake2b((client_id or '').encode(errors='replace'), digest_size=16).hexdigest()}"
