"""One call to a token endpoint: the request, the token of the answer, and what a refusal means."""

import re
from base64 import b64encode
from urllib.parse import parse_qs

import pytest

from tests.vendors.support import TRANSPORT
from vendors.kit import (
    BackendError,
    BadReply,
    ClientCredentials,
    Credential,
    RateLimited,
    Refused,
    Timeout,
    Unauthorized,
)
from vendors.kit.calls.ledger import Ledger
from vendors.kit.deadline import Deadline
from vendors.kit.errors import Held
from vendors.kit.tokens.endpoint import ASSUMED_SECONDS, LONGEST_SECONDS, endpoint_of

URL = "https://auth.example.test/oauth2/token"
SECRET = "sentinel secret/+&=%"
CLIENT = Credential({"client_id": "made-up-id", "client_secret": SECRET})
ANSWER = {"access_token": "made-up.token_1", "expires_in": 300, "token_type": "Bearer"}


def endpoint(base_url="", **options):
    return endpoint_of(
        "example", ClientCredentials({"example": URL}, **options), base_url, TRANSPORT, Ledger(), b"k" * 32
    )


def token_of(endpoint, seconds=5.0):
    return endpoint.token(CLIENT, Deadline(seconds))


def test_id_and_secret_go_in_the_form(network):
    network.post(URL, json=ANSWER)
    assert token_of(endpoint(scope="read all")).access == "made-up.token_1"
    request = network.calls[0].request
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert request.headers["Accept"] == "application/json"
    assert "Authorization" not in request.headers
    assert parse_qs(request.body.decode(), strict_parsing=True) == {
        "grant_type": ["client_credentials"],
        "scope": ["read all"],
        "client_id": ["made-up-id"],
        "client_secret": [SECRET],
    }


def test_id_and_secret_go_in_the_header_and_the_grant_in_the_query_where_the_vendor_wants_it(network):
    network.post(f"{URL}?grant_type=client_credentials", json=ANSWER)
    token_of(endpoint(authorization="Basic ", grant_in_query=True))
    request = network.calls[0].request
    assert request.headers["Authorization"] == "Basic " + b64encode(f"made-up-id:{SECRET}".encode()).decode()
    assert not request.body


@pytest.mark.parametrize("base_url", ["https://proxy.test/sma", "https://proxy.test/sma/"])
def test_at_another_base_url_the_endpoint_lies_below_it(network, base_url):
    network.post("https://proxy.test/sma/oauth2/token", json=ANSWER)
    assert token_of(endpoint(base_url)).seconds == 300


@pytest.mark.parametrize(
    ("lifetime", "seconds"),
    [
        ({"expires_in": 3600}, 3600),
        ({"expires_in": "3600"}, 3600),
        ({"expires_in": 1e18}, LONGEST_SECONDS),
        ({"expires_in": "1e999"}, ASSUMED_SECONDS),
        ({"expires_in": 0}, ASSUMED_SECONDS),
        ({"expires_in": -300}, ASSUMED_SECONDS),
        ({"expires_in": "soon"}, ASSUMED_SECONDS),
        ({"expires_in": True}, ASSUMED_SECONDS),
        ({"expires_in": None}, ASSUMED_SECONDS),
        ({}, ASSUMED_SECONDS),
    ],
    ids=str,
)
def test_an_unusable_lifetime_is_replaced_by_a_cautious_one(network, lifetime, seconds):
    network.post(URL, json={"access_token": "made-up", **lifetime})
    assert token_of(endpoint()).seconds == seconds


def test_a_refresh_token_is_left_out(network):
    network.post(URL, json=ANSWER | {"refresh_token": "made-up-refresh-token"})
    assert token_of(endpoint()).refresh is None


@pytest.mark.parametrize(
    "answer",
    [
        {"json": {}},
        {"json": []},
        {"json": {"access_token": ""}},
        {"json": {"access_token": 7}},
        {"json": {"access_token": "two words"}},
        {"json": {"access_token": "line\r\nX-Evil: 1"}},
        {"json": {"access_token": "é"}},
        {"json": {"access_token": "x" * 8001}},
        {"body": "<html>"},
        {"body": ""},
    ],
    ids=lambda answer: str(answer)[:60],
)
def test_an_answer_without_a_token_that_a_header_can_hold_is_unreadable(network, answer):
    network.post(URL, **answer)
    with pytest.raises(BadReply) as raised:
        token_of(endpoint())
    assert raised.value.url == URL


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"error": "invalid_client"}),
        (401, {"error": "invalid_client", "error_description": "Invalid client or Invalid client credentials"}),
        (400, {"code": 400, "displayMessage": "Invalid parameter or headers"}),
        (401, None),
        (403, {}),
    ],
)
def test_a_refused_secret_is_reported_as_such_with_what_to_do(network, status, body):
    network.post(URL, status=status, json=body)
    with pytest.raises(Unauthorized) as raised:
        token_of(endpoint())
    refusal = raised.value
    assert str(refusal) == f"Unauthorized: {URL} ({refusal.note})"
    assert "client id or secret is refused" in refusal.note
    assert refusal.advice.startswith("Correct the stored credentials")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"status": 400, "json": {"error": "unsupported_grant_type"}}, Refused),
        ({"status": 429, "headers": {"Retry-After": "17"}}, RateLimited),
        ({"status": 500}, BackendError),
        ({"status": 503, "body": "<html>"}, BackendError),
        ({"status": 302, "headers": {"Location": "https://evil.test/"}}, Refused),
    ],
    ids=lambda value: str(value)[:40],
)
def test_other_failures_are_the_usual_errors_with_the_url_of_the_endpoint_and_no_secret(network, answer, kind, caplog):
    caplog.set_level("DEBUG")
    network.post(URL, **answer)
    with pytest.raises(kind) as raised:
        token_of(endpoint())
    assert raised.value.url == URL
    for shown in (caplog.text, str(raised.value), raised.value.detail, repr(raised.value)):
        assert not re.search("sentinel|made-up-id", shown)


def test_after_a_429_the_endpoint_is_left_alone_for_the_time_that_it_asks_for(network):
    network.post(URL, status=429, headers={"Retry-After": "17"})
    held = endpoint()
    with pytest.raises(RateLimited):
        token_of(held)
    with pytest.raises(Held) as raised:
        token_of(held)
    assert 15 < raised.value.retry_after <= 17
    assert len(network.calls) == 1


def test_a_call_without_time_left_is_not_made(network):
    with pytest.raises(Timeout):
        token_of(endpoint(), seconds=0.0)
    assert not network.calls
