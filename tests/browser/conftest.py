"""A real Chromium in front of a real service, which has the sandbox behind it. One of each for all tests.

Every test has a browser context to itself, and fails if the browser reports an error or asks another server.
"""

import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import pytest
import requests

import sandbox
from app import config, create_app
from app.virtual import seeding
from sandbox.server import running
from tests.conftest import REPORT
from tests.ports import free_port
from tests.processes import GUNICORN, clean, read_until, started

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
MILLISECONDS = 60_000  # for a wait of the browser, far more than it needs on a busy machine
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
NO_CHROMIUM = "No page was tested, because there is no chromium here; on Debian: apt-get install chromium"
NAMES = ("small", "large")


@dataclass(frozen=True)
class Site:
    """The service, with clients by name, and the headers of the vendors that the sandbox plays."""

    url: str
    sandbox_url: str
    clients: dict[str, tuple[str, str]]
    headers: dict[str, dict[str, str]]
    database_url: str


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("instance")
    with running(sandbox.create_app(2, 1)) as sandbox_url:
        environ = clean(
            PORT=free_port(), INSTANCE_PATH=folder, SANDBOX_URL=sandbox_url, LOG_LEVEL="INFO", DEMO_SIGN_IN="true"
        )
        clients = filled(folder, environ)
        with started(GUNICORN, environ) as process:
            read_until(process, "listening")
            assert process.stdout is not None
            # Reads the log, so that the service does not wait for a full pipe.
            threading.Thread(target=process.stdout.read, daemon=True).start()
            accounts = requests.get(f"{sandbox_url}/", timeout=60).json()["vendors"]
            headers = {vendor: account["headers"] for vendor, account in accounts.items()}
            yield Site(
                f"http://127.0.0.1:{environ['PORT']}", sandbox_url, clients, headers, f"sqlite:///{folder}/derapi.db"
            )


def filled(folder: Path, environ: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Makes clients with 50 and with 1,000 virtual sites, and one that needs vendors."""
    app = create_app(replace(config.load(environ), log_level="ERROR"))
    services = app.extensions["services"]
    clients = {name: services.clients.create(name, "virtual", "v1") for name in NAMES}
    clients["vendors"] = services.clients.create("vendors", "production", "v1")
    # Of another client, whose grants no other test meets.
    clients["owners"] = services.clients.create("Nordlicht Energie", "production", "v1")
    with mock.patch.object(seeding, "PAUSE_SECONDS", 0):
        for name, number in zip(NAMES, (50, 1000), strict=True):
            for _ in seeding.seed(services.virtual_fleet, services.inventory, clients[name][0], number):
                pass
    services.close()
    return clients


@pytest.fixture(scope="session")
def chromium(pytestconfig: pytest.Config) -> Iterator[Any]:
    if CHROMIUM is None:
        pytestconfig.stash.setdefault(REPORT, []).append(NO_CHROMIUM)
        pytest.skip(NO_CHROMIUM)
    from playwright.sync_api import sync_playwright

    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@dataclass
class Visit:
    """A page in the browser, what it requested, and its complaints."""

    page: Any
    site: Site
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()

    def watch(self) -> "Visit":
        """Collects requests and complaints from now on."""
        self.page.set_default_timeout(MILLISECONDS)
        self.page.on("request", lambda request: self.requests.append(f"{request.method} {request.url}"))
        self.page.on("console", lambda message: self.note(message.type, message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return self

    def note(self, kind: str, text: str) -> None:
        """Notes an error or warning of the console, unless the test expects it."""
        if kind in {"error", "warning"} and not any(part in text for part in self.expected):
            self.complaints.append(text)

    def go(self, path: str = "/fleet") -> None:
        self.page.goto(self.site.url + path)

    def sign_in(self, name: str, headers: dict[str, str] | None = None, secret: str | None = None) -> None:
        """Opens the fleet view and signs in."""
        if not self.page.url.startswith(self.site.url):
            self.go()
        client_id, its_secret = self.site.clients[name]
        self.page.get_by_label("Client id").fill(client_id)
        self.page.get_by_label("Client secret").fill(secret or its_secret)
        if headers:
            self.page.get_by_label("By credentials that I enter").check()
            for header, value in headers.items():
                self.page.get_by_label(header, exact=True).fill(value)
        self.page.get_by_role("button", name="Sign in").click()

    def called(self, *parts: str) -> list[str]:
        """The requests that contain all these parts."""
        return [request for request in self.requests if all(part in request for part in parts)]

    @property
    def details(self) -> list[str]:
        """The requests for details of a site."""
        return [request for request in self.called("GET", "/sites/site-") if request.count("/") == 4]

    def settle(self) -> None:
        """Returns when nothing has been requested for a while."""
        self.page.wait_for_load_state("networkidle")
        quiet = len(self.requests)
        while True:
            self.page.wait_for_timeout(250)
            if len(self.requests) == quiet:
                return
            quiet = len(self.requests)


@pytest.fixture
def visit(chromium: Any, site: Site) -> Iterator[Callable[..., Visit]]:
    """Makes visits; after the test none of them may have complained or left the server."""
    visits: list[Visit] = []

    def make(size: dict[str, int] = WIDE, *, dark: bool = False, **options: Any) -> Visit:
        scheme = "dark" if dark else "light"
        context = chromium.new_context(viewport=size, color_scheme=scheme, reduced_motion="reduce", **options)
        visits.append(Visit(context.new_page(), site).watch())
        return visits[-1]

    yield make
    for made in visits:
        made.page.context.close()
        assert not made.complaints
        own = urlsplit(site.url).netloc
        asked = {urlsplit(request.partition(" ")[2]) for request in made.requests}
        assert {url.netloc for url in asked if url.scheme not in {"data", "blob"}} <= {own}


def put(url: str, value: Any) -> None:
    """Sets something of the sandbox."""
    body = json.dumps(value)
    requests.put(url, body, headers={"Content-Type": "application/json"}, timeout=60).raise_for_status()


def eventually(condition: Callable[[], bool], visit: Visit) -> None:
    """Waits until the condition holds."""
    ends = time.monotonic() + MILLISECONDS / 1000
    while not condition():
        assert time.monotonic() < ends
        visit.page.wait_for_timeout(50)
