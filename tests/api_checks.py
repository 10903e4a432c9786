"""A check for schemathesis, which loads this module: valid requests are accepted, but for the exemptions."""

from collections.abc import Iterator, Mapping
from typing import Any

import schemathesis
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.api_exemptions import concerning


@schemathesis.check
def valid_requests_are_accepted(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> bool | None:
    parameters = dict(case.headers or {}) | dict(case.path_parameters or {}) | dict(case.query or {})
    parameters |= dict(_members(case.body)) | {case.operation.path.rpartition("/")[2]: None}
    return None if concerning(parameters) else positive_data_acceptance(ctx, response, case)


def _members(body: Any) -> Iterator[tuple[str, Any]]:
    """All members of a body, with those of the objects in it."""
    if isinstance(body, Mapping):
        for name, value in body.items():
            yield name, value
            yield from _members(value)
