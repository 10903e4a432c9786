"""Two clients with different credentials for one vendor, and equal paths: neither ever sees data of the other.

The accounts share an inverter, whose model is the name of the account's owner. Each has a second, different inverter.
"""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import responses

from tests.app.support import ENPHASE, SMA, SOLAREDGE, silent_enphase, silent_sma, silent_solaredge

OWNERS = ("anna", "ben")
# The two Enphase accounts come through one application: the quota is shared, the data are not.
HEADERS = {
    "sma": lambda owner: {"X-Authorization-sma": f"Bearer {owner}"},
    "solaredge": lambda owner: {"X-Authorization-solaredge": owner},
    "enphase": lambda owner: {"X-Authorization-enphase": f"Bearer {owner}", "X-enphase-api-key": "one"},
}


def lean(serial, owner):
    return {"deviceId": serial, "type": "Solar Inverters", "generatorPower": 1.0, "product": owner, "serial": serial}


def sma_details(serial, devices):
    return next(
        ({"plant": {"plantId": "1"}, "details": lean(*device)} for device in devices if device[0] == serial), None
    )


def solaredge(serial, owner):
    return {"type": "INVERTER", "serialNumber": serial, "model": owner}


def micro(serial, owner):
    return {"serial_number": serial, "model": owner, "name": "", "active": True}


# Vendor -> URL -> the answer, built from the account's two devices; None is a 404.
ANSWERS = {
    "sma": {
        f"{SMA}/v1/plants": lambda devices: {"plants": [{"plantId": "1"}]},
        f"{SMA}/v1/plants/1/devices/lean": lambda devices: {"devices": [lean(*device) for device in devices]},
        f"{SMA}/v1/devices/7": lambda devices: sma_details("7", devices),
        f"{SMA}/v1/devices/7-anna": lambda devices: sma_details("7-anna", devices),
    },
    "solaredge": {
        f"{SOLAREDGE}/v2/sites": lambda devices: {"sites": {"site": [{"siteId": 1}]}},
        f"{SOLAREDGE}/v2/sites/1/devices": lambda devices: [solaredge(*device) for device in devices],
    },
    "enphase": {
        f"{ENPHASE}/api/v4/systems": lambda devices: {"total": 1, "systems": [{"system_id": 1}]},
        f"{ENPHASE}/api/v4/systems/1/devices": lambda devices: {
            "devices": {"micros": [micro(*device) for device in devices]}
        },
        f"{ENPHASE}/api/v4/systems/inverters_summary_by_envoy_or_site": lambda devices: [{"micro_inverters": []}],
        f"{ENPHASE}/api/v4/systems/1/devices/micros/7/telemetry": lambda devices: {"intervals": []},
        f"{ENPHASE}/api/v4/systems/1/devices/micros/7-anna/telemetry": lambda devices: {"intervals": []},
        f"{ENPHASE}/api/v4/systems/1/open_events": lambda devices: {"events": []},
    },
}


class Cloud:
    """A vendor that answers once both owners have called, so that their calls are in flight together; or is down."""

    def __init__(self, network, vendor):
        self.vendor, self.is_down, self.waits_for_both, self.calls = vendor, False, True, 0
        self._both = threading.Barrier(len(OWNERS), timeout=60)
        for silent in (silent_sma, silent_solaredge, silent_enphase):
            silent(network)
        for url, answer in ANSWERS[vendor].items():
            network.add_callback(responses.GET, url, self._answering(answer))

    def _answering(self, answer):
        def answered(request):
            self.calls += 1
            if self.is_down:
                return 503, {}, ""
            if self.waits_for_both:
                self._both.wait()
            owner = request.headers.get("X-API-Key") or request.headers["Authorization"].removeprefix("Bearer ")
            body = answer([("7", owner), (f"7-{owner}", owner)])
            return (200, {}, json.dumps(body)) if body else (404, {}, "")

        return answered


@pytest.fixture(params=ANSWERS)
def cloud(request, network):
    return Cloud(network, request.param)


@pytest.fixture
def get_as(http, new_client, cloud):
    """Sends an owner's request. Each owner is a separate client."""
    tokens = {}
    for owner in (*OWNERS, "carl"):
        auth = new_client(api_version="v2024-09-01")
        answer = http.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=auth)
        tokens[owner] = {"Authorization": f"Bearer {answer.json['access_token']}"}

    def get_as(owner, path="/solar-inverters"):
        return http.application.test_client().get(path, headers=tokens[owner] | HEADERS[cloud.vendor](owner))

    return get_as


@pytest.fixture
def listed(cloud, get_as):
    """Ids by owner, of lists that were requested at the same time."""
    with ThreadPoolExecutor(len(OWNERS)) as threads:
        answers = list(threads.map(get_as, OWNERS))
    cloud.waits_for_both = False
    assert [answer.json["errors"] for answer in answers] == [{}, {}]
    return {owner: ids_of(answer) for owner, answer in zip(OWNERS, answers, strict=True)}


def ids_of(answer):
    return {item["id"] for item in answer.json["solarInverters"]}


def test_lists_requested_at_the_same_time_have_the_inverters_of_their_own_account(listed, get_as, cloud):
    anna, ben = listed["anna"], listed["ben"]
    assert (len(anna), len(ben), len(anna & ben)) == (2, 2, 1)
    calls = cloud.calls
    assert [ids_of(get_as("anna")), ids_of(get_as("ben"))] == [anna, ben]
    assert cloud.calls == calls, "from the cache"


def test_an_inverter_in_both_accounts_is_shown_to_each_owner_as_in_their_account(listed, get_as):
    (common,) = listed["anna"] & listed["ben"]
    for _ in range(2):
        for owner in OWNERS:
            assert get_as(owner, f"/solar-inverters/{common}").json["model"] == owner


def test_the_id_of_an_inverter_in_the_other_account_shows_nothing_of_it(listed, get_as):
    (foreign,) = listed["anna"] - listed["ben"]
    assert get_as("anna", f"/solar-inverters/{foreign}").json["model"] == "anna"
    answer = get_as("ben", f"/solar-inverters/{foreign}")
    assert answer.status_code >= 400
    assert "anna" not in answer.text


def test_while_the_vendor_is_down_each_owner_gets_stale_data_of_their_own_account(
    listed, get_as, app, service_clock, cloud
):
    (common,) = listed["anna"] & listed["ben"]
    for owner in OWNERS:
        assert get_as(owner, f"/solar-inverters/{common}").status_code == 200
    cloud.is_down = True
    service_clock.now += 7200
    app.extensions["services"].clouds[cloud.vendor].pause = 0.0
    for owner in OWNERS:
        answer = get_as(owner)
        assert ids_of(answer) == listed[owner]
        assert "from memory" in answer.json["errors"][cloud.vendor]
        assert int(answer.headers["Age"]) >= 7200
        assert get_as(owner, f"/solar-inverters/{common}").json["model"] == owner
    stranger = get_as("carl")
    assert ids_of(stranger) == set()
    assert "from memory" not in stranger.json["errors"][cloud.vendor]
    assert get_as("carl", f"/solar-inverters/{common}").status_code >= 500
