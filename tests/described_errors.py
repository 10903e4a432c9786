"""Compares every error of the service that occurs in a test with the errors that /openapi.json describes."""

import re
from collections.abc import Iterator
from typing import Any

import flask
import pytest

from app.api.openapi.errors import codes_of
from app.api.openapi.operations import operations
from app.web.problems import MEDIA_TYPE

# By method and path, the codes of each status. All services of a test run have the same operations.
DESCRIBED: dict[tuple[str, str], dict[int, tuple[str, ...]]] = {}


def described(app: flask.Flask) -> dict[tuple[str, str], dict[int, tuple[str, ...]]]:
    """The codes of every operation by status."""
    if not DESCRIBED:
        # Not by a request, which would stand in the log of the test.
        document = flask.json.loads(app.view_functions["openapi_json"]().get_data())
        DESCRIBED.update({(each.method, each.path): codes_of(each) for each in operations(document)})
    return DESCRIBED


def undescribed(app: flask.Flask, response: Any) -> str:
    """The error that the description lacks; empty when it has this response's error."""
    rule = flask.request.url_rule
    if response.status_code < 400 or rule is None or response.mimetype != MEDIA_TYPE:
        return ""
    operation = flask.request.method.lower().replace("head", "get"), re.sub("<(.*?)>", r"{\1}", rule.rule)
    status, code = response.status_code, flask.json.loads(response.get_data())["code"]
    codes = described(app).get(operation)
    return "" if codes is None or code in codes.get(status, ()) else f"{operation}: {status} {code}"


@pytest.fixture(autouse=True)
def _every_error_is_described() -> Iterator[None]:
    lacking: list[str] = []

    def compare(sender: flask.Flask, response: Any, **_: Any) -> None:
        if "openapi_json" in sender.view_functions:
            lacking.append(undescribed(sender, response))

    with flask.request_finished.connected_to(compare):
        yield
    assert not any(lacking), f"app/api/openapi/errors.py lacks {set(filter(None, lacking))}"
