"""The verbs of the client: get, post_read, optional, pages, each."""

import threading

import pytest

from tests.vendors.support import BASE, cloud_of, open_vendor
from vendors.kit import BadReply, Refused, Timeout
from vendors.kit.calls.client import MAX_PAGES
from vendors.kit.calls.reply_cache import Mode
from vendors.kit.calls.retry_budget import EARNED, MOST, RetryBudget
from vendors.kit.calls.sweep import Sweep
from vendors.kit.deadline import Deadline
from vendors.kit.parsing.ids_in_paths import fits_path

PLANTS = BASE + "/v1/plants"


def plants(count):
    return {"plants": [{"plantId": str(number)} for number in range(1, count + 1)]}


def devices(number):
    return {"devices": [{"deviceId": f"d{number}", "type": "Solar Inverters", "generatorPower": 1000.0}]}


def add_plants(network, count, fail=()):
    network.get(PLANTS, json=plants(count))
    for number in range(1, count + 1):
        answer = {"status": 500} if number in fail else {"json": devices(number)}
        network.get(f"{PLANTS}/{number}/devices/lean", **answer)


def swept(vendor):
    sweep = Sweep(vendor)
    sweep.run(lambda vendor: vendor.devices())
    return sweep


@pytest.mark.parametrize(
    "part", ["..", ".", "...", "a/b", "a\\b", "a?b", "a#b", "%2e%2e", "a%2fb", "", "ä", "a\nb", "x" * 201]
)
def test_an_id_that_could_change_the_path_of_a_url_is_not_sent(part, network):
    assert not fits_path(part)
    network.get(PLANTS, json={"plants": [{"plantId": part}]})
    sweep = swept(open_vendor("sma"))
    assert sweep.records == []
    assert sweep.failure.code == "bad_reply"
    assert len(network.calls) == 1


@pytest.mark.parametrize(
    ("part", "quoted"), [("7E140000-01", "7E140000-01"), ("A B", "A%20B"), ("a:b@c", "a%3Ab%40c"), ("..a", "..a")]
)
def test_an_id_is_quoted_in_the_path(part, quoted, network):
    network.get(f"{PLANTS}/{quoted}/devices/lean", json={"devices": []})
    list(open_vendor("sma").devices(part))
    assert network.calls[0].request.url == f"{PLANTS}/{quoted}/devices/lean"


def test_14_of_15_sites_are_listed_and_the_error_mentions_the_missing_site(network):
    add_plants(network, 15, fail={7})
    sweep = swept(open_vendor("sma"))
    assert len(sweep.records) == 14
    assert f"{sweep.failure}{sweep.incomplete}" == (
        "Bad Gateway: https://vendor.test/v1/plants/7/devices/lean (incomplete: 14 of 15 sites)"
    )


def test_a_complete_sweep_has_no_failure_and_is_not_called_incomplete(network):
    add_plants(network, 3)
    sweep = swept(open_vendor("sma"))
    assert (sweep.failure, sweep.incomplete, sweep.finished) == (None, "", True)


@pytest.mark.parametrize("status", [401, 429])
def test_a_refused_credential_or_a_spent_quota_ends_the_sweep(status, network):
    network.get(PLANTS, json=plants(50))
    for number in range(1, 51):
        network.get(f"{PLANTS}/{number}/devices/lean", status=status)
    swept(open_vendor("sma"))
    assert len(network.calls) <= 1 + 2 * 4, "no more than what was already on its way"


def test_there_are_no_more_concurrent_calls_than_the_vendor_allows(network):
    running, seen, lock = [], [], threading.Lock()
    gate = threading.Barrier(4, timeout=60)

    def answer(request):
        with lock:
            running.append(request)
            seen.append(len(running))
        gate.wait()
        with lock:
            running.remove(request)
        return (200, {}, '{"devices": []}')

    network.get(PLANTS, json=plants(12))
    for number in range(1, 13):
        network.add_callback("GET", f"{PLANTS}/{number}/devices/lean", callback=answer)
    assert swept(open_vendor("sma")).failure is None
    assert max(seen) == 4


def test_a_device_listed_twice_is_one_record_made_from_the_last_row(network):
    first, second = devices(1)["devices"][0], devices(1)["devices"][0] | {"name": "later"}
    network.get(f"{PLANTS}/1/devices/lean", json={"devices": [first, second]})
    sweep = Sweep(open_vendor("sma"))
    sweep.run(lambda vendor: vendor.devices("1"))
    assert [row.record().name for row in sweep.records] == ["later"]


def test_an_unreadable_row_does_not_hide_the_other_rows(network):
    rows = [*devices(1)["devices"], {"type": "Solar Inverters"}, None, "text", *devices(2)["devices"]]
    network.get(f"{PLANTS}/1/devices/lean", json={"devices": rows})
    sweep = Sweep(open_vendor("sma"))
    sweep.run(lambda vendor: vendor.devices("1"))
    assert len(sweep.records) == 2
    assert sweep.failure.detail == "The vendor's answer could not be read: deviceId is missing."


