"""The fleet view reads what a person looks at, and nothing else."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import Visit, eventually
from tests.browser.support import IN_VIEW

pytestmark = [pytest.mark.exhaustive, pytest.mark.serial]
# Holds the requests for details of sites until `release` is called.
HELD = """() => {
  const [send, released] = [window.fetch, new Promise((resolve) => { window.release = resolve; })];
  window.fetch = async (path, options) => {
    if (path.includes("/site-")) await released;
    return send(path, options);
  };
}"""


def test_opening_a_fleet_of_a_thousand_sites_makes_one_list_and_reads_the_rows_in_view(
    visit: Callable[..., Visit],
) -> None:
    here = visit()
    running: set[Any] = set()
    most = 0

    def begin(request: Any) -> None:
        nonlocal most
        running.add(request)
        most = max(most, len(running))

    here.sign_in("large")
    here.page.on("request", begin)
    here.page.on("requestfinished", lambda request: running.discard(request))
    here.page.locator("tr.read").first.wait_for()
    here.settle()
    assert len(here.called("/sites?")) == 1
    in_view = here.page.evaluate(IN_VIEW)
    assert 3 < in_view < 30
    assert here.page.locator("tbody tr").count() == 1000
    assert len(here.details) == len(set(here.details)) == in_view
    assert most <= 4
    # A quick look at the end reads what is in view there, and not what was passed by.
    here.page.locator("tbody tr").last.scroll_into_view_if_needed()
    here.page.locator("tbody tr.read").last.wait_for()
    here.settle()
    assert in_view < len(here.details) <= in_view + here.page.evaluate(IN_VIEW) + 4


def test_a_site_that_is_opened_while_its_row_is_being_read_waits_for_that_answer(visit: Callable[..., Visit]) -> None:
    here = visit()
    here.go()
    here.page.evaluate(HELD)
    here.sign_in("small")
    row = here.page.locator("tbody tr.waiting").first
    row.get_by_role("link").click()
    here.page.locator(".site .waiting").wait_for()
    here.page.evaluate("() => release()")
    here.page.locator(".site .tiles").wait_for()
    opened = here.page.url.rpartition("/")[2]
    assert len([request for request in here.details if request.endswith(opened)]) == 1


def test_time_alone_reads_nothing_unless_it_is_switched_on(visit: Callable[..., Visit]) -> None:
    here = visit()
    here.page.clock.install()
    here.sign_in("small")
    here.page.locator("tr.read").first.wait_for()
    here.settle()
    before = len(here.requests)
    here.page.clock.run_for(30 * 60_000)
    here.settle()
    assert len(here.requests) == before
    here.page.get_by_label("every 5 minutes").check()
    here.page.clock.run_for(5 * 60_000 + 1000)
    eventually(lambda: len(here.requests) > before, here)
    here.settle()
    assert len(here.requests) - before <= here.page.evaluate(IN_VIEW)


def test_reading_all_first_says_how_many_requests_that_is(visit: Callable[..., Visit]) -> None:
    here = visit()
    here.sign_in("small")
    here.page.locator("tr.read").first.wait_for()
    here.settle()
    read = len(here.details)
    here.page.get_by_role("button", name="Read all").click()
    dialog = here.page.get_by_role("dialog")
    assert f"{50 - read} requests" in dialog.inner_text()
    here.page.keyboard.press("Escape")
    here.settle()
    assert len(here.details) == read
    here.page.get_by_role("button", name="Read all").click()
    dialog.get_by_role("button", name="Make").click()
    dialog.wait_for(state="detached")
    assert len(here.details) == len(set(here.details)) == 50
    assert here.page.locator("tr.read").count() == 50
    assert here.page.get_by_role("button", name="Read all").is_disabled()


def test_reading_all_can_be_stopped(visit: Callable[..., Visit]) -> None:
    here = visit()
    here.sign_in("large")
    here.page.locator("tr.read").first.wait_for()
    here.page.get_by_role("button", name="Read all").click()
    dialog = here.page.get_by_role("dialog")
    dialog.get_by_role("button", name="Make").click()
    dialog.get_by_role("button", name="Stop").click()
    dialog.wait_for(state="detached")
    here.settle()
    assert len(here.details) < 200
    assert here.page.locator("tr.waiting").count() == 0


def test_what_was_not_read_says_so_and_sorts_last_and_the_search_says_what_it_covers(
    visit: Callable[..., Visit],
) -> None:
    here = visit()
    here.sign_in("small")
    here.page.locator("tr.read").first.wait_for()
    here.settle()
    read = here.page.locator("tr.read").count()
    assert "not read" in here.page.locator("tbody tr").last.inner_text()
    assert f"cover the {read} sites read so far" in here.page.locator("#search-note").inner_text()
    header = here.page.get_by_role("button", name="Power now")
    for order in ("descending", "ascending"):
        header.click()
        assert here.page.locator("th.column-power").first.get_attribute("aria-sort") == order
        texts = here.page.locator("td.column-power").all_inner_texts()
        powers = [float(text.removesuffix(" kW").replace(",", "")) for text in texts[:read]]
        assert powers == sorted(powers, reverse=order == "descending")
    assert here.page.locator("tbody tr").last.get_attribute("class") == "unread"
    name = here.page.locator("tr.read a").first.inner_text()
    here.page.get_by_role("searchbox").fill(name.lower())
    assert name in here.page.locator("tbody tr a").all_inner_texts()
    here.page.get_by_role("searchbox").fill("no such site")
    assert here.page.locator("tbody tr").count() == 0
    assert "No site that was read matches" in here.page.locator(".empty").inner_text()
