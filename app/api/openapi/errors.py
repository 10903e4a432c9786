"""The errors of every operation: which codes a status may come with.

Each source of errors has a rule for the operations that it refuses requests of. tests/described_errors.py compares
every error that occurs in the test suite with this table.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.api import api_version, idempotency
from app.api.openapi.operations import Operation
from app.credentials.cipher import KeyMissing, Tampered
from app.credentials.opening import VariantUnknown
from app.fleet.vendor_access import UnknownVendor
from app.web.problems import MEDIA_TYPE
from vendors.kit import VendorError, errors

Codes = Mapping[int, tuple[str, ...]]


@dataclass(frozen=True)
class Source:
    """Errors that a group of operations shares. `name`: for the names of responses in the document."""

    name: str
    concerns: Callable[[Operation], bool]
    codes: Codes


# Why stored credentials cannot be used.
UNREADABLE = (KeyMissing, Tampered, VariantUnknown)


def _of_vendors() -> Codes:
    """The errors of reading one site or device at its vendor, from their classes."""
    codes: dict[int, tuple[str, ...]] = {404: ("not_found", "not_offered")}
    for kind in (*vars(errors).values(), *UNREADABLE, UnknownVendor):
        if isinstance(kind, type) and issubclass(kind, VendorError) and kind.code not in codes.get(kind.status, ()):
            codes[kind.status] = (*codes.get(kind.status, ()), kind.code)
    return codes


HTTP: Codes = {
    400: ("bad_request",),
    408: ("request_timeout",),
    413: ("content_too_large",),
    414: ("uri_too_long",),
    417: ("expectation_failed",),
    431: ("request_header_fields_too_large",),
    500: ("internal_server_error",),
    501: ("not_implemented",),
    503: ("service_unavailable",),
}
# Operations that answer under any host, without a database, and beyond the limit of an address.
FOR_MONITORING = ("getHealth", "getReadiness")
SOURCES = (
    Source("", lambda operation: True, HTTP),
    Source("Parameters", lambda operation: operation.id != "getToken", {400: ("validation_error",)}),
    Source("Limits", lambda operation: operation.id not in FOR_MONITORING, {429: ("too_many_requests",)}),
    Source("Login", lambda operation: operation.id == "getToken", {429: ("too_many_failed_logins",)}),
    Source(
        "Service",
        lambda operation: operation.id not in FOR_MONITORING,
        {400: ("unknown_host",), 503: ("database_unavailable",)},
    ),
    Source(
        "Ready",
        lambda operation: operation.id == "getReadiness",
        {503: ("migrations_pending", "stopping")},
    ),
    Source(
        "Token",
        lambda operation: operation.needs_token,
        {401: ("missing_token", "invalid_token"), 403: ("insufficient_scope",), 503: ("virtual_busy",)},
    ),
    Source("Version", lambda operation: api_version.HEADER in operation.parameters, {400: ("unknown_api_version",)}),
    Source("Page", lambda operation: "pageToken" in operation.parameters, {400: ("invalid_page_token",)}),
    Source("Header", lambda operation: operation.reads_vendors or operation.is_virtual, {400: ("invalid_header",)}),
    Source("Access", lambda operation: operation.reads_vendors, {403: ("vendor_access_missing",)}),
    Source("Vendor", lambda operation: operation.reads_vendors and "id" in operation.parameters, _of_vendors()),
    Source("Id", lambda operation: not operation.reads_vendors and "id" in operation.parameters, {404: ("not_found",)}),
    Source("Virtual", lambda operation: operation.is_virtual, {403: ("virtual_mode_required",)}),
    Source(
        "New",
        lambda operation: operation.is_virtual and operation.method == "post",
        {409: ("virtual_limit_reached",)},
    ),
    Source(
        "Credentials",
        lambda operation: operation.is_of_credentials,
        {503: ("credentials_not_configured", *(kind.code for kind in UNREADABLE))},
    ),
    Source("Control", lambda operation: operation.is_of_control, {400: ("control_unsupported",)}),
    Source(
        "Plan",
        lambda operation: operation.id == "putSiteBatteryControl",
        {409: ("control_conflict",), 429: ("write_budget_spent",)},
    ),
    Source("Session", lambda operation: "sessionID" in operation.parameters, {404: ("not_found",)}),
    Source(
        "StartSession",
        lambda operation: operation.id == "createJoinSession",
        {409: ("join_sessions_limit_reached",)},
    ),
    Source(
        "FetchToken",
        lambda operation: operation.id == "getJoinSessionToken",
        {409: ("join_pending", "join_token_fetched")},
    ),
    Source("MakeFlow", lambda operation: operation.id == "createJoinFlow", {409: ("join_flows_limit_reached",)}),
    Source("Used", lambda operation: operation.id == "deleteVendorCredentials", {409: ("credentials_in_use",)}),
    Source(
        "Orders",
        lambda operation: operation.id in ("deleteVendorCredentials", "deleteGrant"),
        {409: ("open_orders",)},
    ),
    Source("Lease", lambda operation: operation.id == "putSiteBatteryControl", {409: ("control_busy",)}),
    Source(
        "Key",
        lambda operation: idempotency.HEADER in operation.parameters,
        {409: ("idempotency_key_in_use",), 422: ("idempotency_key_reused",)},
    ),
    Source("Link", lambda operation: operation.id == "createConsentLink", {409: ("consent_not_renewable",)}),
    Source(
        "Stored", lambda operation: operation.id == "createVendorCredentials", {409: ("credentials_limit_reached",)}
    ),
)
# RFC 6750, section 3, and RFC 9110, section 10.2.3.
RETRY_AFTER = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}}}
HEADERS: Mapping[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": {"required": True, "schema": {"type": "string"}}},
    403: {"WWW-Authenticate": {"description": "With `insufficient_scope`.", "schema": {"type": "string"}}},
    **dict.fromkeys((429, 502, 503), RETRY_AFTER),
}


def add(operations: Iterable[Operation], examples: Mapping[str, Any]) -> dict[str, Any]:
    """Adds its errors to each operation; returns the responses that they refer to, by name.

    examples: problems by their code.
    """
    responses: dict[str, Any] = {}
    for operation in operations:
        # flask-smorest has added a reference for a wrong parameter.
        own = {
            status: response for status, response in operation.members["responses"].items() if "$ref" not in response
        }
        for name, status, codes in _errors(operation):
            response = _response(status, codes, examples)
            if str(status) in own:
                # The token endpoint, whose own errors have the form of RFC 6749, and pages for owners.
                own[str(status)]["content"] = {**own[str(status)]["content"], **response["content"]}
            else:
                responses[name] = response
                own[str(status)] = {"$ref": f"#/components/responses/{name}"}
        operation.members["responses"] = dict(sorted(own.items()))
    return responses


def codes_of(operation: Operation) -> dict[int, tuple[str, ...]]:
    """The codes of an operation's errors, by status."""
    return {status: codes for _, status, codes in _errors(operation)}


