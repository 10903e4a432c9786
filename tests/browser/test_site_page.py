"""A site's page: values that one can read, as a plot, with the keyboard, as a table and as a file."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import NARROW, Site, Visit, eventually
from tests.browser.support import downloaded, read, site_with_battery

pytestmark = [pytest.mark.exhaustive, pytest.mark.serial]
NO_SIDEWAYS_SCROLLING = "() => document.documentElement.scrollWidth <= innerWidth"

# When the sign-in began, and now, in milliseconds; and the bytes of the page and of all assets, as they were sent.
MEASURE = """() => {
  const loads = performance.getEntriesByType("resource");
  const assets = loads.filter(({ name }) => name.includes("/assets/"));
  const sent = [performance.getEntriesByType("navigation")[0], ...assets].map(({ transferSize }) => transferSize);
  const signIn = loads.find(({ name }) => name.includes("/oauth2/token"));
  return [signIn.startTime, performance.now(), sent.reduce((sum, size) => sum + size, 0)];
}"""


@pytest.fixture
def opened(visit: Callable[..., Visit], site: Site) -> Callable[..., Visit]:
    """Opens the page of a site with a battery, yesterday's plots in view."""

    def open_page(*size: dict[str, int], **options: Any) -> Visit:
        here = visit(*size, **options)
        here.go(f"/fleet#/sites/{site_with_battery(site)}")
        here.sign_in("small")
        for title in ("Solar power", "Battery"):
            here.page.get_by_role("button", name=f"{title}: earlier").click()
        plot(here, "Battery").wait_for()
        return here

    return open_page


def card(here: Visit, title: str) -> Any:
    return here.page.get_by_role("region", name=title, exact=True)


def plot(here: Visit, title: str) -> Any:
    return card(here, title).get_by_role("slider")


def intervals(here: Visit, series: str) -> list[dict[str, Any]]:
    """The intervals that the card has read last, from the service."""
    path = here.called(series, "15mins")[-1].partition(here.site.url)[2]
    return list(read(here.site, "small", path)["intervals"])


def test_the_arrow_keys_read_the_values_of_a_plot(opened: Callable[..., Visit]) -> None:
    here = opened()
    power = plot(here, "Solar power")
    power.wait_for()
    rows = intervals(here, "solar-intervals")
    total = sum(row["kwh"] for row in rows)
    assert abs(number(card(here, "Solar power").locator(".readout").inner_text()) - total) < 0.06
    power.focus()
    here.page.keyboard.press("Home")
    for _ in range(50):
        here.page.keyboard.press("ArrowRight")
    row = rows[50]
    text = power.get_attribute("aria-valuetext")
    assert text.startswith(f"{row['start'][11:16]} to {row['end'][11:16]}: power ")
    assert abs(number(text.partition("power ")[2]) - 4 * row["kwh"]) < 0.006
    assert card(here, "Solar power").locator(".readout").inner_text() == text
    here.page.keyboard.press("End")
    assert power.get_attribute("aria-valuenow") == str(len(rows) - 1)


def test_the_pointer_reads_the_values_of_a_plot(opened: Callable[..., Visit]) -> None:
    here = opened()
    readout = card(here, "Battery").locator(".readout")
    assert "charged" in readout.inner_text()
    plot(here, "Battery").hover()
    eventually(lambda: "state of charge" in readout.inner_text(), here)
    assert re.match(r"\d\d:\d\d to \d\d:\d\d: charging .* kW, discharging .* kW, state of charge", readout.inner_text())


def test_the_table_and_the_file_have_what_the_api_has(opened: Callable[..., Visit]) -> None:
    here = opened()
    rows = intervals(here, "battery-intervals")
    battery = card(here, "Battery")
    battery.get_by_text("Table").click()
    cells = battery.locator("tbody tr").first.locator("td").all_inner_texts()
    assert cells[:2] == [rows[0]["start"][:16].replace("T", " "), rows[0]["end"][:16].replace("T", " ")]
    assert battery.locator("tbody tr").count() == len(rows)
    head, *lines = downloaded(here, battery.get_by_role("button", name="CSV"))
    assert head == ["site", "start", "end", "charging_kw", "discharging_kw", "state_of_charge_percent", "quality"]
    assert [line[1:3] for line in lines] == [[row["start"], row["end"]] for row in rows]
    for line, row in zip(lines, rows, strict=True):
        assert float(line[3]) == pytest.approx(4 * row["chargeKwh"], abs=1e-5)
        assert float(line[5]) == row["stateOfChargePercent"]


