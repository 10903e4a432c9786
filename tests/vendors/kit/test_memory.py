"""Exchanges that have ended hold no memory, however they ended, even without garbage collections."""

import gc
import threading
import tracemalloc

import pytest
import trustme

from tests.vendors.kit import servers
from tests.vendors.kit.servers import OK, serving
from vendors.kit import Request, VendorError
from vendors.kit.deadline import Deadline
from vendors.kit.http import response_parser
from vendors.kit.http.transport import Transport

MEBIBYTE = 2**20
BODY = b"x" * MEBIBYTE
GROWTH_MIB = 20
ROUNDS = 20


class EndsWhenSent(Deadline):
    """A deadline that passes as soon as the server has sent its part of the response."""

    def __init__(self, sent):
        super().__init__(30)
        self._sent = sent

    def left(self):
        return 0.0 if self._sent.is_set() else min(super().left(), 0.05)

    def timeout(self):
        if self._sent.is_set():
            raise TimeoutError
        return max(super().timeout(), 0.001)


def sends_and_hangs(sent):
    def behave(connection, stopped, received):
        connection.sendall(OK + b"Content-Length: 2000000\r\n\r\n" + BODY)
        sent.set()
        stopped.wait(30)

    return behave


def cut_by_reset(connection, stopped, received):
    connection.sendall(OK + b"Content-Length: 2000000\r\n\r\n" + BODY)
    servers.reset(connection, stopped, received)


CLOSED = servers.send_and_close(OK + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY)
CUT = servers.send_and_close(OK + b"Content-Length: 2000000\r\n\r\n" + BODY)
OVERSIZED = servers.flood(OK + b"\r\n", BODY)
# None: a server that sends a part and hangs.
ENDINGS = {CLOSED: None, cut_by_reset: "backend_error", CUT: "backend_error", OVERSIZED: "bad_reply", None: "timeout"}


@pytest.fixture
def no_collections():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def authority():
    return trustme.CA()


@pytest.fixture(params=["http", "https"])
def fetch(request, authority, tmp_path, monkeypatch):
    """Makes an exchange with a server of this behaviour; returns the code of its failure, or None."""
    monkeypatch.setattr(response_parser, "MAX_BODY", 2 * MEBIBYTE)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    transport = Transport(ca_file=str(tmp_path / "ca.pem"))

    def call(behave):
        sent = threading.Event()
        deadline = Deadline(30) if behave else EndsWhenSent(sent)
        with serving(behave or sends_and_hangs(sent), authority if request.param == "https" else None) as server:
            there = Request("GET", f"{request.param}://127.0.0.1:{server.port}", "/x")
            try:
                transport.fetch(there, deadline)
            except VendorError as failure:
                return failure.code

    return call


@pytest.mark.usefixtures("no_collections")
def test_an_exchange_frees_its_memory_at_once_however_it_ends(fetch):
    for behave in ENDINGS:
        fetch(behave)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        ended = {behave: {fetch(behave) for _ in range(ROUNDS)} for behave in ENDINGS}
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert ended == {behave: {code} for behave, code in ENDINGS.items()}
    assert after - before < GROWTH_MIB * MEBIBYTE
