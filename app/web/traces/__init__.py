"""Traces by OpenTelemetry: one for each request, with a span for each call to a vendor.

Off unless a collector is configured. Then nothing of OpenTelemetry is imported, and no request or call does any work.
"""

from typing import TYPE_CHECKING

from app.config import Settings, SettingsError

if TYPE_CHECKING:
    from app.web.traces.spans import Traces

MISSING = (
    "OTEL_EXPORTER_OTLP_ENDPOINT: traces need packages that are not installed; "
    "install them with `pip install -r requirements-otel.txt`, or remove the setting"
)


def open_traces(settings: Settings) -> "Traces | None":
    """The traces of this process, or None if no collector is configured. Raises SettingsError without the packages."""
    if not (settings.otel_exporter_otlp_traces_endpoint or settings.otel_exporter_otlp_endpoint):
        return None
    try:
        # Here, since it costs 20 MB and 0.1 s of a start that needs no traces.
        from app.web.traces import export, spans
    except ModuleNotFoundError as error:
        raise SettingsError(MISSING) from error
    return spans.Traces(lambda: export.provider(settings))
