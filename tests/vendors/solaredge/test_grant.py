"""A grant of SolarEdge Connect, which opens one site: the vendor refuses the list of sites to its token."""

from tests.vendors.support import BASE, TRANSPORT
from vendors.kit import Credential
from vendors.kit.calls.cloud import open_cloud
from vendors.kit.calls.reply_cache import ReplyCache
from vendors.kit.credentials import StoredRow
from vendors.kit.deadline import Deadline
from vendors.kit.tokens.store import Token
from vendors.solaredge import SolarEdge


def open_grant():
    cloud = open_cloud("solaredge", SolarEdge, TRANSPORT, ReplyCache(), BASE)
    variant = next(form for form in SolarEdge.variants if form.type == "oauthclient")
    members = {"clientID": "made-up-id", "clientSecret": "made-up-secret"}
    row = StoredRow("house", "grnt-1", "roof")
    grant = Credential.stored(variant, members, row, granted={"site_id": "7"})
    assert cloud.tokens.store.lease(row.id, "test", 10)
    assert cloud.tokens.store.write(
        row.id, "test", cloud.tokens.stamped(grant, Token("owners-token", 300.0, "refresh"))
    )
    return cloud.open(grant, Deadline(5))


def test_its_sites_are_the_granted_one(network):
    network.get(f"{BASE}/v2/sites/7", json={"siteId": 7, "name": "Roof", "location": {"timezone": "Europe/Berlin"}})
    (row,) = open_grant().sites()
    assert (row.record().key, row.record().name) == (("7",), "Roof")
    (call,) = network.calls
    assert call.request.headers["Authorization"] == "Bearer owners-token"
    assert "X-API-Key" not in call.request.headers


def test_its_devices_are_those_of_the_site_by_the_same_paths_as_with_a_key(network):
    network.get(f"{BASE}/v2/sites/7", json={"siteId": 7})
    network.get(f"{BASE}/v2/sites/7/devices", json=[{"type": "INVERTER", "serialNumber": "A1", "active": True}])
    assert [row.record().key for row in open_grant().devices()] == [("7", "A1")]
