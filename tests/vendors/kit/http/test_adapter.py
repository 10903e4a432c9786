"""The adapter under requests' own interface: real responses, one deadline, and no argument that is ignored."""

import pickle
import threading

import pytest
import requests
import responses

from tests.vendors.kit import servers
from tests.vendors.kit.servers import OK, serving
from vendors.kit.deadline import Deadline
from vendors.kit.http.adapter import DeadlineAdapter


@pytest.fixture
def send(scheme, authority, ca_file):
    """Sends a GET to a server with a given behaviour; returns the request and its response."""
    adapter = DeadlineAdapter(ca_file=ca_file)

    def call(behave):
        with serving(behave, authority if scheme == "https" else None) as server:
            request = requests.Request("GET", f"{scheme}://127.0.0.1:{server.port}/x?a=b").prepare()
            return request, adapter.send(request, timeout=Deadline(5))

    return call


def request_of(server, method="GET", **options):
    return requests.Request(method, f"http://127.0.0.1:{server.port}/x", **options).prepare()


def test_a_response_can_do_all_that_a_response_of_requests_can(send):
    body = '{"name": "Zürich"}'.encode()
    head = (
        b"HTTP/1.1 200 Very Good\r\nContent-Type: application/json; charset=utf-8\r\n"
        b"Set-Cookie: a=1; Path=/\r\nSet-Cookie: b=2; Expires=Wed, 01 Jan 2098 00:00:00 GMT\r\n"
    )
    request, response = send(servers.reply(body, head))
    assert (response.status_code, response.reason, response.ok) == (200, "Very Good", True)
    assert (response.json(), response.text, response.content) == ({"name": "Zürich"}, body.decode(), body)
    assert (response.encoding, response.apparent_encoding.lower()) == ("utf-8", "utf-8")
    assert (response.url, response.request) == (request.url, request)
    assert (b"".join(response.iter_content(5)), list(response.iter_lines())) == (body, [body])
    assert response.headers["CONTENT-TYPE"] == "application/json; charset=utf-8"
    assert response.cookies.get_dict() == {"a": "1", "b": "2"}
    assert (response.history, response.links, response.next) == ([], {}, None)
    assert 0 < response.elapsed.total_seconds() < 5
    response.raise_for_status()
    assert pickle.loads(pickle.dumps(response)).json() == response.json()
    with response:
        response.close()


def test_an_error_status_is_a_response_with_its_error(send):
    request, response = send(servers.send_and_close(b"HTTP/1.1 404 \r\nContent-Length: 4\r\n\r\nnone"))
    assert (response.ok, response.reason, response.text, response.encoding) == (False, "", "none", None)
    with pytest.raises(requests.HTTPError, match="404 Client Error") as error:
        response.raise_for_status()
    assert (error.value.response, error.value.request) == (response, request)
    with pytest.raises(requests.exceptions.JSONDecodeError):
        response.json()


@pytest.mark.parametrize("timeout", [lambda: 5, lambda: 5.0, lambda: None, lambda: Deadline(5)])
def test_a_timeout_is_a_deadline_a_number_or_the_default(timeout):
    with serving(servers.reply(b"{}")) as server:
        assert DeadlineAdapter().send(request_of(server), timeout=timeout()).json() == {}


@pytest.mark.parametrize("timeout", [lambda: 0.2, lambda: Deadline(0.2)], ids=["seconds", "deadline"])
def test_a_response_that_drips_beyond_the_timeout_is_a_read_timeout(timeout):
    with serving(servers.drip(OK + b"\r\n", b"1")) as server, pytest.raises(requests.ReadTimeout) as error:
        DeadlineAdapter().send(request_of(server), timeout=timeout())
    assert error.value.request.url.endswith("/x")


@pytest.mark.parametrize(
    "arguments",
    [
        {"timeout": (3, 5)},
        {"verify": False},
        {"verify": "/etc/other.pem"},
        {"cert": "/etc/client.pem"},
        {"proxies": {"http": "http://127.0.0.1:9"}},
    ],
    ids=str,
)
def test_an_argument_that_is_not_supported_is_refused_before_anything_is_sent(arguments):
    with serving(servers.reply(b"{}")) as server:
        with pytest.raises(ValueError, match=r"^(the timeout|certificates and proxies)"):
            DeadlineAdapter().send(request_of(server), **arguments)
        assert server.connections == 0


def test_a_list_of_hosts_without_a_proxy_asks_for_no_proxy():
    with serving(servers.reply(b"{}")) as server:
        assert DeadlineAdapter().send(request_of(server), proxies={"no": "localhost"}, timeout=5).ok


@pytest.mark.parametrize("body", [iter([b"a", b"b"]), [("a", "b")]], ids=["generator", "list"])
def test_a_body_of_unknown_length_is_not_sent(body):
    with serving(servers.reply(b"{}")) as server:
        request = request_of(server, "POST")
        request.body = body
        with pytest.raises(requests.exceptions.InvalidHeader, match="bytes or text"):
            DeadlineAdapter().send(request, timeout=5)
        assert server.connections == 0


def test_a_session_adds_redirects_and_cookies_to_the_adapter():
    redirect = b"HTTP/1.1 302 Found\r\nLocation: /there\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n"
    with serving(servers.in_turn(servers.send(redirect), servers.echo_target)) as server, requests.Session() as session:
        session.trust_env = False
        session.mount("http://", DeadlineAdapter())
        response = session.get(f"http://127.0.0.1:{server.port}/here", timeout=5)
        assert (response.text, [earlier.status_code for earlier in response.history]) == ("/there", [302])
        assert b"Cookie: a=1" in server.requests[1]


def test_a_closed_adapter_closes_its_idle_connections():
    closed = threading.Event()

    def answer_and_wait_for_the_end(connection, stopped, received):
        connection.sendall(OK + b"Content-Length: 2\r\n\r\n{}")
        if not connection.recv(1):
            closed.set()

    adapter = DeadlineAdapter()
    with serving(answer_and_wait_for_the_end) as server:
        adapter.send(request_of(server), timeout=5)
        adapter.close()
        assert closed.wait(5)


def test_the_library_responses_intercepts_the_adapter_by_its_documented_target():
    target = f"{DeadlineAdapter.__module__}.{DeadlineAdapter.__name__}.send"
    request = requests.Request("GET", "http://vendor.test/sites").prepare()
    with responses.RequestsMock(target=target) as network:
        network.get("http://vendor.test/sites", json={"sites": []}, headers={"X-A": "1"})
        response = DeadlineAdapter().send(request, timeout=Deadline(5))
        assert (response.json(), response.headers["x-a"], len(network.calls)) == ({"sites": []}, "1", 1)
