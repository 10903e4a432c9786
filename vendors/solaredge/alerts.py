"""Open alerts of a device, from those of its site."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from vendors.kit import Client, Freshness, Message, Messages, Reply, Site
from vendors.kit.calls.client import Params
from vendors.kit.parsing.reading import Raw, check_id, mapping, moment, optional_text, rows

ALERTS = "/v2/sites/{}/alerts"
ALERTS_PER_PAGE = 100
# Each page costs one of the month's credits.
MOST_PAGES = 5
# The documented status of those that are not over; an alert without any was asked for as open.
OPEN = "OPEN"


@dataclass(frozen=True, slots=True)
class Alert:
    """An open alert of a site: its identity, when it began, and the serial number of the device that has it."""

    id: str
    began: datetime | None
    serial_number: str | None
    message: Message


def read_alerts(client: Client, site: Site, serial_number: str) -> Messages | None:
    """Open alerts of a device, whenever they came; where a site has more than are read, since the oldest of those.

    None where the site's first day is unknown.
    """
    if site.operational_since is None:
        return None
    found: dict[str, Alert] = {}
    for page in range(1, MOST_PAGES + 1):
        params: Params = {"only-open": "true", "alerts-in-page": ALERTS_PER_PAGE, "page": page}
        reply = client.get(ALERTS, site.vendor_id, params=params, freshness=Freshness.LIVE)
        alerts = reply.rows(to=partial(to_alert, site.vendor_id))
        found |= {alert.id or f"{page}.{number}": alert for number, alert in enumerate(alerts)}
        if not is_full(reply, ALERTS_PER_PAGE):
            start = site.operational_since
            break
    else:
        start = min((alert.began for alert in found.values() if alert.began), default=client.now)
    told = tuple(alert.message for alert in found.values() if alert.serial_number == serial_number)
    return Messages(told, start)


def to_alert(site: str, raw: Raw) -> Alert | None:
    """None for one that is over; what its impact means is not documented, so all are warnings."""
    check_id(raw, "siteId", site)
    if (optional_text(raw, "status") or OPEN).upper() != OPEN:
        return None
    words = [optional_text(raw, "category"), optional_text(raw, "type")]
    return Alert(
        optional_text(raw, "alertId") or "",
        moment(raw, "firstTrigger") or moment(raw, "firstTriggered"),
        optional_text(mapping(raw, "component"), "serialNumber"),
        Message("warning", ": ".join(word for word in words if word) or "open alert"),
    )


def is_full(reply: Reply, size: int, *path: str) -> bool:
    """Whether a page of that size may not be the last; rows that could not be read count as well."""
    return reply.record(lambda raw: len(rows(raw, *path))) >= size
