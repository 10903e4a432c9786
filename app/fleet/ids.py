"""Public ids of sites and devices: stable across processes and restarts, and revealing nothing about the device."""

import re
from functools import lru_cache
from hashlib import blake2b

from vendors.kit import Battery, Key, Site, SolarInverter
from vendors.kit.records import Record

TAGS: dict[type[Record], str] = {Site: "site", SolarInverter: "solr", Battery: "batt"}
LENGTH = 16
ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
# The two lowest digits of each number, the lowest first. Digit by digit, the first list of 5,000 devices in a process
# would take 8 ms longer.
PAIRS = tuple(low + high for high in ALPHABET for low in ALPHABET)
# Ids cached per process, since lists name the same devices again and again: to derive them each time would take 44 %
# more CPU for 6,000 inverters (November 2026, docs/performance.md). About 500 bytes each, and twice as much for the
# longest keys.
MAX_CACHED = 100_000


class Ids:
    """Makes ids with the server's ID_KEY. A changed key changes every id that clients have stored."""

    def __init__(self, id_key: str) -> None:
        # BLAKE2b takes at most 64 bytes of key, ID_KEY may be any text.
        self._hash = blake2b(key=blake2b(id_key.encode(), person=b"derapi-id-key").digest(), digest_size=16)
        self._cached = lru_cache(MAX_CACHED)(self._make)

    @staticmethod
    def fits(kind: type[Record], id: str) -> bool:
        """Whether a text has the form of an id of this kind."""
        return re.fullmatch(rf"{TAGS[kind]}-[0-9a-z]{{{LENGTH}}}", id) is not None

    def of(self, kind: type[Record], vendor: str, key: Key) -> str:
        """`<tag>-<16 of 0-9a-z>` for the site or device that `vendor` identifies by `key`."""
        return self._cached(vendor, TAGS[kind], key)

    def _make(self, vendor: str, tag: str, key: Key) -> str:
        digest = self._hash.copy()
        digest.update(_delimited((vendor, tag, *key)))
        return f"{tag}-{_base_36(int.from_bytes(digest.digest()))}"


def _base_36(number: int) -> str:
    """The last LENGTH digits of a number in base 36, the lowest first."""
    letters = ""
    for _ in range(LENGTH // 2):
        number, pair = divmod(number, len(PAIRS))
        letters += PAIRS[pair]
    return letters


def _delimited(parts: Key) -> bytes:
    """The length before each part keeps ("ab", "c") apart from ("a", "bc")."""
    encoded = [part.encode() for part in parts]
    return b"".join([len(part).to_bytes(4) + part for part in encoded])