def test_energy_is_shown_by_month_and_by_year_and_back_in_time(opened: Callable[..., Visit]) -> None:
    here = opened()
    energy = card(here, "Solar energy")
    plot(here, "Solar energy").wait_for()
    energy.get_by_role("button", name="Year").click()
    eventually(lambda: bool(here.called("summaryLevel=month")), here)
    energy.get_by_role("button", name="earlier").click()
    eventually(lambda: len(here.called("summaryLevel=month")) == 2, here)
    plot(here, "Solar energy").focus()
    here.page.keyboard.press("Home")
    assert re.match(r"\d{4}-01: energy ", plot(here, "Solar energy").get_attribute("aria-valuetext"))
    for _ in range(20):
        energy.get_by_role("button", name="earlier").click()
    energy.get_by_text("Nothing was reported for").wait_for()


def test_devices_are_shown_with_their_status(opened: Callable[..., Visit]) -> None:
    here = opened()
    devices = here.page.locator(".devices tbody tr")
    devices.last.scroll_into_view_if_needed()
    eventually(lambda: "not read" not in here.page.locator(".devices").inner_text(), here)
    here.settle()
    assert "battery" in devices.last.inner_text()
    assert "normal" in here.page.locator(".devices").inner_text()


def test_a_fleet_is_read_with_the_keyboard_only(visit: Callable[..., Visit], site: Site) -> None:
    here = visit()
    here.go()
    press = here.page.keyboard.press

    def tab_to(selector: str) -> None:
        for _ in range(60):
            press("Tab")
            if here.page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"{selector} cannot be reached")

    client_id, secret = site.clients["small"]
    tab_to("[name=id]")
    here.page.keyboard.type(client_id)
    press("Tab")
    here.page.keyboard.type(secret)
    press("Enter")
    here.page.locator("tr.read").first.wait_for()
    here.settle()
    assert here.page.evaluate("document.activeElement.textContent") == "Fleet"
    tab_to("thead button")
    press("Enter")
    tab_to("tbody a")
    name = here.page.evaluate("document.activeElement.textContent")
    press("Enter")
    here.page.locator(".cards").wait_for()
    assert name in here.page.locator("h1").inner_text()
    here.page.get_by_role("slider").first.wait_for()
    tab_to("[role=slider]")
    press("End")
    assert " to " in here.page.evaluate("document.activeElement.getAttribute('aria-valuetext')")
    here.page.go_back()
    here.page.locator("tr.read").first.wait_for()


def test_a_phone_shows_everything_without_scrolling_sideways(opened: Callable[..., Visit]) -> None:
    here = opened(NARROW, dark=True)
    assert here.page.evaluate(NO_SIDEWAYS_SCROLLING)
    here.page.get_by_role("link", name="Fleet").last.click()
    here.page.locator("tbody tr").nth(8).scroll_into_view_if_needed()
    here.page.locator("tr.read").first.wait_for()
    assert here.page.evaluate(NO_SIDEWAYS_SCROLLING)
    for path in ("/", "/nowhere"):
        here.expected = ("status of 404",)
        here.go(path)
        assert here.page.evaluate(NO_SIDEWAYS_SCROLLING)


def test_the_first_plot_with_50_sites_is_there_soon(
    visit: Callable[..., Visit], site: Site, report: Callable[[str], None]
) -> None:
    here = visit()
    here.sign_in("small")
    here.page.locator("tr.read a").first.click()
    here.page.get_by_role("slider").first.wait_for()
    signed_in, drawn, loaded = here.page.evaluate(MEASURE)
    seconds = (drawn - signed_in) / 1000
    report(f"/fleet loads {loaded / 1000:.0f} KB; its first plot was drawn {seconds:.1f} s after signing in")
    assert loaded < 150_000


def number(text: str) -> float:
    """The first number of a text."""
    match = re.search(r"[\d,]+(\.\d+)?", text)
    assert match is not None
    return float(match[0].replace(",", ""))
