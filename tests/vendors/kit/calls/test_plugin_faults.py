"""An exception in a plugin is reported as its fault, and an unreadable reply as the vendor's."""

import pytest

from tests.vendors.support import BASE, open_vendor
from vendors.kit import NotOffered
from vendors.kit.calls.sweep import Sweep

PLANTS = BASE + "/v1/plants"


@pytest.fixture
def two_plants(network):
    network.get(PLANTS, json={"plants": [{"plantId": "1"}, {"plantId": "2"}]})


def careless(raw):
    return raw["nothing like it"]


@pytest.mark.parametrize(
    "read",
    [
        lambda vendor: [careless(vendor.client.get("/v1/plants").json)],
        lambda vendor: vendor.client.each(["1"], lambda item: [careless(vendor.client.get("/v1/plants").json)]),
        lambda vendor: vendor.client.each(["1", "2"], lambda item: [careless(vendor.client.get("/v1/plants").json)]),
        lambda vendor: [vendor.client.optional(lambda: careless(vendor.client.get("/v1/plants").json)).result()] * 0,
        lambda vendor: [[] + 1],
        lambda vendor: vendor.nothing_like_it,
    ],
    ids=["sweep", "each of a single item", "each", "optional", "type", "attribute"],
)
def test_an_exception_outside_of_the_converters_is_a_plugin_fault(two_plants, caplog, read):
    sweep = Sweep(open_vendor("sma"))
    sweep.run(read)
    assert {failure.code for failure in sweep.progress.failures} == {"plugin_fault"}
    assert "Traceback" in caplog.text, "the log has the traceback of a fault of this server"


@pytest.mark.parametrize(
    "read",
    [
        lambda vendor: [vendor.client.get("/v1/plants").record(careless)],
        lambda vendor: vendor.client.get("/v1/plants").rows("plants", to=careless),
        lambda vendor: vendor.client.each(["1"], lambda item: [vendor.client.get("/v1/plants").record(careless)]),
        lambda vendor: vendor.client.get("/v1/plants").rows("members", to=careless),
    ],
    ids=["record", "rows", "each", "no rows"],
)
def test_a_member_that_a_converter_does_not_find_is_a_bad_reply(two_plants, read):
    sweep = Sweep(open_vendor("sma"))
    sweep.run(read)
    assert {failure.code for failure in sweep.progress.failures} == {"bad_reply"}


@pytest.mark.parametrize("count", [1, 2])
def test_a_resource_that_part_of_a_vendor_does_not_offer_is_no_failure(count):
    def call(item):
        raise NotOffered

    sweep = Sweep(open_vendor("sma"))
    sweep.run(lambda vendor: vendor.client.each(map(str, range(count)), call))
    assert (sweep.records, sweep.failure) == ([], None)
