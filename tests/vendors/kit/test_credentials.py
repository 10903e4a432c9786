"""Values of X-Authorization headers as credentials."""

import base64

import pytest

from vendors.kit import Credential, Unauthorized
from vendors.kit.credentials import CredentialHeaders, StoredRow, basic, bearer
from vendors.kit.variants import ClientCredentials, Variant


def encoded(text, charset="utf-8"):
    return base64.b64encode(text.encode(charset)).decode()


@pytest.mark.parametrize("secret", ["s3cret", "pässwörd", "秘密", "with:colon", "a b", "€"])
def test_a_secret_of_any_printable_characters_is_read(secret):
    assert basic(f"Basic {encoded(f'1300:{secret}')}") == {"id": "1300", "secret": secret}


@pytest.mark.parametrize("secret", ["x", "xy", "xyz", "xyzz"])
@pytest.mark.parametrize("blanks", [" ", "  ", "   "])
def test_base64_without_padding_and_more_blanks_after_the_scheme_are_read(secret, blanks):
    whole = encoded(f"1300:{secret}")
    for sent in {whole, whole.rstrip("="), whole.rstrip("=") + "\n", whole[:4] + " " + whole[4:].rstrip("=")}:
        assert basic(f"Basic{blanks}{sent}") == {"id": "1300", "secret": secret}


def test_more_blanks_before_a_bearer_token_are_read():
    assert bearer("Bearer   abc") == {"token": "abc"}


@pytest.mark.parametrize(
    "value",
    [
        f"Basic {encoded('1300:pässwörd', 'latin-1')}",
        f"Basic {encoded('schlüssel:secret')}",
        f"Basic {encoded('1300:se' + chr(0) + 'cret')}",
        f"Basic {encoded('1300:x')}=====",
        "Basic A",
        "Basic",
    ],
    ids=["no-utf-8", "id-beyond-ascii", "nul", "too-much-padding", "one-letter", "nothing"],
)
def test_a_value_that_is_no_pair_is_refused_and_not_quoted(value):
    with pytest.raises(Unauthorized) as raised:
        CredentialHeaders(basic).read("solis", {"x-authorization-solis": value})
    assert raised.value.why == "X-Authorization-solis must be: Basic base64(<id>:<secret>)"


APP = Variant(
    "app", {"clientID": "client_id", "clientSecret": "client_secret"}, ClientCredentials({"example": "https://"})
)
KEY = b"k" * 32


def stored(secret="made-up-secret", row="1", client="house", client_id="made-up-id"):
    members = {"clientID": client_id, "clientSecret": secret}
    return Credential.stored(APP, members, StoredRow(client, row, "roof"))


def test_the_members_of_a_stored_credential_become_its_parts():
    assert (stored()["client_id"], stored()["client_secret"]) == ("made-up-id", "made-up-secret")


def test_an_access_token_is_a_part_that_changes_neither_fingerprint_nor_quota_group():
    before, after = stored(), stored().with_token("made-up-token")
    assert (before.get("token"), after["token"]) == (None, "made-up-token")
    for measure in (Credential.fingerprint, Credential.parts_hash, Credential.group):
        assert measure(before, KEY) == measure(after, KEY)
    assert after.secrets == ("made-up-id", "made-up-secret", "made-up-token")
    assert repr(after) == "<Credential>"


def test_stored_credentials_are_told_apart_by_client_row_and_secrets():
    fingerprints = {
        stored().fingerprint(KEY),
        stored(row="2").fingerprint(KEY),
        stored(client="other").fingerprint(KEY),
        stored(secret="another").fingerprint(KEY),
    }
    assert len(fingerprints) == 4
    assert stored().fingerprint(KEY) in fingerprints


def test_credentials_whose_tokens_the_service_gets_share_the_quota_of_their_vendors_client():
    assert stored().group(KEY) == stored(row="2", client="other", secret="another").group(KEY)
    assert stored().group(KEY) != stored(client_id="another").group(KEY)
