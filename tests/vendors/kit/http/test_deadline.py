"""The deadline holds in every phase of an exchange: name look-up, connecting, TLS, proxy, headers and body."""

import gzip
import socket
import threading
import time

import pytest

from tests.vendors.kit import servers
from tests.vendors.kit.servers import OK, request_to, serving, unresponsive_address
from vendors.kit import Request, Timeout
from vendors.kit.deadline import Deadline
from vendors.kit.http import dial
from vendors.kit.http.transport import Transport

# How late a timeout may be on a machine that is busy with other work.
GRACE = 5.0
ELSEWHERE = Request("GET", "http://vendor.test", "/x")


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    "behave",
    [
        servers.hang,
        servers.drip(b"HTTP/1.1 200 ", b"O"),
        servers.drip(b"HTTP/1.1 200 OK\r\nX-Long: ", b"a"),
        servers.drip(OK + b"\r\n", b"1"),
        servers.drip(OK + b"Content-Length: 1000000\r\n\r\n", b"1"),
        servers.drip(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
        servers.drip(OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"1" * 9999)[:20], b""),
    ],
    ids=["silence", "status", "headers", "body", "sized-body", "chunks", "gzip"],
)
def test_a_server_that_hangs_or_drips_costs_exactly_the_deadline(fetch, behave):
    threads, started = threading.active_count(), time.monotonic()
    with pytest.raises(Timeout):
        fetch(behave, seconds=0.6)
    assert 0.55 <= time.monotonic() - started < 0.6 + GRACE
    assert threading.active_count() <= threads + 2, "only the server's own threads may be left"


def test_a_tls_handshake_that_never_ends_costs_exactly_the_deadline(ca_file):
    started = time.monotonic()
    with serving(servers.hang) as silent, pytest.raises(Timeout):
        Transport(ca_file=ca_file).fetch(request_to(silent, "https"), Deadline(0.6))
    assert time.monotonic() - started < 0.6 + GRACE


def resolve_to(monkeypatch, *addresses):
    """Lets the name of every host have these addresses."""
    resolved = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in addresses]
    monkeypatch.setattr(dial, "look_up", lambda host, port, deadline: resolved)


def test_addresses_that_do_not_answer_share_the_time(monkeypatch):
    with unresponsive_address() as address:
        resolve_to(monkeypatch, address, address, address)
        started = time.monotonic()
        with pytest.raises(Timeout):
            Transport().fetch(ELSEWHERE, Deadline(0.9))
        assert time.monotonic() - started < 0.9 + GRACE


def test_an_unresponsive_first_address_leaves_time_for_the_second(monkeypatch):
    with unresponsive_address() as address, serving(servers.reply(b"{}")) as server:
        resolve_to(monkeypatch, address, ("127.0.0.1", server.port))
        assert Transport().fetch(ELSEWHERE, Deadline(1.0)).status == 200


def test_a_name_look_up_that_hangs_is_abandoned_at_the_deadline(monkeypatch):
    released = threading.Event()
    monkeypatch.setattr(dial.socket, "getaddrinfo", lambda *args, **kwargs: released.wait(10))
    started = time.monotonic()
    with pytest.raises(Timeout):
        Transport().fetch(ELSEWHERE, Deadline(0.5))
    assert time.monotonic() - started < 0.5 + GRACE
    released.set()


def test_the_deadline_holds_through_a_proxy():
    started = time.monotonic()
    with serving(servers.drip(b"HTTP/1.1 200 ", b"O")) as proxy:
        transport = Transport(proxy_url=f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(Timeout):
            transport.fetch(Request("GET", "https://vendor.test", "/x"), Deadline(0.6))
    assert time.monotonic() - started < 0.6 + GRACE