def test_a_reply_is_reused_and_a_refresh_calls_again(network):
    add_plants(network, 3)
    cloud = cloud_of("sma")
    for _ in range(2):
        assert len(swept(open_vendor("sma", cloud=cloud)).records) == 3
    assert len(network.calls) == 4
    swept(open_vendor("sma", cloud=cloud, refresh=True))
    assert len(network.calls) == 8


def test_another_credential_never_gets_a_cached_reply(network):
    add_plants(network, 1)
    cloud = cloud_of("sma")
    for token in ("one", "two"):
        swept(open_vendor("sma", cloud=cloud, headers={"X-Authorization-sma": f"Bearer {token}"}))
    assert len(network.calls) == 4


@pytest.mark.parametrize("answer", [{"status": 503}, {"body": "<html>"}, {"json": {}}], ids=str)
def test_a_failed_refresh_does_not_evict_the_good_reply(network, answer):
    good = network.get(PLANTS, json=plants(0))
    cloud = cloud_of("sma")
    swept(open_vendor("sma", cloud=cloud))
    network.remove(good)
    network.get(PLANTS, **answer)
    for _ in range(2):
        assert swept(open_vendor("sma", cloud=cloud, refresh=True)).failure
    assert swept(open_vendor("sma", cloud=cloud)).failure is None


def test_a_retry_needs_enough_of_the_deadline(network):
    network.get(PLANTS, status=500)
    assert swept(open_vendor("sma", seconds=0.9)).failure
    assert len(network.calls) == 1


def test_only_the_failed_calls_are_made_again(network):
    add_plants(network, 5, fail={2})
    cloud = cloud_of("sma")
    swept(open_vendor("sma", cloud=cloud))
    network.reset()
    add_plants(network, 5)
    assert len(swept(open_vendor("sma", cloud=cloud)).records) == 5
    assert [call.request.url for call in network.calls] == [f"{PLANTS}/2/devices/lean"]


def test_retries_do_not_double_the_calls_during_an_outage(network):
    add_plants(network, 40, fail=set(range(1, 41)))
    cloud = cloud_of("sma")
    for _ in range(3):
        swept(open_vendor("sma", cloud=cloud, refresh=True))
    lists, sites, successes = 3, 3 * 40, 3
    assert len(network.calls) <= lists + sites + MOST + successes * EARNED


def test_successful_calls_earn_retries_up_to_a_bound():
    retries = RetryBudget()
    while retries.take():
        pass
    for _ in range(11):
        retries.earn()
    assert [retries.take(), retries.take()] == [True, False]
    for _ in range(1000):
        retries.earn()
    assert sum(retries.take() for _ in range(100)) == MOST


def test_a_retry_is_signed_again_and_can_succeed(network):
    network.get(PLANTS, status=502)
    network.get(PLANTS, json=plants(0))
    sweep = swept(open_vendor("sma"))
    assert sweep.failure is None
    assert [call.request.headers["Authorization"][:7] for call in network.calls] == ["Bearer "] * 2


def test_no_call_is_made_after_the_deadline(network):
    vendor = open_vendor("sma", seconds=0)
    with pytest.raises(Timeout):
        vendor.client.get("/v1/plants")
    assert len(network.calls) == 0


def test_pages_are_read_up_to_a_maximum_number():
    seen = []

    def fetch(number):
        seen.append(number)
        return [number], True

    pages = open_vendor("sma").client.pages(fetch)
    with pytest.raises(BadReply, match="pages"):
        list(pages)
    assert len(seen) == MAX_PAGES


def test_a_redirect_is_not_followed(network):
    network.get(PLANTS, status=302, headers={"Location": "https://elsewhere.test/"})
    vendor = open_vendor("sma")
    with pytest.raises(Refused):
        vendor.client.get("/v1/plants")
    assert len(network.calls) == 1


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("count", [1, 2, 9])
def test_rows_that_a_caller_does_not_read_are_not_reported_as_missing(network, count, mode):
    network.get(PLANTS, json=plants(2))
    cloud = cloud_of("sma")
    earlier = open_vendor("sma", cloud=cloud)
    earlier.client.get("/v1/plants")
    vendor = cloud.open(earlier.credential, Deadline(5), mode)
    rows = vendor.client.each(map(str, range(count)), lambda item: vendor.client.get("/v1/plants").json["plants"])
    assert next(rows) == {"plantId": "1"}
    rows.close()
    assert vendor.client.progress.missing == ""


@pytest.mark.parametrize("count", [1, 3])
def test_a_caller_that_stops_early_still_sees_earlier_failures(network, count):
    add_plants(network, 2, fail={1})
    vendor = open_vendor("sma")
    path = "/v1/plants/{}/devices/lean"
    list(vendor.client.each(["1", "2"], lambda item: [vendor.client.get(path, item).json]))
    network.get(PLANTS, json=plants(2))
    rows = vendor.client.each(map(str, range(count)), lambda item: vendor.client.get("/v1/plants").json["plants"])
    next(rows)
    rows.close()
    assert vendor.client.progress.missing == "2 of 3 sites"
