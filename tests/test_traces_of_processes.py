"""Traces of the service as it is deployed: each worker sends its own, and what is left when it ends."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import sandbox
from sandbox.server import running
from tests.deployed import deployed
from tests.processes import SECONDS, WORKERS, wait_until
from tests.services import Played

pytestmark = [pytest.mark.serial, pytest.mark.exhaustive]


class Collector(ThreadingHTTPServer):
    """Keeps the spans that it gets, with the credential that came with them."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.spans, self.keys = [], set()
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """Takes a batch."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/v1/traces":
            batch = ExportTraceServiceRequest.FromString(body)
            self.server.keys.add(self.headers["api-key"])
            self.server.spans += [
                (span.name, span.trace_id.hex(), {a.key: a.value.string_value for a in resource.resource.attributes})
                for resource in batch.resource_spans
                for scope in resource.scope_spans
                for span in scope.spans
            ]
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *words):
        """Writes nothing."""


@pytest.fixture
def collector():
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("worker", WORKERS)
def test_each_worker_sends_its_spans_and_the_rest_when_it_ends(tmp_path, collector, worker):
    # A batch would wait for an hour, so that only the end of a worker sends it.
    traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_EXPORTER_OTLP_HEADERS": "api-key=made-up",
              "OTEL_BSP_SCHEDULE_DELAY": "3600000", "OTEL_SERVICE_NAME": "roofs"}  # fmt: skip
    traces = {f"{number:032x}" for number in range(1, 31)}
    with (
        running(sandbox.create_app(2, 1)) as clouds,
        deployed(tmp_path, clouds, worker, **traced) as (process, url, headers),
    ):
        headers |= Played(clouds).headers("sma")
        for id in traces:
            # A new connection each time, so that both workers get some.
            context = {"traceparent": f"00-{id}-b7ad6b7169203331-01"}
            assert requests.get(f"{url}/sites", headers=headers | context, timeout=SECONDS).status_code == 200
        assert collector.spans == []
        process.terminate()
        wait_until(lambda: {id for name, id, _ in collector.spans if name == "GET /sites"} == traces)
        assert process.wait(SECONDS) == 0
    assert {id for name, id, _ in collector.spans if name != "GET /sites"} >= traces
    assert {resource["service.name"] for _, _, resource in collector.spans} == {"roofs"}
    assert collector.keys == {"made-up"}
