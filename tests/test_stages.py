"""Stages of a plugin: what each needs, and how the service answers for what lies beyond it."""

import re

import pytest

from tests.vendors.stages import problems_of_stage
from vendors.kit import Battery, Key, Level, Site, SolarInverter, Stage, Vendor, registry

HEADERS = {"X-Authorization-example": "Bearer sentinel-example-token-0123456789"}


class Example(Vendor):
    hosts = {"example": {"main": "https://api.example.test"}}

    def sites(self):
        yield from self.client.get("/sites").rows("sites", to=to_site)

    def devices(self, site=None):
        yield from self.client.get("/inverters").rows("inverters", to=to_inverter)


class ReadsOne(Example):
    stage = Stage.STATE

    def site(self, key: Key) -> Site:
        return Site(key=key, vendor_id=key[0], name="Roof")

    def battery(self, key: Key) -> Battery:
        return Battery(key=key, vendor_id=key[0], site_key=("1",), vendor_site_id="1")


def to_site(raw):
    return Site.listed(raw["id"], lambda raw: {"name": "Roof"}, raw)


def to_inverter(raw):
    return SolarInverter.listed((raw["id"],), raw["id"], "1", lambda raw: {}, raw)


@pytest.mark.parametrize("plugin", sorted(set(registry.discover().values()), key=lambda plugin: plugin.__name__))
def test_a_plugin_has_what_its_stage_promises_and_no_more(plugin):
    problems = list(problems_of_stage(plugin))
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(
    ("plugin", "problems"),
    [
        (Example, []),
        (ReadsOne, []),
        (type("Empty", (Vendor,), {}), ["Empty.stage is list: write sites()", "Empty.stage is list: write devices()"]),
        (
            type("Early", (Example,), {"stage": Stage.STATE}),
            ["Early.stage is state: write site()", "Early.stage is state: write solar_inverter() or battery()"],
        ),
        (
            type("Late", (ReadsOne,), {"stage": Stage.LIST}),
            [
                "Late.stage is list, and site() is there: declare stage = Stage.STATE",
                "Late.stage is list, and battery() is there: declare stage = Stage.STATE",
            ],
        ),
        (
            type(
                "Short",
                (ReadsOne,),
                {
                    "stage": Stage.SERIES,
                    "lacks": frozenset({"battery_intervals", "site_battery_intervals"}),
                    "solar_intervals": lambda self, key, level: None,
                },
            ),
            ['Short.stage is series: write site_solar_intervals(), or declare "site_solar_intervals" in lacks'],
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_a_stage_lacks_or_has_too_early_is_named(plugin, problems):
    assert list(problems_of_stage(plugin)) == problems


@pytest.fixture
def example(monkeypatch, request):
    """The vendor of this module is the only one of another package."""
    monkeypatch.setattr(registry, "_third_party", lambda: (Example,))
    return request.getfixturevalue("http")


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/solar-inverters/{inverter}", "example does not offer details of this, only its place in lists."),
        ("/sites/{site}", "example does not offer details of this, only its place in lists."),
        (
            "/solar-inverters/{inverter}/intervals?summaryLevel=day",
            f"example does not offer {Level.DAY} intervals for this id.",
        ),
    ],
)
def test_a_vendor_of_stage_list_is_listed_and_says_that_it_offers_no_more(path, detail, example, network, bearer):
    network.get(re.compile(".*/sites$"), json={"sites": [{"id": "1"}]})
    network.get(re.compile(".*/inverters$"), json={"inverters": [{"id": "5"}]})
    ids = {}
    for name, listed in (("site", "sites"), ("inverter", "solar-inverters")):
        answer = example.get(f"/{listed}", headers=bearer | HEADERS)
        assert answer.json["errors"] == {}
        (ids[name],) = (url.rsplit("/", 1)[1] for url in answer.json[listed])
    answer = example.get(path.format(**ids), headers=bearer | HEADERS)
    assert (answer.status_code, answer.json["code"], answer.json["detail"]) == (404, "not_offered", detail)


class Declared(Vendor):
    hosts = {"declared": {"main": "https://api.declared.test"}}
    stage = Stage.DECLARED


@pytest.fixture
def declared(monkeypatch, request):
    """The vendor of this name is the only one of another package."""
    monkeypatch.setattr(registry, "_third_party", lambda: (Declared,))
    return request.getfixturevalue("http")


def test_lists_name_a_declared_vendor_in_errors_and_no_call_is_made(declared, network, bearer):
    headers = bearer | {"X-Authorization-declared": "Bearer sentinel", "api-version": "v2024-09-01"}
    for listed in ("sites", "solar-inverters", "batteries"):
        answer = declared.get(f"/{listed}", headers=headers)
        assert answer.status_code == 200
        assert answer.json["errors"] == {"declared": "Not Implemented: this server cannot ask it yet"}
        details = answer.json["errorDetails"]["declared"]
        assert (details["code"], details["status"], details["fault"]) == ("not_asked_yet", 501, "server")
    assert not network.calls


def test_an_id_that_nothing_has_is_unknown_with_a_declared_vendor_too(declared, network, bearer):
    headers = bearer | {"X-Authorization-declared": "Bearer sentinel"}
    answer = declared.get("/sites/site-0n24071iuqm3i2jj", headers=headers)
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")
