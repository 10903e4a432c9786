"""gunicorn with the worker of this project as a process of its own, with other limits and a large answer at /large."""

import json
import re
import socket
import sys
import threading
import time
from contextlib import contextmanager, suppress

import requests

from tests.ports import free_port
from tests.test_deployment import clean, read_until, started

LARGE_BYTES = 300_000
SERVE = f"""
import json, resource, sys, wsgi
from app.server import limits

given = json.loads(sys.argv.pop(1))
vars(limits).update(given["limits"])
if given["open_files"]:
    resource.setrlimit(resource.RLIMIT_NOFILE, (given["open_files"],) * 2)
served = wsgi.app.wsgi_app

def with_large_answer(environ, start_response):
    if environ["PATH_INFO"] != "/large":
        return served(environ, start_response)
    start_response("200 OK", [("Content-Length", "{LARGE_BYTES}")])
    return [b"x" * {LARGE_BYTES}]

wsgi.app.wsgi_app = with_large_answer
sys.argv[0] = "gunicorn"
sys.argv.append("wsgi:app")
from gunicorn.app.wsgiapp import run
run()
"""
GET = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /oauth2/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
LARGE = b"GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
LAST = b"Connection: close\r\n\r\n"


class Server:
    def __init__(self, port, process, places):
        self.port, self.process, self.places = port, process, places
        self.lines = []
        """The log since the start, as objects."""
        # Else the process would wait until its log is read.
        threading.Thread(target=self._read, daemon=True).start()

    def connect(self, data=b"", timeout=20):
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=timeout)
        connection.sendall(data)
        return connection

    def healthy(self):
        return requests.get(f"http://127.0.0.1:{self.port}/health", timeout=20).status_code == 200

    def line(self, event, **members):
        """The first line in the log with this event and these members; waits for it."""
        ends = time.monotonic() + 20
        while time.monotonic() < ends:
            for line in list(self.lines):
                if line["event"] == event and members.items() <= line.items():
                    return line
            time.sleep(0.05)
        raise AssertionError(f"no line {event!r} with {members} among {self.lines[-20:]}")

    def _read(self):
        for line in self.process.stdout:
            with suppress(json.JSONDecodeError):
                self.lines.append(json.loads(line))


@contextmanager
def serving(folder, *options, limits=None, open_files=None, processes=1):
    """A server that has answered once; options are gunicorn's, limits those of app.server.limits."""
    given = json.dumps({"limits": limits or {}, "open_files": open_files})
    port = free_port()
    environ = clean(PORT=port, INSTANCE_PATH=folder, WEB_CONCURRENCY=processes)
    with started([sys.executable, "-c", SERVE, given, *options], environ) as process:
        listening = json.loads(read_until(process, "listening").splitlines()[-1])
        server = Server(port, process, listening["connections"])
        assert server.healthy()
        yield server


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
