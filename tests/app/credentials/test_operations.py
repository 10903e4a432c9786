"""The five operations of /vendor-credentials: what they answer, store, change and delete."""

import json
import re

import pytest

from tests.app.credentials.support import PATH, VARIANTS, Caller, credentials, services
from vendors.kit.errors import Busy

pytestmark = pytest.mark.databases

ID = re.compile("cred-[0-9a-z]{16}")


def test_every_variant_of_the_public_documentation_is_stored_listed_and_shown(client):
    for vendor, type in VARIANTS:
        stored = client.store(vendor, type, name="roof")
        assert ID.fullmatch(stored["id"])
        assert stored == {"id": stored["id"], "name": "roof", "credentials": {"vendor": vendor, "type": type}}
        assert client.read(stored["id"]) == stored
        assert client.secrets(stored["id"]) == credentials(vendor, type)
    listed = client.list("?pageSize=1000")
    assert {(item["credentials"]["vendor"], item["credentials"]["type"]) for item in listed} == set(VARIANTS)
    assert [item["id"] for item in listed] == sorted(item["id"] for item in listed)
    declared = services(client.app).credentials.rules.variants
    assert {(vendor, type) for vendor, types in declared.items() for type in types} == set(VARIANTS)


def test_each_answer_has_the_secrets_exactly_if_they_are_asked_for(client):
    hidden = {"vendor": "sma", "type": "customgrant"}
    for query, expected in (("?includeSecrets=true", credentials()), ("?includeSecrets=false", hidden), ("", hidden)):
        stored = client.store(query=query)
        assert stored["credentials"] == expected
        assert client.read(stored["id"], query)["credentials"] == expected
        assert [item["credentials"] for item in client.list(query)] == [expected]
        assert client.patch(stored["id"], {"name": "x"}, query).json["credentials"] == expected
        assert client.delete(stored["id"], query) == 204
        assert client.list() == []


def test_any_other_spelling_of_include_secrets_is_a_400(client):
    id = client.store()["id"]
    paths = {"GET": (PATH, f"{PATH}/{id}"), "POST": (PATH,), "PATCH": (f"{PATH}/{id}",), "DELETE": (f"{PATH}/{id}",)}
    for method, path in ((name, path) for name, of_method in paths.items() for path in of_method):
        body = {"json": {"credentials": credentials()}} if method in ("POST", "PATCH") else {}
        for value in ("1", "yes", "True", "", "true&includeSecrets=true"):
            answer = client.call(method, f"{path}?includeSecrets={value}", **body)
            assert (answer.status_code, answer.json["code"]) == (400, "validation_error"), (method, path)
            assert "includeSecrets" in answer.json["detail"]
    assert [item["id"] for item in client.list()] == [id]


def test_names_are_made_by_vendor_and_need_not_be_unique(client, other):
    assert client.store()["name"] == "sma 1"
    assert client.store("solis", "apikeysecret")["name"] == "solis 1"
    second = client.store("sma", "oauthclient")
    assert second["name"] == "sma 2"
    assert other.store()["name"] == "sma 1"
    for _ in range(2):
        assert client.store(name="roof B")["name"] == "roof B"
    assert client.patch(second["id"], {"name": "renamed"}).json["name"] == "renamed"
    assert client.patch(second["id"], {"name": None}).json["name"] == "sma 2"


def test_the_same_credentials_can_be_stored_twice(client):
    assert client.store()["id"] != client.store()["id"]


def test_the_list_is_filtered_exactly_by_vendor_and_name(client):
    for variant, name in (
        (("sma", "customgrant"), "a"),
        (("sma", "oauthclient"), "A"),
        (("solis", "apikeysecret"), "a"),
    ):
        client.store(*variant, name=name)

    def listed(query):
        return sorted((item["credentials"]["type"], item["name"]) for item in client.list(query))

    assert listed("?vendor=sma") == [("customgrant", "a"), ("oauthclient", "A")]
    assert listed("?name=a") == [("apikeysecret", "a"), ("customgrant", "a")]
    assert listed("?vendor=sma&name=A") == [("oauthclient", "A")]
    for query in ("?vendor=solaredge", "?vendor=virtual", "?name=a%25", "?name=_", "?name=nothing"):
        assert listed(query) == []
    answer = client.get(f"{PATH}?vendor=smaa")
    assert (answer.status_code, answer.json["code"]) == (400, "validation_error")


def test_pages_are_complete_and_their_tokens_hold_for_the_query_and_client_only(client, other):
    ids = sorted(client.store(name="x" if number % 2 else "y")["id"] for number in range(7))
    other.store()
    seen, query = [], "?pageSize=3"
    while True:
        page = client.get(f"{PATH}{query}").json
        seen += [item["id"] for item in page["vendorCredentials"]]
        token = page.get("nextPageToken")
        if "nextPageToken" not in page:
            break
        query = f"?pageSize=3&pageToken={token}"
        for caller, more in ((other, ""), (client, "&name=x"), (client, "&vendor=sma")):
            answer = caller.get(f"{PATH}{query}{more}")
            assert (answer.status_code, answer.json["code"]) == (400, "invalid_page_token")
        # Whether secrets are shown does not change what is listed.
        assert client.get(f"{PATH}{query}&includeSecrets=true").status_code == 200
    assert seen == ids
    for size in ("0", "1001", "x"):
        assert client.get(f"{PATH}?pageSize={size}").status_code == 400


