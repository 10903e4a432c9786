"""Requests to the service and to the browser that several tests of pages share."""

import csv
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import requests

AXE = (Path(__file__).parent / "vendored/axe/axe.min.js").read_text()
V2 = {"api-version": "v2024-09-01"}
IN_VIEW = """() => [...document.querySelectorAll("tbody tr")].filter((row) => {
  const { top, bottom } = row.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
}).length"""


@cache
def token(url: str, auth: tuple[str, str]) -> str:
    answer = requests.post(f"{url}/oauth2/token", {"grant_type": "client_credentials"}, auth=auth, timeout=60)
    return str(answer.json()["access_token"])


def read(site: Any, name: str, path: str) -> Any:
    """The service's answer to a client."""
    headers = {"Authorization": f"Bearer {token(site.url, site.clients[name])}", **V2}
    return requests.get(site.url + path, headers=headers, timeout=60).json()


def site_with_battery(site: Any) -> str:
    """The id of a site with a battery of the small fleet."""
    return str(read(site, "small", "/virtual/batteries?pageSize=1")["virtualBatteries"][0]["siteID"])


def downloaded(visit: Any, button: Any) -> list[list[str]]:
    """The rows of the file that a button offers, as a spreadsheet reads them."""
    with visit.page.expect_download() as download:
        button.click()
    text = Path(download.value.path()).read_text(encoding="utf-8-sig")
    return list(csv.reader(StringIO(text)))


def violations(visit: Any) -> list[str]:
    """Serious and critical findings of axe-core."""
    visit.page.evaluate(AXE)
    result = visit.page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{rule['id']}: {[node['target'] for node in rule['nodes']]}"
        for rule in result["violations"]
        if rule["impact"] in {"serious", "critical"}
    ]
