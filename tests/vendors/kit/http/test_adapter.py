"""One call over real sockets: the deadline holds in every phase, bounds hold, and nothing leaks between calls."""

import base64
import gzip
import pickle
import socket
import threading
import time
from functools import cache

import pytest
import requests
import trustme

from tests.vendors.kit import servers
from tests.vendors.kit.servers import OK, serving
from vendors.kit import BackendError, BadReply, Refused, Request, Timeout
from vendors.kit.deadline import Deadline
from vendors.kit.http import dial as kit_sockets
from vendors.kit.http.adapter import Transport

# What a deadline may be missed by on a machine that is busy with other work.
GRACE = 5.0


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(params=["http", "https"])
def scheme(request):
    return request.param


@pytest.fixture
def ca_file(authority, tmp_path):
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture
def fetch(scheme, authority, ca_file):
    """Calls a server that behaves so; gives the reply."""
    transport = Transport(ca_file=ca_file)

    def call(behave, seconds=5.0, path="/x"):
        with serving(behave, authority if scheme == "https" else None) as server:
            return transport.fetch(request_to(server, scheme, path), Deadline(seconds))

    return call


def request_to(server, scheme="http", path="/x"):
    return Request("GET", f"{scheme}://127.0.0.1:{server.port}", path)


def test_a_reply_comes_whole(fetch):
    found = fetch(servers.reply(b'{"a": 1}'))
    assert (found.status, found.body, found.headers["content-type"]) == (200, b'{"a": 1}', "application/json")


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


def test_addresses_that_do_not_answer_share_the_time(monkeypatch):
    # A listener whose backlog is full lets connections hang, as a firewall that drops packets does.
    dead = socket.create_server(("127.0.0.1", 0), backlog=0)
    fill = [socket.socket() for _ in range(4)]
    for sock in fill:
        sock.setblocking(False)
        sock.connect_ex(dead.getsockname())
    address = (socket.AF_INET, socket.SOCK_STREAM, 6, "", dead.getsockname())
    monkeypatch.setattr(kit_sockets, "look_up", lambda host, port, deadline: [address] * 3)
    started = time.monotonic()
    with pytest.raises(Timeout):
        Transport().fetch(Request("GET", "http://vendor.test", "/x"), Deadline(0.9))
    assert time.monotonic() - started < 0.9 + GRACE
    for sock in [dead, *fill]:
        sock.close()


def test_a_dead_first_address_leaves_time_for_the_second(monkeypatch):
    dead = socket.create_server(("127.0.0.1", 0), backlog=0)
    fill = [socket.socket() for _ in range(4)]
    for sock in fill:
        sock.setblocking(False)
        sock.connect_ex(dead.getsockname())
    with serving(servers.reply(b"{}")) as server:
        addresses = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", dead.getsockname()),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port)),
        ]
        monkeypatch.setattr(kit_sockets, "look_up", lambda host, port, deadline: addresses)
        found = Transport().fetch(Request("GET", "http://vendor.test", "/x"), Deadline(1.0))
    assert found.status == 200
    for sock in [dead, *fill]:
        sock.close()


def test_a_name_look_up_that_hangs_is_left_alone_at_the_deadline(monkeypatch):
    released = threading.Event()
    monkeypatch.setattr(kit_sockets.socket, "getaddrinfo", lambda *args, **kwargs: released.wait(10))
    started = time.monotonic()
    with pytest.raises(Timeout):
        Transport().fetch(Request("GET", "http://vendor.test", "/x"), Deadline(0.5))
    assert time.monotonic() - started < 0.5 + GRACE
    released.set()


def test_a_name_that_does_not_exist_is_an_error_of_the_backend(monkeypatch):
    def unknown(*args, **kwargs):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(kit_sockets.socket, "getaddrinfo", unknown)
    with pytest.raises(BackendError):
        Transport().fetch(Request("GET", "http://vendor.test", "/x"), Deadline(5))