@pytest.mark.parametrize("kind", ["application/json", "application/merge-patch+json"])
def test_a_merge_patch_changes_what_it_names_and_nothing_else(client, kind):
    id = client.store(name="roof")["id"]
    for patch, name, changes in (
        ({}, "roof", {}),
        ({"name": "cellar"}, "cellar", {}),
        ({"credentials": {}}, "cellar", {}),
        ({"credentials": {"clientSecret": "new"}}, "cellar", {"clientSecret": "new"}),
        ({"credentials": {"vendor": "sma", "type": "customgrant", "clientID": "me"}}, "cellar", {"clientID": "me"}),
        ({"name": None, "credentials": {"clientSecret": "newer"}}, "sma 1", {"clientSecret": "newer"}),
    ):
        before = client.secrets(id)
        answer = client.patch(id, patch, kind=kind)
        assert answer.status_code == 200, answer.text
        assert (answer.json["id"], answer.json["name"]) == (id, name)
        assert answer.json["credentials"] == {"vendor": "sma", "type": "customgrant"}
        assert client.secrets(id) == before | changes


WRONG_PATCHES = [
    ({"credentials": {"vendor": "solis"}}, "credentials.vendor"),
    ({"credentials": {"vendor": "smasbox"}}, "credentials.vendor"),
    ({"credentials": {"vendor": None}}, "credentials.vendor"),
    ({"credentials": {"type": "oauthclient"}}, "credentials.type"),
    ({"credentials": {"type": None}}, "credentials.type"),
    ({"credentials": credentials("solaredge", "apikey")}, "credentials.vendor"),
    ({"credentials": {"clientSecret": None}}, "credentials.clientSecret"),
    ({"credentials": {"clientSecret": ""}}, "credentials.clientSecret"),
    ({"credentials": {"clientSecret": 7}}, "credentials.clientSecret"),
    ({"credentials": {"apiKey": "x"}}, "credentials.apiKey"),
    ({"credentials": {"apiKey": None}}, "credentials.apiKey"),
    ({"credentials": None}, "credentials"),
    ({"credentials": []}, "credentials"),
    ({"name": ""}, "name"),
    ({"name": 7}, "name"),
    ({"id": "cred-0000000000000000"}, "id"),
    ({"vendor": "sma"}, "vendor"),
]


def test_a_patch_that_leaves_no_valid_credentials_is_a_400_and_changes_nothing(client):
    id = client.store(name="roof")["id"]
    for patch, member in WRONG_PATCHES:
        answer = client.patch(id, {"name": "changed"} | patch)
        assert (answer.status_code, answer.json["code"]) == (400, "validation_error"), patch
        assert answer.json["detail"].startswith(f"{member}: "), patch
    assert client.read(id)["name"] == "roof"
    assert client.secrets(id) == credentials()


def test_a_deleted_row_is_gone_with_its_token_and_a_second_delete_is_a_404(client):
    id = client.store()["id"]
    tokens = services(client.app).credentials.tokens
    assert tokens.lease(id, "me", 60)
    assert client.delete(id) == 204
    assert client.delete(id) == client.get(f"{PATH}/{id}").status_code == client.patch(id, {}).status_code == 404
    assert client.list() == []
    with pytest.raises(Busy):
        tokens.lease(id, "me", 60)


def test_the_representation_is_the_same_in_every_version(app):
    client = Caller(app, "production", "v1")
    id = client.store(name="x")["id"]
    expected = {"vendorCredentials": [client.read(id)]}
    for version in ("v1", "v2024-09-01"):
        assert client.get(f"{PATH}?pageSize=1", {"api-version": version}).json == expected
    answer = client.get(PATH, {"api-version": "v9"})
    assert (answer.status_code, answer.json["code"]) == (400, "unknown_api_version")


def test_a_virtual_client_may_store_credentials_as_well(app):
    virtual = Caller(app, "virtual")
    id = virtual.store()["id"]
    assert virtual.secrets(id) == credentials()
    assert virtual.get("/sites").json["errors"] == {}


def test_headers_of_vendors_mean_nothing_here(client, network):
    answer = client.call("GET", PATH, headers={"X-Authorization-sma": "Bearer, broken", "X-Authorization-nobody": "x"})
    assert (answer.status_code, answer.json) == (200, {"vendorCredentials": []})


def test_the_operations_are_documented_with_both_types_of_a_patch_and_every_variant(http):
    document = http.get("/openapi.json").json
    operations = {**document["paths"][PATH], **document["paths"][f"{PATH}/{{id}}"]}
    bodies = operations["patch"]["requestBody"]["content"]
    assert set(bodies) == {"application/json", "application/merge-patch+json"}
    assert bodies["application/json"]["schema"] == bodies["application/merge-patch+json"]["schema"]
    schemas = document["components"]["schemas"]
    for name, required in (
        ("CreateVendorCredentialsRequest", 3),
        ("UpdateVendorCredentialsRequest", 0),
        ("VendorCredentials", 2),
    ):
        variants = schemas[name]["properties"]["credentials"]["anyOf"]
        members = {
            (variant["properties"]["vendor"]["enum"][0], variant["properties"]["type"]["enum"][0]): variant
            for variant in variants
        }
        assert set(members) == set(VARIANTS)
        assert len(members["solaredge", "apikey"]["required"]) == required
        assert {*members["solis", "apikeysecret"]["properties"]} == {"vendor", "type", "keyID", "keySecret"}
    assert "X-Authorization" not in json.dumps(operations)
