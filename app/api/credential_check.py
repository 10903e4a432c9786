"""Tries stored credentials at their vendor, for a request and for the command line."""

from typing import Any

from app.api.services import services
from app.credentials.cipher import Unreadable
from app.fleet import credential_check, vendor_calls
from app.fleet.credential_check import CheckResult
from app.fleet.vendor_problems import CredentialFailure
from app.web.log import conceal, note_failures
from vendors.kit import Credential
from vendors.kit.credentials import StoredRow
from vendors.kit.deadline import Deadline

WORKS = "The vendor accepts these credentials."


def checked(id: str, client_id: str | None = None) -> dict[str, Any] | None:
    """The result of a check of this client's credentials, or of any client's; None if there are none with this id."""
    try:
        stored = services().credentials.stored.find(id, client_id)
    except Unreadable as failure:
        return _members(id, credential_check.failed(failure), None)
    return _members(id, _result(*stored), stored[1].row) if stored else None


def _result(vendor: str, credential: Credential) -> CheckResult:
    conceal(*credential.secrets)
    vendor_calls.begin([vendor])
    deadline = Deadline(services().settings.request_deadline)
    result = credential_check.check(services().clouds, vendor, credential, deadline)
    if result.failure:
        note_failures({vendor: result.failure.code})
    return result


def _members(id: str, result: CheckResult, row: StoredRow | None) -> dict[str, Any]:
    members = {"id": id, "result": result.verdict.value}
    if result.failure is None:
        return members | {"detail": WORKS}
    return members | CredentialFailure(result.failure, row).details
