"""Registration of an application in the regions of a vendor, with a token that the application gets for each."""

import json
from urllib.parse import parse_qsl

import pytest

from tests.vendors.support import TRANSPORT
from vendors.kit import Credential, VendorError
from vendors.kit.calls.cloud import open_cloud
from vendors.kit.calls.reply_cache import ReplyCache
from vendors.kit.deadline import Deadline
from vendors.kit.registry import discover
from vendors.tesla import Tesla

TOKENS = "https://fleet-auth.prd.vn.cloud.tesla.com/oauth2/v3/token"
BASES = Tesla.hosts["tesla"]
SECRET = "made-up-secret"


def register(region, base_url=""):
    cloud = open_cloud("tesla", Tesla, TRANSPORT, ReplyCache(), base_url)
    cloud.pause = 0.0
    (variant,) = Tesla.variants
    client = Credential.stored(variant, {"clientID": "made-up-id", "clientSecret": SECRET})
    cloud.registrar.register(client, region, "derapi.example.com", Deadline(20))


@pytest.mark.parametrize("region", ["na", "eu"])
def test_the_domain_is_posted_to_the_region_with_a_token_for_it(network, region):
    network.post(TOKENS, json={"access_token": "partners-token", "expires_in": 28800})
    network.post(BASES[region] + "/api/1/partner_accounts", json={"response": {}})
    register(region)
    asked, posted = (call.request for call in network.calls)
    assert dict(parse_qsl(asked.body.decode())) == {
        "grant_type": "client_credentials",
        "client_id": "made-up-id",
        "client_secret": SECRET,
        "audience": BASES[region],
        "scope": "openid energy_device_data energy_cmds",
    }
    assert json.loads(posted.body) == {"domain": "derapi.example.com"}
    assert posted.headers["Authorization"] == "Bearer partners-token"


def test_a_region_of_a_played_cloud_lies_below_its_url_and_keeps_its_public_audience(network):
    base = "http://127.0.0.1:9000/tesla"
    network.post(f"{base}/oauth2/v3/token", json={"access_token": "partners-token"})
    network.post(f"{base}/eu/api/1/partner_accounts", json={"response": {}})
    register("eu", base)
    assert dict(parse_qsl(network.calls[0].request.body.decode()))["audience"] == BASES["eu"]


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [(400, {"error": "unauthorized_client"}, "unauthorized"), (503, None, "backend_error")],
)
def test_a_refused_application_is_registered_nowhere(network, status, body, code):
    network.post(TOKENS, status=status, json=body)
    with pytest.raises(VendorError) as raised:
        register("na")
    assert (raised.value.code, raised.value.url, len(network.calls)) == (code, TOKENS, 1)
    assert SECRET not in str(raised.value)


def test_each_registration_names_declared_regions_and_a_stored_form():
    for name, plugin in discover().items():
        if registration := plugin.registration:
            assert set(registration.regions) <= set(plugin.hosts[name])
            assert registration.type in {variant.type for variant in plugin.variants}
            assert registration.path.startswith("/")
            assert registration.key_path.startswith("/.well-known/")
