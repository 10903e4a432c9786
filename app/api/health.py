"""GET /health and GET /ready: whether this process lives, and whether it should get requests. Neither needs a token."""

from app.api.schemas.health import HealthSchema, ReadySchema
from app.api.services import services
from app.lifecycle import Phase, phase
from app.storage.readiness import PartState
from app.web.problems import Problem
from app.web.strict_api import Blueprint

blueprint = Blueprint("Health", __name__, description="State of this process.")
RETRY_AFTER = {"Retry-After": "5"}


def state() -> dict[str, str]:
    """The state of this process and of what it needs."""
    parts = services().readiness.parts()
    is_well = all(part == PartState.OK for part in parts.values())
    return {"status": "ok" if is_well else "degraded", **{name: str(part) for name, part in parts.items()}}


@blueprint.get("/health")
@blueprint.doc(operationId="getHealth", security=[])
@blueprint.response(200, HealthSchema)
def show() -> dict[str, str]:
    """Reports that this process is alive.

    Asks neither the database nor Redis: if they fail, a restart of this process would not help.
    """
    return {"status": "ok"}


@blueprint.get("/ready")
@blueprint.doc(operationId="getReadiness", security=[])
@blueprint.response(200, ReadySchema)
def ready() -> dict[str, str]:
    """Reports whether a load balancer should send requests here.

    Without the database or Redis the answer is 200 with the status `degraded`, since lists are still served. It is 503
    before the database's migrations are done, and while the service ends.
    """
    if phase() is not Phase.SERVING:
        raise Problem(503, "stopping", "The service is about to end.", headers=RETRY_AFTER)
    current = state()
    if current["database"] == PartState.NOT_MIGRATED:
        detail = "The database lacks tables of this version."
        raise Problem(503, "migrations_pending", detail, headers=RETRY_AFTER)
    return current
