"""The proxy comes from the settings; HTTP requests pass it in plain text, HTTPS in a tunnel."""

import base64

import pytest

from tests.vendors.kit import servers
from tests.vendors.kit.servers import request_to, serving
from vendors.kit import BackendError, Request
from vendors.kit.deadline import Deadline
from vendors.kit.http.transport import Transport


def test_proxies_come_from_our_setting_and_not_from_the_environment(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with serving(servers.reply(b"{}")) as server:
        assert Transport().fetch(request_to(server), Deadline(5)).status == 200
        proxied = Transport(proxy_url=f"http://127.0.0.1:{server.port}")
        proxied.fetch(Request("GET", "http://vendor.test", "/x"), Deadline(5))
        assert server.requests[-1].startswith(b"GET http://vendor.test/x HTTP/1.1")


def test_through_a_proxy_https_goes_in_a_tunnel_that_the_proxy_cannot_read(authority, ca_file):
    with serving(servers.reply(b"{}"), authority) as server, serving(servers.tunnel) as proxy:
        transport = Transport(f"http://some%40one:secret@127.0.0.1:{proxy.port}", ca_file)
        for _ in range(2):
            assert transport.fetch(request_to(server, "https"), Deadline(5)).body == b"{}"
        (connect,) = proxy.requests
        assert connect.startswith(f"CONNECT 127.0.0.1:{server.port} HTTP/1.1".encode())
        assert base64.b64encode(b"some@one:secret") in connect
        assert b"secret" not in b"".join(server.requests)
        assert b"Proxy-" not in b"".join(server.requests)


def test_a_proxy_that_refuses_is_an_error_of_the_backend():
    refusal = servers.send_and_close(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 9\r\n\r\n{}")
    with serving(refusal) as proxy, pytest.raises(BackendError) as caught:
        Transport(f"http://127.0.0.1:{proxy.port}").fetch(Request("GET", "https://vendor.test", "/x"), Deadline(5))
    assert caught.value.unreachable
