"""Consent at every vendor whose plugin declares it: the page, the exchange, the refresh, refusals and revocation, as
`tests/vendors/<vendor>/consent.json` writes them from the vendor's documentation."""

import json
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from tests.vendors.cases import HERE
from tests.vendors.support import TRANSPORT
from vendors.kit import CodeGrant, Credential, VendorError
from vendors.kit.calls.cloud import open_cloud
from vendors.kit.calls.reply_cache import ReplyCache
from vendors.kit.consent.code_grant import Granted
from vendors.kit.credentials import StoredRow
from vendors.kit.deadline import Deadline
from vendors.kit.registry import discover
from vendors.kit.tokens.store import Token
from vendors.kit.variants import TypedKeys

CONSENTS = [consent for path in sorted(HERE.glob("*/consent.json")) for consent in json.loads(path.read_text())]
PARAMS = [pytest.param(consent, id=f"{consent['name']}-{consent['type']}") for consent in CONSENTS]
REFUSALS = [
    pytest.param(consent, refusal, id=f"{consent['name']}-{refusal['status']}-{(refusal['body'] or {}).get('error')}")
    for consent in CONSENTS
    for refusal in consent["refusals"]
]
VARIANTS = {(name, variant.type): variant for name, plugin in discover().items() for variant in plugin.variants}
SECRETS = "made-up-id", "made-up-secret", "made-up-code", "made-up-access", "made-up-refresh", "made-up-state"


def opened(consent, base_url=""):
    name = consent["name"]
    cloud = open_cloud(name, discover()[name], TRANSPORT, ReplyCache(), base_url)
    cloud.pause = 0.0
    return cloud


def application(consent, **options):
    variant = VARIANTS[consent["name"], consent["type"]]
    values = {"clientID": "made-up-id", "clientSecret": "made-up-secret", "apiKey": "made-up-key"}
    return Credential.stored(variant, {name: values[name] for name in variant.members}, **options)


def redirect_uri(consent):
    return f"https://derapi.example.com/join/{consent['name']}/auth-granted"


def exchange(consent, cloud):
    endpoint = cloud.consents[consent["type"]]
    callback = {"state": "made-up-state", "code": "made-up-code", **consent.get("callback", {})}
    client = application(consent)
    return endpoint.exchange(client, "made-up-code", redirect_uri(consent), "made-up-verifier", callback, Deadline(20))


def refresh(consent, cloud):
    """The access token of a grant whose stored token has expired."""
    granted = consent["granted"].get("parts", {})
    grant = application(consent, row=StoredRow("house", "grnt-1", "roof"), granted=granted)
    token = Token("expired-access", -1.0, consent["answer"]["refresh_token"])
    assert cloud.tokens.store.lease("grnt-1", "test", 10)
    assert cloud.tokens.store.write("grnt-1", "test", cloud.tokens.stamped(grant, token))
    return cloud.tokens.get(grant, Deadline(20))


def posted(request):
    """The parameters of a call, wherever the vendor expects them."""
    body = request.body.decode()
    if request.headers["Content-Type"] == "application/json":
        return json.loads(body)
    return dict(parse_qsl(body or urlsplit(request.url).query, strict_parsing=True))


def test_each_plugin_with_consent_in_a_browser_has_its_table():
    declared = {key for key, variant in VARIANTS.items() if isinstance(variant.consent, CodeGrant)}
    assert {(consent["name"], consent["type"]) for consent in CONSENTS} == declared


@pytest.mark.parametrize("consent", PARAMS)
def test_the_owner_is_sent_to_the_vendors_page(consent):
    endpoint = opened(consent).consents[consent["type"]]
    url = endpoint.authorize_url("made-up-id", redirect_uri(consent), "made-up-state", "made-up-verifier")
    page, _, query = url.partition("?")
    assert page == consent["authorize"]["url"]
    assert dict(parse_qsl(query, strict_parsing=True)) == consent["authorize"]["query"]
    assert "+" not in query, "a server that is no form reader would keep it"


