"""Encryption of stored secrets: keys, owners, and ciphertexts that were changed or moved."""

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from app.credentials.cipher import Cipher, KeyMissing, Owner, Sealed, Tampered

OWNER = Owner("credentials", "c1", "cred-1", "sma", "customgrant")
SECRETS = {"clientID": "me", "clientSecret": "sesame"}
NEW, OLD = "n" * 32, "o" * 32
KEY_ID = "9f5c9f0cc69c24c9"
CIPHERTEXT = (
    "gAAAAABrCDQpu269asqdjP8YVwy997-PDaDTQjn-JTViZznfzYNoBL-ydyxCUnBN_kp9tm5WS7y6k0Cx2X8nAjUzeZdBchEmS7eg"
    "A2BqlrCSD60bOdlQGce3GQ-9fqL03tMbu6gFH7LOSVSenSYg9A3xbjLKwZcEkfXExCVbRuph6_HUH8uqkCvNFUmFl12yCllp2SrO"
    "zOr-8RJy13gJOtYfIaqZ9la4QrWVlbC0YsyxmGoUp6yVK6jE7YSWzkxQ3TlmACtZQvOw"
)


def test_secrets_come_back_for_their_owner_and_the_ciphertext_shows_none():
    cipher = Cipher([NEW])
    sealed = cipher.seal(OWNER, SECRETS)
    assert cipher.open(OWNER, sealed) == SECRETS
    assert "sesame" not in sealed.ciphertext
    assert cipher.seal(OWNER, SECRETS).ciphertext != sealed.ciphertext


def test_the_first_key_encrypts_and_each_decrypts():
    old = Cipher([OLD]).seal(OWNER, SECRETS)
    both = Cipher([NEW, OLD])
    assert both.open(OWNER, old) == SECRETS
    sealed = both.seal(OWNER, SECRETS)
    assert Cipher([NEW]).open(OWNER, sealed) == SECRETS
    with pytest.raises(KeyMissing):
        Cipher([OLD]).open(OWNER, sealed)


@pytest.mark.parametrize("change", [{"client": "c2"}, {"row": "cred-2"}, {"vendor": "smasbox"}, {"type": "oauthclient"},
                                    {"kind": "token"}])  # fmt: skip
def test_a_ciphertext_that_was_moved_is_refused_with_an_alarm_that_shows_no_secret(change):
    cipher = Cipher([NEW])
    sealed = cipher.seal(replace(OWNER, **change), SECRETS)
    with capture_logs() as lines, pytest.raises(Tampered):
        cipher.open(OWNER, sealed)
    (line,) = lines
    expected = {"log_level": "error", "code": "credentials_tampered", "client": "c1", "row": "cred-1", "vendor": "sma"}
    assert expected.items() <= line.items()
    assert "sesame" not in str(line)


def test_a_ciphertext_that_was_changed_anywhere_is_refused():
    cipher = Cipher([NEW])
    sealed = cipher.seal(OWNER, SECRETS)
    for place in range(len(sealed.ciphertext)):
        other = "A" if sealed.ciphertext[place] != "A" else "B"
        changed = sealed.ciphertext[:place] + other + sealed.ciphertext[place + 1 :]
        try:
            # The last letters of base64 may have bits that mean nothing.
            assert cipher.open(OWNER, Sealed(sealed.key_id, changed)) == SECRETS
            assert place >= len(sealed.ciphertext.rstrip("=")) - 1
        except Tampered:
            pass
    for text in ("", "x", sealed.ciphertext[:-9], sealed.ciphertext * 2, "密"):
        with pytest.raises(Tampered):
            cipher.open(OWNER, Sealed(sealed.key_id, text))


def test_without_keys_nothing_is_encrypted_or_read():
    sealed = Cipher([NEW]).seal(OWNER, SECRETS)
    with pytest.raises(KeyMissing):
        Cipher([]).open(OWNER, sealed)
    with pytest.raises(KeyMissing):
        Cipher([]).seal(OWNER, SECRETS)


def test_what_one_version_has_encrypted_later_versions_can_read():
    sealed = Sealed(KEY_ID, CIPHERTEXT)
    assert Cipher([NEW]).key_ids == (KEY_ID,)
    assert Cipher([NEW]).open(OWNER, sealed) == SECRETS
