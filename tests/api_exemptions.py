"""Where a valid request may be refused: what a schema of /openapi.json cannot express.

For a request with such a parameter the check of schemathesis that valid requests are accepted is off; all other checks
stay on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Exemption:
    """A parameter, a member of a body or the end of a path, whose valid values may be refused. `concerns`: on which
    further parameters that depends."""

    parameter: str
    reason: str
    concerns: Callable[[Parameters], bool] = lambda parameters: True


EXEMPTIONS = (
    Exemption("pageToken", "Only a token that an answer of this server had is accepted, and only for the same query."),
    Exemption(
        "pageSize", "Lists of version v1 have no pages.", lambda parameters: parameters.get("api-version") == "v1"
    ),
    Exemption("start", "It must come before the end, and the window has a greatest length for each level."),
    Exemption("end", "As start."),
    Exemption("timezone", "It must be in the time zone database, whose names change every year."),
    Exemption("currentUTCOffset", "The site's time zone must have this offset at some time of this year."),
    Exemption("locationUTCOffset", "As currentUTCOffset."),
    Exemption("operationalSince", "It must lie between the beginning of 2015 and now."),
    Exemption(
        "credentials",
        "A change may name only the vendor, the type and the members that the stored credentials have.",
        lambda parameters: "id" in parameters,
    ),
    Exemption("intervals", "They may not overlap or be past, and the vendor must be able to express them."),
    Exemption("programID", "Only some vendors have programs, and a site is enrolled in few of them."),
    Exemption("Idempotency-Key", "A key belongs to one request."),
    Exemption("vendors", "None may stand in it twice."),
    Exemption("flowID", "The flow of an owner's link may be gone, which the page answers with 400."),
    Exemption("auth-granted", "An owner's page: its state must be one that this server made."),
    Exemption("battery-control", "The sites of most vendors take no orders to batteries."),
    Exemption("history", "As battery-control."),
    Exemption("siteID", "It must be the id of a virtual site of the client."),
)


def concerning(parameters: Parameters) -> list[Exemption]:
    """The exemptions of a request with these parameters and members."""
    return [each for each in EXEMPTIONS if each.parameter in parameters and each.concerns(parameters)]
