"""Signing in: secrets in memory only, and refusals in plain words."""

import json
from collections.abc import Callable

import pytest

from app.auth.sign_in_codes import SignInCodes
from app.storage.database import Database
from tests.browser.conftest import Site, Visit, put
from tests.browser.support import site_with_battery

pytestmark = [pytest.mark.exhaustive, pytest.mark.serial]
KEPT = (
    "() => ({...localStorage, ...sessionStorage, cookie: document.cookie, url: location.href, title: document.title})"
)


def test_secrets_are_in_the_memory_of_the_page_only(visit: Callable[..., Visit], site: Site) -> None:
    here = visit()
    headers = site.headers["solaredge"]
    here.sign_in("vendors", headers)
    here.page.locator("tr.read").first.wait_for()
    kept = json.dumps([here.page.evaluate(KEPT), here.page.context.storage_state(indexed_db=True), here.requests])
    for secret in (*site.clients["vendors"], *headers.values()):
        assert secret not in kept
        assert secret not in here.page.content()
    here.page.reload()
    assert here.page.get_by_label("Client secret").input_value() == ""
    assert here.page.locator("tbody").count() == 0


def test_signing_out_forgets_everything(visit: Callable[..., Visit]) -> None:
    here = visit()
    here.sign_in("small")
    here.page.locator("tr.read").first.wait_for()
    here.page.get_by_role("button", name="Sign out").click()
    assert here.page.get_by_label("Client secret").input_value() == ""
    assert here.page.get_by_label("Client id").input_value() == ""
    here.page.go_back()
    assert here.page.locator("tbody").count() == 0


def test_a_wrong_secret_gets_our_words_and_no_dialog(visit: Callable[..., Visit]) -> None:
    here = visit()
    here.expected = ("status of 401",)
    dialogs: list[object] = []
    here.page.on("dialog", lambda dialog: dialogs.append(dialog))
    here.sign_in("small", secret="wrong")
    alert = here.page.get_by_role("alert")
    alert.wait_for()
    assert "The client id or the secret is wrong." in alert.inner_text()
    assert not dialogs
    here.sign_in("small")
    here.page.locator("tr.read").first.wait_for()


def test_a_client_without_any_vendor_is_told_what_to_do(visit: Callable[..., Visit], site: Site) -> None:
    here = visit()
    here.expected = ("status of 403",)
    here.sign_in("vendors")
    panel = here.page.locator(".panel").first
    panel.wait_for()
    assert "No vendor is opened for this client." in panel.inner_text()
    panel.get_by_role("button", name="Vendor access").click()
    here.sign_in("vendors", site.headers["solaredge"])
    here.page.locator("tr.read").first.wait_for()


def test_a_vendor_that_fails_is_explained_and_the_others_are_shown(visit: Callable[..., Visit], site: Site) -> None:
    here = visit()
    put(f"{site.sandbox_url}/faults/solaredge", {"status": 503})
    try:
        wrong = {"X-Authorization-solis": "Basic d3Jvbmc6d3Jvbmc="}
        here.sign_in("vendors", site.headers["sma"] | site.headers["solaredge"] | wrong)
        here.page.locator("tr.read").first.wait_for()
    finally:
        put(f"{site.sandbox_url}/faults/solaredge", {})
    words = here.page.locator(".problems").inner_text()
    assert "solis refused the credential." in words
    assert "Get a new credential from the vendor" in words
    assert "solaredge" in words
    assert "a fault of the vendor" in words


def test_a_site_that_does_not_exist_is_explained(visit: Callable[..., Visit]) -> None:
    here = visit()
    here.expected = ("status of 404",)
    here.go("/fleet#/sites/site-0000000000000000")
    here.sign_in("small")
    panel = here.page.locator(".panel").first
    panel.wait_for()
    assert "There is nothing with this id" in panel.inner_text()
    here.page.get_by_role("link", name="Fleet").last.click()
    here.page.locator("tr.read").first.wait_for()


def test_a_server_that_does_not_answer_is_explained(visit: Callable[..., Visit]) -> None:
    here = visit()
    here.expected = ("ERR_FAILED",)
    here.go()
    here.page.route("**/oauth2/token", lambda route: route.abort())
    here.sign_in("small")
    here.page.get_by_role("alert").wait_for()
    assert "This server does not answer." in here.page.get_by_role("alert").inner_text()


def test_an_expired_token_is_renewed_without_a_word(visit: Callable[..., Visit], site: Site) -> None:
    here = visit()
    here.expected = ("status of 401",)
    path = f"/sites/{site_with_battery(site)}"
    body = json.dumps({"code": "invalid_token", "detail": "expired", "status": 401})
    refusal = {"status": 401, "content_type": "application/problem+json", "body": body}
    here.page.route(f"**{path}", lambda route: route.fulfill(**refusal), times=1)
    here.go(f"/fleet#{path}")
    here.sign_in("small")
    here.page.locator(".tiles").wait_for()
    assert len(here.details) == 2
    assert len(here.called("POST", "/oauth2/token")) == 2


def test_the_demo_s_link_signs_in_once_after_a_click(visit: Callable[..., Visit], site: Site) -> None:
    database = Database(site.database_url)
    code = SignInCodes(database).create(site.clients["small"][0])
    database.close()
    link = f"{site.url}/fleet#code={code}"
    here = visit()
    here.expected = ("status of 403",)
    here.page.goto(link)
    assert "code" not in here.page.url
    assert not here.called("/demo/sign-in")
    button = here.page.get_by_role("button", name="Show the demo's fleet")
    button.click()
    here.page.locator("tr.read").first.wait_for()
    assert code not in json.dumps([here.page.evaluate(KEPT), here.requests])
    here.page.goto("about:blank")
    here.page.goto(link)
    button.click()
    here.page.get_by_role("alert").wait_for()
    assert "was used before" in here.page.get_by_role("alert").inner_text()


def test_the_demo_s_link_also_signs_in_where_the_page_is_open_already(visit: Callable[..., Visit], site: Site) -> None:
    database = Database(site.database_url)
    code = SignInCodes(database).create(site.clients["small"][0])
    database.close()
    here = visit()
    here.go()
    here.page.evaluate("link => { location.href = link; }", f"/fleet#code={code}")
    here.page.get_by_role("button", name="Show the demo's fleet").click()
    here.page.locator("tr.read").first.wait_for()
    assert "code" not in here.page.url


@pytest.mark.parametrize("fragment", ["#/sites/%", "#/sites/..%2fvirtual%2fsites"])
def test_a_fragment_that_names_no_site_shows_the_list(visit: Callable[..., Visit], fragment: str) -> None:
    here = visit()
    here.go(f"/fleet{fragment}")
    here.sign_in("small")
    here.page.locator("tr.read").first.wait_for()
    assert not here.called("virtual")
