"""The comparison of the errors that occur in tests with those that /openapi.json describes."""

import pytest

from app.web.problems import Problem
from tests.described_errors import undescribed


@pytest.mark.parametrize(
    ("path", "status", "code", "expected"),
    [
        ("/sites", 403, "vendor_access_missing", ""),
        ("/sites/site-1", 404, "not_found", ""),
        ("/sites", 404, "not_found", "('get', '/sites'): 404 not_found"),
        ("/sites/site-1", 404, "gone", "('get', '/sites/{id}'): 404 gone"),
        ("/nowhere", 404, "not_found", ""),
    ],
)
def test_an_error_of_an_operation_that_does_not_describe_it_is_noticed(app, path, status, code, expected):
    with app.test_request_context(path):
        assert undescribed(app, Problem(status, code, "It failed.").response()) == expected