def _errors(operation: Operation) -> Iterator[tuple[str, int, tuple[str, ...]]]:
    """The name, status and codes of each error. The same name always has the same codes."""
    sources = [source for source in SOURCES if source.concerns(operation)]
    for status in sorted({status for source in sources for status in source.codes}):
        concerned = [source for source in sources if status in source.codes]
        name = "".join([f"Error{status}", *(source.name for source in concerned)])
        yield name, status, tuple(dict.fromkeys(code for source in concerned for code in source.codes[status]))


def _response(status: int, codes: tuple[str, ...], examples: Mapping[str, Any]) -> dict[str, Any]:
    members = {"status": {"const": status}, "code": {"enum": list(codes)}}
    schema = {"allOf": [{"$ref": "#/components/schemas/Problem"}, {"type": "object", "properties": members}]}
    content: dict[str, Any] = {"schema": schema}
    shown = {code: {"value": examples[code]} for code in codes if code in examples}
    if shown:
        content["examples"] = shown
    response: dict[str, Any] = {
        "description": f"One of {', '.join(f'`{code}`' for code in codes)}." if codes[1:] else f"`{codes[0]}`.",
        "content": {MEDIA_TYPE: content},
    }
    return response | ({"headers": HEADERS[status]} if status in HEADERS else {})
