"""POST /demo/sign-in: an access token for the code in the demo's link. The route exists in the demo only."""

from typing import Any

import marshmallow as ma
from marshmallow.validate import Length

from app.api.services import services
from app.auth import tokens
from app.web import log
from app.web.problems import Problem
from app.web.strict_api import Blueprint, ViewResult

blueprint = Blueprint("DemoSignIn", __name__, description="Sign-in with the demo's link.")


class CodeSchema(ma.Schema):
    """The code of the link."""

    code = ma.fields.String(required=True, validate=Length(1, 200))


@blueprint.post("/demo/sign-in")
@blueprint.arguments(CodeSchema())
def redeem(body: dict[str, Any]) -> ViewResult:
    """Exchanges a code for an access token of its client, once."""
    log.conceal(body["code"])
    client_id = services().sign_in_codes.redeem(body["code"])
    client = services().clients.find(client_id) if client_id else None
    if client is None:
        fault = "The code was used before, is older than five minutes, or is none"
        services().failed_logins.report(client_id, "sign_in_code_invalid", fault)
        raise Problem(403, "sign_in_code_invalid", f"{fault}; start the demo again for a new link.")
    access_token, expires_at = services().tokens.issue(client.id, client.scopes)
    token = {"access_token": access_token, "token_type": "Bearer", "expires_in": tokens.LIFETIME}
    return {**token, "expires_at": expires_at}, 200, {"Cache-Control": "no-store"}
