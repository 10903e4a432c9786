"""Failed logins, at the token endpoint and with bearer tokens: a log, and limits on those at the token endpoint.

The number of pairs that are counted is bounded, and client ids are easily made up. So an address is looked up and
counted before its pairs: once it has reached its limit, it adds none. To drop the pairs of others a caller then needs
200 addresses (with the default limits: 10,000 pairs, 50 failures of an address), which give it more attempts anyway.
"""

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
        logger = structlog.stdlib.get_logger("app.login")
        self._failed = BoundedLog(logger, "login failed", clock=clock)
        self._refused = BoundedLog(logger, "token refused", clock=clock)

    def report(self, client_id: str | None, error: str, why: str) -> None:
        """Logs the failed login of the current request. `client_id` is the caller's text; `why` is ours."""
        self._failed.warning(**_fields(client_id, error, why))

    def report_refusal(self, client_id: str | None, error: str, why: str) -> None:
        """Logs that the current request gets no token for another reason than its credentials."""
        self._refused.warning(**_fields(client_id, error, why))

    def count(self, client_id: str | None) -> None:
        """Counts a failed login of this client from the address of the current request."""
        if not self._addresses.count(caller_network()):
            self._pairs.count(_pair(client_id))

    def exceeded(self, client_id: str | None) -> int:
        """Seconds until the address of the current request may try to log this client in; 0 if it may now."""
        return self._addresses.exceeded(caller_network()) or self._pairs.exceeded(_pair(client_id))

    def init_app(self, app: Flask) -> None:
        """Lets any later request write the number of lines that were left out."""

        @app.teardown_request
        def settle(error: BaseException | None) -> None:
            self._failed.settle()
            self._refused.settle()


def _fields(client_id: str | None, error: str, why: str) -> dict[str, str | None]:
    return {
        "client": None if client_id is None else clean(SECRET.sub(HIDDEN, client_id)),
        "address": clean(request.remote_addr or "") or None,
        "error": error,
        "why": why,
    }


def _pair(client_id: str | None) -> str:
    """The key of a client and the current request's address. The id is the caller's text, and may be a secret."""
    return f"{caller_network()} {blake2b((client_id or '').encode(errors='replace'), digest_size=16).hexdigest()}"
