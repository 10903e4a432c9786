"""Pages of lists sorted by id, and page tokens: signed texts that say where the next page begins."""

from collections.abc import Sequence
from hashlib import blake2b, sha256

import orjson
from itsdangerous import BadData, URLSafeSerializer

from app.web.problems import Problem

DEFAULT_SIZE = 50
MAX_SIZE = 1000


class Pages:
    """Cuts pages and signs their tokens. A token is valid in every process, for the query and client it was made for.

    `query` of each method lists what a token is bound to, for example client, path and filters.
    """

    def __init__(self, secret_key: str) -> None:
        self._key = blake2b(secret_key.encode(), person=b"derapi-paging").digest()

    def cut(
        self, ids: Sequence[str], query: Sequence[str], size: int, token: str | None
    ) -> tuple[Sequence[str], str | None]:
        """The page of sorted `ids` after `token`, and the token of the next page or None on the last.

        Raises a 400 Problem for a token of another query.
        """
        after = self.read(token, query) if token is not None else ""
        remaining = [id for id in ids if id > after]
        page = remaining[:size]
        return page, self.token(page[-1], query) if len(remaining) > size else None

    def token(self, last: str, query: Sequence[str]) -> str:
        """A page token that holds `last`."""
        return str(self._signer(query).dumps(last))

    def read(self, token: str, query: Sequence[str]) -> str:
        """The text in a page token; raises a 400 Problem for a token of another query."""
        try:
            return str(self._signer(query).loads(token))
        except BadData:
            raise Problem(
                400,
                "invalid_page_token",
                "pageToken does not belong to this query: repeat the query that gave it, with the same filters.",
            ) from None

    def _signer(self, query: Sequence[str]) -> URLSafeSerializer:
        # The query is part of the derived key and not of the token, which has to fit into a URL.
        salt = orjson.dumps(list(query))
        return URLSafeSerializer(self._key, salt, signer_kwargs={"key_derivation": "hmac", "digest_method": sha256})
