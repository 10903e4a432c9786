"""Redis with a certificate that no authority has signed: refused, but on Heroku, whose Redis has no other."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import trustme

from app import config
from app.storage.redis_ledger import SharedLedger

HEROKU = {
    "DYNO": "web.1", "DATABASE_URL": "postgres://user@db.example/name", "PUBLIC_URL": "https://derapi.example.org",
    "SECRET_KEY": "s" * 32, "ID_KEY": "i" * 32,
}  # fmt: skip


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A server that accepts every command, behind a certificate of an unknown authority."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("redis.example").configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=answer, args=(listening, context), daemon=True).start()
        yield listening.getsockname()[1]


def answer(listening: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return  # closed: the test is over
        try:
            with context.wrap_socket(connection, server_side=True) as secure:
                while data := secure.recv(4096):
                    for command in data.split(b"*")[1:]:
                        secure.sendall(b"+PONG\r\n" if b"PING" in command else b"+OK\r\n")
        except OSError:
            connection.close()


@pytest.mark.parametrize(("query", "is_shared"), [("", True), ("?ssl_cert_reqs=required", False)])
def test_on_heroku_a_certificate_that_no_authority_signed_is_accepted_unless_the_url_says_otherwise(
    port: int, query: str, is_shared: bool
) -> None:
    url = config.load({**HEROKU, "REDIS_URL": f"rediss://:sesame@127.0.0.1:{port}{query}"}).redis_url
    assert url is not None
    with closing(SharedLedger(url + ("&" if "?" in url else "?") + "protocol=2")) as ledger:
        assert ledger.is_shared is is_shared


def test_elsewhere_the_url_stays_as_it_is() -> None:
    elsewhere = {name: value for name, value in HEROKU.items() if name != "DYNO"}
    url = "rediss://:sesame@redis.example:6380"
    assert config.load({**elsewhere, "REDIS_URL": url}).redis_url == url
    assert config.load({**HEROKU, "REDIS_URL": "redis://localhost"}).redis_url == "redis://localhost"
