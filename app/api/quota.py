"""GET /quota: what is known of the quotas of the caller's vendors. It makes no call."""

from typing import Any

from app.api import api_version, context
from app.api.schemas.quota import ALL_PROCESSES, THIS_PROCESS, QuotaQuery, QuotasSchema
from app.api.services import services
from app.auth.scopes import Scope, needs
from app.fleet.quotas import CredentialQuota, quotas
from app.fleet.vendor_problems import failures_by_vendor
from app.web.strict_api import Blueprint

blueprint = Blueprint("Quota", __name__, description="Quotas of vendors.")


@blueprint.get("/quota", parameters=[api_version.PARAMETER])
@blueprint.doc(operationId="getQuota")
@blueprint.arguments(QuotaQuery(), location="query")
@blueprint.response(200, QuotasSchema)
@needs(Scope.READ)
def get_quota(query: dict[str, Any]) -> dict[str, Any]:
    """Reads what is known of the quotas of all vendors whose credentials come with the request, without a call."""
    api_version.requested()
    vendor = query.get("vendor")
    context.refuse_unknown_vendor(vendor)
    access = context.of_request().access
    if vendor is not None:
        access = access.only(vendor)
    listed = [_members(quota) for quota in quotas(services().clouds, access)]
    failures = failures_by_vendor([], access.refused)
    # After the quotas have been read: a Redis that has failed meanwhile is not asked again.
    ledger = services().ledger
    body: dict[str, Any] = {
        "quotas": listed,
        "countedBy": ALL_PROCESSES if ledger and ledger.is_shared else THIS_PROCESS,
    }
    body["errors"] = {vendor: failure.text for vendor, failure in failures.items()}
    if failures:
        body["error_details"] = {vendor: failure.details for vendor, failure in failures.items()}
    return body


def _members(quota: CredentialQuota) -> dict[str, Any]:
    standing, hold = quota.state.standing, quota.state.hold
    return {
        "vendor": quota.vendor,
        "credentials": {"id": quota.row.id, "name": quota.row.name} if quota.row else None,
        "scope": quota.scope,
        "limit": standing and standing.rate.calls,
        "limitSeconds": standing and standing.rate.seconds,
        "spent": standing and standing.spent,
        "left": standing and standing.left,
        "resetsAt": standing and standing.resets_at,
        "source": standing and standing.source.value,
        "heldUntil": hold and hold.until,
        "heldSource": hold and hold.source.value,
    }
