"""Requests and vendor calls are counted by labels that hold no id, no credential and no path as it was sent."""

import re

import pytest

from app.metrics.definitions import DEFINITIONS
from tests.app.support import SMA, SOLIS

pytestmark = pytest.mark.usefixtures("clouds")


@pytest.fixture
def value(http):
    """The value of a series as it is shown, or None."""

    def read(series):
        match = re.search(rf"^{re.escape(series)} (\S+)$", http.get("/metrics").text, re.M)
        return float(match[1]) if match else None

    return read


def test_a_request_is_counted_by_the_rule_of_its_route_its_method_and_its_status(get, value):
    get("/solar-inverters")
    get("/solar-inverters/unknown-one")
    get("/nowhere")
    assert value('derapi_requests_total{method="GET",route="/solar-inverters",status="200"}') == 1
    assert value('derapi_requests_total{method="GET",route="/solar-inverters/<id>",status="404"}') == 1
    assert value('derapi_requests_total{method="none",route="none",status="404"}') == 1
    assert value('derapi_request_seconds_count{route="/solar-inverters"}') == 1
    assert value('derapi_request_seconds_bucket{le="30.0",route="/solar-inverters"}') == 1


def test_an_unknown_method_makes_no_series(http, value):
    http.open("/solar-inverters", method="BREW")
    assert value('derapi_requests_total{method="none",route="none",status="405"}') == 1


def test_calls_are_counted_by_vendor_and_outcome_and_cached_replies_by_their_age(get, value, network):
    network.replace("POST", f"{SOLIS}/v1/api/inverterList", status=429)
    get("/solar-inverters")
    get("/solar-inverters")
    assert value('derapi_vendor_call_seconds_count{outcome="ok",vendor="sma"}') == 3
    assert value('derapi_vendor_call_seconds_count{outcome="rate_limited",vendor="solis"}') == 1
    assert value('derapi_vendor_calls_refused_total{reason="rate_limited",vendor="solis"}') == 1
    assert value('derapi_vendor_cached_replies_used_total{use="list",vendor="sma"}') == 1
    get("/sites")
    assert value('derapi_vendor_cached_replies_used_total{use="fresh",vendor="sma"}') == 1


def test_the_age_of_cached_replies_is_the_sum_over_their_uses(get, value, service_clock):
    get("/solar-inverters?vendor=solaredge")
    service_clock.now += 40
    get("/solar-inverters?vendor=solaredge")
    get("/solar-inverters?vendor=solaredge")
    assert value('derapi_vendor_cached_replies_used_total{use="list",vendor="solaredge"}') == 2
    assert value('derapi_vendor_cached_replies_used_age_seconds_total{use="list",vendor="solaredge"}') == 80


def test_a_stale_reply_in_place_of_a_failed_call_is_counted_apart(get, value, network, service_clock):
    get("/solar-inverters?vendor=solis")
    service_clock.now += 7200
    network.replace("POST", f"{SOLIS}/v1/api/inverterList", status=429)
    get("/solar-inverters?vendor=solis")
    assert value('derapi_vendor_cached_replies_used_total{use="stale",vendor="solis"}') == 1
    assert value('derapi_vendor_cached_replies_used_age_seconds_total{use="stale",vendor="solis"}') == 7200


def test_a_second_attempt_is_a_retry(get, value, network):
    network.replace("GET", f"{SMA}/v1/plants", status=503)
    get("/solar-inverters?vendor=sma")
    assert value('derapi_vendor_retries_total{vendor="sma"}') == 1
    assert value('derapi_vendor_call_seconds_count{outcome="backend_error",vendor="sma"}') == 2


def test_a_reply_that_cannot_be_read_is_counted_though_its_call_succeeded(get, value, network):
    network.replace("GET", f"{SMA}/v1/plants", body="<html>login</html>")
    get("/solar-inverters?vendor=sma")
    assert value('derapi_vendor_replies_unreadable_total{vendor="sma"}') == 1


def test_a_request_in_progress_is_one_thread_in_use(value):
    assert value("derapi_request_threads_in_use") == 1, "the request that asks"


def test_the_names_and_labels_follow_the_conventions():
    for definition in DEFINITIONS:
        kind = definition.kind.__name__
        assert re.fullmatch(r"derapi_[a-z_]+[a-z]", definition.name)
        assert definition.name.endswith("_total") == (kind == "Counter"), definition.name
        assert bool(definition.buckets) == (kind == "Histogram"), definition.name
        assert (definition.over_processes in ("sum", "min", "max")) == (kind == "Gauge"), definition.name
        assert definition.over_processes != "min" or definition.labels, "the master would add a 0"
        if kind == "Histogram":
            assert definition.name.endswith("_seconds")
        allowed = {"route", "method", "status", "vendor", "outcome", "reason", "use", "region", "pool"}
        allowed |= {"dependency", "source"}
        assert set(definition.labels) <= allowed
        assert definition.help.endswith(".")
