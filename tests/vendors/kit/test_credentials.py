"""Values of X-Authorization headers as credentials."""

import base64

import pytest

from vendors.kit import Unauthorized
from vendors.kit.credentials import CredentialHeaders, basic, bearer


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
