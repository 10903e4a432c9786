"""GET /health: whether this process serves. It needs no token and never fails."""

from app import version
from app.api.schemas.health import HealthSchema
from app.api.services import services
from app.web.strict_api import Blueprint

blueprint = Blueprint("Health", __name__, description="State of this process.")


def state() -> dict[str, str]:
    """The state of this process and of what it needs."""
    current = services()
    available = {"database": current.database.answers()}
    if current.ledger is not None:
        available["redis"] = current.ledger.is_shared
    return {
        "status": "ok" if all(available.values()) else "degraded",
        "version": version.VERSION,
        **{part: "ok" if answers else "unavailable" for part, answers in available.items()},
    }


@blueprint.get("/health")
@blueprint.doc(operationId="getHealth", security=[])
@blueprint.response(200, HealthSchema)
def show() -> dict[str, str]:
    """Reports whether this process and what it needs are available.

    Answers 200 also without a database: the process is alive, and a restart would not help.
    """
    return state()
