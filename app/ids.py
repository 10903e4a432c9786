"""Public ids of sites and devices: the same in every process and for ever, telling nothing about the device."""

import re
from hashlib import blake2b

from vendors.kit import Battery, Key, Record, Site, SolarInverter

TAGS: dict[type[Record], str] = {Site: "site", SolarInverter: "solr", Battery: "batt"}
LENGTH = 16
ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


class Ids:
    """Makes ids with the server's ID_KEY. A changed key changes every id that clients have stored."""

    def __init__(self, id_key: str) -> None:
        # BLAKE2b takes at most 64 bytes of key, ID_KEY may be any text.
        self._hash = blake2b(key=blake2b(id_key.encode(), person=b"derapi-id-key").digest(), digest_size=16)

    @staticmethod
    def fits(kind: type[Record], id: str) -> bool:
        """Whether a text has the form of an id of this kind."""
        return re.fullmatch(rf"{TAGS[kind]}-[0-9a-z]{{{LENGTH}}}", id) is not None

    def of(self, kind: type[Record], vendor: str, key: Key) -> str:
        """`<tag>-<16 of 0-9a-z>` for the thing that `vendor` knows by `key`."""
        tag = TAGS[kind]
        digest = self._hash.copy()
        for part in (vendor, tag, *key):
            encoded = part.encode()
            # The length before each part keeps ("ab", "c") apart from ("a", "bc").
            digest.update(len(encoded).to_bytes(4, "big") + encoded)
        number = int.from_bytes(digest.digest(), "big")
        letters = []
        for _ in range(LENGTH):
            number, place = divmod(number, len(ALPHABET))
            letters.append(ALPHABET[place])
        return f"{tag}-{''.join(letters)}"
