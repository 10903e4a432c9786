"""The page of a company in the demo, to which an owner's browser returns: the result, and the owner's sites."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

from demo.fleet_view import TIMEOUT_SECONDS, checked, client_session
from demo.servers import HOST, Servers

CLIENT = "production"
PATH = "/connected"
# Within this time each process of the service knows the new grant (app.credentials.stored.CACHE_SECONDS).
KNOWN_SECONDS = 4.0
COMMAND = 'curl -s $API/sites -H "Authorization: Bearer $TOKEN"'
STYLE = (
    ":root{color-scheme:light dark}"
    "body{max-width:40rem;margin:2rem auto;padding:0 1rem;font:1rem/1.5 system-ui,sans-serif}"
    "p{overflow-wrap:anywhere}code{display:block;margin-top:.5rem}"
)


class CompanyPage(BaseHTTPRequestHandler):
    """Answers the browser that comes back from a flow."""

    timeout = TIMEOUT_SECONDS

    def __init__(self, servers: Servers, *arguments: Any) -> None:
        self._servers = servers
        super().__init__(*arguments)

    def do_GET(self) -> None:
        """The page of the result; 404 elsewhere."""
        url = urlsplit(self.path)
        if url.path != PATH:
            self.send_error(404)
            return
        page = html(dict(parse_qsl(url.query)), self._servers).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Logs nothing: the terminal has the demo's screen."""


@contextmanager
def serving(servers: Servers) -> Iterator[str]:
    """Serves the page on a free port for the length of the block, and gives its URL."""
    with ThreadingHTTPServer((HOST, 0), partial(CompanyPage, servers)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://{HOST}:{server.server_port}{PATH}"
        finally:
            server.shutdown()


def html(result: Mapping[str, str], servers: Servers) -> str:
    """The page. result: the members with which the flow has sent the browser back."""
    if "error" in result:
        title, lines = "Not connected", [escape(result.get("error_description", result["error"]))]
    else:
        title, lines = "Connected", ["The company that asked now lists the sites of its owners:", *sites(servers)]
        lines.append(f"In a terminal, after the demo's export lines: <code>{escape(COMMAND)}</code>")
    body = "".join(f"<p>{line}</p>" for line in lines)
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>'
    return f'<!doctype html><html lang="en"><head>{head}<style>{STYLE}</style></head><body><h1>{title}</h1>{body}'


def sites(servers: Servers) -> Iterator[str]:
    """A line for each site that the client lists, and one for each vendor's error."""
    time.sleep(KNOWN_SECONDS)
    try:
        with client_session(servers, CLIENT) as session:
            listed = checked(session.get(f"{servers.service_url}/sites", timeout=TIMEOUT_SECONDS)).json()
            for url in listed["sites"]:
                site = checked(session.get(url, timeout=TIMEOUT_SECONDS)).json()
                yield escape(f"{site['name']}: {url}")
    except requests.RequestException as error:
        yield escape(f"A request failed: {error}")
        return
    yield from (escape(f"{vendor}: {error}") for vendor, error in listed["errors"].items())
