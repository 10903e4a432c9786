"""The clients of the API: who may call it, and what their secrets are worth."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from cachetools import LRUCache, TTLCache
from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError

from app.auth import tokens
from app.storage.database import Client, Database
from vendors.kit.calls.quota import Ledger

MODES = ("production", "virtual")
API_VERSIONS = ("v1", "v2024-09-01")
DEFAULT_API_VERSION = "v1"

# A revoked client's token must stop within 5 s, also where no shared ledger tells. The second in hand is for the
# look-up, which may be slow.
REMEMBERED_SECONDS = 4.0

_ID = re.compile(r"[0-9a-f]{32}")
# No secret has this hash. It stands in for an unknown client's, so that both cases take the same time.
_NOBODY = Client(id="", name="", mode="", api_version="", secret_sha256="0" * 64, created_at=0, revoked_at=0)


@dataclass(frozen=True)
class ApiClient:
    """The authenticated caller."""

    id: str
    name: str
    mode: str
    api_version: str


def _hash(secret: str) -> str:
    # One round of SHA-256 is enough for 256 random bits: there is nothing to guess.
    return hashlib.sha256(secret.encode()).hexdigest()


def _hold_of(client_id: str) -> str:
    """The name under which the ledger holds a revoked client."""
    return f"revoked:{client_id}"


class Clients:
    """The clients in the database; reads by id are remembered for a few seconds.

    ledger: where a revoked client is held until its last token has ended. All processes know it at once if they
    share the ledger, else after those seconds.
    """

    def __init__(
        self, database: Database, ledger: Ledger | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._ledger = ledger or Ledger()
        self._remembered: TTLCache[str, ApiClient | None] = TTLCache(10_000, REMEMBERED_SECONDS, timer=clock)
        # A token ends after an hour, so no client is let in for longer than that without the database.
        self._last_known: LRUCache[str, ApiClient | None] = LRUCache(10_000)
        self._lock = threading.Lock()

    def create(self, name: str, mode: str, api_version: str) -> tuple[str, str]:
        """A new client's id and secret. The secret cannot be shown again: only its hash is kept."""
        client_id, secret = secrets.token_hex(16), secrets.token_urlsafe(32)
        with self._database.session() as session:
            session.add(
                Client(
                    id=client_id,
                    name=name,
                    mode=mode,
                    api_version=api_version,
                    secret_sha256=_hash(secret),
                    created_at=int(time.time()),
                )
            )
        return client_id, secret

    def all(self) -> list[Client]:
        """Every client, revoked ones included, the oldest first."""
        with self._database.session() as session:
            return list(session.scalars(select(Client).order_by(Client.created_at, Client.id)))

    def revoke(self, client_id: str) -> bool:
        """Ends a client's access for good; False when there is no such client."""
        revoked = update(Client).where(Client.id == client_id, Client.revoked_at.is_(None))
        with self._database.session() as session:
            session.execute(revoked.values(revoked_at=int(time.time())))
            known = session.get(Client, client_id) is not None
        if known:
            # After the commit: who does not hear of the hold finds it in the database.
            # Its last token may come from a clock that is ahead, and be shown to another one that is behind.
            longest = tokens.LIFETIME + 2 * tokens.LEEWAY_SECONDS
            self._ledger.hold(_hold_of(client_id), time.time() + longest)
        return known

    def verified(self, client_id: str, secret: str) -> str | None:
        """The id of the client that this secret belongs to; the same work whether or not there is one."""
        # Ids of another form cannot be in the database, and some texts (with NUL) it would not even take.
        row = self._database.get(Client, client_id if _ID.fullmatch(client_id) else "0" * 32) or _NOBODY
        right = hmac.compare_digest(_hash(secret), row.secret_sha256)
        return row.id if right and row.revoked_at is None else None

    def find(self, client_id: str) -> ApiClient | None:
        """The client with this id, unless it is unknown or revoked; at most some seconds old.

        While the database does not answer, what was known last counts; a client not seen before raises.
        """
        if self._ledger.held_until(_hold_of(client_id)) > time.time():
            return None
        with self._lock:
            if client_id in self._remembered:
                return self._remembered[client_id]
        try:
            client = self._read(client_id)
        except SQLAlchemyError:
            if client_id not in self._last_known:
                raise
            client = self._last_known[client_id]
        with self._lock:
            self._remembered[client_id] = self._last_known[client_id] = client
        return client

    def _read(self, client_id: str) -> ApiClient | None:
        row = self._database.get(Client, client_id)
        if row is None or row.revoked_at is not None:
            return None
        return ApiClient(id=row.id, name=row.name, mode=row.mode, api_version=row.api_version)
