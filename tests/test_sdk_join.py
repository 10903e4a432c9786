"""Both operations of the official SDK's join module, unmodified, with an owner at a played vendor."""

import httpx
import pytest
from derapi import AuthenticatedClient, models
from derapi.api.join import create_join_session, get_join_session_token

from tests.app.join.support import Browser, Company
from tests.services import served


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with served(tmp_path_factory.mktemp("sdk"), sites=3) as opened:
        yield opened


@pytest.fixture
def company(running):
    return Company(*running)


@pytest.fixture
def sdk(company):
    """The SDK's client as its own tests make it."""
    token = company.headers["Authorization"].removeprefix("Bearer ")
    client = AuthenticatedClient("http://localhost", token=token, raise_on_unexpected_status=True)
    return client.set_httpx_client(
        httpx.Client(
            base_url="http://localhost",
            headers={**company.headers, "api-version": "v2024-09-01"},
            transport=httpx.WSGITransport(app=company.app),
        )
    )


def body(company, *, stores):
    """A session for each vendor that the SDK knows, with credentials inline."""
    tesla, enphase, sma = (company.vendor(name)["credentials"] for name in ("tesla", "enphase", "sma"))
    client = {"client_id": tesla["clientID"], "client_secret": tesla["clientSecret"]}
    vendors = [
        models.TeslaJoinConfig(models.TelsaJoinConfigInlineCredentials(**client)),
        models.EnphaseJoinConfig(
            models.EnphaseJoinConfigInlineCredentials(
                client_id=enphase["clientID"], client_secret=enphase["clientSecret"], api_key=enphase["apiKey"]
            )
        ),
        models.SMAJoinConfig(
            models.SMAJoinConfigInlineCredentials(client_id=sma["clientID"], client_secret=sma["clientSecret"])
        ),
        models.SolisJoinConfig(),
        models.SolaredgeJoinConfig(),
    ]
    return models.CreateJoinSessionRequest(store_credentials=stores, vendors=vendors)


@pytest.mark.parametrize("stores", [True, False])
def test_the_sdk_starts_a_session_and_gets_what_the_owner_has_granted(company, sdk, stores):
    session = create_join_session.sync(client=sdk, body=body(company, stores=stores))
    page = Browser(company).consent(f"/join/session/{session.session_id}/authorize?vendor=tesla")
    assert page.status_code == 200
    token = get_join_session_token.sync(session.session_id, client=sdk)
    assert token.vendor == "tesla"
    assert (token.access_token == "stored", token.refresh_token == "") == (stores, stores)
    assert int(token.expires_in) >= 0


def test_a_reference_to_stored_credentials_will_do(company, sdk):
    id = company.stored("tesla", "app")["credentials"]["credentialsID"]
    config = models.TeslaJoinConfig(models.StoredCredentialsReference(id))
    asked = models.CreateJoinSessionRequest(store_credentials=True, vendors=[config])
    session = create_join_session.sync(client=sdk, body=asked)
    assert Browser(company).consent(f"/join/session/{session.session_id}/authorize?vendor=tesla").status_code == 200
    assert get_join_session_token.sync(session.session_id, client=sdk).access_token == "stored"
