"""Stored credentials belong to one client: to every other client their ids do not exist."""

import re

import pytest

from tests.app.credentials.support import PATH, credentials
from tests.app.virtual.operations import CREDENTIALS, requests_with_an_id

UNKNOWN = ("cred-0000000000000000", "site-0000000000000000", "x", "%00", "cred-0000000000000000%00", "CRED")
BODIES = [{}, {"name": "stolen"}, {"credentials": {"clientSecret": "stolen"}}, {"credentials": {"vendor": "solis"}},
          {"credentials": {"nonsense": 1}}, {"name": 7}]  # fmt: skip


def every_operation(id):
    """Method, path and further arguments of every request about one id."""
    for query in ("", "?nonsense=1"):
        yield "POST", f"{PATH}/{id}/check{query}", {}
    for query in ("", "?includeSecrets=true", "?includeSecrets=wrong", "?nonsense=1"):
        yield "GET", f"{PATH}/{id}{query}", {}
        yield "DELETE", f"{PATH}/{id}{query}", {}
        for body in BODIES:
            yield "PATCH", f"{PATH}/{id}{query}", {"json": body}


def stated(answer):
    """Status, headers and body of a problem, without what differs from request to request."""
    headers = {name: value for name, value in answer.headers.items() if name not in ("X-Request-ID", "Date")}
    return answer.status_code, headers, re.sub(rb'"requestId":"[^"]*"', b"", answer.data)


@pytest.mark.databases
def test_another_clients_id_gives_the_answer_of_an_unknown_one_byte_for_byte(client, other):
    stored = client.store(name="mine")
    for unknown in UNKNOWN:
        pairs = zip(every_operation(stored["id"]), every_operation(unknown), strict=True)
        for (method, path, options), (_, unknown_path, _) in pairs:
            answer = other.call(method, path, **options)
            assert stated(answer) == stated(other.call(method, unknown_path, **options)), (path, options)
            is_wrong = "wrong" in path or "nonsense" in path or options.get("json") == {"name": 7}
            assert answer.status_code == (400 if is_wrong else 404), (path, options)
    assert client.read(stored["id"]) == stored
    assert client.secrets(stored["id"]) == credentials()


@pytest.mark.databases
def test_every_documented_operation_that_takes_an_id_answers_another_client_as_for_an_unknown_one(
    client, other, http, network
):
    network.post(re.compile("https://"), status=401)  # A check of the client itself calls the vendor.
    id = client.store()["id"]
    requests = requests_with_an_id(http.get("/openapi.json").json, [CREDENTIALS])
    assert {request.method for request in requests} >= {"GET", "POST", "PATCH", "DELETE"}
    for request in requests:
        answer = request.send(other, {CREDENTIALS: id})
        assert stated(answer) == stated(request.send(other, {CREDENTIALS: UNKNOWN[0]})), request
        assert answer.status_code == 404, request
        assert request.send(client, {CREDENTIALS: client.store()["id"]}).status_code in (200, 204), request


@pytest.mark.databases
def test_a_deleted_id_of_the_client_itself_is_like_an_unknown_one(client):
    id = client.store()["id"]
    assert client.delete(id) == 204
    for (method, path, options), (_, unknown, _) in zip(every_operation(id), every_operation(UNKNOWN[0]), strict=True):
        assert stated(client.call(method, path, **options)) == stated(client.call(method, unknown, **options)), path


@pytest.mark.databases
def test_lists_and_filters_show_a_client_its_own_rows_only(client, other):
    mine = client.store(name="roof")
    theirs = other.store(name="roof")
    for query in ("", "?vendor=sma", "?name=roof", "?includeSecrets=true"):
        assert [item["id"] for item in client.list(query)] == [mine["id"]]
        assert [item["id"] for item in other.list(query)] == [theirs["id"]]


def test_without_a_token_every_operation_is_a_401(http):
    operations = [("GET", PATH), ("POST", PATH), *((method, f"{PATH}/x") for method in ("GET", "PATCH", "DELETE"))]
    operations.append(("POST", f"{PATH}/x/check"))
    for method, path in operations:
        assert http.open(path, method=method, json={}).status_code == 401
