"""Checks of servers elsewhere: each vendor's, and this service under PUBLIC_URL; and the clock, by their answers.

A server gets one request without credentials. The calls take the same way as those of the service: its proxy, its
trusted certificates, and a deadline over everything.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from itertools import groupby
from statistics import median
from urllib.parse import urlsplit

from app import network
from app.doctor.findings import Finding, Outcome
from app.doctor.setup import Setup
from vendors.kit import Stage, VendorError
from vendors.kit.deadline import Deadline
from vendors.kit.http.dial import look_up
from vendors.kit.http.transport import Transport
from vendors.kit.messages import RawReply, Request

LIMIT_SECONDS = 5.0
THREADS = 16
# A date in a header has no fractions of a second, and the answer was on its way.
SKEW_WARNING_SECONDS = 60.0
# Some vendors refuse signed calls beyond this.
SKEW_FAULT_SECONDS = 15 * 60.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server to ask: its row's check and subject, and the way to it."""

    check: str
    subject: str
    base: str
    path: str
    transport: Transport
    by_proxy: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """The row of a server, and how many seconds this machine's clock is ahead of it; None if unknown."""

    finding: Finding
    ahead: float | None = None


def check_servers(setup: Setup) -> Iterator[Finding]:
    """Name look-up, TLS and reachability of every server, concurrently; then the clock."""
    servers = [*_vendor_servers(setup), *_public_server(setup)]
    with ThreadPoolExecutor(THREADS) as threads:
        answers = list(threads.map(ask, servers))
    yield from (answer.finding for answer in answers)
    yield clock_row([answer.ahead for answer in answers if answer.ahead is not None])


def ask(server: Server) -> Answer:
    """Looks the server's name up and sends one request, within LIMIT_SECONDS."""
    deadline, url = Deadline(LIMIT_SECONDS), urlsplit(server.base)
    try:
        if not server.by_proxy:
            look_up(url.hostname or "", url.port or {"http": 80}.get(url.scheme, 443), deadline)
    except OSError as error:
        detail = f"DNS has no address for it ({type(error).__name__})."
        return Answer(_fault(server, detail, "Check the name servers of this host."))
    sent_at = time.time()
    try:
        reply = server.transport.fetch(Request("GET", server.base, server.path), deadline)
    except VendorError as error:
        return Answer(_fault(server, *_explained(error)))
    received_at = time.time()
    return Answer(_answered(server, reply, received_at - sent_at), _ahead(reply, (sent_at + received_at) / 2))


def _vendor_servers(setup: Setup) -> Iterator[Server]:
    """One for each origin: several vendors may share it, as in the sandbox."""
    settings = setup.settings
    origins = sorted(
        (f"{url.scheme}://{url.netloc}", name)
        for name, cloud in setup.clouds.items()
        if cloud.vendor.stage != Stage.DECLARED
        for url in map(urlsplit, cloud.urls.values())
    )
    for origin, group in groupby(origins, key=lambda pair: pair[0]):
        names = sorted({name for _, name in group})
        transport = setup.clouds[names[0]].transport
        yield Server("vendor", ", ".join(names), origin, "/", transport, bool(settings.proxy_url))


def _public_server(setup: Setup) -> Iterator[Server]:
    if setup.settings.public_url:
        yield Server("public url", "PUBLIC_URL", setup.settings.public_url, "/health", Transport(), by_proxy=False)


def _explained(error: VendorError) -> tuple[str, str]:
    """The failure as a sentence, and what to do."""
    cause = f"{error.code}, {error.cause}" if error.cause else error.code
    if error.cause == "SSLError":
        return f"TLS: its certificate is not trusted ({cause}).", "Check VENDOR_CA_FILE and proxies that open TLS."
    if error.unreachable:
        return f"No connection ({cause}).", "Check the network, firewalls and PROXY_URL."
    return f"No answer within {LIMIT_SECONDS:g} s, or the connection broke ({cause}).", "Try again; check the network."


def _fault(server: Server, detail: str, action: str) -> Finding:
    # This service need not run yet, and need not reach itself from inside.
    outcome = Outcome.FAULT if server.check == "vendor" else Outcome.WARNING
    return Finding(server.check, server.subject, outcome, f"{server.base}: {detail}", action)


def _answered(server: Server, reply: RawReply, seconds: float) -> Finding:
    ways = "TLS and HTTP" if server.base.startswith("https") else "HTTP"
    detail = f"{server.base}: {ways} answered in {seconds * 1000:.0f} ms."
    if reply.status >= 500 or (server.check != "vendor" and reply.status != 200):
        detail = f"{server.base}: It answered with the status {reply.status}."
        return Finding(server.check, server.subject, Outcome.WARNING, detail, "Try again later.")
    return Finding(server.check, server.subject, Outcome.OK, detail)


def _ahead(reply: RawReply, now: float) -> float | None:
    """How many seconds this machine is ahead of the server; None for this machine's own and without a date."""
    if network.is_loopback(urlsplit(reply.url).hostname or ""):
        return None
    try:
        # The date was cut to whole seconds.
        return now - parsedate_to_datetime(reply.headers.get("date", "")).timestamp() - 0.5
    except ValueError:
        return None


def clock_row(ahead: Sequence[float]) -> Finding:
    """The clock, by the median of the servers' dates, so that one wrong server does not count."""
    if not ahead:
        return Finding("clock", "this host", Outcome.SKIPPED, "No server on another host answered with its time.")
    seconds = median(ahead)
    limits: Mapping[Outcome, float] = {Outcome.FAULT: SKEW_FAULT_SECONDS, Outcome.WARNING: SKEW_WARNING_SECONDS}
    outcome = next((outcome for outcome, limit in limits.items() if abs(seconds) > limit), Outcome.OK)
    detail = f"{abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} the median of {len(ahead)} servers."
    action = "" if outcome is Outcome.OK else "Synchronize the clock (NTP): vendors refuse calls 15 minutes off."
    return Finding("clock", "this host", outcome, detail, action)
