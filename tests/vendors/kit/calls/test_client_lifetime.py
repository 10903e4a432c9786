"""The lifetime of a plugin and its client, and the URL that a waiting client reports."""

import gc
import threading
import weakref

import pytest
import responses

from tests.vendors.support import BASE, cloud_of, open_vendor
from vendors.kit.calls.sweep import Sweep
from vendors.kit.errors import Timeout
from vendors.kit.messages import RawReply

PLANTS = BASE + "/v1/plants"


@pytest.mark.parametrize(
    "answer",
    [{"json": {"plants": []}}, {"body": "no JSON"}, {"json": {"plants": [{}]}}, {"status": 401}, {"status": 500}],
    ids=["good", "no JSON", "bad row", "refused", "failed"],
)
def test_a_sweep_leaves_no_reference_cycle(network, answer):
    network.get(PLANTS, **answer)
    vendor = open_vendor("sma")
    remains = weakref.ref(vendor)
    gc.disable()
    try:
        sweep = Sweep(vendor)
        sweep.run(lambda vendor: vendor.devices())
        assert sweep.records == []
        del sweep
        del vendor
        assert remains() is None
    finally:
        gc.enable()


def test_a_client_keeps_its_plugin_alive_so_a_series_may_hold_the_client_alone(network):
    network.get(PLANTS, json={"plants": []})
    client = open_vendor("sma").client
    assert client.get("/v1/plants").json == {"plants": []}


def test_a_call_that_outlives_its_sweep_keeps_its_plugin_alive(network):
    """Equal calls may wait for its result."""
    call_arrived, go_on = threading.Event(), threading.Event()

    def answer(request):
        call_arrived.set()
        go_on.wait(60)
        return 200, {}, '{"plants": []}'

    network.add_callback(responses.GET, PLANTS, answer)
    vendor = open_vendor("sma")
    client = vendor.client
    # The call holds the client alone.
    call = client.optional(lambda: client.get("/v1/plants").json)
    assert call_arrived.wait(60)
    del vendor
    go_on.set()
    assert call.result() == {"plants": []}


class SlowAndQuick:
    """A transport whose `/slow` ends at its deadline, after `/quick` has been called and answered."""

    def __init__(self):
        self.began, self.answered = threading.Event(), threading.Event()

    def fetch(self, request, deadline):
        if request.path == "/quick":
            return RawReply(200, {}, b"{}", request.shown_url)
        self.began.set()
        assert self.answered.wait(60)
        raise Timeout(request.shown_url)


def test_the_url_of_a_timeout_is_that_of_the_call_that_timed_out_and_not_of_a_later_one():
    cloud = cloud_of("sma")
    cloud.transport = transport = SlowAndQuick()
    vendor = open_vendor("sma", cloud=cloud, seconds=60)
    client = vendor.client
    slow = client.optional(lambda: client.get("/slow"))
    assert transport.began.wait(60)
    client.get("/quick")
    transport.answered.set()
    assert slow.result() is None
    assert client.waits_for == f"{BASE}/slow"
