"""/join/flows: links of this server on which any number of owners give consent, so that a client needs no page."""

from datetime import UTC
from functools import partial
from typing import Any

import marshmallow as ma
from flask import Response

from app.api import api_version, join_pages, row_pages
from app.api.join_sessions import ACCESS, OPTIONS, conceal_inline, finder
from app.api.schemas.join import CreateJoinFlowRequest, JoinFlowSchema, JoinFlowsPage
from app.api.schemas.lists import PageQuery
from app.api.services import services
from app.auth import bearer
from app.auth.scopes import Scope, needs
from app.join.config import REFERENCE
from app.storage.join_tables import JoinFlowRow
from app.web.problems import Problem
from app.web.strict_api import Blueprint

PATH = "/join/flows"

blueprint = Blueprint("JoinFlows", __name__, description="Links on which owners give consent.")


@blueprint.before_request
def refuse_without_keys() -> None:
    """503 where nothing can be encrypted."""
    services().credentials.key_check.require_keys()


@blueprint.post(PATH, **OPTIONS)
@blueprint.doc(operationId="createJoinFlow", **ACCESS)
@blueprint.arguments(CreateJoinFlowRequest())
@blueprint.response(201, JoinFlowSchema)
@needs(Scope.CREDENTIALS)
def create(body: dict[str, Any]) -> dict[str, Any]:
    """Makes a flow, which is never changed."""
    api_version.requested()
    conceal_inline(body)
    client_id, join = bearer.caller().id, services().join
    configs = join.parser.parse(body["vendors"], finder(client_id), stores=True)
    return _members(join.flows.create(client_id, configs, body["redirect_uri"]))


@blueprint.get(PATH, **OPTIONS)
@blueprint.doc(operationId="listJoinFlows", **ACCESS)
@blueprint.arguments(PageQuery(), location="query")
@blueprint.response(200, JoinFlowsPage)
@needs(Scope.CREDENTIALS)
def list_flows(query: dict[str, Any]) -> dict[str, Any]:
    """Lists the client's flows."""
    api_version.requested()
    read = partial(services().join.flows.rows_after, bearer.caller().id)
    return row_pages.page(query, read, lambda row: row.id, _members)


@blueprint.get(PATH + "/<id>", **OPTIONS)
@blueprint.doc(operationId="getJoinFlow", **ACCESS)
@blueprint.arguments(ma.Schema(), location="query")
@blueprint.response(200, JoinFlowSchema)
@needs(Scope.CREDENTIALS)
def read(query: dict[str, Any], id: str) -> dict[str, Any]:
    """Reads a flow."""
    api_version.requested()
    row = services().join.flows.find(bearer.caller().id, id)
    if row is None:
        raise _unknown_id()
    return _members(row)


@blueprint.delete(PATH + "/<id>", **OPTIONS)
@blueprint.doc(operationId="deleteJoinFlow", **ACCESS)
@blueprint.arguments(ma.Schema(), location="query")
@blueprint.response(204)
@needs(Scope.CREDENTIALS)
def delete(query: dict[str, Any], id: str) -> Response:
    """Deletes a flow, and the secrets that came with it. What owners have granted stays."""
    api_version.requested()
    if not services().join.flows.delete(bearer.caller().id, id):
        raise _unknown_id()
    return Response(status=204)


def _members(row: JoinFlowRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "vendors": [_vendor(**config) for config in row.vendors],
        "redirect_uri": row.redirect_uri,
        "link": f"{join_pages.base()}{PATH}/{row.id}/authorize",
        "created_at": row.created_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    }


def _vendor(vendor: str, type: str, credentials_id: str | None) -> dict[str, Any]:
    return {"vendor": vendor} | ({"credentials": {REFERENCE: credentials_id}} if credentials_id else {})


def _unknown_id() -> Problem:
    return Problem(404, "not_found", "There is no flow with this id.")
