"""Sends spans to a collector (OTLP over HTTP), in batches, from a separate thread."""

import logging
from collections.abc import Sequence
from urllib.parse import urlsplit

import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.util.re import parse_env_headers

from app import version
from app.config import Settings

# What the standard appends to the endpoint of all signals.
PATH = "/v1/traces"

logger = logging.getLogger(__name__)


def provider(settings: Settings) -> TracerProvider:
    """The source of spans; starts the thread that sends them. Other variables that OpenTelemetry defines, such as
    OTEL_TRACES_SAMPLER, are read by its own packages."""
    resource = Resource.create({SERVICE_NAME: settings.otel_service_name, SERVICE_VERSION: version.VERSION})
    # Traces.close flushes, with a bound; at the exit of the process the packages would wait for 30 s.
    spans = TracerProvider(resource=resource, shutdown_on_exit=False)
    spans.add_span_processor(BatchSpanProcessor(OneLineExporter(exporter(settings), endpoint(settings))))
    return spans


def endpoint(settings: Settings) -> str:
    """The URL that spans are sent to: that of traces as it is, that of all signals with the standard path."""
    return settings.otel_exporter_otlp_traces_endpoint or f"{settings.otel_exporter_otlp_endpoint}{PATH}"


def exporter(settings: Settings) -> OTLPSpanExporter:
    """The exporter of OpenTelemetry, over a session that sends the collector's credential nowhere else."""
    session = requests.Session()
    # Neither a .netrc nor a proxy of the environment, and no redirect.
    session.trust_env = False
    session.max_redirects = 0
    headers = parse_env_headers(settings.otel_exporter_otlp_headers or "", liberal=True)
    return OTLPSpanExporter(endpoint=endpoint(settings), headers=headers, session=session)


class OneLineExporter(SpanExporter):
    """An exporter that logs when its collector stops and begins to answer, and not each batch that is lost."""

    def __init__(self, inner: SpanExporter, url: str) -> None:
        self._inner, self._host, self._is_failing = inner, urlsplit(url).netloc, False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Sends a batch, or drops it."""
        result = self._inner.export(spans)
        is_failing = result is not SpanExportResult.SUCCESS
        if is_failing != self._is_failing:
            self._is_failing = is_failing
            self._log()
        return result

    def _log(self) -> None:
        fields = {"collector": self._host}
        if self._is_failing:
            logger.warning("traces are lost until their collector answers", extra=fields)
        else:
            logger.info("traces are sent again", extra=fields)

    def shutdown(self) -> None:
        """Ends the exporter."""
        self._inner.shutdown()
