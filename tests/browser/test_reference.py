"""The API reference: authorise, fill in, send, and see the answer."""

import json
from collections.abc import Callable

import pytest

from tests.browser.conftest import Site, Visit
from tests.browser.support import violations
from tests.browser.test_accessibility import SCHEMES

pytestmark = [pytest.mark.exhaustive, pytest.mark.serial]


def authorize(here: Visit, client_id: str, secret: str) -> None:
    here.page.locator(".btn.authorize").first.click()
    here.page.get_by_label("client_id").fill(client_id)
    here.page.get_by_label("client_secret").fill(secret)
    here.page.locator(".auth-container").first.get_by_role("button", name="Authorize").click()


def test_a_request_is_authorized_sent_and_answered(visit: Callable[..., Visit], site: Site) -> None:
    here = visit()
    here.go("/apidocs/")
    authorize(here, *site.clients["vendors"])
    here.page.get_by_role("button", name="Logout").first.wait_for()
    (name, value), *_ = site.headers["solaredge"].items()
    container = here.page.locator(".auth-container").filter(has_text=name)
    container.locator("input").fill(value)
    container.get_by_role("button", name="Authorize").click()
    here.page.locator(".close-modal").click()
    here.page.locator(".opblock-summary-control").first.click()
    here.page.get_by_role("button", name="Execute").click()
    answer = here.page.locator(".live-responses-table")
    answer.wait_for()
    assert "200" in answer.inner_text()
    assert "/sites/site-" in answer.inner_text()
    kept = json.dumps([here.page.context.storage_state(indexed_db=True), here.page.url, here.requests])
    for secret in (*site.clients["vendors"], value):
        assert secret not in kept
    here.page.reload()
    here.page.locator(".btn.authorize.unlocked").first.wait_for()


def test_a_wrong_secret_is_reported_on_the_page(visit: Callable[..., Visit], site: Site) -> None:
    here = visit()
    here.expected = ("status of 401",)
    here.go("/apidocs/")
    authorize(here, site.clients["vendors"][0], "wrong")
    here.page.get_by_text("secret is wrong").first.wait_for()


@SCHEMES
def test_axe_finds_nothing_serious_in_it(visit: Callable[..., Visit], size: dict[str, int], dark: bool) -> None:
    here = visit(size, dark=dark)
    here.go("/apidocs/")
    here.page.locator(".opblock-summary-control").first.click()
    here.page.get_by_role("button", name="Execute").wait_for()
    here.expected = ("status of 401",)
    here.page.get_by_role("button", name="Execute").click()
    here.page.locator(".live-responses-table").wait_for()
    assert not violations(here)
    here.page.locator(".btn.authorize").first.click()
    here.page.get_by_label("client_id").wait_for()
    assert not violations(here)
