"""The calls that a list would cost at each vendor, found without a call."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.fleet.fanout import Find, SweepResult
from app.fleet.list_rows import Filters, list_rows
from app.fleet.vendor_access import VendorAccess
from app.fleet.vendor_problems import VendorFailure, failures_by_vendor
from vendors.kit import Credential, ListRow, Site, Timeout, Vendor
from vendors.kit.calls.cloud import Cloud
from vendors.kit.calls.dry_run import Estimate, dry_run
from vendors.kit.calls.quota_state import QuotaState
from vendors.kit.calls.reply_cache import Mode
from vendors.kit.deadline import Deadline
from vendors.kit.records import Record


@dataclass(frozen=True, slots=True)
class Cost:
    """The calls of a list at one vendor; at least these if it is not exact.

    held_until: epoch second until which further calls would be refused, if there would be any.
    formula: the calls in words.
    """

    calls: int = 0
    is_exact: bool = True
    held_until: float | None = None
    formula: str = ""


@dataclass(frozen=True, slots=True)
class ListCost:
    """The cost by vendor, and the failures that are known beforehand."""

    vendors: dict[str, Cost]
    failures: dict[str, VendorFailure]


def list_cost(
    clouds: Mapping[str, Cloud],
    kind: type[Record],
    access: VendorAccess,
    filters: Filters,
    deadline: Deadline,
    mode: Mode,
) -> ListCost:
    """The cost of the list with these filters."""
    if filters.vendor is not None:
        access = access.only(filters.vendor)

    def find(vendor: Vendor) -> Iterator[ListRow[Any]]:
        return list_rows(vendor, kind, filters.vendor_site_id)

    costs: dict[str, Cost] = {}
    results: list[SweepResult] = []
    for vendor, credentials in access.credentials.items():
        # The devices of virtual clients, which no cloud holds, cost nothing.
        cloud = clouds.get(vendor)
        estimates = [_estimate(cloud, each, deadline, mode, find) for each in credentials] if cloud else []
        results += [
            SweepResult(vendor, credential, [], estimate.failure)
            for credential, estimate in zip(credentials, estimates, strict=bool(cloud))
        ]
        costs[vendor] = _cost(cloud, kind, credentials, estimates) if cloud else Cost()
    return ListCost(costs, failures_by_vendor(results, access.refused))


def _estimate(cloud: Cloud, credential: Credential, deadline: Deadline, mode: Mode, find: Find) -> Estimate:
    """The calls with one credential. Large fleets of many credentials take longer than a request may."""
    if deadline.left() <= 0:
        return Estimate(0, is_exact=False, failure=Timeout(why="the fleet is too large to be counted in time"))
    return dry_run(cloud, credential, deadline, mode, find)


def _cost(cloud: Cloud, kind: type[Record], credentials: Sequence[Credential], estimates: Sequence[Estimate]) -> Cost:
    """The cost with all credentials, within the quota of each limit group."""
    by_group: dict[str, list[Estimate]] = {}
    states: dict[str, QuotaState] = {}
    for credential, estimate in zip(credentials, estimates, strict=True):
        group = cloud.limit_group(credential)
        by_group.setdefault(group, []).append(estimate)
        states[group] = states.get(group) or cloud.quota_state(credential)
    costs = [_within(states[group], members) for group, members in by_group.items()]
    words = cloud.vendor.list_calls
    return Cost(
        sum(cost.calls for cost in costs),
        all(cost.is_exact for cost in costs),
        max((cost.held_until for cost in costs if cost.held_until is not None), default=None),
        words.sites if kind is Site else words.devices,
    )


def _within(state: QuotaState, estimates: Sequence[Estimate]) -> Cost:
    """The calls of one limit group: calls beyond its quota are refused before they are made."""
    calls = sum(estimate.calls for estimate in estimates)
    is_exact = all(estimate.is_exact for estimate in estimates)
    most = state.refuses_after
    if most is None or calls < most or (calls == most and is_exact):
        return Cost(calls, is_exact)
    return Cost(most, held_until=state.refuses_until)
