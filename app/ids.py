"""Public ids of sites and devices: the same in every process and for ever, telling nothing about the device."""

import re
from hashlib import blake2b

from vendors.kit import Battery, Key, Record, Site, SolarInverter

TAGS: dict[type[Record], str] = {Site: "site", SolarInverter: "solr", Battery: "batt"}
LENGTH = 16
ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
# Three letters at a time, the lowest place first: ten thousand ids are one answer.
TRIPLES = [one + two + three for three in ALPHABET for two in ALPHABET for one in ALPHABET]


class Ids:
    """Makes ids with the server's ID_KEY. A changed key changes every id that clients have stored."""

    def __init__(self, id_key: str) -> None:
        # BLAKE2b takes at most 64 bytes of key, ID_KEY may be any text.
        self._hash = blake2b(key=blake2b(id_key.encode(), person=b"derapi-id-key").digest(), digest_size=16)
        # By vendor and kind: the hash so far. There are as many as vendors and kinds.
        self._begun: dict[tuple[str, type[Record]], blake2b] = {}

    @staticmethod
    def fits(kind: type[Record], id: str) -> bool:
        """Whether a text has the form of an id of this kind."""
        return re.fullmatch(rf"{TAGS[kind]}-[0-9a-z]{{{LENGTH}}}", id) is not None

    def of(self, kind: type[Record], vendor: str, key: Key) -> str:
        """`<tag>-<16 of 0-9a-z>` for the thing that `vendor` knows by `key`."""
        begun = self._begun.get((vendor, kind))
        if begun is None:
            begun = self._begun[vendor, kind] = self._hash.copy()
            _add(begun, vendor)
            _add(begun, TAGS[kind])
        digest = begun.copy()
        for part in key:
            _add(digest, part)
        number = int.from_bytes(digest.digest(), "big")
        letters = []
        for _ in range(LENGTH // 3):
            number, place = divmod(number, len(TRIPLES))
            letters.append(TRIPLES[place])
        return f"{TAGS[kind]}-{''.join(letters)}{ALPHABET[number % len(ALPHABET)]}"


def _add(digest: blake2b, part: str) -> None:
    """The length before each part keeps ("ab", "c") apart from ("a", "bc")."""
    encoded = part.encode()
    digest.update(len(encoded).to_bytes(4, "big") + encoded)
