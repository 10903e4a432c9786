"""axe-core finds nothing serious or critical in any state of a page, light and dark."""

from collections.abc import Callable

import pytest

from tests.browser.conftest import NARROW, WIDE, Site, Visit
from tests.browser.support import site_with_battery, violations

SCHEMES = pytest.mark.parametrize(("size", "dark"), [(WIDE, False), (NARROW, True)], ids=["light", "dark"])
ALL_SCHEMES = pytest.mark.parametrize(
    ("size", "dark"), [(size, dark) for size in (WIDE, NARROW) for dark in (False, True)]
)
pytestmark = [pytest.mark.exhaustive, pytest.mark.serial]


@ALL_SCHEMES
def test_the_first_page_and_errors(visit: Callable[..., Visit], size: dict[str, int], dark: bool) -> None:
    here = visit(size, dark=dark)
    here.expected = ("status of 404",)
    for path in ("/", "/nowhere", "/errors/rate_limited"):
        here.go(path)
        assert not violations(here)


@SCHEMES
def test_the_fleet_view(visit: Callable[..., Visit], site: Site, size: dict[str, int], dark: bool) -> None:
    here = visit(size, dark=dark)
    here.expected = ("status of 40",)
    here.go()
    assert not violations(here)
    here.sign_in("small", secret="wrong")
    here.page.get_by_role("alert").wait_for()
    here.page.get_by_label("By credentials that I enter").check()
    assert not violations(here)
    wrong = {"X-Authorization-solis": "Basic d3Jvbmc6d3Jvbmc="}
    here.sign_in("vendors", site.headers["solaredge"] | wrong)
    here.page.locator("tbody tr").nth(1).scroll_into_view_if_needed()
    here.page.locator("tr.read").first.wait_for()
    assert not violations(here)
    here.page.get_by_role("button", name="Vendor access").click()
    here.page.get_by_label("By the client itself").check()
    here.sign_in("vendors")
    here.page.locator(".panel").first.wait_for()
    assert not violations(here)


@SCHEMES
def test_the_page_of_a_site(visit: Callable[..., Visit], site: Site, size: dict[str, int], dark: bool) -> None:
    here = visit(size, dark=dark)
    here.expected = ("status of 404",)
    here.sign_in("small")
    here.page.locator("tbody tr").first.scroll_into_view_if_needed()
    here.page.locator("tr.read").first.wait_for()
    here.page.get_by_role("button", name="Read all").click()
    assert not violations(here)
    here.page.keyboard.press("Escape")
    here.go(f"/fleet#/sites/{site_with_battery(site)}")
    here.page.get_by_role("button", name="Battery: earlier").click()
    here.page.get_by_role("region", name="Battery", exact=True).get_by_role("slider").wait_for()
    here.page.get_by_text("Table").last.click()
    here.page.locator(".devices tr").last.scroll_into_view_if_needed()
    here.settle()
    assert not violations(here)
    here.go("/fleet#/sites/site-0000000000000000")
    here.page.locator(".panel").first.wait_for()
    assert not violations(here)