@pytest.mark.parametrize("consent", PARAMS)
def test_a_code_becomes_what_the_owner_has_granted(consent, network):
    network.post(consent["tokens"]["url"], json=consent["answer"])
    for url, reply in consent.get("calls", {}).items():
        network.get(url, json=reply)
    granted = exchange(consent, opened(consent))
    request = network.calls[0].request
    assert posted(request) == consent["exchange"]
    assert request.headers.get("Authorization") == consent["tokens"].get("authorization")
    answer = consent["answer"]
    token = Token(answer["access_token"], answer["expires_in"], answer["refresh_token"])
    assert granted == Granted(token, **consent["granted"])
    for call in list(network.calls)[1:]:
        assert call.request.headers["Authorization"] == f"Bearer {answer['access_token']}"
    assert not [secret for secret in SECRETS if secret in repr(granted)]


@pytest.mark.parametrize("consent", PARAMS)
def test_a_refresh_is_the_call_that_the_vendor_documents(consent, network):
    network.post(consent["tokens"]["url"], json=consent["answer"] | {"access_token": "next-access"})
    assert refresh(consent, opened(consent)) == "next-access"
    (call,) = network.calls
    assert posted(call.request) == consent["refresh"]
    is_named = consent["tokens"].get("authorization") and "client_id" not in consent["refresh"]
    assert call.request.headers.get("Authorization") == (consent["tokens"]["authorization"] if is_named else None)


@pytest.mark.parametrize("action", [exchange, refresh])
@pytest.mark.parametrize(("consent", "refusal"), REFUSALS)
def test_a_refusal_has_its_meaning_is_made_once_and_shows_no_secret(consent, refusal, action, network, caplog):
    caplog.set_level("DEBUG")
    network.post(consent["tokens"]["url"], status=refusal["status"], json=refusal["body"])
    cloud = opened(consent)
    with pytest.raises(VendorError) as raised:
        action(consent, cloud)
    failure = raised.value
    assert (failure.code, len(network.calls)) == (refusal[action.__name__], 1)
    assert failure.url == consent["tokens"]["url"]
    # Only a refusal of the refresh token ends the grant.
    is_lost = action is refresh and failure.code == "needs_consent"
    assert cloud.tokens.store.lost_rows == ({"grnt-1"} if is_lost else set())
    shown = [
        caplog.text,
        str(failure),
        failure.detail,
        repr(failure),
        *(str(vars(record)) for record in caplog.records),
    ]
    assert not [text for text in shown for secret in SECRETS if secret in text]


@pytest.mark.parametrize("consent", PARAMS)
def test_a_grant_is_revoked_where_the_vendor_has_an_endpoint_for_it(consent, network):
    endpoint = opened(consent).consents[consent["type"]]
    grant = application(consent, granted=consent["granted"].get("parts", {}))
    token = Token("made-up-access", 300.0, "made-up-refresh")
    if revoke := consent["revoke"]:
        network.post(revoke["url"], body="")
    assert endpoint.revoke(grant, token, Deadline(20)) is (revoke is not None)
    assert [posted(call.request) for call in network.calls] == ([revoke["parameters"]] if revoke else [])


@pytest.mark.parametrize("consent", PARAMS)
def test_another_base_url_takes_the_place_of_every_host(consent, network):
    base = "http://127.0.0.1:9000/vendor"
    endpoint = opened(consent, base).consents[consent["type"]]
    page = endpoint.authorize_url("made-up-id", redirect_uri(consent), "made-up-state", None)
    assert page.startswith(base + urlsplit(consent["authorize"]["url"]).path + "?")
    network.post(base + urlsplit(consent["tokens"]["url"]).path, json=consent["answer"])
    for url, reply in consent.get("calls", {}).items():
        network.get(base + urlsplit(url).path, json=reply)
    assert exchange(consent, opened(consent, base)).account == consent["granted"].get("account")
    assert parse_qs(urlsplit(page).query)["redirect_uri"] == [redirect_uri(consent)]


def test_the_labels_of_typed_keys_are_those_of_the_members():
    typed = {key: variant for key, variant in VARIANTS.items() if isinstance(variant.consent, TypedKeys)}
    assert set(typed) == {("solis", "apikeysecret"), ("solaredge", "apikey")}
    for variant in typed.values():
        assert list(variant.consent.labels) == list(variant.members)
