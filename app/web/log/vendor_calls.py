"""One line at DEBUG for each call to a vendor, and for each cached or shared reply in place of a call."""

from typing import Any

import structlog

from vendors.kit.calls.events import OK, CallEvent, CallKind

logger = structlog.stdlib.get_logger("app.vendor_calls")

EVENT = "vendor call"


def log_vendor_call(event: CallEvent) -> None:
    """Observes the events of calls. The begin of an exchange has no line, since its end has."""
    if event.kind is not CallKind.SENDING:
        logger.debug(EVENT, **_fields(event))


def _fields(event: CallEvent) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "vendor": event.vendor,
        "method": event.method,
        "path": event.path,
        "outcome": event.kind.value,
        "attempt": event.attempt,
        "code": None if event.code == OK else event.code,
        "renewal": event.is_renewal or None,
    }
    if event.kind is CallKind.SENT:
        fields |= {"status": event.status, "milliseconds": round(1000 * event.seconds), "bytes": event.size}
    elif event.kind in (CallKind.CACHED, CallKind.STALE):
        fields["age_seconds"] = round(event.seconds)
    return {name: value for name, value in fields.items() if value is not None}
