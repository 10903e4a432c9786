"""Sites of recorded cases, whose answers a test may replace."""

import pytest

from tests.vendors.support import BASE, open_vendor
from tests.vendors.tesla.played import NOON, recorded_case
from vendors.kit import Client


@pytest.fixture
def play_case(network, monkeypatch):
    """Plays the answers of a recorded case at noon; `replaced` has other answers, by the last part of their path."""
    monkeypatch.setattr(Client, "now", NOON)

    def play(name, **replaced):
        for call, recorded in recorded_case(name).items():
            method, path = call.split(" ")
            answers = replaced.get(path.rpartition("/")[2], recorded)
            for answer in answers if isinstance(answers, list) else [answers]:
                network.add(method, BASE + path, **(answer if "status" in answer else {"json": answer}))
        return open_vendor("tesla", refresh=True)

    return play


@pytest.fixture
def site(play_case):
    """The site of a recorded case, with these arrays of components, and a nameplate where it has one."""

    def play(nameplate_wh=0.0, **arrays):
        info = recorded_case("powerwall_3_in_gateways")["GET /api/1/energy_sites/1/site_info"]["response"]
        components = {name: value for name, value in info["components"].items() if name != "gateways"}
        info |= {"components": components | arrays, "nameplate_energy": nameplate_wh}
        return play_case("powerwall_3_in_gateways", site_info={"response": info})

    return play
