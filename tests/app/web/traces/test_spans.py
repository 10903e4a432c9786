"""Traces: one for a request with a span for each call, no secret in them, and nothing at all without a collector."""

import time

import pytest
from opentelemetry.trace import SpanKind, StatusCode

from tests.app.support import ALL, SMA, SOLIS
from vendors.kit.calls.events import CallEvent, CallKind

SMA_HEADERS = {"X-Authorization-sma": "Bearer made-up-1"}
TRACE_ID, PARENT_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CONTEXT = {
    "traceparent": f"00-{TRACE_ID}-{PARENT_ID}-01",
    "tracestate": "vendor=made-up-state",
    "baggage": "user=made-up-baggage",
}


def by_kind(recorded):
    ended = recorded.get_finished_spans()
    return (
        [span for span in ended if span.kind is SpanKind.SERVER],
        [span for span in ended if span.kind is SpanKind.CLIENT],
    )


def attributes(span):
    return dict(span.attributes)


def test_a_request_is_a_trace_with_a_span_for_each_call(recorded, http, bearer, clouds):
    recorded.clear()
    http.get("/solar-inverters", headers=bearer | ALL)
    (request,), calls = by_kind(recorded)
    assert request.name == "GET /solar-inverters"
    assert request.parent is None
    assert attributes(request) == {
        "http.request.method": "GET",
        "url.scheme": "http",
        "http.route": "/solar-inverters",
        "http.response.status_code": 200,
    }
    assert len(calls) == len(clouds.calls)
    for call in calls:
        assert call.context.trace_id == request.context.trace_id
        assert call.parent.span_id == request.context.span_id
        assert request.start_time <= call.start_time <= call.end_time <= time.time_ns()
        assert call.status.status_code is StatusCode.UNSET
    (solis,) = [attributes(call) for call in calls if call.attributes["derapi.vendor"] == "solis"]
    assert solis == {
        "http.request.method": "POST",
        "url.template": "/v1/api/inverterList",
        "server.address": "www.soliscloud.com",
        "server.port": 13333,
        "http.response.status_code": 200,
        "derapi.vendor": "solis",
    }
    assert SOLIS.endswith(":13333")


def test_ids_are_templates(recorded, http, bearer, clouds):
    id = http.get("/solar-inverters", headers=bearer | SMA_HEADERS).json["solar-inverters"][0].rsplit("/", 1)[1]
    recorded.clear()
    http.get(f"/solar-inverters/{id}?window=x", headers=bearer | SMA_HEADERS)
    http.get(f"/solar-inverters/{id}", headers=bearer | SMA_HEADERS)
    (_, request), calls = by_kind(recorded)
    assert request.name == "GET /solar-inverters/{id}"
    assert {call.name for call in calls} >= {"GET /v1/devices/{}"}
    for span in recorded.get_finished_spans():
        assert id not in span.to_json()
        assert "window" not in span.to_json()


def test_a_failed_call_has_its_code_and_a_retry_its_number(recorded, http, bearer, network):
    network.get(f"{SMA}/v1/plants", status=503)
    recorded.clear()
    http.get("/sites", headers=bearer | SMA_HEADERS)
    _, (first, second) = by_kind(recorded)
    for call in (first, second):
        assert call.status.status_code is StatusCode.ERROR
        assert (call.attributes["http.response.status_code"], call.attributes["error.type"]) == (503, "backend_error")
    assert "http.request.resend_count" not in first.attributes
    assert second.attributes["http.request.resend_count"] == 1
    assert first.end_time <= second.start_time


def test_what_replaces_a_call_is_an_event_of_the_request(recorded, http, bearer, network):
    network.get(f"{SMA}/v1/plants", json={"plants": [{"plantId": "13"}]})
    network.get(f"{SMA}/v1/plants/13/devices/lean", status=429, headers={"Retry-After": "60"})
    for _ in range(2):
        recorded.clear()
        http.get("/solar-inverters", headers=bearer | SMA_HEADERS)
    (request,), calls = by_kind(recorded)
    assert calls == []
    events = [(event.name, event.attributes["url.template"]) for event in request.events]
    assert events == [("cached", "/v1/plants"), ("refused", "/v1/plants/{}/devices/lean")]
    assert request.events[1].attributes["error.type"] == "rate_limited"


def test_a_fault_of_the_service_is_an_error_of_its_span(recorded, app):
    def fail():
        raise RuntimeError("made-up-text")

    app.add_url_rule("/failing/<int:number>", "failing", lambda number: fail())
    app.before_request_funcs[None] = [f for f in app.before_request_funcs[None] if f.__name__ != "require_token"]
    app.test_client().get("/failing/7")
    (request,), _ = by_kind(recorded)
    assert request.name == "GET /failing/{number}"
    assert request.status.status_code is StatusCode.ERROR
    assert (request.attributes["http.response.status_code"], request.attributes["error.type"]) == (500, "500")
    assert "made-up-text" not in request.to_json()


def test_a_path_without_a_route_and_an_odd_method_stay_out_of_the_span(recorded, http):
    http.open("/made-up-path", method="MADEUP")
    (request,), _ = by_kind(recorded)
    assert (request.name, request.attributes["http.request.method"]) == ("HTTP", "_OTHER")
    assert "made-up" not in request.to_json().lower()


def test_the_callers_context_is_continued_and_no_vendor_gets_any_of_it(recorded, http, bearer, clouds):
    recorded.clear()
    clouds.calls.reset()
    http.get("/solar-inverters", headers=bearer | ALL | CONTEXT)
    (request,), calls = by_kind(recorded)
    assert f"{request.context.trace_id:032x}" == TRACE_ID
    assert f"{request.parent.span_id:016x}" == PARENT_ID
    assert {call.context.trace_id for call in calls} == {request.context.trace_id}
    assert len(clouds.calls) >= 5
    for call in clouds.calls:
        assert not {"traceparent", "tracestate", "baggage"} & {name.lower() for name in call.request.headers}
        assert TRACE_ID not in f"{call.request.url} {call.request.headers} {call.request.body}"
    assert not [span for span in recorded.get_finished_spans() if "made-up" in span.to_json()]


@pytest.mark.parametrize("sent", ["", "00-xyz", f"00-{'0' * 32}-{PARENT_ID}-01", "x" * 10_000, "00-\x1b-1-01"])
def test_a_malformed_context_begins_a_new_trace(recorded, http, sent):
    assert http.get("/health", headers={"traceparent": sent}).status_code == 200
    (request,), _ = by_kind(recorded)
    assert request.parent is None


def test_a_caller_that_does_not_sample_gets_no_spans(recorded, http, bearer, clouds):
    recorded.clear()
    http.get("/solar-inverters", headers=bearer | ALL | {"traceparent": f"00-{TRACE_ID}-{PARENT_ID}-00"})
    assert recorded.get_finished_spans() == ()


def test_the_lines_of_a_request_have_the_id_of_its_trace(recorded, http, lines):
    lines()
    http.get("/health", headers=CONTEXT)
    http.get("/health")
    first, second = lines()
    assert first["trace_id"] == TRACE_ID
    assert second["trace_id"] not in (TRACE_ID, "")


def test_a_call_outside_of_a_request_has_no_span(recorded, app):
    app.extensions["services"].traces.observe(CallEvent(CallKind.SENT, "sma", False, "GET", "/x", SMA, 1))
    assert recorded.get_finished_spans() == ()
