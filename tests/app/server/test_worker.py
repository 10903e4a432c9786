"""Clients that misuse the connections of a real server, by accident or not, do not affect other clients."""

import json
import os
import selectors
import signal
import socket
import time
from contextlib import ExitStack
from urllib.parse import quote

import pytest
from gunicorn.config import Config

from app.server import connection_share
from app.server.connection import Connection
from app.server.limits import QUEUE_SECONDS
from app.server.worker import Worker
from tests.app.server.worker_process import GET, LAST, POST, read_all, read_response, serving, statuses

RECEIVE_SECONDS = 1.5
BODY = b"Content-Length: 20\r\n\r\ngrant_"
CHUNK = b"Transfer-Encoding: chunked\r\n\r\n5\r\ngr"

pytestmark = pytest.mark.serial


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    limits = {"RECEIVE_SECONDS": RECEIVE_SECONDS, "REFUSALS_PER_MINUTE": 1000}
    with serving(tmp_path_factory.mktemp("server"), limits=limits) as server:
        yield server


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    "sent",
    [b"", GET, GET + b"X-Long: ", POST + BODY, POST + CHUNK],
    ids=["nothing", "headers", "a header", "a body", "a chunk"],
)  # fmt: skip
def test_twice_as_many_half_sent_requests_as_threads_delay_no_other_client_and_are_cut_off(server, sent):
    with ExitStack() as stack:
        started = time.monotonic()
        connections = [stack.enter_context(server.connect(sent)) for _ in range(128)]
        assert all(server.is_healthy() for _ in range(20))
        assert time.monotonic() - started < RECEIVE_SECONDS, "before anything was cut off"
        responses = {read_all(connection) for connection in connections}
        assert RECEIVE_SECONDS <= time.monotonic() - started < RECEIVE_SECONDS + 2
    codes = {tuple(statuses(response)) for response in responses}
    assert codes == ({(408,)} if sent else {()})


def test_a_request_that_arrives_byte_by_byte_is_cut_off_although_it_never_pauses(server):
    with server.connect(GET + b"X-Long: ") as connection:
        started = time.monotonic()
        connection.settimeout(0.05)
        received = b""
        while not received and time.monotonic() - started < 10:
            try:
                connection.sendall(b"x")
                received = connection.recv(65536)
            except TimeoutError:
                continue
    assert statuses(received) == [408]
    assert b"application/problem+json" in received
    assert b"within 1.5 seconds" in received
    assert time.monotonic() - started < RECEIVE_SECONDS + 2


def test_a_request_in_small_pieces_is_answered(server):
    with server.connect() as connection:
        body = b"3\r\na=b\r\n1;x=y\r\n&\r\n0\r\nA-Trailer: 1\r\n\r\n"
        for byte in POST + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + body:
            connection.sendall(bytes([byte]))
        received = read_all(connection)
    assert statuses(received) == [400]
    assert b"grant_type is missing" in received


def test_pipelined_requests_are_answered_in_turn(server):
    with server.connect(GET + b"\r\n" + POST + b"Content-Length: 3\r\n\r\na=b" + GET + LAST) as connection:
        assert statuses(read_all(connection)) == [200, 400, 200]


def test_empty_lines_before_a_request_are_ignored(server):
    with server.connect(b"\r\n\r\n" + GET + b"\r\n" + b"\r\n" + GET + LAST) as connection:
        assert statuses(read_all(connection)) == [200, 200]


def test_a_connection_is_kept_for_later_requests(server):
    with server.connect() as connection:
        for _ in range(3):
            connection.sendall(GET + b"\r\n")
            assert b'"ok"' in (received := read_response(connection)), received


def test_a_client_that_expects_100_continue_gets_it_before_it_sends_the_body(server):
    with server.connect(POST + b"Expect: 100-continue\r\nContent-Length: 3\r\nConnection: close\r\n\r\n") as connection:
        assert statuses(connection.recv(65536)) == [100]
        connection.sendall(b"a=b")
        assert statuses(read_all(connection)) == [400]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_body_is_refused_and_the_refusal_arrives(server, chunked):
    body = b"x" * 1_000_000
    head = b"Transfer-Encoding: chunked\r\n\r\nF4240\r\n" if chunked else b"Content-Length: 1000000\r\n\r\n"
    started = time.monotonic()
    with server.connect(POST + head + body) as connection:
        received = read_all(connection)
    assert statuses(received) == [413]
    assert b"content_too_large" in received
    assert time.monotonic() - started < 5


CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"HELLO\r\n\r\n", 400, "bad_request"),
        (GET + b"\x00: 1\r\n\r\n", 400, "bad_request"),
        (b"GET /health\r\n\r\n", 400, "bad_request"),
        (b"GET * HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "bad_request"),
        (GET + b"Host: elsewhere\r\n\r\n", 400, "bad_request"),
        (b"get /health HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "bad_request"),
        (b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "bad_request"),
        (b"GET /health HTTP/1.1\r\n\r\n", 400, "bad_request"),
        (CHUNKED + b"ffffffffffffffff\r\n", 413, "content_too_large"),
        (CHUNKED + b'1d;="a"\r\n' + b"x" * 29 + b"\r\n0\r\n\r\n", 400, "bad_request"),
        (CHUNKED + b"1d;;ext\r\n" + b"x" * 29 + b"\r\n0\r\n\r\n", 400, "bad_request"),
        (CHUNKED + b"1\r\na\r\n0\r\n" + b"X: 1\r\n" * 101 + b"\r\n", 400, "bad_request"),
        (CHUNKED + b"1\r\na\r\n0\r\nX: " + b"y" * 17_000 + b"\r\n\r\n", 400, "bad_request"),
        (CHUNKED + b"1\r\na\r\n0\r\nX: " + b"y" * 200_000, 400, "bad_request"),
        (CHUNKED + b"1;x=" + b"y" * 200_000, 400, "bad_request"),
        (GET + b"X-Long: " + b"y" * 200_000, 431, "request_header_fields_too_large"),
        (GET + b"X-Long: " + b"y" * 17_000 + b"\r\n\r\n", 431, "request_header_fields_too_large"),
        (GET + b"X: 1\r\n" * 101 + b"\r\n", 431, "request_header_fields_too_large"),
        (b"GET /sites?key=sesame" + b"y" * 8_200 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414, "uri_too_long"),
        (b"GET /sites?key=sesame" + b"y" * 200_000, 414, "uri_too_long"),
        (GET + b"Expect: a miracle\r\nContent-Length: 3\r\n\r\n", 417, "expectation_failed"),
        (POST + b"Transfer-Encoding: br, chunked\r\n\r\n0\r\n\r\n", 501, "not_implemented"),
    ],
    ids=[
        "no HTTP", "an odd header", "0.9", "an asterisk", "two hosts", "a method in small letters", "a tunnel",
        "no host", "a large chunk", "an extension without a name", "an empty extension", "101 trailers",
        "a long trailer", "an endless trailer", "an endless extension", "endless headers", "a long header",
        "101 headers", "a long URL", "an endless URL", "an expectation", "a coding",
    ],
)  # fmt: skip
def test_a_malformed_request_is_refused_with_a_problem_document_and_logged(server, sent, status, code):
    with server.connect(sent) as connection:
        received = read_all(connection)
    assert statuses(received) == [status]
    head, _, body = received.partition(b"\r\n\r\n")
    problem = json.loads(body)
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["type"] == f"/errors/{code}"
    assert f"X-Request-ID: {problem['requestId']}".encode() in head
    assert b"Content-Type: application/problem+json" in head
    line = server.line("refused", request_id=problem["requestId"])
    assert (line["level"], line["status"], line["code"]) == ("warning", status, code)
    assert line["address"] == "127.0.0.1"
    assert "sesame" not in str(line)
    assert not [line for line in server.lines if line["level"] == "error"]


@pytest.mark.parametrize(
    "body",
    [b'3;a="b;c";d\r\na=b\r\n0\r\n', b"3\r\na=b\r\n0\r\n" + b"X: 1\r\n" * 100],
    ids=["extensions", "100 trailers"],
)
def test_chunk_extensions_and_trailers_are_ignored(server, body):
    with server.connect(CHUNKED + body + b"\r\n" + GET + LAST) as connection:
        received = read_all(connection)
    assert statuses(received) == [400, 200]
    assert b"grant_type is missing" in received


def test_the_longest_parameters_that_are_allowed_fit_the_request_line(server):
    longest = quote("\N{SLICE OF PIZZA}" * 200)
    query = "&".join(f"{name}={longest}" for name in ("pageToken", "vendorID", "vendorSiteID"))
    with server.connect(f"GET /solar-inverters?{query} HTTP/1.1\r\nHost: localhost\r\n".encode() + LAST) as connection:
        assert statuses(read_all(connection)) == [401]


def test_refusals_of_late_and_of_large_requests_are_logged(server):
    with server.connect(GET) as half, server.connect(POST + b"Content-Length: 1000000\r\n\r\n") as large:
        for connection, status in ((large, 413), (half, 408)):
            problem = json.loads(read_all(connection).partition(b"\r\n\r\n")[2])
            assert problem["status"] == server.line("refused", request_id=problem["requestId"])["status"] == status


def test_clients_that_neither_read_nor_close_do_not_delay_another(server):
    with ExitStack() as stack:
        for _ in range(10):
            stack.enter_context(server.connect(GET + LAST))
        started = time.monotonic()
        assert all(server.is_healthy() for _ in range(5))
        assert time.monotonic() - started < 2


def test_sigterm_answers_requests_that_have_begun_to_arrive_and_ends_with_0(tmp_path):
    with serving(tmp_path) as server:
        with server.connect(GET) as half, server.connect(POST + b"Content-Length: 4\r\n\r\na="):
            assert server.is_healthy()
            os.kill(server.process.pid, signal.SIGTERM)
            half.sendall(b"\r\n")
            assert statuses(read_all(half)) == [200]
        assert server.process.wait(timeout=20) == 0


def test_a_request_that_waited_too_long_for_a_thread_is_refused(tmp_path):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        worker = Worker(0, 0, [], None, 10, Config(), None)
        conn = Connection(worker, ours, None, None)
        conn.arrived_at = time.monotonic() - QUEUE_SECONDS - 1
        worker.tmp.close()
        assert worker.handle(conn) is False
        conn.close()
        received = theirs.recv(65536)
    assert statuses(received) == [503]
    assert b"Retry-After: 5" in received
    assert b"service_unavailable" in received


def test_a_worker_that_ends_accepts_what_waits_in_its_listening_socket_and_closes_it():
    with socket.create_server(("127.0.0.1", 0)) as listener, ExitStack() as stack:
        listener.setblocking(False)
        clients = [stack.enter_context(socket.create_connection(listener.getsockname())) for _ in range(3)]
        worker = Worker(1, 0, [listener], None, 10, Config(), None)
        worker.tmp.close()
        worker.poller = stack.enter_context(selectors.DefaultSelector())
        # An idle worker, to which a busy one would leave the connections.
        connection_share.publish(2, 0)
        stack.callback(connection_share.withdraw, 2)
        worker.nr_conns, worker.alive = 7, False
        worker.set_accept_enabled(False)
        assert (worker.nr_conns, len(worker.pending_conns)) == (7 + len(clients), len(clients))
        assert listener.fileno() == -1
        for conn in worker.pending_conns:
            conn.close()
