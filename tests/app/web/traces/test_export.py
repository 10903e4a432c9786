"""Spans on their way to the collector: bounded, in a separate thread, and not at all without a collector."""

import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from app.config import SettingsError, load
from app.web.traces import export, open_traces, spans
from tests.processes import SECONDS, clean, wait_until


def test_the_thread_that_sends_starts_with_the_first_request(app, http):
    def senders():
        return [thread for thread in threading.enumerate() if thread.name.startswith("OtelBatch")]

    before = len(senders())
    assert app.extensions["services"].traces is not None
    http.get("/health")
    assert len(senders()) == before + 1


def test_a_collector_that_is_down_slows_no_request_and_is_one_line(http, app, lines):
    lines()
    started = time.monotonic()
    for _ in range(20):
        http.get("/health")
    assert time.monotonic() - started < SECONDS / 10
    written = []
    provider = app.extensions["services"].traces._provider
    for _ in range(2):
        provider.force_flush()
        written += [line for line in lines() if line["event"] != "request"]
        http.get("/health")
    (line,) = written
    assert (line["event"], line["level"]) == ("traces are lost until their collector answers", "warning")


def test_a_collector_that_hangs_holds_the_end_of_a_process_for_a_bounded_time(monkeypatch, app, http):
    may_end, began = threading.Event(), threading.Event()

    class Hanging(SpanExporter):
        def export(self, spans):
            began.set()
            may_end.wait(SECONDS)
            return SpanExportResult.SUCCESS

    monkeypatch.setattr(export, "exporter", lambda settings: Hanging())
    monkeypatch.setattr(spans, "FLUSH_SECONDS", 0.2)
    http.get("/health")
    traces = app.extensions["services"].traces
    started = time.monotonic()
    traces.close()
    assert time.monotonic() - started < 10
    assert began.is_set()
    may_end.set()
    wait_until(lambda: not [thread for thread in threading.enumerate() if thread.name == "flush-traces"])


def test_the_end_of_a_process_sends_what_is_left(recorded, app, http, monkeypatch):
    sent = []

    class Counting(SpanExporter):
        def export(self, spans):
            sent.extend(spans)
            return SpanExportResult.SUCCESS

    monkeypatch.undo()
    monkeypatch.setattr(export, "exporter", lambda settings: Counting())
    http.get("/health")
    app.extensions["services"].traces.close()
    assert [span.name for span in sent] == ["GET /health"]


def test_without_the_packages_the_setting_is_refused_and_says_what_to_install(settings, monkeypatch):
    monkeypatch.setitem(sys.modules, "app.web.traces.spans", None)
    monkeypatch.delattr("app.web.traces.spans")
    with pytest.raises(SettingsError, match=r"pip install -r requirements-otel\.txt"):
        open_traces(settings)


def test_without_a_collector_nothing_of_traces_is_loaded_and_nothing_is_done(settings, start_service, monkeypatch):
    for name in ("spans", "export"):
        monkeypatch.setitem(sys.modules, f"app.web.traces.{name}", None)
    app = start_service(replace(settings, otel_exporter_otlp_endpoint=None))
    services = app.extensions["services"]
    assert services.traces is None
    steps = [*app.before_request_funcs[None], *app.after_request_funcs[None], *app.teardown_request_funcs[None]]
    observers = [observer for cloud in services.clouds.values() for observer in cloud.observers]
    assert not [step for step in (*steps, *observers) if "traces" in (step.__module__ or "")]
    assert app.test_client().get("/health").status_code == 200


@pytest.mark.exhaustive
def test_without_a_collector_a_process_starts_without_the_packages(tmp_path):
    program = (
        # As if the packages were not installed: Redis's client imports some of them where they are.
        "import sys\nsys.modules['opentelemetry'] = None\nfrom app import create_app\napp = create_app()\n"
        "assert app.test_client().get('/health').status_code == 200\n"
        "services = app.extensions['services']\n"
        "assert services.traces is None\n"
        "observers = [observer for cloud in services.clouds.values() for observer in cloud.observers]\n"
        "assert not [observer for observer in observers if 'traces' in str(getattr(observer, '__module__', ''))]\n"
        "print([name for name in sys.modules if name.startswith(('opentelemetry.', 'app.web.traces.'))])\n"
        "services.close()"
    )
    environ = clean(INSTANCE_PATH=tmp_path, LOG_LEVEL="ERROR")
    run = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, timeout=SECONDS)
    assert run.stdout.strip() == "[]", run.stderr


def test_the_endpoint_is_read_as_the_standard_has_it(tmp_path):
    def read(**names):
        return load({"INSTANCE_PATH": str(tmp_path), **names})

    all_signals, traces = "http://127.0.0.1:4318/", "https://collector.example/traces"
    assert export.endpoint(read(OTEL_EXPORTER_OTLP_ENDPOINT=all_signals)) == "http://127.0.0.1:4318/v1/traces"
    both = read(OTEL_EXPORTER_OTLP_ENDPOINT=all_signals, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=traces)
    assert export.endpoint(both) == traces
    keyed = read(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=traces, OTEL_EXPORTER_OTLP_HEADERS="api-key=made%20up,x=1")
    exporter = export.exporter(keyed)
    assert exporter._client._headers["api-key"] == "made up"
    assert "made" not in repr(keyed)
