"""Alerts of a site, the newest first: each inverter has an open one, and there was one on each of many days before."""

from datetime import UTC, datetime
from typing import Any

from sandbox.solaredge.sites import SolarEdgeSite

Alert = dict[str, Any]
DAY = 86_400
FIRST_ID = 112_000_000
CLOSED_COUNT = 120


def alerts_of(seen: SolarEdgeSite, now: float) -> list[Alert]:
    """The open alerts, then the closed ones."""
    opened = [_alert(seen, number, now - DAY, "OPEN") for number, _ in enumerate(seen.inverters)]
    return opened + [_alert(seen, number, now - (2 + number) * DAY, "CLOSED") for number in range(CLOSED_COUNT)]


def _alert(seen: SolarEdgeSite, number: int, began: float, status: str) -> Alert:
    device = seen.inverters[number % len(seen.inverters)]
    at = datetime.fromtimestamp(int(began), UTC).isoformat().replace("+00:00", "Z")
    return {
        "alertId": FIRST_ID + 1000 * seen.site.number + number + (500 if status == "CLOSED" else 0),
        "siteId": int(seen.site_id),
        "category": "EQUIPMENT",
        "type": "DC Isolation",
        "impact": 7,
        "status": status,
        "firstTrigger": at,
        "lastTrigger": at,
        "component": {"name": device.name, "serialNumber": device.serial},
        "errorCodes": [],
    }
