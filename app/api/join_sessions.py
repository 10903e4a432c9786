"""/join/session: a client asks an owner for consent in a page of its own."""

from typing import Any

import marshmallow as ma
from flask import g

from app.api import api_version, join_pages
from app.api.schemas.join import (
    CreateJoinSessionRequest,
    CreateJoinSessionResponse,
    GetJoinSessionTokenResponse,
    JoinVendor,
)
from app.api.services import services
from app.auth import bearer
from app.auth.scopes import Scope, needs
from app.credentials.cipher import Unreadable
from app.join import sessions
from app.join.source import of_session
from app.storage.join_tables import JoinSessionRow
from app.web.log import conceal
from app.web.problems import Problem
from app.web.strict_api import Blueprint
from vendors.kit.variants import TypedKeys

OPTIONS: dict[str, Any] = {"parameters": [api_version.PARAMETER]}
ACCESS: dict[str, Any] = {"security": [{"derapi": []}]}

blueprint = Blueprint("JoinSessions", __name__, description="Consent of owners in a page of the client.")


@blueprint.before_request
def refuse_without_keys() -> None:
    """503 where nothing can be encrypted."""
    services().credentials.key_check.require_keys()


@blueprint.post("/join/session/start", **OPTIONS)
@blueprint.doc(operationId="createJoinSession", **ACCESS)
@blueprint.arguments(CreateJoinSessionRequest())
@blueprint.response(200, CreateJoinSessionResponse)
@needs(Scope.CREDENTIALS)
def start(body: dict[str, Any]) -> dict[str, Any]:
    """Starts a session, in which one owner can give one consent within ten minutes."""
    api_version.requested()
    conceal_inline(body)
    client_id, join = bearer.caller().id, services().join
    configs = join.parser.parse(body["vendors"], finder(client_id), stores=body["store_credentials"])
    started = join.sessions.start(client_id, configs, stores=body["store_credentials"])
    return {"session_id": started.id, "session_token": started.token}


@blueprint.get("/join/session/<sessionID>/vendors", **OPTIONS)
@blueprint.doc(operationId="listJoinSessionVendors", **ACCESS)
@blueprint.arguments(ma.Schema(), location="query")
@blueprint.response(200, JoinVendor(many=True))
@needs(Scope.CREDENTIALS)
def list_vendors(query: dict[str, Any], sessionID: str) -> list[dict[str, Any]]:
    """Lists the vendors of a session, as its page shows them."""
    api_version.requested()
    row = _session(sessionID)
    rules, shown = services().credentials.rules, []
    for config in of_session(row).vendors:
        name = config.vendor
        vendor = {"id": name, "name": join_pages.title_of(name), "logo": join_pages.logo_of(name)}
        variant = rules.find(name, config.type)
        if variant is not None and not isinstance(variant.consent, TypedKeys):
            vendor["endpoint"] = f"{join_pages.base()}/join/session/{sessionID}/authorize?vendor={name}"
        shown.append(vendor)
    return shown


@blueprint.get("/join/session/<sessionID>/fetch-token", **OPTIONS)
@blueprint.doc(operationId="getJoinSessionToken", **ACCESS)
@blueprint.arguments(ma.Schema(), location="query")
@blueprint.response(200, GetJoinSessionTokenResponse)
@needs(Scope.CREDENTIALS)
def fetch_token(query: dict[str, Any], sessionID: str) -> dict[str, str]:
    """Gives out what the owner has granted, once. If the server keeps it, no secret is given out."""
    api_version.requested()
    row = _session(sessionID)
    try:
        answer = services().join.sessions.fetch(row)
    except Unreadable as failure:
        raise failure.problem from failure
    conceal(answer["accessToken"], answer["refreshToken"])
    return answer | {"access_token": answer["accessToken"]}


def finder(client_id: str) -> Any:
    """Looks up the client's stored credentials."""
    return lambda id: services().credentials.store.find(client_id, id)


def conceal_inline(body: dict[str, Any]) -> None:
    """Keeps the secrets in a body out of the log of this request."""
    for entry in body["vendors"]:
        for member in entry.values():
            if isinstance(member, dict):
                conceal(*(value for value in member.values() if isinstance(value, str)))


def _session(id: str) -> JoinSessionRow:
    """The session in the path, which the caller may read: with a token of its client, or with its own."""
    row = services().join.sessions.find(id)
    if "client" in g:
        if row is None or row.client_id != bearer.caller().id:
            raise Problem(404, "not_found", "There is no open session with this id.")
        return row
    if row is None or not sessions.accepts(row, bearer.presented()):
        raise bearer.invalid_session_token()
    return row
