"""The clients of the API: registration, verification of their secrets, scopes, and revocation.

A client is cached for some seconds, with its revocation. To read it from the database for each request would take 0.2
to 0.7 times as much CPU again (November 2026, docs/performance.md).
"""

import hashlib
import hmac
import re
import secrets
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from cachetools import LRUCache, TTLCache
from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError

from app.auth import scopes, tokens
from app.auth.scopes import Scope
from app.storage.database import ClientRow, Database
from app.storage.owned import delete_owned
from vendors.kit.calls.ledger import Ledger

MODES = ("production", "virtual")
PRODUCTION, VIRTUAL = MODES
API_VERSIONS = ("v1", "v2024-09-01")
DEFAULT_API_VERSION = "v1"

# A revoked client's token must stop within 5 s, also without a shared ledger. The remaining second is for the look-up,
# which may be slow.
CACHE_SECONDS = 4.0

ID = re.compile(r"[0-9a-f]{32}")
# No secret has this hash. It is compared in place of an unknown client's, so that both cases take the same time.
UNKNOWN = ClientRow(
    id="", name="", mode="", api_version="", secret_sha256="0" * 64, created_at=0, revoked_at=0, former_secrets=[]
)
# Former secrets of a client that are still valid. More would be a mistake, such as a rotation in a loop.
MAX_FORMER_SECRETS = 5


@dataclass(frozen=True)
class ApiClient:
    """The authenticated caller."""

    id: str
    name: str
    mode: str
    api_version: str
    scopes: frozenset[Scope]


class TooManySecrets(Exception):
    """The client has as many valid former secrets as it may have."""


def _hash(secret: str) -> str:
    # One round of SHA-256 is enough for 256 random bits: there is nothing to guess.
    return hashlib.sha256(secret.encode()).hexdigest()


def _hold_name(client_id: str) -> str:
    """The name of a revoked client's hold in the ledger."""
    return f"revoked:{client_id}"


class Clients:
    """The clients in the database; look-ups by id are cached for CACHE_SECONDS.

    ledger: holds a revoked client until its last token has expired. Processes that share the ledger refuse the client
    at once, others when their cached look-up has expired.
    """

    def __init__(
        self, database: Database, ledger: Ledger | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._ledger = ledger or Ledger()
        self._cached: TTLCache[str, ApiClient | None] = TTLCache(10_000, CACHE_SECONDS, timer=clock)
        # Used while the database is down: a client is then let in until its token expires, at most an hour.
        self._last_known: LRUCache[str, ApiClient | None] = LRUCache(10_000)
        self._lock = threading.Lock()

    def create(
        self, name: str, mode: str, api_version: str, granted: Collection[Scope] = scopes.DEFAULT
    ) -> tuple[str, str]:
        """Adds a client and returns its id and secret. The secret cannot be shown again: only its hash is stored."""
        client_id, secret = secrets.token_hex(16), secrets.token_urlsafe(32)
        with self._database.session() as session:
            session.add(
                ClientRow(
                    id=client_id,
                    name=name,
                    mode=mode,
                    api_version=api_version,
                    secret_sha256=_hash(secret),
                    created_at=int(time.time()),
                    scopes=scopes.text(granted),
                    former_secrets=[],
                )
            )
        return client_id, secret

    def all(self) -> list[ClientRow]:
        """Every client, revoked clients included, the oldest first."""
        with self._database.session() as session:
            return list(session.scalars(select(ClientRow).order_by(ClientRow.created_at, ClientRow.id)))

    def set_scopes(self, client_id: str, granted: Collection[Scope]) -> bool:
        """Changes what a client and its tokens may do, within CACHE_SECONDS; False when there is no such client."""
        change = update(ClientRow).where(ClientRow.id == client_id, ClientRow.revoked_at.is_(None))
        with self._database.session() as session:
            changed = session.connection().execute(change.values(scopes=scopes.text(granted))).rowcount
        return changed > 0

    def rotate_secret(self, client_id: str, overlap_seconds: int) -> str | None:
        """A new secret for the client, or None when there is no such client. The present secret stays valid for the
        overlap, and so do former secrets for theirs; without overlap all of them end at once.

        Raises TooManySecrets.
        """
        secret, now = secrets.token_urlsafe(32), int(time.time())
        with self._database.session() as session:
            # A write first: rotations of one client take turns.
            turn = update(ClientRow).where(ClientRow.id == client_id, ClientRow.revoked_at.is_(None))
            if session.connection().execute(turn.values(name=ClientRow.name)).rowcount == 0:
                return None
            row = session.get_one(ClientRow, client_id)
            former = [*row.former_secrets, {"sha256": row.secret_sha256, "expires_at": now + overlap_seconds}]
            valid = [secret for secret in former if secret["expires_at"] > now] if overlap_seconds else []
            if len(valid) > MAX_FORMER_SECRETS:
                raise TooManySecrets
            row.secret_sha256, row.former_secrets = _hash(secret), valid
        return secret

    def revoke(self, client_id: str) -> dict[str, int] | None:
        """Ends a client's access permanently and deletes all that belongs to it; None when there is no such client.

        Returns the numbers of deleted rows by table. The client's row stays.
        """
        revoked = update(ClientRow).where(ClientRow.id == client_id, ClientRow.revoked_at.is_(None))
        with self._database.session() as session:
            session.execute(revoked.values(revoked_at=int(time.time())))
            if session.get(ClientRow, client_id) is None:
                return None
            deleted = delete_owned(session, client_id)
        # After the commit, through which processes without this ledger learn of the revocation.
        # Twice the leeway: a clock that is ahead may issue the last token, and a clock that is behind may check it.
        seconds = tokens.LIFETIME + 2 * tokens.LEEWAY_SECONDS
        self._ledger.hold(_hold_name(client_id), time.time() + seconds)
        return deleted

    def verified(self, client_id: str, secret: str) -> ApiClient | None:
        """The client if the secret is right, else None; the same work whether or not the client exists."""
        # An id of another form belongs to no client, and Postgres refuses texts with NUL as query parameters.
        row = self._database.get(ClientRow, client_id if ID.fullmatch(client_id) else "0" * 32) or UNKNOWN
        sha256, now = _hash(secret), time.time()
        valid = [row.secret_sha256, *(old["sha256"] for old in row.former_secrets if old["expires_at"] > now)]
        is_right = any(hmac.compare_digest(sha256, each) for each in valid)
        return _client(row) if is_right and row.revoked_at is None else None

    def find(self, client_id: str) -> ApiClient | None:
        """The client with this id, at most CACHE_SECONDS old; None if it is unknown or revoked.

        While the database does not answer, returns the last known result; raises SQLAlchemyError if there is none.
        """
        if self._ledger.held_until(_hold_name(client_id)) > time.time():
            return None
        with self._lock:
            if client_id in self._cached:
                return self._cached[client_id]
        try:
            client = self._read(client_id)
        except SQLAlchemyError:
            if client_id not in self._last_known:
                raise
            client = self._last_known[client_id]
        with self._lock:
            self._cached[client_id] = self._last_known[client_id] = client
        return client

    def _read(self, client_id: str) -> ApiClient | None:
        row = self._database.get(ClientRow, client_id)
        if row is None or row.revoked_at is not None:
            return None
        return _client(row)


def _client(row: ClientRow) -> ApiClient:
    return ApiClient(row.id, row.name, row.mode, row.api_version, scopes.parse(row.scopes))
