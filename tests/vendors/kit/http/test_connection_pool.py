"""Which connections are reused; no caller ever gets the response to another caller's request."""

import socket
import threading

import pytest

from tests.vendors.kit import servers
from tests.vendors.kit.servers import OK, request_to, serving
from vendors.kit import Timeout
from vendors.kit.deadline import Deadline
from vendors.kit.http.transport import Transport

ONE_BYTE = OK + b"Content-Length: 1\r\n\r\n"


def bodies_of(transport, server, number):
    return [transport.fetch(request_to(server), Deadline(5)).body for _ in range(number)]


def test_a_second_response_to_one_request_is_given_to_no_caller():
    behave = servers.in_turn(
        servers.send(ONE_BYTE + b"1" + ONE_BYTE + b"2"), servers.send(ONE_BYTE + b"1"), servers.send(ONE_BYTE + b"1")
    )
    with serving(behave) as server:
        assert bodies_of(Transport(), server, 3) == [b"1"] * 3
        assert server.connections == 2, "the connection with a second response is closed, the next one is kept"


def test_a_connection_that_the_server_closes_is_not_reused():
    with serving(servers.reply(b"{}", OK + b"Connection: close\r\n")) as server:
        assert bodies_of(Transport(), server, 2) == [b"{}"] * 2
        assert server.connections == 2


def test_an_idle_connection_that_the_server_closes_costs_no_caller_a_response():
    ended = threading.Event()

    def answer_and_close(connection, stopped, received):
        connection.sendall(ONE_BYTE + b"1")
        connection.shutdown(socket.SHUT_RDWR)
        ended.set()

    transport = Transport()
    with serving(answer_and_close) as server:
        for _ in range(3):
            ended.clear()
            assert bodies_of(transport, server, 1) == [b"1"]
            assert ended.wait(5)


def test_a_connection_after_a_timeout_is_not_reused():
    transport = Transport()
    with serving(servers.in_turn(servers.hang, servers.reply(b"{}"))) as server:
        with pytest.raises(Timeout):
            transport.fetch(request_to(server), Deadline(0.3))
        assert bodies_of(transport, server, 1) == [b"{}"]
        assert server.connections == 2


def test_many_threads_share_the_connections_and_get_their_own_answers():
    transport, wrong = Transport(), []

    def call(number):
        for turn in range(20):
            path = f"/{number}/{turn}"
            reply = transport.fetch(request_to(server, path=path), Deadline(5))
            if reply.body != path.encode():
                wrong.append((path, reply.body))

    with serving(servers.echo_target) as server:
        threads = [threading.Thread(target=call, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong
        assert server.connections <= 8
