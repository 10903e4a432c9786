"""Repeatable chance: the same words give the same bytes in every process and on every machine.

`random` would have to be stepped through from a start, and `hash` differs between processes.
"""

from hashlib import blake2b, shake_128
from struct import unpack


def digest(*words: object, size: int) -> bytes:
    """`size` bytes (at most 64) that depend on the words alone."""
    return blake2b("/".join(map(str, words)).encode(), digest_size=size).digest()


def fraction(*words: object) -> float:
    """A number from 0 up to, but not including, 1 that depends on the words alone."""
    return int.from_bytes(digest(*words, size=6), "big") / 2**48


def numbers(*words: object, count: int) -> tuple[int, ...]:
    """`count` numbers of 16 bits that depend on the words alone."""
    return unpack(f">{count}H", shake_128("/".join(map(str, words)).encode()).digest(2 * count))
