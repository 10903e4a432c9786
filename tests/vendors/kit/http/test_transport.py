"""A plugin gets the reply whatever it is, and nothing leaves with its request that it did not add."""

import gzip

import pytest

from tests.vendors.kit import servers
from tests.vendors.kit.servers import OK, request_to, serving
from vendors.kit import Refused, Request
from vendors.kit.deadline import Deadline
from vendors.kit.http.transport import Transport


def test_a_reply_has_status_body_and_headers_in_any_case(fetch):
    reply = fetch(servers.reply(b'{"a": 1}', OK + b"Link: a\r\nlink: b\r\n"))
    assert (reply.status, reply.body) == (200, b'{"a": 1}')
    assert (reply.headers["content-type"], reply.headers["LINK"]) == ("application/json", "a, b")


def test_a_compressed_reply_is_decoded(fetch):
    assert fetch(servers.reply(gzip.compress(b"{}"), OK + b"Content-Encoding: gzip\r\n")).body == b"{}"


def test_a_body_without_a_length_ends_with_its_connection(fetch):
    assert fetch(servers.send_and_close(OK + b"\r\n{}")).body == b"{}"


def test_trailers_of_a_chunked_body_are_no_headers(fetch):
    chunks = b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\nX-Trailer: 1\r\n\r\n"
    reply = fetch(servers.send_and_close(OK + chunks))
    assert (reply.body, "x-trailer" in reply.headers) == (b"{}", False)


def test_an_interim_response_is_not_the_reply(fetch):
    early = b"HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n"
    reply = fetch(servers.send_and_close(early + OK + b"Content-Length: 2\r\n\r\n{}"))
    assert (reply.status, reply.body, "x-early" in reply.headers) == (200, b"{}", False)


def test_a_redirect_is_handed_back_and_not_followed(fetch):
    reply = fetch(
        servers.send_and_close(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n")
    )
    assert reply.status == 302


def test_a_certificate_of_another_name_or_authority_is_refused(authority, ca_file):
    with serving(servers.reply(b"{}"), authority, name="elsewhere.test") as server, pytest.raises(Refused):
        Transport(ca_file=ca_file).fetch(request_to(server, "https"), Deadline(5))
    with serving(servers.reply(b"{}"), authority) as server, pytest.raises(Refused):
        Transport().fetch(request_to(server, "https"), Deadline(5))


def test_cookies_and_netrc_are_never_sent(tmp_path, monkeypatch):
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


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/a b", {}),
        ("/a\r\nX: y", {}),
        ("/a\r\n", {}),
        ("/a", {"X": "a\r\nY: b"}),
        ("/a", {"X\r\nY": "b"}),
        ("/a", {"X": "\u0142"}),
        ("/a", {"X": "a\0"}),
        ("/a", {"Transfer-Encoding": "chunked"}),
        ("/a", {"Content-Length": "7"}),
    ],
)
def test_a_request_that_a_server_could_misread_is_not_sent(path, headers):
    with serving(servers.reply(b"{}")) as server, pytest.raises(Refused):
        Transport().fetch(Request("GET", f"http://127.0.0.1:{server.port}", path, headers=headers), Deadline(5))
    assert not server.requests


@pytest.mark.parametrize(
    "base", ["ftp://vendor.test", "http://", "vendor.test", "http://user@vendor.test", "http://ł.test"]
)
def test_a_url_without_an_http_host_is_refused(base):
    with pytest.raises(Refused):
        Transport().fetch(Request("GET", base, "/x"), Deadline(5))
