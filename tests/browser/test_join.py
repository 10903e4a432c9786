"""Owners give consent in a real browser: in a window that a company's page opens, and on a link of the server."""

import os
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from app.join.origins import Origins
from app.storage.database import Database
from tests.browser.conftest import MILLISECONDS, NARROW, WIDE, Site
from tests.browser.support import token, violations

pytestmark = [pytest.mark.exhaustive, pytest.mark.serial]
COMPANY = Path(__file__).with_name("company")
VIEWS = pytest.mark.parametrize(("size", "dark"), [(WIDE, False), (NARROW, True)], ids=["desktop", "phone"])
TITLES = {"enphase": "Enphase", "tesla": "Tesla", "sma": "SMA", "smasbox": "SMA sandbox"}
TYPED = {"solis": "Solis", "solaredge": "SolarEdge"}
# The folder to which pictures of all pages are written, for a reader; none by default.
PICTURES = os.environ.get("JOIN_PICTURES")


class Visit(NamedTuple):
    """A page in the browser."""

    page: Any


class Silent(SimpleHTTPRequestHandler):
    """Serves the company's page and logs nothing."""

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    """The origin of a company's page, which is another one than the service's."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=COMPANY)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Company:
    """The production client of the service."""

    def __init__(self, site: Site) -> None:
        self.site, self.accounts = site, requests.get(f"{site.sandbox_url}/", timeout=60).json()["vendors"]
        self.headers = {"Authorization": f"Bearer {token(site.url, site.clients['owners'])}"}

    def post(self, path: str, **body: Any) -> Any:
        answer = requests.post(self.site.url + path, json=body, headers=self.headers, timeout=60)
        assert answer.ok, answer.text
        return answer.json()

    def entries(self, *vendors: str) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = []
        for vendor in vendors:
            application = self.accounts[vendor].get("consent", {})
            names = ("clientID", "clientSecret", "apiKey")
            inline = {name: application[name] for name in names if name in application}
            entries.append({"vendor": vendor} if vendor in TYPED else {"vendor": vendor, "credentials": inline})
        return entries

    def keys(self, vendor: str) -> list[str]:
        form = next(form for form in self.accounts[vendor]["credentials"] if form["type"].startswith("apikey"))
        return [value for name, value in form.items() if name != "type"]


@pytest.fixture
def company(site: Site, shop: str) -> Iterator[Company]:
    made, database = Company(site), Database(site.database_url)
    Origins(database).add(site.clients["owners"][0], shop)
    yield made
    database.close()


@pytest.fixture
def opened(chromium: Any) -> Iterator[Callable[..., Any]]:
    """Opens a page in a browser of its kind: size, light or dark, and language."""
    contexts: list[Any] = []

    def open_page(url: str, size: dict[str, int], *, dark: bool = False, language: str = "en") -> Any:
        scheme = "dark" if dark else "light"
        contexts.append(chromium.new_context(viewport=size, color_scheme=scheme, locale=language))
        page = contexts[-1].new_page()
        page.set_default_timeout(MILLISECONDS)
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()


def checked(page: Any, name: str) -> None:
    """Accessible, and readable without scrolling sideways; a picture of it for a reader."""
    assert not violations(Visit(page)), name
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
    for control in page.locator("main a, main button").all():
        assert control.bounding_box()["height"] >= 44, name
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name}-{page.viewport_size['width']}.png", full_page=True)


def join_page(shop: str, company: Company, *vendors: str) -> str:
    """The address of the company's page for a new session. Its token is that of the session, not the company's."""
    session = company.post("/join/session/start", storeCredentials=True, vendors=company.entries(*vendors))
    facts = {"session": session["sessionID"], "token": session["sessionToken"], "api": company.site.url}
    return f"{shop}/index.html#{urlencode(facts)}"


def allow(page: Any, owner: str = "owner-1@example.com") -> None:
    page.get_by_label("Sign in as").select_option(owner)
    page.get_by_role("button", name="Allow", exact=True).click()


def test_a_companys_page_with_a_script_after_the_documented_protocol_opens_a_window(
    opened: Callable[..., Any], shop: str, company: Company
) -> None:
    page = opened(join_page(shop, company, "tesla", "solis"), WIDE)
    with page.expect_popup() as popup:
        page.get_by_role("button", name="Tesla").click()
    window = popup.value
    window.set_default_timeout(MILLISECONDS)
    allow(window)
    window.get_by_role("heading", name="Tesla is connected").wait_for()
    assert "failed" not in window.content().lower()
    window.close()
    page.get_by_text("success tesla stored").wait_for()


@pytest.mark.parametrize("vendor", list(TYPED))
def test_a_companys_page_sends_keys(opened: Callable[..., Any], shop: str, company: Company, vendor: str) -> None:
    page = opened(join_page(shop, company, vendor), WIDE)
    page.get_by_role("button", name=TYPED[vendor]).click()
    for field, key in zip(page.locator("input").all(), company.keys(vendor), strict=True):
        field.fill(key)
    page.get_by_role("button", name="Send").click()
    page.get_by_text(f"success {vendor} stored").wait_for()


def test_a_window_that_is_closed_without_consent_gives_no_token(
    opened: Callable[..., Any], shop: str, company: Company
) -> None:
    page = opened(join_page(shop, company, "tesla"), WIDE)
    with page.expect_popup() as popup:
        page.get_by_role("button", name="Tesla").click()
    popup.value.wait_for_load_state()
    popup.value.close()
    page.get_by_text("closed no token").wait_for()


def flow(company: Company, shop: str, *vendors: str) -> str:
    made = company.post("/join/flows", vendors=company.entries(*vendors), redirectURI=f"{shop}/index.html")
    return f"{made['link']}?state=number-7"


def result(page: Any, shop: str) -> dict[str, list[str]]:
    """The members with which the browser has come back to the company."""
    page.wait_for_url(f"{shop}/index.html?*")
    return parse_qs(urlsplit(page.url).query)


@VIEWS
@pytest.mark.parametrize("vendor", list(TITLES))
def test_an_owner_chooses_allows_and_refuses(
    opened: Callable[..., Any], shop: str, company: Company, vendor: str, size: dict[str, int], dark: bool
) -> None:
    link = flow(company, shop, *TITLES, *TYPED)
    page = opened(link, size, dark=dark)
    checked(page, "choose")
    page.get_by_role("link", name=f"Continue with {TITLES[vendor]}", exact=True).click()
    allow(page)
    back = result(page, shop)
    assert back["state"] == ["number-7"]
    assert back.keys() == {"state", "grantID"}
    page = opened(link, size, dark=dark)
    page.get_by_role("link", name=f"Continue with {TITLES[vendor]}", exact=True).click()
    page.get_by_role("button", name="Refuse").click()
    assert result(page, shop)["error"] == ["access_denied"]


@VIEWS
@pytest.mark.parametrize("vendor", list(TYPED))
def test_an_owner_refuses_types_keys_in_and_corrects_them(
    opened: Callable[..., Any], shop: str, company: Company, vendor: str, size: dict[str, int], dark: bool
) -> None:
    link = flow(company, shop, vendor)
    page = opened(f"{link}&vendor={vendor}", size, dark=dark)
    page.get_by_role("button", name="Refuse").click()
    assert result(page, shop)["error"] == ["access_denied"]
    page = opened(link, size, dark=dark)
    page.get_by_role("link", name=f"Continue with {TYPED[vendor]}").press("Enter")
    checked(page, f"keys-{vendor}")
    for keys in (["1234567890123456789", "0" * 32], company.keys(vendor)):
        for field, key in zip(page.locator("main input[required]").all(), keys, strict=False):
            field.fill(key)
        page.get_by_role("button", name="Connect").click()
        if keys[0] == "1234567890123456789":
            page.get_by_role("alert").wait_for()
            checked(page, f"keys-refused-{vendor}")
    assert result(page, shop).keys() == {"state", "grantID"}


@VIEWS
def test_the_pages_of_a_window_and_of_e_mail_in_german(
    opened: Callable[..., Any], shop: str, company: Company, size: dict[str, int], dark: bool
) -> None:
    form = next(form for form in company.accounts["sma"]["credentials"] if form["type"] == "customgrant")
    id = company.post("/vendor-credentials", credentials={"vendor": "sma", **form})["id"]
    entries = [{"vendor": "sma", "credentials": {"credentialsID": id}}, *company.entries("tesla")]

    def visited(vendor: str) -> Any:
        session = company.post("/join/session/start", storeCredentials=True, vendors=entries)
        url = f"{company.site.url}/join/session/{session['sessionID']}/authorize?vendor={vendor}"
        return opened(url, size, dark=dark, language="de-DE")

    page = visited("sma")
    checked(page, "mail-de")
    page.get_by_label("E-Mail-Adresse Ihres Kontos bei SMA").fill("owner-2@example.com")
    page.get_by_role("button", name="E-Mail anfordern").click()
    page.get_by_role("heading", name="SMA fragt Sie per E-Mail").wait_for()
    checked(page, "asked-de")
    page = visited("tesla")
    allow(page)
    page.get_by_role("heading", name="Tesla ist verbunden").wait_for()
    checked(page, "success-de")
    page = visited("tesla")
    page.get_by_role("button", name="Refuse").click()
    page.get_by_role("heading", name="Ihre Geräte wurden nicht verbunden").wait_for()
    checked(page, "failure-de")
