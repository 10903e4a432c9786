"""Consent in a browser where no plugin of this project has the option, and where a vendor answers oddly."""

import base64
import json
from hashlib import sha256
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests

from tests.vendors.support import TRANSPORT
from vendors.kit import OAUTH_CLIENT, CodeGrant, Credential, Freshness, Variant, Vendor, VendorError
from vendors.kit.calls.cloud import open_cloud
from vendors.kit.calls.reply_cache import ReplyCache
from vendors.kit.consent.code_grant import challenge
from vendors.kit.credentials import StoredRow
from vendors.kit.deadline import Deadline
from vendors.kit.errors import Timeout
from vendors.kit.tokens.refusals import CodeRefused

NORTH, SOUTH, URL = "https://north.owned.test", "https://south.owned.test", "https://auth.owned.test/token"
ANSWER = {"access_token": "made-up-access", "expires_in": 300, "refresh_token": "made-up-refresh"}
REDIRECT = "https://derapi.example.com/join/owned/auth-granted"


def variant_of(**options):
    grant = CodeGrant({"owned": "https://auth.owned.test/authorize"}, {"owned": URL}, **options)
    return Variant("app", OAUTH_CLIENT, consent=grant)


def open_owned(**options):
    class Owned(Vendor):
        hosts = {"owned": {"north": NORTH, "south": SOUTH}}
        variants = (variant_of(**options),)

        def account_region(self):
            return self.client.get("/me", freshness=Freshness.UNCACHED).record(lambda raw: raw["region"])

        def account_id(self):
            house = self.client.get("/houses/{}", self.credential["house"], freshness=Freshness.UNCACHED)
            return house.record(lambda raw: raw["owner"])

    return open_cloud("owned", Owned, TRANSPORT, ReplyCache())


def client(**options):
    return Credential.stored(variant_of(), {"clientID": "made-up-id", "clientSecret": "made-up-secret"}, **options)


def exchange(callback=None, seconds=20.0, cloud=None, **options):
    endpoint = (cloud or open_owned(**options)).consents["app"]
    return endpoint.exchange(client(), "made-up-code", REDIRECT, "made-up-verifier", callback or {}, Deadline(seconds))


@pytest.fixture
def owned(network):
    network.post(URL, json=ANSWER)
    network.get(f"{NORTH}/me", json={"region": "south"})
    return network


def jwt(claims):
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"aGVhZA.{body}.c2ln"


def test_a_code_challenge_and_its_verifier_are_sent_where_the_vendor_takes_them(owned):
    url = open_owned(has_pkce=True).consents["app"].authorize_url("made-up-id", REDIRECT, "state", "made-up-verifier")
    query = parse_qs(urlsplit(url).query)
    digest = base64.urlsafe_b64encode(sha256(b"made-up-verifier").digest()).rstrip(b"=").decode()
    assert (query["code_challenge"], query["code_challenge_method"]) == ([digest], ["S256"])
    exchange(has_pkce=True)
    assert dict(parse_qsl(owned.calls[0].request.body.decode()))["code_verifier"] == "made-up-verifier"


def test_the_code_challenge_is_that_of_the_standards_example():
    """RFC 7636, appendix B."""
    assert challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_without_pkce_neither_is_sent(owned):
    url = open_owned().consents["app"].authorize_url("made-up-id", REDIRECT, "state", "made-up-verifier")
    assert "code_challenge" not in url
    exchange()
    assert b"code_verifier" not in owned.calls[0].request.body


@pytest.mark.parametrize("encoding", ["form", "query", "json"])
def test_the_parameters_of_the_exchange_go_where_the_vendor_expects_them(owned, encoding):
    exchange(encoding=encoding)
    request = owned.calls[0].request
    query, body = urlsplit(request.url).query, request.body.decode()
    sent = {"form": body, "query": query, "json": body}[encoding]
    members = json.loads(sent) if encoding == "json" else dict(parse_qsl(sent))
    assert members == {
        "grant_type": "authorization_code",
        "code": "made-up-code",
        "redirect_uri": REDIRECT,
        "client_id": "made-up-id",
        "client_secret": "made-up-secret",
    }
    assert bool(query) == (encoding == "query")


@pytest.mark.parametrize(
    ("reply", "region"),
    [
        ({"json": {"region": "south"}}, "south"),
        ({"json": {"region": "elsewhere"}}, None),
        ({"json": {}}, None),
        ({"status": 503}, None),
        ({"status": 401}, None),
        ({"status": 200, "body": "<html>"}, None),
    ],
)
def test_the_grant_outlives_a_region_that_the_vendor_does_not_tell(network, reply, region):
    network.post(URL, json=ANSWER)
    network.get(f"{NORTH}/me", **reply)
    cloud = open_owned()
    cloud.pause = 0.0
    granted = exchange(cloud=cloud)
    assert (granted.region, granted.token.refresh) == (region, "made-up-refresh")


def test_a_grant_is_asked_for_in_its_region_at_once(network):
    network.get(f"{SOUTH}/sites", json={})
    cloud = open_owned()
    grant = client(row=StoredRow("house", "grnt-1", "roof"), granted={}, region="south")
    assert cloud.tokens.store.lease("grnt-1", "test", 10)
    token = cloud.tokens.stamped(grant, exchanged(network))
    assert cloud.tokens.store.write("grnt-1", "test", token)
    cloud.open(grant, Deadline(5)).client.get("/sites")
    assert network.calls[-1].request.url == f"{SOUTH}/sites"
    assert network.calls[-1].request.headers["Authorization"] == "Bearer made-up-access"


