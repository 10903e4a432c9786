"""Limits on the requests of one address and of one client: beyond them a 429 at once, never a wait."""

import ipaddress
from functools import lru_cache

from flask import Flask, g, request

from app.auth.rate_limit import RateLimit
from app.web.problems import Problem

# Asked by load balancers and monitoring, which must not depend on other callers.
EXEMPT = frozenset({"Health.show", "Health.ready", "Metrics.show"})
# Of an IPv6 address: a single customer has at least all addresses of such a network.
PREFIX = 64
# The key that all texts share which are no address: a caller may be able to vary them.
UNREADABLE = ""


class AddressLimit:
    """Counts each request by its address, before anything else is done for it."""

    def __init__(self, limit: RateLimit) -> None:
        self._limit = limit

    def init_app(self, app: Flask) -> None:
        """Puts the count before every request."""
        app.before_request(self._count)

    def _count(self) -> None:
        if request.endpoint not in EXEMPT:
            _refuse(self._limit, self._limit.count(caller_network()), "This address")


class ClientLimit:
    """Counts each request by its client, after the bearer check."""

    def __init__(self, limit: RateLimit) -> None:
        self._limit = limit

    def init_app(self, app: Flask) -> None:
        """Puts the count before every request."""
        app.before_request(self._count)

    def _count(self) -> None:
        if "client" in g:
            _refuse(self._limit, self._limit.count(g.client.id), "This client")


def caller_network() -> str:
    """The current request's address as far as it counts; behind proxies that which the last trusted one has seen."""
    return network_of(request.remote_addr or "")


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """An IPv4 address, or the network of an IPv6 address; without its port, which is new with each connection."""
    try:
        parsed = ipaddress.ip_address(_without_port(address))
    except ValueError:
        return UNREADABLE
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((int(parsed), PREFIX), strict=False))


def _without_port(address: str) -> str:
    """The address in `ip:port`, `[ip]` and `[ip]:port`, as some proxies write entries of X-Forwarded-For."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    host, _, port = address.partition(":")
    return address if ":" in port else host


def _refuse(limit: RateLimit, seconds: int, subject: str) -> None:
    if seconds:
        detail = f"{subject} may send {limit.calls} requests in {limit.seconds} s; go on in {seconds} s."
        raise Problem(429, "too_many_requests", detail, headers={"Retry-After": str(seconds)})
