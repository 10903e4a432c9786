"""The sandbox over real sockets: faults that only a connection can show, and what the log holds."""

import http.client
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
import requests
import trustme

from sandbox import create_app
from sandbox.server import running, serve

KEY = {"X-API-Key": "sandbox-solaredge-key"}
SITES = "/solaredge/v2/sites"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module", params=["http", "https"])
def base(request: pytest.FixtureRequest, authority: trustme.CA) -> Iterator[str]:
    context = None
    if request.param == "https":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
    with running(create_app(2), context) as url:
        yield url


@pytest.fixture
def connect(base: str, authority: trustme.CA) -> Callable[[], socket.socket]:
    """Opens a connection to the sandbox, which sends one call of SolarEdge's list."""
    address = urlsplit(base)

    def open_connection() -> socket.socket:
        connection: socket.socket = socket.create_connection((str(address.hostname), int(address.port or 0)), 5)
        if address.scheme == "https":
            context = ssl.create_default_context()
            authority.configure_trust(context)
            connection = context.wrap_socket(connection, server_hostname="127.0.0.1")
        connection.sendall(f"GET {SITES} HTTP/1.1\r\nHost: x\r\nX-API-Key: {KEY['X-API-Key']}\r\n\r\n".encode())
        return connection

    return open_connection


@pytest.fixture
def call(base: str, authority: trustme.CA, tmp_path) -> Callable[..., requests.Response]:
    """Calls the sandbox by path."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))

    def request(method: str, path: str, **options) -> requests.Response:
        return requests.request(method, base + path, verify=str(tmp_path / "ca.pem"), timeout=5, **options)

    return request


@contextmanager
def fault(call: Callable[..., requests.Response], **what) -> Iterator[None]:
    assert call("PUT", "/faults/solaredge", json=what).status_code == 200
    yield
    call("PUT", "/faults/solaredge", json={})


def test_a_hung_call_gets_no_answer_and_blocks_no_other(call, connect):
    with fault(call, hang=True), connect() as connection:
        assert call("GET", "/smasbox/v1/plants").status_code == 401
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(1)


def test_the_thread_of_a_hung_call_ends_when_the_client_leaves(call, connect):
    with fault(call, hang=True):
        before = set(threading.enumerate())
        connections = [connect() for _ in range(5)]
        _until(lambda: len(set(threading.enumerate()) - before) == 5)
        hung = set(threading.enumerate()) - before
        for connection in connections:
            connection.close()
        _until(lambda: not any(thread.is_alive() for thread in hung))


def test_hung_calls_end_with_the_server():
    app = create_app(1)
    with running(app) as url:
        requests.put(f"{url}/faults/sma", json={"hang": True}, timeout=5)
        address = urlsplit(url)
        connection = socket.create_connection((str(address.hostname), int(address.port or 0)), 5)
        connection.sendall(b"GET /sma/v1/plants HTTP/1.1\r\nHost: x\r\n\r\n")
        _until(lambda: app.extensions["world"].calls.of("sma") == {"/v1/plants": 1})
    assert connection.recv(1) == b""
    connection.close()


def test_headers_drip_one_byte_at_a_time(call, connect):
    with fault(call, drip={"part": "headers", "every": 0.02}), connect() as connection:
        received = b""
        while received.count(b"x") < 3:
            received += connection.recv(1024)
        assert received.startswith(b"HTTP/1.1 200 OK\r\nX-Padding: xxx")
        assert b"\r\n\r\n" not in received


def test_the_body_drips_after_whole_headers(call, connect):
    with fault(call, drip={"part": "body", "every": 0.02}), connect() as connection:
        received = b""
        while received.count(b"1\r\n \r\n") < 3:
            received += connection.recv(1024)
        assert b"\r\n\r\n1\r\n[\r\n" in received


def test_a_reset_is_a_reset(call, connect):
    with fault(call, reset=True), connect() as connection, pytest.raises(ConnectionResetError):
        _read_to_end(connection)


def test_an_answer_can_be_lost_after_the_call_was_handled(call):
    token = call("GET", "/").json()["vendors"]["tesla"]["token"]
    form = {"grant_type": "refresh_token", "client_id": token["client_id"], "refresh_token": token["refresh_token"]}
    path = "/oauth2/v3/token"
    spent = call("GET", "/tokens/tesla").json()["refreshes"]
    call("PUT", "/faults/tesla", json={"path": path, "reset": True, "after": True, "times": 1})
    with pytest.raises(requests.ConnectionError):
        call("POST", f"/tesla{path}", data=form)
    assert call("GET", "/tokens/tesla").json()["refreshes"] == spent + 1
    assert call("POST", f"/tesla{path}", data=form).status_code == 200


def test_a_huge_answer_has_at_least_so_many_bytes(call):
    with fault(call, huge=3_000_000):
        answer = call("GET", SITES, headers=KEY)
        assert len(answer.content) >= 3_000_000
        assert "Content-Length" not in answer.headers


def test_a_delayed_call_is_answered_all_the_same(call):
    with fault(call, delay=0.05):
        began = time.monotonic()
        assert call("GET", SITES, headers=KEY).status_code == 200
        assert time.monotonic() - began >= 0.05


def test_a_connection_serves_many_calls():
    with running(create_app(1)) as url:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
        local_ports = set()
        for path, body in ((SITES, None), ("/solis/v1/api/inverterList", b"x" * 5000), (SITES, None)):
            connection.request("POST" if body else "GET", path, body=body, headers=KEY)
            assert connection.sock is not None
            local_ports.add(connection.sock.getsockname())
            answer = connection.getresponse()
            answer.read()
            assert answer.status == (403 if body else 200)
        assert len(local_ports) == 1
        connection.close()


def test_the_log_has_paths_and_no_queries_or_credentials(caplog):
    caplog.set_level(logging.INFO)
    app = create_app(1)
    with running(app) as url:
        for name, value in KEY.items():
            requests.get(f"{url}{SITES}?api_key=secret-in-query", headers={name: value}, timeout=5)
        requests.post(f"{url}/sma/oauth2/token", auth=("sandbox-client", "sandbox-secret"), timeout=5)
        _until(lambda: "token" in caplog.text)
    assert f"GET {SITES} 200 " in caplog.text
    assert "POST /sma/oauth2/token 400 " in caplog.text
    for secret in ("secret-in-query", KEY["X-API-Key"], "sandbox-secret"):
        assert secret not in caplog.text


def test_a_port_in_use_is_reported_in_one_line_with_its_number():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit, match=f"port {port}: Address already in use"):
            serve(port, 1)


def _read_to_end(connection: socket.socket) -> None:
    """Reads below TLS, which may take a reset for an end; what comes before it is left of the handshake."""
    while socket.socket.recv(connection, 65536):
        pass


def _until(condition: Callable[[], bool]) -> None:
    """Waits at most five seconds for something that another thread does."""
    until = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.005)
