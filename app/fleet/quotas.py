"""The quotas of a caller's vendors, as far as they are known without a call."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.fleet.vendor_access import VendorAccess
from vendors.kit.calls.cloud import Cloud
from vendors.kit.calls.quota_state import QuotaState
from vendors.kit.credentials import StoredRow


@dataclass(frozen=True, slots=True)
class CredentialQuota:
    """The quota that calls with one credential use. row: of a stored credential. scope: who shares it, in words."""

    vendor: str
    row: StoredRow | None
    scope: str
    state: QuotaState


def quotas(clouds: Mapping[str, Cloud], access: VendorAccess) -> list[CredentialQuota]:
    """The quota of each credential, by vendor. Virtual devices, which no cloud holds, have none."""
    states: dict[tuple[str, str], QuotaState] = {}
    listed: list[CredentialQuota] = []
    for vendor in sorted(access.credentials.keys() & clouds.keys()):
        cloud = clouds[vendor]
        for credential in access.credentials[vendor]:
            group = vendor, cloud.limit_group(credential)
            # Read once for each group: its credentials shall not contradict each other.
            if group not in states:
                states[group] = cloud.quota_state(credential)
            listed.append(CredentialQuota(vendor, credential.row, cloud.quota_scope(credential), states[group]))
    return listed
