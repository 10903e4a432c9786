"""docs/virtual.md as a newcomer follows it."""

import json
import re
import shlex

import pytest

from app.config import ROOT
from simulation.virtual import plausible_fleet
from tests.app.support import run

PAGE = (ROOT / "docs/virtual.md").read_text()
BASE = "http://127.0.0.1:8000"


def commands(program):
    """The words of the page's commands that begin with the program."""
    for line in re.sub(r"\\\n *", "", PAGE).splitlines():
        if line.startswith(f"    {program} "):
            yield shlex.split(line)


def test_the_requests_of_the_page_work_one_after_the_other(virtual):
    site, statuses = "", []
    for words in commands("curl"):
        path = next(word for word in words if word.startswith(BASE)).removeprefix(BASE).replace("$SITE", site)
        body = words[words.index("--json") + 1].replace("$SITE", site) if "--json" in words else None
        method = "DELETE" if "DELETE" in words else "POST" if body else "GET"
        assert "Authorization: Bearer $TOKEN" in words
        answer = virtual.call(method, path, data=body, content_type="application/json" if body else None)
        statuses.append(answer.status_code)
        site = site or answer.json["id"]
        if path.endswith("intervals"):
            assert len(answer.json["intervals"]) in (24, 25)
    assert statuses == [201, 201, 201, 200, 200, 200, 204]


def test_the_summary_of_the_page_is_that_of_its_command(app, virtual):
    shown = json.loads(re.search(r"```json\n(.*?)```", PAGE, re.S)[1])
    (words,) = (words for words in commands(".venv/bin/flask") if "virtual" in words and "seed" in words)
    sites = words[words.index("--sites") + 1]
    plans = plausible_fleet(int(sites))
    assert shown == {
        "client_id": shown["client_id"],
        "sites": len(plans),
        "solar_inverters": sum(len(plan.inverters) for plan in plans),
        "batteries": sum(plan.battery is not None for plan in plans),
        "time_zones": sorted({plan.timezone for plan in plans}),
    }
    result = run(app, *[virtual.id if word == "CLIENT_ID" else word for word in words[3:-1]], "2")
    assert json.loads(result.stdout).keys() == shown.keys()


@pytest.mark.parametrize("member", ["nameplateKwh", "location.timezone", "operationalSince", "stateOfChargePercent"])
def test_the_defaults_of_the_page_are_those_of_the_service(virtual, member):
    (row,) = re.findall(rf"^\| `{re.escape(member)}` \|.*\| (.*) \|$", PAGE, re.M)
    value = virtual.create("batteries" if member in ("nameplateKwh", "stateOfChargePercent") else "sites")
    for name in member.split("."):
        value = value[name]
    assert str(value).removesuffix(".0").replace("+00:00", "Z") in row
