"""Names, serial numbers and messages come from strangers: they stay text in page, plot, table and file.

The service's answers are changed on their way to the browser, in every member that a stranger can fill.
"""

import csv
import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest

from tests.browser.conftest import Site, Visit
from tests.browser.support import downloaded, site_with_battery

pytestmark = [pytest.mark.exhaustive, pytest.mark.serial]

MARKUP = "<img src=x onerror=\"document.title='broken in'\">"
# An override that would turn the rest of the line around, and an isolate that never ends.
TURNED = "safe\u202egnp.exe\u2067"
FORMULA = '=HYPERLINK("http://evil.example","click")'
HOSTILE = f"{FORMULA} {MARKUP} {TURNED}"
FAILURE = {"code": "odd", "status": 502, "detail": HOSTILE, "fault": HOSTILE, "action": HOSTILE, "url": HOSTILE}


def hostile(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer with hostile text in every member that a stranger can fill."""
    members = ("name", "vendorID", "serialNumber", "model", "vendorStatus", "vendor", "kind", "status")
    changed = answer | {member: HOSTILE for member in members if member in answer}
    if "serialNumber" in answer:
        changed["recentErrors"] = [{"error": HOSTILE}, {"warning": HOSTILE}, {"start": "2026-01-01T00:00:00+00:00"}]
        changed["vendorStatus"] = HOSTILE
    return changed | {"errors": {HOSTILE: HOSTILE}, "errorDetails": {HOSTILE: FAILURE}}


@pytest.fixture
def here(visit: Callable[..., Visit], site: Site) -> Visit:
    """A visit in which every answer is hostile."""
    visited = visit()

    def change(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=json.dumps(hostile(answer.json())))

    for path in ("sites", "solar-inverters", "batteries"):
        visited.page.route(f"**/{path}**", change)
    return visited


def check(here: Visit) -> None:
    """The hostile text is shown as it is, without its marks, and has done nothing."""
    text = here.page.locator("#view").inner_text()
    assert MARKUP in text
    assert FORMULA in text
    content = here.page.content()
    for mark in ("\u202e", "\u2067"):
        assert mark not in content
        assert mark not in here.page.title()
    assert here.page.title().endswith("derapi-server")
    assert here.page.locator("#view img, #view script, #view a[href^=http]").count() == 0
    assert not here.called("evil.example")


def test_the_list_and_its_file_stay_harmless(here: Visit) -> None:
    here.sign_in("small")
    here.page.locator("tr.read").first.wait_for()
    here.settle()
    check(here)
    head, *rows = downloaded(here, here.page.get_by_role("button", name="CSV"))
    assert rows
    for row in rows:
        cells = dict(zip(head, row, strict=True))
        assert cells["name"].startswith(f"'{FORMULA}")
        assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
        assert not [cell for cell in row if "\u202e" in cell]


def test_the_page_of_a_site_its_plots_tables_and_files_stay_harmless(here: Visit, site: Site) -> None:
    here.go(f"/fleet#/sites/{site_with_battery(site)}")
    here.sign_in("small")
    battery = here.page.get_by_role("region", name="Battery", exact=True)
    battery.get_by_role("button", name="earlier").click()
    battery.get_by_role("slider").wait_for()
    battery.get_by_text("Table", exact=True).click()
    here.page.locator(".devices tr").last.scroll_into_view_if_needed()
    here.page.locator(".messages").first.scroll_into_view_if_needed()
    here.settle()
    check(here)
    assert here.page.locator("bdi").count() > 3
    _, *rows = downloaded(here, battery.get_by_role("button", name="CSV"))
    assert rows[0][0].startswith(f"'{FORMULA}")


def test_a_refusal_with_hostile_text_stays_harmless(visit: Callable[..., Visit]) -> None:
    here = visit()
    here.expected = ("status of 502",)
    body = json.dumps(FAILURE | {"vendor": HOSTILE, "requestId": HOSTILE})
    here.page.route("**/sites**", lambda route: route.fulfill(status=502, content_type="application/json", body=body))
    here.sign_in("small")
    here.page.locator(".panel").first.wait_for()
    check(here)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "\u202e=1", "＝1", '"=1', 'a"b,c\nd'])
def test_no_cell_of_a_file_is_a_formula(visit: Callable[..., Visit], text: str) -> None:
    here = visit()
    here.go()
    written = here.page.evaluate(
        """async ([url, text]) => (await import(url)).csv(["a"], [[text, null, -1.5, 0]])""",
        [module(here, "csv.js"), text],
    )
    _, (cell, *numbers) = csv.reader(StringIO(written))
    assert numbers == ["", "-1.5", "0"]
    assert cell[:1] not in {"=", "+", "-", "@", "＝", "\t"}
    assert cell.endswith(text[-1])


def test_no_cell_is_a_formula_where_the_semicolon_separates_cells(visit: Callable[..., Visit]) -> None:
    here = visit()
    here.go()
    written = here.page.evaluate(
        """async (url) => (await import(url)).csv(["a"], [["x;=1+1; @A1;y"], [";;-1"]])""", module(here, "csv.js")
    )
    assert written.splitlines()[1:] == ["x;'=1+1; '@A1;y", ";;'-1"]


def module(here: Visit, name: str) -> str:
    """The URL of a script of the fleet view."""
    return str(here.page.locator(f"link[rel=modulepreload][href$='/{name}']").get_attribute("href"))
