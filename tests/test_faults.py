"""A misbehaving vendor costs its own entry in `errors` and nothing else, by the deadline, over plain HTTP and TLS."""

import ssl
import threading
import time

import pytest
import trustme

from tests.services import PLAYED_VENDORS, served
from vendors.kit.calls.cloud import MAX_SWEEPS_PER_CREDENTIAL

# The least deadline; a slow machine gets a longer one.
SECONDS = 1.0
# Allowed after the deadline, on a busy machine; a call without a deadline would wait for ever.
GRACE = 8.0

pytestmark = pytest.mark.serial


@pytest.fixture(scope="module", params=["http", pytest.param("https", marks=pytest.mark.exhaustive)])
def fleet(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("faults")
    if request.param == "http":
        with served(folder, seconds=SECONDS) as service_and_clouds:
            yield service_and_clouds
        return
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    with served(folder, seconds=SECONDS, tls=context, ca_file=str(folder / "ca.pem")) as service_and_clouds:
        yield service_and_clouds


@pytest.mark.parametrize(
    ("fault", "reason", "waits"),
    [
        ({"hang": True}, "Gateway Timeout", True),
        ({"drip": {"part": "headers", "every": 0.1}}, "Gateway Timeout", True),
        ({"drip": {"part": "body", "every": 0.1}}, "Gateway Timeout", True),
        ({"huge": 100_000_000}, "Bad Gateway", False),
        ({"redirect": "http://127.0.0.1:9/"}, "Bad Gateway", False),
        ({"reset": True}, "Bad Gateway", False),
        ({"body": "<html>"}, "Bad Gateway", False),
        ({"status": 500}, "Bad Gateway", False),
    ],
    ids=["hang", "headers", "body", "huge", "redirect", "reset", "html", "500"],
)
def test_a_vendor_that_misbehaves_costs_its_own_entry_by_the_deadline(fleet, fault, reason, waits):
    service, played = fleet
    headers = played.headers() | {"Cache-Control": "no-cache"}
    healthy = sum(len(played.inverters(vendor)) for vendor in PLAYED_VENDORS if vendor != "solaredge")
    deadline = service.pace(SECONDS, headers)
    played.put("/faults/solaredge", fault)
    started = time.monotonic()
    ids, errors = service.inverters(headers)
    took = time.monotonic() - started
    played.put("/faults/solaredge", {})
    assert errors == {"solaredge": f"{reason}: {played.url}/solaredge/v2/sites"}
    assert len(ids) == healthy
    assert took < deadline + GRACE
    assert waits == (took > deadline * 0.95)


def test_the_threads_of_a_hung_vendor_are_free_again_after_the_deadline(fleet):
    service, played = fleet
    headers = played.headers("solaredge") | {"Cache-Control": "no-cache"}
    cloud = service.app.extensions["services"].clouds["solaredge"]
    played.put("/faults/solaredge", {"hang": True})
    clients = [threading.Thread(target=service.inverters, args=(headers,)) for _ in range(8)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    played.put("/faults/solaredge", {})
    ended = time.monotonic() + GRACE
    while cloud.sweep_slots.taken and time.monotonic() < ended:
        threading.Event().wait(0.01)
    assert cloud.sweep_slots.taken == 0
    assert service.inverters(headers)[1] == {}


def test_sixty_four_clients_of_a_hung_vendor_get_the_other_vendors_and_delay_no_other_client(fleet):
    service, played = fleet
    healthy, stuck = played.headers("solis"), played.headers("solis", "enphasevpp")
    deadline = service.pace(3 * SECONDS, healthy)
    expected, _ = service.inverters(healthy)
    played.put("/faults/enphasevpp", {"hang": True})
    answers = []

    def ask():
        started = time.monotonic()
        ids, errors = service.inverters(stuck | {"Cache-Control": "no-cache"})
        answers.append((time.monotonic() - started, ids == expected, list(errors)))

    clients = [threading.Thread(target=ask) for _ in range(64)]
    for client in clients:
        client.start()
    others = [service.inverters(healthy) for _ in range(10)]
    still_stuck = sum(client.is_alive() for client in clients)
    for client in clients:
        client.join()
    played.put("/faults/enphasevpp", {})
    assert others == [(expected, {})] * 10
    assert still_stuck >= MAX_SWEEPS_PER_CREDENTIAL, "the healthy requests were answered meanwhile"
    assert [answer for answer in answers if answer[1:] != (True, ["enphasevpp"])] == []
    # Requests without a slot wait for one for a second and then report busy; the others wait until the deadline.
    assert max(took for took, *_ in answers) < deadline + GRACE


def test_one_hung_site_of_many_costs_only_its_own_devices(fleet):
    service, played = fleet
    headers = played.headers("sma") | {"Cache-Control": "no-cache"}
    service.pace(SECONDS, headers)
    view = played.get("/truth")["views"]["sma"][0]
    path = f"/v1/plants/{view['site']}/devices/lean"
    played.put("/faults/sma", {"hang": True, "path": path})
    ids, errors = service.inverters(headers)
    played.put("/faults/sma", {})
    assert errors == {"sma": f"Gateway Timeout: {played.url}/sma{path} (incomplete: 7 of 8 sites)"}
    lost = sum(device["kind"] == "solar_inverter" for device in view["devices"])
    assert len(ids) == len(played.inverters("sma")) - lost


def test_calls_of_several_vendors_run_at_the_same_time(fleet):
    service, played = fleet
    vendors = ("sma", "smasbox", "solaredge", "solis")
    headers = played.headers(*vendors) | {"Cache-Control": "no-cache"}
    started = time.monotonic()
    service.inverters(headers)
    delay = max(0.2, time.monotonic() - started)
    service.pace(20 * delay, headers)
    for vendor in vendors:
        played.put(f"/faults/{vendor}", {"delay": delay})
    started = time.monotonic()
    _, errors = service.inverters(headers)
    took = time.monotonic() - started
    for vendor in vendors:
        played.put(f"/faults/{vendor}", {})
    assert errors == {}
    # The longest chain is the list of sites and two rounds of four sites each; the sum would be 25 delays.
    assert 3 * delay <= took < 12 * delay
