"""Assumptions where the Monitoring API's documentation is silent, and the API's plans."""

from typing import NamedTuple

TOKEN_SECONDS = 86_400
# A month, since October 2023.
REFRESH_SECONDS = 30 * 86_400
# An unknown or foreign site: the documentation has no error for it.
SUMMARY_OF_UNKNOWN_SITE: list[object] = []
# A page beyond the end of the list, and a size above the largest, are no errors. Pages of the summary of inverters
# count microinverters, not gateways.
DEFAULT_PAGE, LARGEST_PAGE, LARGEST_TELEMETRY_PAGE = 10, 100, 20


class Plan(NamedTuple):
    """A plan: calls per minute and month, and the access controls that it has besides System Details and site level."""

    per_minute: int
    per_month: int
    extras: frozenset[str]


WATT, KILOWATT, MEGAWATT, PARTNER = "Watt", "Kilowatt", "Megawatt", "Partner"
DEVICE_LEVEL, CONFIGURATION = "device level", "configuration"
PLANS = {
    WATT: Plan(10, 1_000, frozenset()),
    KILOWATT: Plan(50, 50_000, frozenset({DEVICE_LEVEL})),
    MEGAWATT: Plan(100, 300_000, frozenset({DEVICE_LEVEL, CONFIGURATION})),
    PARTNER: Plan(300, 1_500_000, frozenset({DEVICE_LEVEL, CONFIGURATION})),
}
