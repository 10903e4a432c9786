"""A service with a collector that is down, and the spans in place of what it would get."""

from dataclasses import replace

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from app.web.traces import export
from tests.ports import free_port


@pytest.fixture
def settings(settings, monkeypatch):
    # Of all attempts to send a batch, in seconds.
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.05")
    return replace(settings, otel_exporter_otlp_endpoint=f"http://127.0.0.1:{free_port()}")


@pytest.fixture
def recorded(monkeypatch):
    """The spans that have ended."""
    exporter = InMemorySpanExporter()

    def provider(settings):
        spans = TracerProvider(shutdown_on_exit=False)
        spans.add_span_processor(SimpleSpanProcessor(exporter))
        return spans

    monkeypatch.setattr(export, "provider", provider)
    return exporter