@pytest.mark.parametrize(
    "behave",
    [
        servers.reset,
        servers.raw(b""),
        servers.raw(b"nonsense\r\n\r\n"),
        servers.raw(b"HTTP/1.1 200 OK\r\nContent-"),
        servers.raw(OK),
        servers.raw(OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}"),
        servers.raw(OK + b"Content-Length: 100\r\n\r\n{"),
        servers.raw(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{"),
    ],
    ids=["reset", "closed", "nonsense", "cut-header", "cut-headers", "two-lengths", "cut-body", "cut-chunk"],
)
def test_a_connection_that_breaks_is_an_error_of_the_backend_and_never_half_an_answer(fetch, behave):
    with pytest.raises(BackendError):
        fetch(behave)


@cache
def bomb():
    """What is small on its way and grows to 100 MB."""
    return gzip.compress(b"\0" * 100_000_000, 1)


@pytest.mark.parametrize(
    "behave",
    [
        servers.flood(OK + b"\r\n", b"x" * 65536),
        servers.raw(OK + b"Content-Length: 104857600\r\n\r\n"),
        lambda *about: servers.reply(bomb(), OK + b"Content-Encoding: gzip\r\n")(*about),
    ],
    ids=["endless", "announced", "gzip-bomb"],
)
def test_an_answer_over_32_mib_is_refused(fetch, behave):
    with pytest.raises(BadReply, match=r"^Bad Gateway: https?://127"):
        fetch(behave)


def test_broken_compression_is_a_bad_reply(fetch):
    with pytest.raises(BadReply):
        fetch(servers.reply(b"this is no gzip", OK + b"Content-Encoding: gzip\r\n"))


def test_gzip_is_decoded(fetch):
    assert fetch(servers.reply(gzip.compress(b"{}"), OK + b"Content-Encoding: gzip\r\n")).body == b"{}"


def test_a_body_without_a_length_ends_with_its_connection(fetch):
    assert fetch(servers.raw(OK + b"\r\n{}")).body == b"{}"


def test_a_body_in_chunks_is_put_together(fetch):
    chunks = b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\nX-Behind: it\r\n\r\n"
    found = fetch(servers.raw(OK + chunks))
    assert (found.body, "x-behind" in found.headers) == (b"{}", False)


def test_compression_that_is_cut_is_a_bad_reply(fetch):
    with pytest.raises(BadReply):
        fetch(servers.reply(gzip.compress(b"1" * 999)[:-9], OK + b"Content-Encoding: gzip\r\n"))


@pytest.mark.parametrize(
    "start",
    [OK, OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\n", OK + b"Transfer-Encoding: chunked\r\n\r\n1;a="],
    ids=["before-the-body", "behind-it", "in-a-chunk"],
)
def test_headers_without_end_are_an_error_of_the_backend(fetch, start):
    with pytest.raises(BackendError):
        fetch(servers.flood(start, b"X: " + b"x" * 999 + (b"" if start.endswith(b"=") else b"\r\n")))


def test_a_body_in_chunks_of_one_byte_is_no_flood(fetch):
    chunks = b"1\r\n \r\n" * 100_000 + b"2\r\n{}\r\n0\r\n\r\n"
    assert fetch(servers.raw(OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)).body.strip() == b"{}"


def test_what_comes_before_the_answer_is_not_the_answer(fetch):
    early = b"HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n"
    found = fetch(servers.raw(early + OK + b"Content-Length: 2\r\n\r\n{}"))
    assert (found.status, found.body, "x-early" in found.headers) == (200, b"{}", False)


def test_headers_of_one_name_are_joined(fetch):
    assert fetch(servers.reply(b"{}", OK + b"Link: a\r\nlink: b\r\n")).headers["LINK"] == "a, b"


def test_a_second_answer_to_one_request_is_never_anyone_s():
    one, two = (OK + b"Content-Length: 1\r\n\r\n" + body for body in (b"1", b"2"))
    behaviours = [servers.send(one + two), servers.send(one), servers.send(one)]
    transport = Transport()
    with serving(lambda *about: behaviours.pop(0)(*about)) as server:
        assert [transport.fetch(request_to(server), Deadline(5)).body for _ in range(3)] == [b"1"] * 3
        assert server.connections == 2, "the one with too much on it is closed, the next is kept"


def test_a_connection_that_the_server_closes_is_not_used_again():
    transport = Transport()
    with serving(servers.reply(b"{}", OK + b"Connection: close\r\n")) as server:
        for _ in range(2):
            transport.fetch(request_to(server), Deadline(5))
        assert server.connections == 2


def test_a_kept_connection_that_has_ended_meanwhile_costs_nobody_an_answer():
    transport, ended = Transport(), threading.Event()

    def answer_and_end(connection, stopped, received):
        connection.sendall(OK + b"Content-Length: 2\r\n\r\n{}")
        connection.shutdown(socket.SHUT_RDWR)
        ended.set()

    with serving(answer_and_end) as server:
        for _ in range(3):
            ended.clear()
            assert transport.fetch(request_to(server), Deadline(5)).body == b"{}"
            assert ended.wait(5)


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/a b", {}),
        ("/a\r\nX: y", {}),
        ("/a", {"X": "a\r\nY: b"}),
        ("/a", {"X\r\nY": "b"}),
        ("/a", {"X": "\u0142"}),
        ("/a", {"X": "a\0"}),
    ],
)
def test_what_would_be_another_request_than_it_seems_is_not_sent(path, headers):
    with serving(servers.reply(b"{}")) as server, pytest.raises(Refused):
        Transport().fetch(Request("GET", f"http://127.0.0.1:{server.port}", path, headers=headers), Deadline(5))
    assert not server.requests


@pytest.fixture
def send(scheme, authority, ca_file):
    """The response of requests to a GET at a server that behaves so."""
    transport = Transport(ca_file=ca_file)

    def call(behave, path="/x?a=b"):
        with serving(behave, authority if scheme == "https" else None) as server:
            there = requests.Request("GET", f"{scheme}://127.0.0.1:{server.port}{path}").prepare()
            return there, transport.send(there, deadline=Deadline(5))

    return call


def test_what_comes_back_is_a_response_of_requests_with_all_that_it_can_do(send):
    body = '{"name": "Zürich"}'.encode()
    head = (
        b"HTTP/1.1 200 Very Good\r\nContent-Type: application/json; charset=utf-8\r\n"
        b"Set-Cookie: a=1; Path=/\r\nSet-Cookie: b=2; Expires=Wed, 01 Jan 2098 00:00:00 GMT\r\n"
    )
    request, found = send(servers.reply(body, head))
    assert (found.status_code, found.reason, found.ok, repr(found)) == (200, "Very Good", True, "<Response [200]>")
    assert (found.json(), found.text, found.content) == ({"name": "Zürich"}, body.decode(), body)
    assert (found.encoding, found.apparent_encoding.lower()) == ("utf-8", "utf-8")
    assert (found.url, found.request) == (request.url, request)
    assert (b"".join(found.iter_content(5)), list(found.iter_lines())) == (body, [body])
    assert found.headers["CONTENT-TYPE"] == found.headers.get("Content-Type") == "application/json; charset=utf-8"
    assert found.cookies.get_dict() == {"a": "1", "b": "2"}
    assert (found.history, found.links, found.next) == ([], {}, None)
    assert (found.is_redirect, found.is_permanent_redirect) == (False, False)
    assert 0 < found.elapsed.total_seconds() < 5
    found.raise_for_status()
    assert pickle.loads(pickle.dumps(found)).json() == found.json()
    found.close()
    with found as same:
        assert bool(same)


def test_a_failure_is_a_response_of_requests_as_well(send):
    request, found = send(servers.raw(b"HTTP/1.1 404 \r\nContent-Length: 4\r\n\r\nnone"))
    assert (found.ok, found.reason, found.text, found.encoding) == (False, "", "none", None)
    with pytest.raises(requests.HTTPError, match="404 Client Error") as error:
        found.raise_for_status()
    assert (error.value.response, error.value.request) == (found, request)
    with pytest.raises(requests.exceptions.JSONDecodeError):
        found.json()


def test_no_cookie_is_sent_back(send):
    request, _ = send(servers.reply(b"{}", OK + b"Set-Cookie: a=1\r\n"))
    assert "cookie" not in {name.lower() for name in request.headers}


def test_a_redirect_is_handed_back_and_not_followed(fetch):
    found = fetch(servers.raw(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"))
    assert found.status == 302


def test_a_certificate_of_another_name_or_authority_is_refused(authority, ca_file):
    with serving(servers.reply(b"{}"), authority, name="elsewhere.test") as server, pytest.raises(Refused):
        Transport(ca_file=ca_file).fetch(request_to(server, "https"), Deadline(5))
    with serving(servers.reply(b"{}"), authority) as server, pytest.raises(Refused):
        Transport().fetch(request_to(server, "https"), Deadline(5))


def test_cookies_and_netrc_never_travel(tmp_path, monkeypatch):
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login someone password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    transport = Transport()
    with serving(servers.reply(b"{}", OK + b"Set-Cookie: session=of-another-caller\r\n")) as server:
        for _ in range(2):
            transport.fetch(request_to(server), Deadline(5))
        assert server.connections == 1, "the connection is kept"
        for received in server.requests:
            assert b"cookie" not in received.lower()
            assert b"authorization" not in received.lower()


def test_proxies_come_from_our_setting_and_not_from_the_environment(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with serving(servers.reply(b"{}")) as server:
        assert Transport().fetch(request_to(server), Deadline(5)).status == 200
        Transport(proxy_url=f"http://127.0.0.1:{server.port}").fetch(
            Request("GET", "http://vendor.test", "/x"), Deadline(5)
        )
        assert server.requests[-1].startswith(b"GET http://vendor.test/x HTTP/1.1")


def test_through_a_proxy_https_goes_in_a_tunnel_that_the_proxy_cannot_read(authority, ca_file):
    with serving(servers.reply(b"{}"), authority) as server, serving(servers.tunnel) as proxy:
        transport = Transport(f"http://some%40one:secret@127.0.0.1:{proxy.port}", ca_file)
        for _ in range(2):
            assert transport.fetch(request_to(server, "https"), Deadline(5)).body == b"{}"
        (asked,) = proxy.requests
        assert asked.startswith(f"CONNECT 127.0.0.1:{server.port} HTTP/1.1".encode())
        assert base64.b64encode(b"some@one:secret") in asked
        assert b"secret" not in b"".join(server.requests)
        assert b"Proxy-" not in b"".join(server.requests)


def test_a_proxy_that_refuses_is_an_error_of_the_backend():
    refusal = servers.raw(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 9\r\n\r\n{}")
    with serving(refusal) as proxy, pytest.raises(BackendError) as caught:
        Transport(f"http://127.0.0.1:{proxy.port}").fetch(Request("GET", "https://vendor.test", "/x"), Deadline(5))
    assert caught.value.unreachable


def test_the_deadline_holds_through_a_proxy():
    started = time.monotonic()
    with serving(servers.drip(b"HTTP/1.1 200 ", b"O")) as proxy, pytest.raises(Timeout):
        Transport(proxy_url=f"http://127.0.0.1:{proxy.port}").fetch(
            Request("GET", "https://vendor.test", "/x"), Deadline(0.6)
        )
    assert time.monotonic() - started < 0.6 + GRACE


def test_a_connection_after_a_timeout_is_not_used_again():
    behaviours = [servers.hang, servers.reply(b"{}")]
    transport = Transport()
    with serving(lambda *about: behaviours.pop(0)(*about)) as server:
        with pytest.raises(Timeout):
            transport.fetch(request_to(server), Deadline(0.3))
        assert transport.fetch(request_to(server), Deadline(5)).body == b"{}"
        assert server.connections == 2


def test_many_threads_share_the_connections_and_get_their_own_answers():
    def echo(connection, stopped, received):
        body = received.split()[1]
        connection.sendall(OK + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    transport, wrong = Transport(), []

    def ask(number):
        for turn in range(20):
            path = f"/{number}/{turn}"
            found = transport.fetch(request_to(server, path=path), Deadline(5))
            if found.body != path.encode():
                wrong.append((path, found.body))

    with serving(echo) as server:
        threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong
        assert server.connections <= 8
