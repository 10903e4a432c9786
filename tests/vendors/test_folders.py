"""The folders of recorded cases, `tests/vendors/<vendor>/`, by themselves: they can be written before the plugin."""

import json

import pytest

from tests.vendors import cases
from tests.vendors.cases import Case, RecordedReply
from tests.vendors.folders import problems_of
from vendors.kit import Request
from vendors.kit.registry import discover

FOLDERS = sorted({path.parent.name for name in ("cases.json", "headers.json") for path in cases.HERE.glob(f"*/{name}")})


@pytest.mark.parametrize("vendor", FOLDERS)
def test_a_folder_of_cases_is_complete_and_its_expected_records_can_be_made(vendor):
    problems = list(problems_of(vendor))
    if problems:
        pytest.fail("\n".join([f"tests/vendors/{vendor}:", *problems]), pytrace=False)


@pytest.mark.parametrize("vendor", FOLDERS)
def test_a_folder_of_cases_belongs_to_a_plugin(vendor):
    plugins = {next(iter(plugin.hosts)) for plugin in discover().values()}
    if vendor not in plugins:
        pytest.skip(f"there is no plugin of this name yet: vendors/{vendor}/ comes next")


DEVICE = {"record": "SolarInverter", "key": ["1"], "vendor_id": "1", "site_key": ["7"], "vendor_site_id": "7"}
CASE = {"read": "devices", "replies": {"/devices": "devices.json"}, "expected": "devices"}
HEADERS = {"sunny": {"X-Authorization-sunny": "Bearer sentinel"}}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Writes a folder of cases with one case."""
    monkeypatch.setattr(cases, "HERE", tmp_path)
    cases.content.cache_clear()

    def write(case=CASE, record=DEVICE, headers=HEADERS):
        (tmp_path / "sunny").mkdir()
        files = {"cases": [case], "devices": {}, "devices.expected": [record], "headers": headers}
        for name, value in files.items():
            (tmp_path / "sunny" / f"{name}.json").write_text(json.dumps(value))

    yield write
    cases.content.cache_clear()


def without(members, name):
    return {key: value for key, value in members.items() if key != name}


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ({"headers": {}}, "headers.json: the vendor sunny has no header X-Authorization-sunny"),
        ({"case": CASE | {"raed": 1}}, "cases.json, case 0: unknown members raed"),
        ({"case": CASE | {"read": "roof"}}, "cases.json, case 0: read is 'roof', not one of sites, devices, site"),
        ({"case": CASE | {"read": "site"}}, "cases.json, case 0: site needs key"),
        ({"case": CASE | {"read": "solar_intervals"}}, "case 0: solar_intervals needs end, key, level, now, start"),
        ({"case": without(CASE, "expected")}, "case 0: either expected, the name of a file, or failure"),
        ({"case": without(CASE, "expected") | {"failure": "odd"}}, "case 0: failure is 'odd', not one of api_retired"),
        ({"case": CASE | {"expected": "other"}}, "cases.json, case 0: other.expected.json is missing"),
        ({"case": CASE | {"replies": {"/devices": "no.json"}}}, "cases.json, case 0: no.json is missing"),
        ({"record": DEVICE | {"record": "Site"}}, "0: record is 'Site', not SolarInverter or Battery"),
        ({"record": without(DEVICE, "site_key")}, "devices.expected.json, 0: SolarInverter needs site_key"),
        ({"record": DEVICE | {"watts": 1}}, "devices.expected.json, 0: SolarInverter has no watts; its members are"),
    ],
)
def test_what_is_wrong_in_a_folder_is_named(folder, written, problem):
    folder(**written)
    (found,) = problems_of("sunny")
    assert problem in found


def test_a_folder_without_fault_has_no_problem(folder):
    folder()
    assert list(problems_of("sunny")) == []


def test_a_key_of_replies_with_a_query_answers_the_calls_that_have_its_parameters(folder, tmp_path):
    folder(case=CASE | {"replies": {"/a": "devices.json", "/a?x=1": "x.json", "/a?x=1&y=": "xy.json"}})
    for name in ("x", "xy"):
        (tmp_path / "sunny" / f"{name}.json").write_text(f'"{name}"')
    (case,) = cases.cases_of("sunny")
    transport = cases.RecordedTransport(case)
    answers = {"": "{}", "?y=1": "{}", "?x=1": '"x"', "?z=2&x=1": '"x"', "?y=&x=1": '"xy"', "?x=2": "{}"}
    for query, body in answers.items():
        assert transport.fetch(Request("GET", "", "/a", query), None).body.decode() == body
    assert transport.fetch(Request("GET", "", "/b", "?x=1"), None).status == 404
    assert transport.missing == ["/b?x=1"]


def test_a_reply_may_have_a_status_and_headers():
    reply = {"file": "429.json", "status": 429, "headers": {"Retry-After": "7"}}
    case = Case.of("sunny", {"read": "sites", "replies": {"/sites": reply}, "failure": "rate_limited"})
    assert case.replies == {"/sites": RecordedReply("429.json", 429, {"Retry-After": "7"})}
    assert case.name == "sunny-sites-rate_limited-429"


def test_differing_members_are_named_one_a_line_and_numbers_are_compared_approximately():
    expected = [{"bess": {"soc_percent": 55, "mode": "Backup"}, "power_kw": 0.1218}]
    actual = [{"bess": {"soc_percent": 54}, "power_kw": 0.12179999999999999, "name": "roof"}, {}]
    assert list(cases.differences(expected, actual)) == [
        "0.bess.soc_percent: expected 55, got 54",
        '0.bess.mode: expected "Backup", got null',
        '0.name: expected null, got "roof"',
        "1: expected null, got {}",
    ]
