"""Every vendor over recorded replies: expected records, broken answers, and what errors may contain."""

import json
import re

import pytest

from tests.vendors.cases import RecordedTransport, cases_of, differences, plain
from tests.vendors.skeletons import skip_unwritten
from tests.vendors.stages import asked_vendors
from tests.vendors.support import BASE, HEADERS, cloud_of, open_vendor
from vendors.kit import Shape, VendorError
from vendors.kit.calls.sweep import Sweep
from vendors.kit.registry import discover

NAMES = asked_vendors()
# A plugin goes by its first name; the others are its vendor's own sandboxes.
VENDORS = sorted({next(iter(plugin.hosts)) for plugin in discover().values()})
CASES = [pytest.param(case, id=case.name) for vendor in VENDORS for case in cases_of(vendor)]


def everything(network, **answer):
    for method in ("GET", "POST"):
        network.add(method, re.compile(f"{BASE}/.*"), **answer)


def failure_of(name, cloud=None):
    sweep = Sweep(open_vendor(name, cloud=cloud))
    sweep.run(lambda vendor: vendor.devices())
    assert sweep.failure is not None
    return sweep.failure


@pytest.fixture(autouse=True)
def _written(request):
    """Tests of a whole plugin wait until no part of it is a skeleton's."""
    name = request.node.callspec.params.get("name") if hasattr(request.node, "callspec") else None
    if name in NAMES:
        skip_unwritten(name)


def replay(case, monkeypatch):
    """Reads the case and holds what came against what is expected."""
    skip_unwritten(case.vendor, *case.files)
    case.set_clock(monkeypatch)
    cloud = cloud_of(case.vendor)
    cloud.transport = transport = RecordedTransport(case)
    plugin = open_vendor(case.vendor, cloud=cloud)
    results = case.results(plugin)
    failures = plugin.client.progress.failures
    assert not transport.missing, f"no reply is recorded for {', '.join(transport.missing)}"
    assert {failure.code for failure in failures} == ({case.failure} if case.failure else set()), failures
    if case.retry_after:
        assert [failure.retry_after for failure in failures] == [case.retry_after]
    if case.expected:
        lines = list(differences(case.expected_results(), [plain(result) for result in results]))
        if lines:
            pytest.fail("\n".join([f"{case.expected}.expected.json differs:", *lines]), pytrace=False)


@pytest.mark.parametrize("case", CASES)
def test_a_recorded_reply_gives_the_expected_records_or_failure(case, monkeypatch):
    replay(case, monkeypatch)


@pytest.mark.parametrize("case", CASES)
def test_no_member_that_a_shape_leaves_out_is_read(case, monkeypatch):
    monkeypatch.setattr(Shape, "read", lambda shape, body: json.loads(body))
    replay(case, monkeypatch)


class Watched(dict):
    """An answer that notes which of its members are asked for, there or not."""

    def __init__(self, members, asked):
        super().__init__(members)
        self._asked = asked

    def __getitem__(self, name):
        self._asked.add(name)
        return super().__getitem__(name)

    def __contains__(self, name):
        self._asked.add(name)
        return super().__contains__(name)

    def get(self, name, default=None):
        self._asked.add(name)
        return super().get(name, default)


@pytest.mark.parametrize("case", CASES)
def test_each_member_that_a_converter_or_the_hook_failure_reads_is_in_its_shape(case, monkeypatch):
    asked, narrow = {}, Shape.read

    def read(shape, body):
        answer = narrow(shape, body)
        return Watched(answer, asked.setdefault(shape, set())) if isinstance(answer, dict) else answer

    monkeypatch.setattr(Shape, "read", read)
    replay(case, monkeypatch)
    for shape, members in asked.items():
        for member in members:
            assert member in narrow(shape, json.dumps({member: None}).encode()), "only=Shape(...) leaves it out"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("status", "code"),
    [
        (301, "backend_error"),
        (400, "backend_error"),
        (401, "unauthorized"),
        (404, "not_found"),
        (410, "api_retired"),
        (429, "rate_limited"),
        (500, "backend_error"),
        (502, "backend_error"),
        (503, "backend_error"),
    ],
)
def test_a_vendor_s_status_becomes_the_right_kind_of_error(name, status, code, network):
    everything(network, status=status, body="<html>nothing useful</html>")
    assert failure_of(name).code == code


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("body", ["", "<html>", '{"plants": [', "null", "[]x", "[" * 2000, '"text"', "7", "{}"])
def test_an_unreadable_answer_is_a_bad_reply_and_is_asked_for_again(name, body, network):
    everything(network, body=body)
    cloud = cloud_of(name)
    assert failure_of(name, cloud).code == "bad_reply"
    calls = len(network.calls)
    assert failure_of(name, cloud).code == "bad_reply"
    assert len(network.calls) == 2 * calls, "an unreadable answer was kept for reuse"


@pytest.mark.parametrize("name", NAMES)
def test_a_retired_api_is_called_once_and_said_to_be_retired(name, network):
    everything(network, status=410)
    assert "the vendor has retired this API version" in str(failure_of(name))
    assert len(network.calls) == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_server_error_is_tried_once_more_and_a_refusal_is_not(name, network):
    everything(network, status=500)
    failure_of(name)
    assert len(network.calls) == 2
    network.reset()
    everything(network, status=401)
    calls_before = len(network.calls)
    failure_of(name)
    assert len(network.calls) == calls_before + 1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "value", ["", "Bearer", "Bearer ", "Digest abc", "Basic %%%", "Basic OnNlY3JldA==", "Basic aWQ6"]
)
def test_an_unusable_credential_is_refused_without_a_call_and_without_its_value(name, value):
    scheme = discover()[name].credential_headers
    with pytest.raises(VendorError) as refused:
        scheme.read(name, {f"x-authorization-{name}": value})
    assert refused.value.code == "unauthorized"
    assert f"X-Authorization-{name}" in str(refused.value)
    assert not value.strip() or value.split()[-1] not in str(refused.value).replace("Bearer", "").replace("Basic", "")


@pytest.mark.parametrize("name", NAMES)
def test_no_secret_shows_in_reprs_errors_and_logged_lines(name, network, caplog):
    everything(network, status=500)
    caplog.set_level("DEBUG")
    vendor = open_vendor(name)
    failure = failure_of(name)
    shown = " ".join([repr(vendor), repr(vendor.credential), repr(failure), str(failure), failure.url, caplog.text])
    for secret in vendor.credential.secrets:
        assert secret not in shown
    assert "sentinel" not in shown


def test_every_vendor_has_a_made_up_credential_in_its_headers_json():
    assert set(HEADERS) >= set(NAMES)
