"""Access by headers and by stored credentials together."""

import pytest
from werkzeug.datastructures import Headers

from app.fleet import vendor_access
from app.fleet.vendor_access import CredentialMissing
from app.fleet.vendor_problems import CredentialFailure
from tests.app.fleet.accounts import APP
from tests.vendors.support import HEADERS, cloud_of
from vendors.kit import Credential, Unauthorized
from vendors.kit.credentials import StoredRow


@pytest.fixture
def clouds():
    return {name: cloud_of(name) for name in ("sma", "solis", "solaredge")}


def stored(id="cred-1"):
    return Credential({"key": "k"}, StoredRow("client", id, "roof"))


def access_of(headers, stored, clouds, refused=None):
    access = vendor_access.read(Headers(headers), clouds)
    access.add_stored(stored, refused or {})
    return access


REFUSED = (stored("cred-2").row, Unauthorized())


def test_stored_credentials_open_the_vendors_for_which_there_is_no_header(clouds):
    first, second = stored(), stored("cred-2")
    access = access_of(HEADERS["sma"], {"solaredge": [first, second]}, clouds)
    assert list(access.credentials) == ["sma", "solaredge"]
    assert access.credentials["solaredge"] == [first, second]
    assert access.credentials["sma"][0].row is None
    assert access.refused == {}


def test_a_header_wins_over_all_stored_credentials_of_its_vendor(clouds):
    access = access_of(HEADERS["sma"], {"sma": [stored()]}, clouds, {"sma": [REFUSED]})
    assert [credential.row for credential in access.credentials["sma"]] == [None]
    assert access.refused == {}


def test_a_header_that_is_no_credential_is_an_error_and_no_reason_to_fall_back(clouds):
    access = access_of({"X-Authorization-sma": "nonsense"}, {"sma": [stored()]}, clouds)
    assert access.credentials == {}
    assert [str(refused.failure) for refused in access.refused["sma"]] == [
        "Unauthorized: X-Authorization-sma must be: Bearer <token>"
    ]


def test_usable_and_unusable_credentials_of_a_vendor_are_kept_apart(clouds):
    usable, refusal = stored(), CredentialFailure(REFUSED[1], REFUSED[0])
    access = access_of({}, {"sma": [usable]}, clouds, {"sma": [REFUSED], "solis": [REFUSED]})
    assert access.credentials == {"sma": [usable]}
    assert access.refused == {"sma": [refusal], "solis": [refusal]}


def test_an_application_that_needs_consent_and_has_none_cannot_be_used(clouds):
    app = Credential.stored(APP, {"clientID": "made-up"}, stored("cred-3").row)
    access = access_of({}, {"sma": [app, stored()]}, clouds, {"sma": [REFUSED]})
    assert [credential.row.id for credential in access.credentials["sma"]] == ["cred-1"]
    assert [refused.row.id for refused in access.refused["sma"]] == ["cred-2", "cred-3"]
    assert str(access.refused["sma"][1].failure) == (
        "Unauthorized: this form of stored credentials (app) needs the owner's authorization"
    )


def test_a_filter_finds_what_is_stored_and_else_reports_what_is_missing(clouds):
    usable, refusal = stored(), CredentialFailure(REFUSED[1], REFUSED[0])
    access = access_of(HEADERS["solis"], {"sma": [usable]}, clouds, {"sma": [REFUSED]})
    only = access.only("sma")
    assert (only.credentials, only.refused) == ({"sma": [usable]}, {"sma": [refusal]})
    assert list(access.only("solis").credentials) == ["solis"]
    [missing] = access.only("solaredge").refused["solaredge"]
    assert isinstance(missing.failure, CredentialMissing)
    assert "POST /vendor-credentials" in missing.failure.advice


def test_without_headers_and_stored_credentials_there_is_no_access(clouds):
    assert not access_of({}, {}, clouds)
    assert not access_of({}, {"sma": []}, clouds, {"sma": []})
