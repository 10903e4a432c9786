"""A plugin's hooks: the members of a reply that they see, and the hook that may make a call."""

import pytest

from tests.vendors.support import TRANSPORT
from vendors.kit import ANY, Credential, Forbidden, Shape, Unauthorized, Vendor, VendorError
from vendors.kit.calls.cloud import open_cloud
from vendors.kit.calls.reply_cache import ReplyCache
from vendors.kit.deadline import Deadline

BASE = "https://hooks.test"


class Hooked(Vendor):
    """Refuses with status 200 and a member `refused`; with 401 also what a good credential does not cover."""

    hosts = {"hooked": {"main": BASE}}

    def failure(self, reply, request):
        if reply.json_object.get("refused") or (reply.json_object.get("data") or {}).get("refused"):
            return Forbidden(reply.url)
        if reply.status == 401 and reply.json_object.get("why") == "expired":
            return Unauthorized(reply.url, "the token has expired")
        return None

    def on_unauthorized(self, reply, request):
        if request.path == "/account":
            return None
        self.client.get("/account")
        return Forbidden(reply.url)


@pytest.fixture
def client():
    cloud = open_cloud("hooked", Hooked, TRANSPORT, ReplyCache())
    return cloud.open(Credential({"token": "made-up"}), Deadline(5)).client


def urls(network):
    return [call.request.url.removeprefix(BASE) for call in network.calls]


@pytest.mark.parametrize("body", [{"refused": True}, {"data": {"refused": True}}], ids=["member", "part of a member"])
@pytest.mark.parametrize("spec", [("rows",), {"data": {"rows": ANY}}, [("rows",)]], ids=str)
def test_failure_sees_what_the_shape_leaves_out(client, network, body, spec):
    network.get(f"{BASE}/list", json={"rows": [], **body})
    with pytest.raises(Forbidden):
        client.get("/list", only=Shape(spec))


def test_a_converter_still_gets_only_what_the_shape_names(client, network):
    network.get(f"{BASE}/list", json={"rows": [1], "data": {"rest": 2}, "more": 3})
    assert client.get("/list", only=Shape(("rows",))).json == {"rows": [1]}


@pytest.mark.parametrize(
    "body", [b'{"rows": [1], "note": "\xff"}', b'[{"rows": 1, "note": "\xff"}]'], ids=["object", "list"]
)
def test_invalid_text_in_a_member_that_the_shape_leaves_out_spoils_no_reply(client, network, body):
    network.get(f"{BASE}/list", body=body)
    shape = Shape([("rows",)] if body.startswith(b"[") else ("rows",))
    assert client.get("/list", only=shape).json in ({"rows": [1]}, [{"rows": 1}])


def test_a_shape_that_names_what_failure_reads_costs_no_second_parse(client, network, monkeypatch):
    network.get(f"{BASE}/list", body='{"rows": [1], "data": null, "refused": false}')
    monkeypatch.delattr("vendors.kit.reply.orjson.loads")
    assert client.get("/list", only=Shape(("rows", "data", "refused"))).json["rows"] == [1]


def test_a_refused_call_is_checked_by_a_call_that_each_good_credential_may_make(client, network):
    network.get(f"{BASE}/plan", status=401, json={})
    network.get(f"{BASE}/account", json={})
    with pytest.raises(Forbidden):
        client.get("/plan")
    assert urls(network) == ["/plan", "/account"]


def test_a_credential_that_the_check_finds_refused_is_reported_so(client, network):
    network.get(f"{BASE}/plan", status=401, json={})
    network.get(f"{BASE}/account", status=401, json={})
    with pytest.raises(Unauthorized) as refusal:
        client.get("/plan")
    assert refusal.value.url == f"{BASE}/account"


def test_a_refusal_that_failure_has_explained_is_not_checked(client, network):
    network.get(f"{BASE}/plan", status=401, json={"why": "expired"})
    with pytest.raises(VendorError, match="Unauthorized"):
        client.get("/plan")
    assert urls(network) == ["/plan"]
