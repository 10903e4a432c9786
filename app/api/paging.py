"""Pages: of lists sorted by id, and their tokens, which say where to go on, so that they work in every process."""

import base64
import binascii
import hmac
from collections.abc import Sequence
from hashlib import blake2b

from app.web.problems import Problem

DEFAULT_SIZE = 50
MAX_SIZE = 1000
SEAL_BYTES = 12


class Pages:
    """Cuts pages and makes their tokens; sealed, so that a token serves only the query and client it came from."""

    def __init__(self, secret_key: str) -> None:
        self._key = blake2b(secret_key.encode(), person=b"derapi-paging").digest()

    def cut(
        self, ids: Sequence[str], query: Sequence[str], size: int, token: str | None
    ) -> tuple[Sequence[str], str | None]:
        """The page of sorted `ids` after `token`, and the token of the next page or None on the last.

        query: what the token is good for, e.g. client, path and filters. Raises a 400 Problem for any other token.
        """
        after = self.read(token, query) if token is not None else ""
        rest = [id for id in ids if id > after]
        page = rest[:size]
        return page, self.token(page[-1], query) if len(rest) > size else None

    def token(self, last: str, query: Sequence[str]) -> str:
        """A token that says `last`, good for this query only."""
        return base64.urlsafe_b64encode(self._seal(last, query) + last.encode()).decode().rstrip("=")

    def read(self, token: str, query: Sequence[str]) -> str:
        """What a token says; raises a 400 Problem for one of another query."""
        try:
            content = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            last = content[SEAL_BYTES:].decode()
        except (binascii.Error, ValueError):
            last, content = "", b""
        if not last or not hmac.compare_digest(content[:SEAL_BYTES], self._seal(last, query)):
            raise Problem(
                400,
                "invalid_page_token",
                "pageToken does not belong to this query: repeat the query that gave it, with the same filters.",
            )
        return last

    def _seal(self, last: str, query: Sequence[str]) -> bytes:
        digest = blake2b(key=self._key, digest_size=SEAL_BYTES)
        for part in (last, *query):
            digest.update(len(part.encode()).to_bytes(4, "big") + part.encode())
        return digest.digest()
