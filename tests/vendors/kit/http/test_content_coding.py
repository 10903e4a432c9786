"""gzip and deflate are decoded in parts of any size, never beyond a limit."""

import gzip
import zlib

import pytest
from requests.exceptions import ContentDecodingError

from vendors.kit.http.content_coding import MAX_MEMBERS, decoder_for

TEXT = bytes(range(256)) * 20


def bare_deflate(data):
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


ENCODED = {
    "gzip": ("gzip", gzip.compress(TEXT)),
    "old name": (" X-GZIP ", gzip.compress(TEXT)),
    "members": ("gzip", gzip.compress(TEXT[:9]) + gzip.compress(b"") + gzip.compress(TEXT[9:])),
    "padding": ("gzip", gzip.compress(TEXT) + bytes(40)),
    "zlib": ("deflate", zlib.compress(TEXT)),
    "bare deflate": ("Deflate", bare_deflate(TEXT)),
}


@pytest.mark.parametrize("step", [1, 7, 10_000])
@pytest.mark.parametrize("name", ENCODED)
def test_a_body_is_decoded_in_parts_of_any_size(name, step):
    coding, encoded = ENCODED[name]
    decoder = decoder_for(coding)
    parts = [encoded[start : start + step] for start in range(0, len(encoded), step)]
    assert b"".join(decoder.decode(part, len(TEXT) + 1) for part in parts) == TEXT
    assert decoder.is_complete


@pytest.mark.parametrize("name", ENCODED)
def test_a_body_is_decoded_up_to_the_limit(name):
    coding, encoded = ENCODED[name]
    assert decoder_for(coding).decode(encoded, 100) == TEXT[:100]


@pytest.mark.parametrize("name", ["gzip", "zlib", "bare deflate"])
def test_a_body_without_its_end_is_not_complete(name):
    coding, encoded = ENCODED[name]
    decoder = decoder_for(coding)
    decoder.decode(encoded[:-1], len(TEXT) + 1)
    assert not decoder.is_complete


@pytest.mark.parametrize(
    ("coding", "data"), [("gzip", b"{}"), ("deflate", b"\xff\xff{}"), ("deflate", b"x\x9c\xff\xff")]
)
def test_a_body_of_another_format_is_refused(coding, data):
    with pytest.raises(ContentDecodingError):
        decoder_for(coding).decode(data, 100)


def test_a_body_of_very_many_members_is_refused():
    with pytest.raises(ContentDecodingError, match="too many"):
        decoder_for("gzip").decode(gzip.compress(b"") * (MAX_MEMBERS + 1), 100)


@pytest.mark.parametrize("coding", ["", "identity", "br", "gzip, gzip"])
def test_a_body_of_another_coding_stays_as_it_is(coding):
    assert decoder_for(coding) is None
