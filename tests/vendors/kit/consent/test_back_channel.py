"""Consent by e-mail: the calls with the application's own token, the states, and the secrecy of the owner's address."""

import json
from datetime import UTC, datetime

import pytest

from tests.vendors.support import TRANSPORT
from vendors.kit import Credential, NotFound, Refused, VendorError
from vendors.kit.calls.cloud import open_cloud
from vendors.kit.calls.reply_cache import ReplyCache
from vendors.kit.consent.back_channel import Consent
from vendors.kit.credentials import StoredRow
from vendors.kit.deadline import Deadline
from vendors.kit.registry import discover

ADDRESS, QUOTED = "owner+roof@example.com", "owner%2Broof%40example.com"
MAIL, PLAIN = "owner@example.com", "owner%40example.com"
HOSTS = {
    "sma": ("https://auth.smaapis.de", "https://async-auth.smaapis.de"),
    "smasbox": ("https://sandbox-auth.smaapis.de", "https://sandbox.smaapis.de"),
}
CONSENTS = HOSTS["sma"][1] + "/oauth2/v2/bc-authorize"
PENDING = {
    "loginHint": MAIL,
    "state": "Pending",
    "expirationDate": "2026-12-01T10:00:00",
    "interval": 1800,
}


class World:
    def __init__(self, network, name="sma"):
        self.network, self.name = network, name
        self.issued = 0
        self.cloud = open_cloud(name, discover()[name], TRANSPORT, ReplyCache())
        self.endpoint = self.cloud.back_channels["customgrant"]
        network.add_callback("POST", HOSTS[name][0] + "/oauth2/token", self._token)

    def _token(self, request):
        self.issued += 1
        return 200, {}, json.dumps({"access_token": f"token-{self.issued}", "expires_in": 300})

    def client(self):
        variant = next(form for form in self.cloud.vendor.variants if form.type == "customgrant")
        members = {"clientID": "made-up-id", "clientSecret": "made-up-secret"}
        return Credential.stored(variant, members, StoredRow("house", "cred-1", "roof"))

    def ask(self, address=MAIL):
        return self.endpoint.ask(self.client(), address, Deadline(20))

    def look(self, address=MAIL):
        return self.endpoint.look(self.client(), address, Deadline(20))

    @property
    def calls(self):
        return [call.request for call in self.network.calls if "token" not in call.request.url]


@pytest.fixture
def world(network):
    return World(network)


@pytest.mark.parametrize("name", HOSTS)
def test_an_owner_is_asked_with_the_applications_own_token(network, name):
    world = World(network, name)
    network.post(HOSTS[name][1] + "/oauth2/v2/bc-authorize", status=201, json=PENDING)
    assert world.ask() == Consent("pending", datetime(2026, 12, 1, 10, tzinfo=UTC), 1800.0)
    (request,) = world.calls
    assert json.loads(request.body) == {"loginHint": MAIL}
    assert request.headers["Authorization"] == "Bearer token-1"
    assert request.headers["Content-Type"] == request.headers["Accept"] == "application/json"


@pytest.mark.parametrize("word", ["pending", "Accepted", "REJECTED", "expired", "Revoked"])
def test_a_state_is_read_in_any_case(world, network, word):
    network.get(f"{CONSENTS}/{PLAIN}", json={"state": word})
    assert world.look() == Consent(word.lower(), None, 1800.0)


@pytest.mark.parametrize("odd", [{"state": "Maybe"}, {}, {"state": None}, []])
def test_an_unknown_state_is_an_unreadable_answer(world, network, odd):
    network.get(f"{CONSENTS}/{PLAIN}", json=odd)
    with pytest.raises(VendorError) as raised:
        world.look()
    assert raised.value.code == "bad_reply"


@pytest.mark.parametrize("status", [400, 409])
def test_a_consent_that_exists_is_looked_at(world, network, status):
    network.post(CONSENTS, status=status, json={})
    network.get(f"{CONSENTS}/{PLAIN}", json=PENDING | {"state": "Accepted"})
    assert world.ask().state == "accepted"
    assert [request.method for request in world.calls] == ["POST", "GET"]


def test_a_refused_address_for_which_no_consent_exists_is_not_found(world, network):
    network.post(CONSENTS, status=400, json={})
    network.get(f"{CONSENTS}/{PLAIN}", status=404)
    with pytest.raises(NotFound):
        world.ask()


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500])
@pytest.mark.parametrize("action", ["ask", "look"])
def test_the_address_is_in_the_call_and_nowhere_else(world, network, caplog, status, action):
    caplog.set_level("DEBUG")
    network.post(CONSENTS, status=status)
    network.get(f"{CONSENTS}/{QUOTED}", status=status)
    with pytest.raises(VendorError) as raised:
        getattr(world, action)(ADDRESS)
    failure = raised.value
    assert failure.url == CONSENTS + ("/{}" if action == "look" else "")
    shown = [caplog.text, str(failure), failure.detail, repr(failure), repr(world.endpoint)]
    shown += [str(vars(record)) for record in caplog.records]
    assert not [text for text in shown if "owner" in text or "example" in text]
    # A refused token is renewed, and the call made once more with all of its headers.
    assert [request.headers["Accept"] for request in world.calls] == ["application/json"] * (2 if status == 401 else 1)


@pytest.mark.parametrize("address", ["..", "owner@example.com/../../x", "owner@example.com?x=1", ""])
def test_an_address_that_would_lead_elsewhere_is_refused_without_a_call(world, address):
    with pytest.raises(Refused):
        world.look(address)
    assert not world.calls
