"""Two clients with a credential each for one vendor, and equal paths: neither ever sees what is the other's.

Each account has an inverter that the other has as well, by the same ids but with its owner's name as its model, and
one of its own.
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


# Vendor -> URL -> the answer, made of the account's two devices; None is a 404.
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
    """A vendor that answers both at once or neither, so that their calls are under way together; or that is down."""

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
            sent = request.headers.get("X-API-Key") or request.headers["Authorization"].removeprefix("Bearer ")
            found = answer([("7", sent), (f"7-{sent}", sent)])
            return (200, {}, json.dumps(found)) if found else (404, {}, "")

        return answered


@pytest.fixture(params=ANSWERS)
def cloud(request, network):
    return Cloud(network, request.param)


@pytest.fixture
def ask(http, new_client, cloud):
    """The answer to one owner; each is a client of their own."""
    tokens = {}
    for owner in (*OWNERS, "carl"):
        auth = new_client(api_version="v2024-09-01")
        answer = http.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=auth)
        tokens[owner] = {"Authorization": f"Bearer {answer.json['access_token']}"}

    def asked(owner, path="/solar-inverters"):
        return http.application.test_client().get(path, headers=tokens[owner] | HEADERS[cloud.vendor](owner))

    return asked


@pytest.fixture
def listed(cloud, ask):
    """Ids by owner, of lists that were asked for at the same time."""
    with ThreadPoolExecutor(len(OWNERS)) as threads:
        answers = list(threads.map(ask, OWNERS))
    cloud.waits_for_both = False
    assert [answer.json["errors"] for answer in answers] == [{}, {}]
    return {owner: ids_of(answer) for owner, answer in zip(OWNERS, answers, strict=True)}


def ids_of(answer):
    return {item["id"] for item in answer.json["solarInverters"]}


def test_lists_asked_for_at_the_same_time_have_each_owner_s_own_inverters(listed, ask, cloud):
    anna, ben = listed["anna"], listed["ben"]
    assert (len(anna), len(ben), len(anna & ben)) == (2, 2, 1)
    calls = cloud.calls
    assert [ids_of(ask("anna")), ids_of(ask("ben"))] == [anna, ben]
    assert cloud.calls == calls, "from memory"


def test_the_inverter_that_both_have_is_shown_to_each_as_its_own(listed, ask):
    (common,) = listed["anna"] & listed["ben"]
    for _ in range(2):
        for owner in OWNERS:
            assert ask(owner, f"/solar-inverters/{common}").json["model"] == owner


def test_the_id_of_the_other_s_inverter_opens_nothing(listed, ask):
    (foreign,) = listed["anna"] - listed["ben"]
    assert ask("anna", f"/solar-inverters/{foreign}").json["model"] == "anna"
    answer = ask("ben", f"/solar-inverters/{foreign}")
    assert answer.status_code >= 400
    assert "anna" not in answer.text


def test_while_the_vendor_is_down_each_is_served_what_is_old_and_their_own(listed, ask, app, service_clock, cloud):
    (common,) = listed["anna"] & listed["ben"]
    for owner in OWNERS:
        assert ask(owner, f"/solar-inverters/{common}").status_code == 200
    cloud.is_down = True
    service_clock.now += 7200
    app.extensions["services"].clouds[cloud.vendor].pause = 0.0
    for owner in OWNERS:
        answer = ask(owner)
        assert ids_of(answer) == listed[owner]
        assert "from memory" in answer.json["errors"][cloud.vendor]
        assert int(answer.headers["Age"]) >= 7200
        assert ask(owner, f"/solar-inverters/{common}").json["model"] == owner
    stranger = ask("carl")
    assert ids_of(stranger) == set()
    assert "from memory" not in stranger.json["errors"][cloud.vendor]
    assert ask("carl", f"/solar-inverters/{common}").status_code >= 500
