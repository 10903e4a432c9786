"""/grants: what owners of devices have granted to the client. No secret is ever shown.

The representation is the same in every API version.
"""

from datetime import UTC, datetime
from functools import partial
from typing import Any

import marshmallow as ma
from flask import request

from app.api import api_version, context, row_pages
from app.api.schemas.grants import ConsentLinkSchema, DeletedGrantSchema, GrantListQuery, GrantSchema, GrantsPage
from app.api.schemas.vendor_credentials import ForceQuery
from app.api.services import services
from app.auth import bearer
from app.auth.scopes import Scope, needs
from app.credentials.grants import GrantFilters
from app.credentials.status import Status
from app.storage.grant_table import GrantRow
from app.web.problems import Problem
from app.web.strict_api import Blueprint
from vendors.kit.deadline import Deadline
from vendors.kit.variants import CodeGrant

PATH = "/grants"
OPTIONS: dict[str, Any] = {"parameters": [api_version.PARAMETER]}
# No header of a vendor belongs to these operations.
ACCESS: dict[str, Any] = {"security": [{"derapi": []}]}
REVOCATION = {True: "done", False: "failed", None: "not_offered"}

blueprint = Blueprint("Grants", __name__, description="Grants: consents that owners of devices have given.")


@blueprint.before_request
def refuse_without_keys() -> None:
    """503 where nothing can be encrypted."""
    services().credentials.key_check.require_keys()


@blueprint.get(PATH, **OPTIONS)
@blueprint.doc(operationId="listGrants", **ACCESS)
@blueprint.arguments(GrantListQuery(), location="query")
@blueprint.response(200, GrantsPage)
@needs(Scope.CREDENTIALS)
def list_grants(query: dict[str, Any]) -> dict[str, Any]:
    """Lists what owners have granted to the client."""
    api_version.requested()
    filters = GrantFilters(query.get("vendor"), query.get("status"))
    context.refuse_unknown_vendor(filters.vendor)
    services().pending_consents.look(bearer.caller().id)
    bound_to = [f"{name}={query[name]}" for name in ("vendor", "status") if name in query]
    read = partial(services().grants.rows_after, bearer.caller().id, filters)
    return row_pages.page(query, read, lambda grant: grant.id, _members, bound_to)


@blueprint.get(PATH + "/<id>", **OPTIONS)
@blueprint.doc(operationId="getGrant", **ACCESS)
@blueprint.arguments(ma.Schema(), location="query")
@blueprint.response(200, GrantSchema)
@needs(Scope.CREDENTIALS)
def get_grant(query: dict[str, Any], id: str) -> dict[str, Any]:
    """Reads a grant."""
    api_version.requested()
    services().pending_consents.look(bearer.caller().id, _found(id).id)
    return _members(_found(id))


@blueprint.delete(PATH + "/<id>", **OPTIONS)
@blueprint.doc(operationId="deleteGrant", **ACCESS)
@blueprint.arguments(ForceQuery(), location="query")
@blueprint.response(200, DeletedGrantSchema)
@needs(Scope.CREDENTIALS)
def delete_grant(query: dict[str, Any], id: str) -> dict[str, Any]:
    """Deletes a grant, and ends it at its vendor where the vendor offers that."""
    api_version.requested()
    client_id, deadline = bearer.caller().id, Deadline(services().settings.request_deadline)
    before = services().open_orders.before_deletion(client_id, id, force=query["force"], deadline=deadline)
    deleted = services().grants.delete(client_id, id, before=before)
    if deleted is None:
        raise _unknown_id()
    return {"id": id, "vendorRevocation": REVOCATION[deleted.revoked]}


@blueprint.post(PATH + "/<id>/consent-link", **OPTIONS)
@blueprint.doc(operationId="createConsentLink", **ACCESS)
@blueprint.arguments(ma.Schema(), location="query")
@blueprint.response(201, ConsentLinkSchema)
@needs(Scope.CREDENTIALS)
def create_consent_link(query: dict[str, Any], id: str) -> dict[str, Any]:
    """Makes a link with which the owner of a grant gives consent again."""
    api_version.requested()
    grant = _found(id)
    variant = services().credentials.rules.find(grant.stored.vendor, grant.stored.type)
    if variant is None or not isinstance(variant.consent, CodeGrant):
        raise Problem(409, "consent_not_renewable", "The owner of this grant gives consent in no browser.")
    link = services().consent_links.make(grant)
    base = services().settings.public_url or request.host_url.rstrip("/")
    return {"url": f"{base}/join/grants/{link.token}", "expiresAt": link.expires_at}


def _found(id: str) -> GrantRow:
    """The client's grant; raises a 404 Problem when there is none."""
    grant = services().grants.find(bearer.caller().id, id)
    if grant is None:
        raise _unknown_id()
    return grant


def _members(grant: GrantRow) -> dict[str, Any]:
    until = grant.refresh_until
    return {
        "id": grant.id,
        "name": grant.stored.name,
        "vendor": grant.stored.vendor,
        "type": grant.stored.type,
        "status": grant.status,
        "credentialsID": grant.credentials_id,
        "region": grant.region,
        "consentedAt": grant.consented_at,
        "renewBefore": datetime.fromtimestamp(until, UTC).replace(microsecond=0) if until is not None else None,
        "consentLink": f"POST {PATH}/{grant.id}/consent-link" if grant.status == Status.NEEDS_CONSENT else None,
    }


def _unknown_id() -> Problem:
    """404: the client has no such grant, whether or not another client has."""
    return Problem(404, "not_found", "There is no grant with this id.")
