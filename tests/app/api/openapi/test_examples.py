"""The examples of /openapi.json are real responses, and fit the schemas that describe them."""

import json

import pytest

from app.api.openapi.examples import FILE
from app.api.openapi.operations import operations
from tests import api_examples


@pytest.fixture
def document(http):
    return http.get("/openapi.json").json


def strict(node):
    """A schema that refuses members which it does not describe."""
    if isinstance(node, dict):
        inner = {name: strict(value) for name, value in node.items()}
        return inner | ({"additionalProperties": False} if inner.get("additionalProperties") is True else {})
    return [strict(value) for value in node] if isinstance(node, list) else node


def faults(document, schema, value):
    """The reasons why the value does not fit the schema, which may refer to the document's components."""
    # Imported here: it compiles grammars for seconds, which each process of a test run would do to collect the tests.
    from openapi_schema_validator import OAS31Validator

    whole = strict({"components": document["components"]} | schema)
    return [error.message for error in OAS31Validator(whole).iter_errors(value)]


def contents(document):
    """Every schema of a body with its examples, and where they stand."""
    responses = document["components"]["responses"]
    for operation in operations(document):
        yield f"{operation.id} request", operation.members.get("requestBody", {})
        for status, response in operation.members["responses"].items():
            if "$ref" not in response:
                yield f"{operation.id} {status}", response
    yield from responses.items()


def test_every_operation_has_an_example_of_its_body_and_of_its_response(document):
    without = [
        where
        for where, described in contents(document)
        for media_type in described.get("content", {}).values()
        if not where.startswith(("Error", "getToken 4"))
        and not where.startswith(("getJoinFlowAuthorize", "joinAuthGranted"))
        and "examples" not in media_type
    ]
    assert without == []


@pytest.mark.exhaustive
def test_every_example_fits_its_schema_and_has_no_member_that_is_not_described(document):
    checked = 0
    for where, described in contents(document):
        for media_type in described.get("content", {}).values():
            for name, example in media_type.get("examples", {}).items():
                schema = media_type["schema"] | {}
                # allOf refuses, member by member, what only its other part describes.
                schema = schema["allOf"][0] if "allOf" in schema else schema
                assert faults(document, schema, example["value"]) == [], (where, name)
                checked += 1
    assert checked > 40


def test_an_example_with_another_type_or_an_unknown_member_would_be_noticed(document):
    schema = {"$ref": "#/components/schemas/Site"}
    site = document["paths"]["/sites/{id}"]["get"]["responses"]["200"]["content"]["application/json"]["examples"]
    value = site["example"]["value"]
    assert faults(document, schema, value) == []
    assert faults(document, schema, value | {"name": 7})
    assert faults(document, schema, value | {"colour": "red"})


def test_lists_show_both_representations_their_cost_and_a_vendor_that_fails(document):
    for path in ("/sites", "/solar-inverters", "/batteries"):
        content = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
        assert {"v1", "v2024-09-01", "a vendor fails", "dryRun"} <= set(content["examples"])
        assert content["examples"]["a vendor fails"]["value"]["errors"]


def test_every_problem_that_is_shown_stands_at_the_status_that_it_has(document):
    shown = 0
    for response in document["components"]["responses"].values():
        for content in response["content"].values():
            for code, example in content.get("examples", {}).items():
                members = content["schema"]["allOf"][1]["properties"]
                assert code == example["value"]["code"]
                assert code in members["code"]["enum"]
                assert example["value"]["status"] == members["status"]["const"]
                shown += 1
    assert shown >= 15


def test_the_examples_are_what_the_service_answers_now():
    assert json.loads(FILE.read_bytes()) == json.loads(api_examples.examples()), "`make docs` renews them"
