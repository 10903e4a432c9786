"""The log of failed calls: each has one line, without ids, queries and secrets, and an outage does not flood it."""

import logging
from functools import partial

import pytest
import requests

from tests.vendors.support import BASE, HEADERS, cloud_of, open_vendor
from vendors.kit import BackendError
from vendors.kit.calls.breaker import FAULTS, OPEN_SECONDS, Breaker
from vendors.kit.calls.call_log import LINES, SECONDS, CallLog
from vendors.kit.calls.sweep import Sweep
from vendors.kit.messages import Request

PLANTS = BASE + "/v1/plants"
FIELDS = ("vendor", "method", "path", "status", "code", "why", "error", "milliseconds", "attempt", "rows", "left_out")


@pytest.fixture
def lines(caplog):
    """Reads the new lines of the log: the event and the fields of each, without the duration of the call."""
    caplog.set_level(logging.INFO, logger="vendors")

    def read():
        events = []
        for record in caplog.records:
            fields = {name: getattr(record, name) for name in (*FIELDS, "url") if hasattr(record, name)}
            assert fields.pop("milliseconds", 0) >= 0
            assert record.levelno == logging.WARNING
            events.append((record.getMessage(), fields))
        caplog.clear()
        return events

    return read


def swept(cloud, read=lambda vendor: vendor.sites(), **options):
    sweep = Sweep(open_vendor("sma", cloud=cloud, **options))
    sweep.run(read)
    return sweep


def called(attempt=1, path="/v1/plants", **fields):
    return "vendor call failed", {"vendor": "sma", "method": "GET", "path": path, "attempt": attempt} | fields


@pytest.mark.parametrize(
    ("status", "code"), [(401, "unauthorized"), (404, "not_found"), (410, "api_retired"), (429, "rate_limited")]
)
def test_a_refused_call_is_one_line(network, lines, status, code):
    network.get(PLANTS, status=status)
    swept(cloud_of("sma"))
    ((event, fields),) = lines()
    fields.pop("why", None)
    assert (event, fields) == called(status=status, code=code)


def test_each_attempt_is_a_line(network, lines):
    network.get(PLANTS, status=500)
    swept(cloud_of("sma"))
    why = "the vendor answered 500"
    assert lines() == [called(attempt, status=500, code="backend_error", why=why) for attempt in (1, 2)]


def test_a_connection_that_breaks_is_a_line_with_the_kind_of_its_error(network, lines):
    network.get(PLANTS, body=requests.ConnectionError("https://vendor.test/v1/plants?key=secret"))
    swept(cloud_of("sma"), seconds=0.9)
    failed = called(code="backend_error", error="ConnectionError", why="no connection, or it broke")
    assert lines() == [failed]
    network.calls.reset()


@pytest.mark.parametrize(
    ("answer", "fields"),
    [
        ({"body": "<html>"}, {"why": "the answer is not JSON"}),
        ({"json": {}}, {"why": "plants is missing"}),
        ({"json": {"plants": [{"x": 1}, {"y": 2}]}}, {"why": "plantId is missing"}),
        ({"json": {"plants": [{"plantId": "1"}, {"x": 1}, None]}}, {"why": "plantId is missing", "rows": 2}),
    ],
)
def test_an_unreadable_reply_is_one_line(network, lines, answer, fields):
    network.get(PLANTS, **answer)
    swept(cloud_of("sma"))
    assert lines() == [called(status=200, code="bad_reply", **fields)]


def test_a_line_names_neither_ids_nor_queries_nor_credentials(network, lines, caplog):
    network.get(f"{PLANTS}/private-7/devices/lean", status=500, json={"message": "vendor's words"})
    swept(cloud_of("sma"), lambda vendor: vendor.devices("private-7"))
    assert [fields["path"] for _, fields in lines()] == ["/v1/plants/{}/devices/lean"] * 2
    for secret in ("private-7", "vendor's words", *HEADERS["sma"].values()):
        assert secret not in caplog.text


def test_calls_that_succeed_or_are_not_made_leave_no_line(network, lines):
    network.get(PLANTS, json={"plants": []})
    cloud = cloud_of("sma")
    swept(cloud)
    breaker = cloud.breakers[BASE] = Breaker(clock=lambda: 0.0)
    for _ in range(FAULTS):
        breaker.unreachable()
    assert swept(cloud, refresh=True).failure.code == "vendor_down"
    assert lines() == []


def test_an_outage_writes_few_lines_a_minute_and_the_number_of_failures_left_out(lines):
    now = [0.0]
    log = CallLog("sma", clock=lambda: now[0])
    fail = partial(log.failed, Request("GET", BASE, "/v1/plants", template="/v1/plants"), BackendError(PLANTS, "why"))
    for _ in range(1000):
        fail()
    assert len(lines()) == LINES
    assert log.is_behind
    now[0] = SECONDS
    fail()
    assert [fields["left_out"] for _, fields in lines()] == [1000 - LINES]


def test_the_number_of_failures_left_out_is_written_when_calls_succeed_again(network, lines):
    now = [0.0]
    cloud = cloud_of("sma")
    cloud.call_log = CallLog("sma", clock=lambda: now[0])
    for _ in range(LINES + 3):
        cloud.call_log.failed(Request("GET", BASE, "/"), BackendError())
    lines()
    network.get(PLANTS, json={"plants": []})
    swept(cloud)
    assert lines() == [], "the minute is not over"
    now[0] = SECONDS
    for _ in range(2):
        swept(cloud, refresh=True)
    left_out = {"vendor": "sma", "code": "backend_error", "left_out": 3}
    assert lines() == [("further vendor calls failed", left_out)]
    assert not cloud.call_log.is_behind


def test_one_kind_of_failure_does_not_silence_another(network, lines):
    cloud = cloud_of("sma")
    for _ in range(LINES + 1):
        cloud.call_log.failed(Request("GET", BASE, "/"), BackendError())
    lines()
    network.get(PLANTS, status=401)
    swept(cloud)
    assert [fields["code"] for _, fields in lines()] == ["unauthorized"]


def test_a_breaker_logs_once_that_it_has_opened_and_once_that_it_has_closed(lines):
    now = [0.0]
    cloud = cloud_of("sma")
    breaker = Breaker(lambda: now[0], partial(cloud.call_log.breaker, BASE))
    for _ in range(2 * FAULTS):
        breaker.unreachable()
    now[0] += OPEN_SECONDS
    assert breaker.check("url", timeout=1)
    breaker.unreachable(is_probe=True)
    fields = {"vendor": "sma", "url": BASE}
    assert lines() == [("vendor breaker opened", fields)]
    for _ in range(2):
        breaker.succeeded()
    assert lines() == [("vendor breaker closed", fields)]


def test_the_breakers_of_a_cloud_are_logged(network, lines):
    cloud = cloud_of("sma")
    for _ in range(FAULTS):
        cloud.breakers[BASE].unreachable()
    cloud.breakers[BASE].succeeded()
    assert [event for event, _ in lines()] == ["vendor breaker opened", "vendor breaker closed"]
