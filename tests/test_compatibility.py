"""Every difference between this service and the public API stands in docs/compatibility.md, and no other."""

import json
import re
from collections import Counter

import pytest

from app.config import ROOT
from tests.api_differences import LESS, MORE, OTHER, Comparison, grouped

REFERENCE = ROOT / "tests/reference/derapi-openapi.json"
ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \| \*([^|*]+)\* \| ([^|]+) \|$", re.M)
EXTENSION, NOT_YET, NOT_OFFERED = "extension", "not yet", "not offered"
# What each kind of difference can be.
KINDS = {MORE: {EXTENSION}, LESS: {NOT_YET, NOT_OFFERED}, OTHER: {EXTENSION, NOT_YET, NOT_OFFERED}}


@pytest.fixture
def public():
    return json.loads(REFERENCE.read_text())


@pytest.fixture
def ours(http):
    return http.get("/openapi.json").json


def signs(public, ours):
    """The sign of every difference by its text and place."""
    comparison = Comparison(public, ours)
    return grouped(comparison.differences(), comparison.common)


def rows():
    """The rows of the document: difference, places, kind, reason."""
    return ROW.findall((ROOT / "docs/compatibility.md").read_text())


def test_every_difference_from_the_public_api_is_documented_and_no_other(public, ours):
    documented = Counter((difference, where) for difference, where, _, _ in rows())
    differences = signs(public, ours)
    missing = [
        f"| {difference} | {where} | *...* | ... |" for difference, where in differences.keys() - documented.keys()
    ]
    assert not missing, "docs/compatibility.md lacks:\n" + "\n".join(sorted(missing))
    gone = sorted(documented.keys() - differences.keys())
    assert not gone, f"docs/compatibility.md has differences that are gone: {gone}"
    assert set(documented.values()) == {1}


def test_what_the_service_has_in_addition_is_an_extension_and_what_it_lacks_is_not(public, ours):
    differences = signs(public, ours)
    for difference, where, kind, reason in rows():
        assert kind in KINDS[differences[difference, where]], (difference, where, kind)
        assert reason.strip(" .")


def changed(document, change):
    """A copy of a document in which `change` has changed something."""
    copy = json.loads(json.dumps(document))
    change(copy)
    return copy


def sites(document):
    return document["paths"]["/sites"]["get"]


@pytest.mark.parametrize(("change", "expected"), [
    (lambda ours: ours["paths"].pop("/batteries"), (LESS, "operation GET /batteries")),
    (lambda ours: ours["paths"].update({"/x": {"get": sites(ours)}}), (MORE, "operation GET /x")),
    (lambda ours: sites(ours)["parameters"].pop(2), (LESS, "parameter vendor")),
    (lambda ours: sites(ours)["parameters"][2].update(required=True), (OTHER, "parameter vendor is required")),
    (lambda ours: sites(ours)["parameters"][0]["schema"].update(type="number"), (OTHER, "number in place of integer")),
    (lambda ours: sites(ours)["parameters"][0]["schema"].update(maximum=10), (OTHER, "maximum 10")),
    (lambda ours: sites(ours)["responses"].pop("403"), (LESS, "status 403")),
    (lambda ours: sites(ours)["responses"].update({"418": {}}), (MORE, "status 418")),
    (lambda ours: ours["components"]["schemas"]["Site"]["properties"].pop("bess"), (LESS, "member bess")),
    (lambda ours: ours["components"]["schemas"]["Site"]["properties"].update(x={}), (MORE, "member x")),
    (lambda ours: ours["components"]["schemas"]["Site"]["required"].remove("name"), (OTHER, "member name is optional")),
    (lambda ours: ours["components"]["schemas"]["Battery"]["properties"]["mode"]["enum"].pop(), (LESS, "value Backup")),
    (lambda ours: ours["components"]["schemas"]["Battery"]["properties"]["mode"]["enum"].append("Off"),
     (MORE, "value Off")),
    (lambda ours: ours["components"]["schemas"]["Summary"]["properties"]["id"].update(type="integer"),
     (OTHER, "integer in place of string")),
    (lambda ours: ours["components"]["schemas"]["CreateVirtualBatteryRequest"]["properties"].pop("siteID"),
     (LESS, "member siteID")),
    (lambda ours: ours["components"]["schemas"]["Location"]["properties"].pop("lat"), (LESS, "member lat")),
    (lambda ours: ours["components"]["securitySchemes"]["vendor-sma"].update(name="X-sma"),
     (LESS, "parameter X-Authorization-sma")),
])  # fmt: skip
def test_a_new_difference_of_each_kind_is_noticed(public, ours, change, expected):
    before, after = (set(Comparison(public, each).differences()) for each in (ours, changed(ours, change)))
    assert expected in {(each.sign, each.text) for each in after - before}
