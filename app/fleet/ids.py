"""Public ids of sites and devices: the same in every process and for ever, telling nothing about the device."""

import re
from functools import lru_cache
from hashlib import blake2b

from vendors.kit import Battery, Key, Site, SolarInverter
from vendors.kit.records import Record

TAGS: dict[type[Record], str] = {Site: "site", SolarInverter: "solr", Battery: "batt"}
LENGTH = 16
ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
# Three letters at a time, the lowest place first: ten thousand ids are one answer.
TRIPLES = [one + two + three for three in ALPHABET for two in ALPHABET for one in ALPHABET]
# Ids that need not be made again: lists name the same devices again and again. About 500 bytes each,
# and twice as much for the longest keys.
MAX_REMEMBERED = 100_000
THREE_PLACES, SEVEN_PLACES, NINE_PLACES = 36**3, 36**7, 36**9


class Ids:
    """Makes ids with the server's ID_KEY. A changed key changes every id that clients have stored."""

    def __init__(self, id_key: str) -> None:
        # BLAKE2b takes at most 64 bytes of key, ID_KEY may be any text.
        self._hash = blake2b(key=blake2b(id_key.encode(), person=b"derapi-id-key").digest(), digest_size=16)
        # By vendor and kind: the hash so far. There are as many as vendors and kinds.
        self._begun: dict[tuple[str, str], blake2b] = {}
        self._made = lru_cache(MAX_REMEMBERED)(self._make)

    @staticmethod
    def fits(kind: type[Record], id: str) -> bool:
        """Whether a text has the form of an id of this kind."""
        return re.fullmatch(rf"{TAGS[kind]}-[0-9a-z]{{{LENGTH}}}", id) is not None

    def of(self, kind: type[Record], vendor: str, key: Key) -> str:
        """`<tag>-<16 of 0-9a-z>` for the thing that `vendor` knows by `key`."""
        return self._made(vendor, TAGS[kind], key)

    def _make(self, vendor: str, tag: str, key: Key) -> str:
        begun = self._begun.get((vendor, tag))
        if begun is None:
            begun = self._hash.copy()
            begun.update(_delimited((vendor, tag)))
            # Only now: another thread may take it at once.
            self._begun[vendor, tag] = begun
        digest = begun.copy()
        digest.update(_delimited(key))
        return f"{tag}-{_letters(int.from_bytes(digest.digest()))}"


def _letters(number: int) -> str:
    """The last 16 places of a number to the base 36, the lowest first."""
    # In two parts that fit into a machine word: each division of a longer number costs as much as all of these.
    high, low = divmod(number, NINE_PLACES)
    low, one = divmod(low, THREE_PLACES)
    three, two = divmod(low, THREE_PLACES)
    high, four = divmod(high % SEVEN_PLACES, THREE_PLACES)
    last, five = divmod(high, THREE_PLACES)
    return f"{TRIPLES[one]}{TRIPLES[two]}{TRIPLES[three]}{TRIPLES[four]}{TRIPLES[five]}{ALPHABET[last]}"


def _delimited(parts: Key) -> bytes:
    """The length before each part keeps ("ab", "c") apart from ("a", "bc")."""
    encoded = [part.encode() for part in parts]
    return b"".join([len(part).to_bytes(4) + part for part in encoded])
