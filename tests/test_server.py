"""What callers do to the connections of a real server, by accident or not: others never feel it."""

import os
import re
import signal
import socket
import sys
import threading
import time
from contextlib import ExitStack

import pytest
import requests
from gunicorn.config import Config

from app.server import QUEUE_SECONDS, Connection, Worker
from tests.test_deployment import clean, free_port, read_until, started

PATIENCE = 1.5
# As `gunicorn wsgi:app`, but less patient.
SERVE = f"""
import sys, app.server
app.server.PATIENCE_SECONDS = {PATIENCE}
sys.argv = ["gunicorn", "wsgi:app"]
from gunicorn.app.wsgiapp import run
run()
"""
GET = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /oauth2/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
BODY = b"Content-Length: 20\r\n\r\ngrant_"
CHUNK = b"Transfer-Encoding: chunked\r\n\r\n5\r\ngr"
LAST = b"Connection: close\r\n\r\n"

pytestmark = pytest.mark.serial


class Server:
    def __init__(self, port):
        self.port = port

    def connect(self, data=b""):
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        connection.sendall(data)
        return connection

    def healthy(self):
        return requests.get(f"http://127.0.0.1:{self.port}/health", timeout=20).status_code == 200


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    port = free_port()
    environ = clean(PORT=port, INSTANCE_PATH=tmp_path_factory.mktemp("server"), WEB_CONCURRENCY=1)
    with started([sys.executable, "-c", SERVE], environ) as process:
        read_until(process, "listening")
        found = Server(port)
        assert found.healthy()
        # Else the process would wait for somebody to read its log.
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield found


def answer(connection):
    """All that comes until the server closes the connection."""
    read = b""
    while data := connection.recv(65536):
        read += data
    return read


def one(connection):
    """One answer on a connection that stays open."""
    read = b""
    while not read.endswith(b"}"):
        read += connection.recv(65536)
    return read


def statuses(read):
    return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d+) ", read)]


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    "half",
    [b"", GET, GET + b"X-Long: ", POST + BODY, POST + CHUNK],
    ids=["nothing", "headers", "a header", "a body", "a chunk"],
)  # fmt: skip
def test_twice_as_many_half_sent_requests_as_threads_delay_nobody_and_are_cut_off(server, half):
    with ExitStack() as stack:
        started = time.monotonic()
        sent = [stack.enter_context(server.connect(half)) for _ in range(128)]
        assert all(server.healthy() for _ in range(20))
        assert time.monotonic() - started < PATIENCE, "before anything was cut off"
        answers = {answer(connection) for connection in sent}
        assert PATIENCE <= time.monotonic() - started < PATIENCE + 2
    codes = {tuple(statuses(read)) for read in answers}
    assert codes == ({(408,)} if half else {()})


def test_a_request_that_drips_is_cut_off_although_it_never_pauses(server):
    with server.connect(GET + b"X-Long: ") as connection:
        started = time.monotonic()
        connection.settimeout(0.05)
        read = b""
        while not read and time.monotonic() - started < 10:
            try:
                connection.sendall(b"x")
                read = connection.recv(65536)
            except TimeoutError:
                continue
    assert statuses(read) == [408]
    assert b"application/problem+json" in read
    assert b"within 1.5 seconds" in read
    assert time.monotonic() - started < PATIENCE + 2


def test_a_request_in_small_pieces_is_answered(server):
    with server.connect() as connection:
        body = b"3\r\na=b\r\n1;x=y\r\n&\r\n0\r\nA-Trailer: 1\r\n\r\n"
        for byte in POST + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + body:
            connection.sendall(bytes([byte]))
        read = answer(connection)
    assert statuses(read) == [400]
    assert b"grant_type is missing" in read


def test_requests_sent_at_once_on_one_connection_are_answered_in_turn(server):
    with server.connect(GET + b"\r\n" + POST + b"Content-Length: 3\r\n\r\na=b" + GET + LAST) as all:
        assert statuses(answer(all)) == [200, 400, 200]


def test_empty_lines_before_a_request_are_ignored(server):
    with server.connect(b"\r\n\r\n" + GET + b"\r\n" + b"\r\n" + GET + LAST) as connection:
        assert statuses(answer(connection)) == [200, 200]


def test_a_connection_is_kept_for_later_requests(server):
    with server.connect() as connection:
        for _ in range(3):
            connection.sendall(GET + b"\r\n")
            assert b'"ok"' in (read := one(connection)), read


def test_a_client_that_asks_first_is_told_to_send_its_body(server):
    with server.connect(POST + b"Expect: 100-continue\r\nContent-Length: 3\r\nConnection: close\r\n\r\n") as connection:
        assert statuses(connection.recv(65536)) == [100]
        connection.sendall(b"a=b")
        assert statuses(answer(connection))[-1] == 400


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_body_is_refused_and_the_refusal_arrives(server, chunked):
    body = b"x" * 1_000_000
    head = b"Transfer-Encoding: chunked\r\n\r\nF4240\r\n" if chunked else b"Content-Length: 1000000\r\n\r\n"
    started = time.monotonic()
    with server.connect(POST + head + body) as connection:
        read = answer(connection)
    assert statuses(read) == [413]
    assert b"content_too_large" in read
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("bytes_", "status"),
    [
        (b"HELLO\r\n\r\n", 400),
        (GET + b"\x00: 1\r\n\r\n", 400),
        (GET + b"X-Long: " + b"y" * 200_000, 431),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: " + b"y" * 200_000, 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n1;x=" + b"y" * 200_000, 400),
        (b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"GET /health\r\n\r\n", 400),
    ],
    ids=["no HTTP", "an odd header", "long headers", "a long trailer", "a long extension", "a tunnel", "0.9"],
)
def test_what_is_no_request_is_refused_as_a_problem(server, bytes_, status):
    with server.connect(bytes_) as connection:
        read = answer(connection)
    assert statuses(read) == [status]
    assert b"urn:problem-type:derapi:" in read


def test_a_caller_who_never_reads_and_never_closes_does_not_stop_the_others(server):
    with ExitStack() as stack:
        for _ in range(10):
            stack.enter_context(server.connect(GET + LAST))
        started = time.monotonic()
        assert all(server.healthy() for _ in range(5))
        assert time.monotonic() - started < 2


def test_sigterm_answers_what_has_arrived_and_ends_with_0(tmp_path):
    port = free_port()
    environ = clean(PORT=port, INSTANCE_PATH=tmp_path, WEB_CONCURRENCY=1)
    with started([sys.executable, "-c", SERVE], environ) as process:
        read_until(process, "listening")
        assert Server(port).healthy()
        with Server(port).connect(GET) as half, Server(port).connect(POST + b"Content-Length: 4\r\n\r\na="):
            assert Server(port).healthy()
            os.kill(process.pid, signal.SIGTERM)
            half.sendall(b"\r\n")
            assert statuses(answer(half)) == [200]
        assert process.wait(timeout=20) == 0


def test_a_request_that_waited_too_long_for_a_thread_is_sent_away(tmp_path):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        worker = Worker(0, 0, [], None, 10, Config(), None)
        conn = Connection(worker, ours, None, None)
        conn.arrived = time.monotonic() - QUEUE_SECONDS - 1
        worker.tmp.close()
        assert worker.handle(conn) is False
        read = theirs.recv(65536)
    assert statuses(read) == [503]
    assert b"Retry-After: 5" in read
    assert b"service_unavailable" in read
