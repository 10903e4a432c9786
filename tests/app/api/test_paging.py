"""Pages of a list, and the validation of its query parameters."""

import pytest

from app.api.paging import Pages
from app.web.problems import Problem
from tests.app.support import ALL, SOLIS, V2, ids_of


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("vendor=tesler", "vendor"),
        ("vendor=", "vendor"),
        ("vendor=sma&vendor=solis", "vendor"),
        ("color=red", "color"),
        ("vendorID=", "vendorID"),
        ("vendorSiteID=a%00b", "vendorSiteID"),
        ("pageSize=0", "pageSize"),
        ("pageSize=1001", "pageSize"),
        ("pageSize=many", "pageSize"),
        ("pageSize=", "pageSize"),
        ("pageToken=nonsense", "pageToken"),
        ("pageToken=", "pageToken"),
        ("pageToken=%C3%A4", "pageToken"),
    ],
)
def test_a_bad_query_is_a_400_that_names_the_parameter(get, clouds, query, parameter):
    answer = get(f"/solar-inverters?{query}", headers=ALL | V2)
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    assert parameter in answer.json["detail"]


@pytest.mark.parametrize("query", ["pageSize=10", "pageToken=x"])
def test_version_v1_has_no_pages_and_says_so(get, query):
    answer = get(f"/solar-inverters?{query}")
    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.json["detail"]
    assert "api-version: v2024-09-01" in answer.json["detail"]


def test_the_pages_together_are_the_whole_list_and_cost_no_new_calls(get, clouds):
    all_ids = [item["id"] for item in get(headers=ALL | V2).json["solarInverters"]]
    calls, pages, query = len(clouds.calls), [], "pageSize=4"
    while True:
        page = get(f"/solar-inverters?{query}", headers=ALL | V2).json
        pages.append([item["id"] for item in page["solarInverters"]])
        if "nextPageToken" not in page:
            break
        query = f"pageSize=4&pageToken={page['nextPageToken']}"
    assert pages == [all_ids[:4], all_ids[4:]]
    assert len(clouds.calls) == calls


def test_a_full_last_page_has_no_token(get, clouds):
    assert "nextPageToken" not in get("/solar-inverters?pageSize=6", headers=ALL | V2).json


def test_a_page_token_is_valid_only_for_its_query_and_client(get, http, new_client, clouds):
    token = get("/solar-inverters?pageSize=1", headers=ALL | V2).json["nextPageToken"]
    other_query = get(f"/solar-inverters?vendor=sma&pageToken={token}", headers=ALL | V2)
    assert (other_query.status_code, other_query.json["code"]) == (400, "invalid_page_token")
    other_client = http.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=new_client())
    headers = ALL | V2 | {"Authorization": f"Bearer {other_client.json['access_token']}"}
    assert http.get(f"/solar-inverters?pageToken={token}", headers=headers).status_code == 400


def test_a_page_token_works_in_another_process(get, settings, start_service, bearer, clouds):
    first = get("/solar-inverters?pageSize=4", headers=ALL | V2).json
    other = start_service(settings).test_client()
    second = other.get(f"/solar-inverters?pageToken={first['nextPageToken']}", headers=bearer | ALL | V2).json
    assert len(second["solarInverters"]) == 2


def test_a_page_token_with_a_letter_changed_is_refused():
    pages, query = Pages(["s" * 32]), ("client", "/sites")
    token = pages.token("site-0000000000000000", query)
    assert pages.read(token, query) == "site-0000000000000000"
    # Except the last letter, of which base64 ignores two bits: another letter may encode the same signature.
    for index, letter in enumerate(token[:-1]):
        changed = token[:index] + ("A" if letter != "A" else "B") + token[index + 1 :]
        with pytest.raises(Problem) as refused:
            pages.read(changed, query)
        assert (refused.value.status, refused.value.code) == (400, "invalid_page_token")


@pytest.mark.parametrize("token", ["", ".", "a.b", "é", "x" * 200])
def test_a_text_that_is_no_page_token_is_refused(token):
    with pytest.raises(Problem, match="pageToken does not belong to this query"):
        Pages(["s" * 32]).read(token, ("client", "/sites"))


def test_no_cache_forces_fresh_calls_and_a_failed_refresh_evicts_nothing(get, clouds):
    get()
    calls = len(clouds.calls)
    get()
    assert len(clouds.calls) == calls
    assert len(ids_of(get(headers=ALL | {"Cache-Control": "no-cache"}))) == 6
    assert len(clouds.calls) == 2 * calls
    clouds.replace("POST", f"{SOLIS}/v1/api/inverterList", status=500)
    assert "solis" in get(headers=ALL | {"Cache-Control": "no-cache"}).json["errors"]
    assert len(ids_of(get())) == 6
