"""At DEBUG each call to a vendor is a line, with the id of its request; and the id follows into every thread."""

import logging
from dataclasses import replace

import pytest

from app.web import log
from tests.app.support import SMA, silent_sma

LOG_LEVEL = "DEBUG"
VENDOR = {"X-Authorization-sma": "Bearer made-up-1"}


@pytest.fixture
def settings(settings):
    return replace(settings, log_level="DEBUG")


def calls(lines):
    return [line for line in lines() if line["event"] == "vendor call"]


def test_each_call_is_a_line_with_path_template_status_time_attempt_and_bytes(http, bearer, lines, network):
    network.get(f"{SMA}/v1/plants", json={"plants": [{"plantId": "13"}]})
    network.get(f"{SMA}/v1/plants/13/devices/lean", json={"devices": []})
    silent_sma(network)
    lines()
    answer = http.get("/solar-inverters", headers=bearer | VENDOR)
    written = calls(lines)
    assert [(line["path"], line["status"], line["bytes"]) for line in written] == [
        ("/v1/plants", 200, 31),
        ("/v1/plants/{}/devices/lean", 200, 15),
    ]
    for line in written:
        assert line.pop("milliseconds") >= 0
        assert (line["vendor"], line["method"], line["outcome"], line["attempt"]) == ("sma", "GET", "sent", 1)
        assert (line["level"], line["request_id"]) == ("debug", answer.headers["X-Request-ID"])
        assert not {"code", "renewal"} & line.keys()


def test_a_failed_call_has_its_code_and_its_attempt(http, bearer, lines, network):
    network.get(f"{SMA}/v1/plants", status=500)
    lines()
    http.get("/sites", headers=bearer | VENDOR)
    assert [(line["outcome"], line["code"], line["status"], line["attempt"]) for line in calls(lines)] == [
        ("sent", "backend_error", 500, 1),
        ("sent", "backend_error", 500, 2),
    ]


def test_a_cached_reply_has_its_age_and_a_call_that_is_not_made_its_reason(http, bearer, lines, network):
    network.get(f"{SMA}/v1/plants", json={"plants": [{"plantId": "13"}]})
    limited = network.get(f"{SMA}/v1/plants/13/devices/lean", status=429, headers={"Retry-After": "60"})
    lines()
    for _ in range(2):
        http.get("/solar-inverters", headers=bearer | VENDOR)
    assert limited.call_count == 1
    outcomes = [(line["outcome"], line["path"], line.get("code")) for line in calls(lines)]
    assert outcomes[:2] == [("sent", "/v1/plants", None), ("sent", "/v1/plants/{}/devices/lean", "rate_limited")]
    assert outcomes[2:] == [("cached", "/v1/plants", None), ("refused", "/v1/plants/{}/devices/lean", "rate_limited")]


def test_above_debug_no_call_is_a_line_and_none_is_observed(settings, start_service):
    app = start_service(replace(settings, log_level="INFO"))
    observers = [cloud.observers for cloud in app.extensions["services"].clouds.values()]
    assert not [observer for each in observers for observer in each if observer is log.log_vendor_call]


def test_the_libraries_of_the_service_log_no_row_and_no_statement(app, lines):
    lines()
    assert app.extensions["services"].clients.create("test", "production", "v1")
    assert not [line for line in lines() if line["logger"].startswith("sqlalchemy")]


def test_lines_of_the_databases_threads_have_the_requests_id_and_hide_its_secrets(app, lines):
    database = app.extensions["services"].database
    logger = logging.getLogger("thread")

    def work(session):
        logger.warning("it is open-sesame")

    with app.test_request_context("/health", headers={"X-Request-ID": "abc"}):
        app.preprocess_request()
        log.conceal("open-sesame")
        database.look_up(work)
        database.run(work, 5)
    database.look_up(work)
    first, second, outside = (line for line in lines() if line["logger"] == "thread")
    assert (first["event"], first["request_id"]) == (second["event"], second["request_id"])
    assert (first["event"], first["request_id"]) == (f"it is {log.HIDDEN}", "abc")
    assert "request_id" not in outside
