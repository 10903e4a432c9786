"""/vendor-credentials: clients store what opens their vendors, so that no request has to bring it.

Secrets are shown only where includeSecrets asks for them. The representation is the same in every API version.
"""

from dataclasses import asdict
from functools import partial
from typing import Any

import marshmallow as ma
import structlog
from flask import Response

from app.api import api_version, context, credential_check, row_pages
from app.api.schemas.vendor_credentials import (
    CreateVendorCredentialsRequest,
    CredentialCheckSchema,
    CredentialListQuery,
    DeleteCredentialsQuery,
    SecretsQuery,
    UpdateVendorCredentialsRequest,
    VendorCredentialsPage,
    VendorCredentialsSchema,
)
from app.api.services import services
from app.auth import bearer, scopes
from app.auth.scopes import Scope, needs
from app.credentials.rules import TYPE, VENDOR
from app.credentials.store import CredentialStore, Filters
from app.storage.credential_tables import VendorCredentialRow
from app.web.log import conceal
from app.web.problems import Problem
from app.web.strict_api import Blueprint
from vendors.kit.deadline import Deadline

PATH = "/vendor-credentials"
OPTIONS: dict[str, Any] = {"parameters": [api_version.PARAMETER]}
# No header of a vendor belongs to these operations.
ACCESS: dict[str, Any] = {"security": [{"derapi": []}]}
MERGE_PATCH = "application/merge-patch+json"

logger = structlog.stdlib.get_logger(__name__)

blueprint = Blueprint("VendorCredentials", __name__, description="Vendor credentials that clients store.")


@blueprint.before_request
def refuse_without_keys() -> None:
    """503 where nothing can be encrypted."""
    services().credentials.key_check.require_keys()


@blueprint.get(PATH, **OPTIONS)
@blueprint.doc(operationId="listVendorCredentials", **ACCESS)
@blueprint.arguments(CredentialListQuery(), location="query")
@blueprint.response(200, VendorCredentialsPage)
@needs(Scope.READ, Scope.CREDENTIALS)
def list_credentials(query: dict[str, Any]) -> dict[str, Any]:
    """Lists the credentials that the client has stored."""
    api_version.requested()
    _check_scope(query)
    filters = Filters(query.get("vendor"), query.get("name"))
    context.refuse_unknown_vendor(filters.vendor)
    read = partial(_store().rows_after, bearer.caller().id, filters)
    bound_to = [f"{name}={value}" for name, value in asdict(filters).items() if value is not None]
    return row_pages.page(query, read, lambda row: row.id, partial(_members, query), bound_to)


@blueprint.post(PATH, **OPTIONS)
@blueprint.doc(operationId="createVendorCredentials", **ACCESS)
@blueprint.arguments(SecretsQuery(), location="query")
@blueprint.arguments(CreateVendorCredentialsRequest())
@blueprint.response(201, VendorCredentialsSchema)
@needs(Scope.CREDENTIALS)
def create_credentials(query: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """Stores credentials, encrypted."""
    api_version.requested()
    _conceal(body)
    return _one(query, _store().create(bearer.caller().id, body.get("name"), body["credentials"]))


@blueprint.get(PATH + "/<id>", **OPTIONS)
@blueprint.doc(operationId="getVendorCredentials", **ACCESS)
@blueprint.arguments(SecretsQuery(), location="query")
@blueprint.response(200, VendorCredentialsSchema)
@needs(Scope.READ, Scope.CREDENTIALS)
def get_credentials(query: dict[str, Any], id: str) -> dict[str, Any]:
    """Reads stored credentials."""
    api_version.requested()
    _check_scope(query)
    return _one(query, _store().find(bearer.caller().id, id))


@blueprint.route(PATH + "/<id>", methods=["PATCH"], **OPTIONS)
@blueprint.doc(
    operationId="updateVendorCredentials",
    requestBody={"content": {MERGE_PATCH: {"schema": UpdateVendorCredentialsRequest}}},
    **ACCESS,
)
@blueprint.arguments(SecretsQuery(), location="query")
@blueprint.arguments(UpdateVendorCredentialsRequest())
@blueprint.response(200, VendorCredentialsSchema)
@needs(Scope.CREDENTIALS)
def update_credentials(query: dict[str, Any], body: dict[str, Any], id: str) -> dict[str, Any]:
    """Changes the name or the secrets of stored credentials."""
    api_version.requested()
    _conceal(body)
    return _one(query, _store().change(bearer.caller().id, id, body))


@blueprint.delete(PATH + "/<id>", **OPTIONS)
@blueprint.doc(operationId="deleteVendorCredentials", **ACCESS)
@blueprint.arguments(DeleteCredentialsQuery(), location="query")
@blueprint.response(204)
@needs(Scope.CREDENTIALS)
def delete_credentials(query: dict[str, Any], id: str) -> Response:
    """Deletes stored credentials, and the access token that was got with them."""
    api_version.requested()
    client_id, deadline = bearer.caller().id, Deadline(services().settings.request_deadline)
    before = services().open_orders.before_deletion(client_id, id, force=query["force"], deadline=deadline)
    if not _store().delete(client_id, id, before):
        raise _unknown_id()
    return Response(status=204)


@blueprint.post(PATH + "/<id>/check", **OPTIONS)
@blueprint.doc(operationId="checkVendorCredentials", **ACCESS)
@blueprint.arguments(ma.Schema(), location="query")
@blueprint.response(200, CredentialCheckSchema)
@needs(Scope.CREDENTIALS)
def check_credentials(query: dict[str, Any], id: str) -> dict[str, Any]:
    """Tries stored credentials with one call to their vendor."""
    api_version.requested()
    result = credential_check.checked(id, bearer.caller().id)
    if result is None:
        raise _unknown_id()
    return result


def _check_scope(query: dict[str, Any]) -> None:
    """Raises a 403 Problem for a token that may read, but no secrets."""
    if query["include_secrets"]:
        scopes.require(Scope.CREDENTIALS)


def _store() -> CredentialStore:
    return services().credentials.store


def _one(query: dict[str, Any], row: VendorCredentialRow | None) -> dict[str, Any]:
    """The members of a row; raises a 404 Problem when there is none."""
    if row is None:
        raise _unknown_id()
    return _members(query, row)


def _members(query: dict[str, Any], row: VendorCredentialRow) -> dict[str, Any]:
    """The members of a row, with its secrets if the query asks for them, which the log notes."""
    secrets: dict[str, str] = {}
    if query["include_secrets"]:
        secrets = _store().secrets(row)
        conceal(*secrets.values())
        logger.info("stored secrets shown", client=bearer.caller().id, row=row.id)
    return {"id": row.id, "name": row.name, "credentials": {VENDOR: row.vendor, TYPE: row.type, **secrets}}


def _conceal(body: dict[str, Any]) -> None:
    """Keeps the posted secrets out of the log of this request."""
    posted = body.get("credentials", {}).items()
    conceal(*(value for name, value in posted if name not in (VENDOR, TYPE) and isinstance(value, str)))


def _unknown_id() -> Problem:
    """404: the client has no such credentials, whether or not another client has."""
    return Problem(404, "not_found", "There are no stored credentials with this id.")
