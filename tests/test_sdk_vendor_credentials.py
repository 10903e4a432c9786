"""Every operation of the official SDK's vendor_credentials module, unmodified, against a service on a socket."""

from importlib import import_module
from pkgutil import iter_modules

import derapi.api.vendor_credentials
import pytest
from derapi import models
from derapi.models import CreateVendorCredentialsRequest, UpdateVendorCredentialsRequest, Vendor
from derapi.types import UNSET

from tests.sdk import sdk_client, sdk_service

pytestmark = [pytest.mark.databases, pytest.mark.exhaustive]

OPERATIONS = {module.name: import_module(f"derapi.api.vendor_credentials.{module.name}")
              for module in iter_modules(derapi.api.vendor_credentials.__path__)}  # fmt: skip
APP = {"client_id": "made-up", "client_secret": "sesame", "api_key": "key"}
CLIENT = {"client_id": "made-up", "client_secret": "sesame"}
# The SDK's model of each variant; what it shows is the model with "Hidden" before its name.
VARIANTS = {
    "EnphaseDeveloperAppCredentials": APP,
    "EnphasePartnerAppCredentials": APP,
    "EnphaseVPPCredentials": APP,
    "FranklinWHCredentials": CLIENT,
    "SMACustomGrantCredentials": CLIENT,
    "SMAOAuthCredentials": CLIENT,
    "SMASandboxCustomGrantCredentials": CLIENT,
    "SMASandboxOAuthCredentials": CLIENT,
    "SolarEdgeCredentials": {"api_key": "key"},
    "SolisCredentials": {"key_id": "made-up", "key_secret": "sesame"},
    "TeslaAppCredentials": CLIENT,
}


@pytest.fixture
def client(tmp_path, database_url):
    """The SDK's client of a production client, as in its own tests."""
    with (
        sdk_service(tmp_path, database_url, "production", CREDENTIAL_KEYS="c" * 32) as (url, token),
        sdk_client(url, token) as opened,
    ):
        yield opened


def call(name, *arguments, **options):
    return OPERATIONS[f"{name}_vendor_credentials"].sync(*arguments, **options)


def listed(client, **options):
    return list(OPERATIONS["list_vendor_credentials"].sync_depaginated(client=client, **options))


def test_every_operation_of_the_sdks_vendor_credentials_module_works(client):
    assert len(OPERATIONS) == 5
    ids = [stored_and_shown(client, name) for name in VARIANTS]
    assert [item.id for item in listed(client, page_size=2)] == sorted(ids)
    assert {item.id for item in listed(client, vendor=Vendor.SMA)} == {
        item.id for item in listed(client) if item.credentials.vendor == "sma"
    }
    assert [item.id for item in listed(client, name="TeslaAppCredentials")] == [ids[-1]]
    page = call("list", client=client, page_size=11)
    assert (len(page.vendor_credentials), page.next_page_token) == (11, UNSET)
    changed_and_deleted(client, ids)
    as_the_sdks_own_test(client)
    assert listed(client) == []


def stored_and_shown(client, name):
    """The id of credentials of a variant, which the SDK shows in their hidden form even with their secrets."""
    body = CreateVendorCredentialsRequest(credentials=getattr(models, name)(**VARIANTS[name]), name=name)
    created = call("create", client=client, body=body)
    assert created.name == name
    hidden = getattr(models, f"Hidden{name}")
    for include_secrets in (False, True):
        shown = call("get", created.id, client=client, include_secrets=include_secrets)
        assert (shown.id, shown.name, type(shown.credentials)) == (created.id, name, hidden)
    detailed = OPERATIONS["get_vendor_credentials"].sync_detailed(created.id, client=client, include_secrets=True)
    for secret in VARIANTS[name].values():
        assert secret.encode() in detailed.content
    return created.id


def changed_and_deleted(client, ids):
    for name, id in zip(VARIANTS, ids, strict=True):
        new = getattr(models, name)(**{member: f"new-{value}" for member, value in VARIANTS[name].items()})
        for body, expected in (
            (UpdateVendorCredentialsRequest(name="renamed", credentials=new), "renamed"),
            (UpdateVendorCredentialsRequest(credentials=new), "renamed"),
            (UpdateVendorCredentialsRequest(name=None), f"{new.vendor} "),
        ):
            changed = call("update", id, client=client, body=body)
            assert (changed.id, changed.name.startswith(expected)) == (id, True)
        detailed = OPERATIONS["get_vendor_credentials"].sync_detailed(id, client=client, include_secrets=True)
        assert all(f"new-{value}".encode() in detailed.content for value in VARIANTS[name].values())
        assert OPERATIONS["delete_vendor_credentials"].sync_detailed(id, client=client).status_code == 204


def as_the_sdks_own_test(client):
    """A name and a partner app twice, since a run that died may have left the first; then both are deleted."""
    credentials = models.EnphasePartnerAppCredentials(**APP)
    body = CreateVendorCredentialsRequest(credentials=credentials, name="hi")
    created = [call("create", client=client, body=body) for _ in range(2)]
    for item in created:
        assert (item.name, item.credentials) == ("hi", models.HiddenEnphasePartnerAppCredentials())
        assert OPERATIONS["delete_vendor_credentials"].sync_detailed(item.id, client=client).status_code == 204