def exchanged(network):
    network.post(URL, json=ANSWER)
    network.get(f"{NORTH}/me", json={"region": "south"})
    return exchange().token


def test_a_region_that_a_call_has_found_counts_more_than_that_of_the_grant():
    cloud, grant = open_owned(), client(granted={}, region="south")
    assert cloud.home(grant) == SOUTH
    cloud.remember_home(grant, NORTH)
    assert cloud.home(grant) == NORTH
    assert cloud.home(client(granted={}, region="no such region")) == NORTH


@pytest.mark.parametrize(
    ("answer", "callback", "account"),
    [
        ({"owner": "4711"}, {}, "4711"),
        ({"owner": 4711}, {}, "4711"),
        ({}, {"owner": "of-callback"}, None),
        ({"access_token": jwt({"owner": "of-access"})}, {"owner": "of-callback"}, "of-access"),
        ({"id_token": jwt({"owner": "of-id"}), "access_token": jwt({"owner": "of-access"})}, {}, "of-id"),
        ({"access_token": jwt(["owner"])}, {}, None),
        ({"access_token": "not.base64!.jwt"}, {}, None),
        ({"id_token": 7}, {}, None),
    ],
)
def test_the_account_is_read_where_the_vendor_names_it_and_never_from_the_callback(network, answer, callback, account):
    network.post(URL, json=ANSWER | answer)
    network.get(f"{NORTH}/me", json={"region": "north"})
    assert exchange(callback, account="owner").account == account


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [({}, 864_000.0), ({"refresh_expires_in": 0}, 864_000.0), ({"refresh_expires_in": 60}, 60.0)],
)
def test_the_life_of_a_refresh_token_is_the_vendors_else_the_documented_one(network, answer, seconds):
    network.post(URL, json=ANSWER | answer)
    network.get(f"{NORTH}/me", json={"region": "north"})
    assert exchange(refresh_days=10).refresh_seconds == seconds


def test_a_grant_without_a_refresh_token_has_no_life_of_one(network):
    network.post(URL, json=ANSWER | {"refresh_token": None})
    network.get(f"{NORTH}/me", json={"region": "north"})
    granted = exchange(refresh_days=10)
    assert (granted.token.refresh, granted.refresh_seconds) == (None, None)


HOUSE = {"callback_members": {"house_id": "house"}, "revoke_urls": {"owned": f"{URL}/revoke"}}


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ({"status": 403}, "consent_failed"),
        ({"status": 404}, "consent_failed"),
        ({"status": 401}, "consent_failed"),
        ({"json": {"owner": None}}, "consent_failed"),
        ({"status": 503}, "backend_error"),
        ({"json": {}}, "bad_reply"),
    ],
)
def test_a_part_of_the_callback_that_the_token_does_not_open_ends_the_consent(owned, reply, code):
    owned.get(f"{NORTH}/houses/7", **reply)
    owned.post(f"{URL}/revoke")
    cloud = open_owned(**HOUSE)
    cloud.pause = 0.0
    with pytest.raises(VendorError) as raised:
        exchange({"house_id": "7"}, cloud=cloud)
    assert raised.value.code == code
    revocation = owned.calls[-1].request
    assert (revocation.url, "token=made-up-refresh" in revocation.body.decode()) == (f"{URL}/revoke", True)


def test_a_revocation_that_fails_hides_no_refusal(owned):
    owned.get(f"{NORTH}/houses/7", status=403)
    owned.post(f"{URL}/revoke", status=400)
    with pytest.raises(CodeRefused):
        exchange({"house_id": "7"}, **HOUSE)


def test_the_account_of_a_callback_with_parts_is_what_the_vendor_answers(owned):
    owned.get(f"{NORTH}/houses/7", json={"owner": "4711"})
    granted = exchange({"house_id": "7", "owner": "of-callback"}, account="owner", **HOUSE)
    assert (granted.account, granted.parts) == ("4711", {"house": "7"})


def test_a_callback_without_a_member_of_the_credential_spends_no_code(network):
    with pytest.raises(CodeRefused) as raised:
        exchange({"site_id": ""}, callback_members={"site_id": "site_id"})
    assert (raised.value.code, raised.value.why) == ("consent_failed", "the callback lacks site_id")
    assert not network.calls


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 500},
        {"body": requests.ReadTimeout("made up")},
        {"body": requests.exceptions.ChunkedEncodingError("made up")},
        {"json": {"access_token": ""}},
        {"status": 429},
    ],
    ids=["status", "timeout", "broken", "unreadable", "throttled"],
)
def test_a_code_is_sent_once_whatever_comes_of_it(network, answer):
    network.post(URL, **answer)
    with pytest.raises(VendorError) as raised:
        exchange()
    assert (len(network.calls), raised.value.retriable) == (1, False)


def test_a_code_is_kept_if_too_little_time_is_left_for_the_answer(network):
    with pytest.raises(Timeout):
        exchange(seconds=3.0)
    assert not network.calls
