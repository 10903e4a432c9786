"""JSON members of orders: of the present list, and of the receipt."""

from typing import Any

from app.control.service import SiteControl
from app.control.states import FINAL, State
from app.control.writing import members_of
from app.storage.control_tables import ControlEventRow, ControlOrderRow, ControlReadingRow, ControlWriteRow
from app.web.strict_api import ViewResult

OPTIONAL = ("kw", "limit_percent", "priority", "allow_export")


def status(id: str, site: SiteControl) -> ViewResult:
    """The present list of a site."""
    members: dict[str, Any] = {
        "id": id,
        "intervals": [interval(order) for order in site.orders],
        "writes": {"per_day": site.budget.per_day, "used": site.budget.used, "pending": site.pending},
    }
    result = site.result
    if result is not None and result.errors:
        members["errors"], members["error_details"] = result.errors, result.error_details
    return members, 200, {"Age": str(round(result.age if result else 0))}


def interval(order: ControlOrderRow) -> dict[str, Any]:
    """An order as an interval with its status."""
    members = {
        "order": order.id,
        "command": order.command,
        "start": order.start_at,
        "end": order.end_at,
        "status": f"{order.state}: {order.text}" if order.text else str(order.state),
        "reported_at": order.reported_at,
    }
    return members | _present(order, *OPTIONAL)


def receipt(order: ControlOrderRow) -> dict[str, Any]:
    """An order with all that was sent and seen."""
    members = interval(order) | {
        "plan": order.plan_id,
        "client": order.client_id,
        "vendor": order.vendor,
        "state": order.state,
        "is_final": State(order.state) in FINAL,
        "asked": order.asked,
        "events": [_event(event) for event in order.events],
        "writes": [_write(write) for write in order.writes],
        "read_backs": [_read_back(reading) for reading in order.readings],
        "created_at": order.created_at,
    }
    renamed = {"program": order.program, "credentials": order.credentials_id}
    members |= {name: value for name, value in renamed.items() if value is not None}
    return members | _present(order, "rating_kw", "before", "verdict", "closed_at")


def _present(order: ControlOrderRow, *names: str) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(order, name)) is not None}


def _event(event: ControlEventRow) -> dict[str, Any]:
    members = members_of(event) | {"state": event.state, "text": event.text}
    return members if event.accepted_kw is None else members | {"acceptedKw": event.accepted_kw}


def _write(write: ControlWriteRow) -> dict[str, Any]:
    return {
        "action": write.action,
        "event": write.event,
        "sentAt": write.sent_at.isoformat(),
        "answeredAt": write.answered_at.isoformat() if write.answered_at else None,
        "outcome": write.outcome or "unanswered",
        "answer": write.answer,
    }


def _read_back(reading: ControlReadingRow) -> dict[str, Any]:
    measured = {
        "measuredAt": reading.measured_at.isoformat() if reading.measured_at else None,
        "kw": reading.kw,
        "stateOfChargePercent": reading.soc_percent,
    }
    present = {name: value for name, value in measured.items() if value is not None}
    return {"at": reading.at.isoformat(), "events": reading.events} | present
