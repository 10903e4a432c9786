"""Pages of lists sorted by id, and page tokens: signed texts that say where the next page begins."""

from collections.abc import Sequence
from hashlib import blake2b, sha256

import orjson
from itsdangerous import BadData, URLSafeSerializer

from app.web.problems import Problem

DEFAULT_SIZE = 50
MAX_SIZE = 1000


class Pages:
    """Cuts pages and signs their tokens.

    A token is valid in every process, but only for the query and client for which it was made: `bound_to` lists these,
    for example client, path and filters.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        """keys: the newest first, which signs; each verifies."""
        # The signer wants the newest last.
        self._keys = [blake2b(key.encode(), person=b"derapi-paging").digest() for key in reversed(keys)]

    def cut(
        self, ids: Sequence[str], bound_to: Sequence[str], size: int, token: str | None
    ) -> tuple[Sequence[str], str | None]:
        """The page of sorted `ids` after `token`, and the token of the next page or None on the last.

        Raises a 400 Problem for a token of another query.
        """
        after = self.read(token, bound_to) if token is not None else ""
        remaining = [id for id in ids if id > after]
        page = remaining[:size]
        return page, self.token(page[-1], bound_to) if len(remaining) > size else None

    def token(self, last: str, bound_to: Sequence[str]) -> str:
        """A page token that holds `last`."""
        return str(self._signer(bound_to).dumps(last))

    def read(self, token: str, bound_to: Sequence[str]) -> str:
        """The text in a page token; raises a 400 Problem for a token of another query."""
        try:
            return str(self._signer(bound_to).loads(token))
        except BadData:
            raise Problem(
                400,
                "invalid_page_token",
                "pageToken does not belong to this query: repeat the query that gave it, with the same filters.",
            ) from None

    def _signer(self, bound_to: Sequence[str]) -> URLSafeSerializer:
        # What the token is bound to is part of the derived key only, since the token has to fit into a URL.
        salt = orjson.dumps(list(bound_to))
        return URLSafeSerializer(self._keys, salt, signer_kwargs={"key_derivation": "hmac", "digest_method": sha256})
