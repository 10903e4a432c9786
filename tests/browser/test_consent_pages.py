"""An owner at the played vendors' pages of consent, at desktop and phone width."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

import sandbox
from sandbox.server import running
from tests.browser.conftest import MILLISECONDS, NARROW, WIDE
from tests.browser.support import violations

pytestmark = [pytest.mark.exhaustive, pytest.mark.serial]
SCOPES = {"tesla": "openid offline_access energy_device_data", "sma": "offline_access", "solaredge": "SITE_DATA"}
VENDORS = ("enphase", "tesla", "sma", "smasbox", "solaredge")
VIEWS = pytest.mark.parametrize(("size", "dark"), [(WIDE, False), (NARROW, True)], ids=["desktop", "phone"])


class Visit(NamedTuple):
    """A page in the browser."""

    page: Any


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    with running(sandbox.create_app(3, 1)) as url:
        yield url


@pytest.fixture
def opened(chromium: Any, sandbox_url: str) -> Iterator[Callable[..., Any]]:
    """Opens a vendor's page of consent as an application sends an owner there; the browser runs no script."""
    contexts: list[Any] = []

    def open_page(vendor: str, size: dict[str, int], *, dark: bool) -> Any:
        known = requests.get(f"{sandbox_url}/", timeout=60).json()["vendors"][vendor]["consent"]
        query = {"response_type": "code", "client_id": known["clientID"], "state": "s 1"}
        query |= {"redirect_uri": f"{sandbox_url}/truth", "scope": SCOPES.get(vendor, "")}
        contexts.append(chromium.new_context(viewport=size, color_scheme="dark" if dark else "light"))
        page = contexts[-1].new_page()
        page.set_default_timeout(MILLISECONDS)
        page.goto(f"{known['url']}?{urlencode(query)}")
        return page

    yield open_page
    for context in contexts:
        context.close()


def callback(page: Any, sandbox_url: str) -> dict[str, list[str]]:
    """The members with which the browser came back to the application."""
    page.wait_for_url(f"{sandbox_url}/truth?*")
    return parse_qs(urlsplit(page.url).query)


@VIEWS
@pytest.mark.parametrize("vendor", VENDORS)
def test_an_owner_allows_it(
    opened: Callable[..., Any], sandbox_url: str, vendor: str, size: dict[str, int], dark: bool
) -> None:
    page = opened(vendor, size, dark=dark)
    assert not violations(Visit(page))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert all(button.bounding_box()["height"] >= 44 for button in page.get_by_role("button").all())
    page.get_by_label("Sign in as").select_option("owner-1@example.com")
    page.get_by_role("button", name="Allow", exact=True).click()
    back = callback(page, sandbox_url)
    assert back["state"] == ["s 1"]
    assert len(back["code"]) == 1
    newest = requests.get(f"{sandbox_url}/consents/{vendor}", timeout=60).json()["consents"][-1]
    assert (newest["owner"], newest["state"]) == ("owner-1@example.com", "accepted")


@VIEWS
@pytest.mark.parametrize("vendor", VENDORS)
def test_an_owner_decides_later_and_then_refuses(
    opened: Callable[..., Any], sandbox_url: str, vendor: str, size: dict[str, int], dark: bool
) -> None:
    page = opened(vendor, size, dark=dark)
    page.get_by_role("button", name="Decide later").click()
    page.get_by_role("heading", name="You can close this window").wait_for()
    assert not violations(Visit(page))
    page.get_by_role("link", name="Back to the question").click()
    page.get_by_role("button", name="Refuse").press("Enter")
    back = callback(page, sandbox_url)
    assert (back["error"], back["state"]) == (["access_denied"], ["s 1"])
