"""Idempotency-Key: a request that a client repeats because it has seen no answer is made once.

For 24 hours the same key gives the same answer. Answers to requests that were not carried out are not kept, so that
the same key may be used again once the reason has passed.
"""

import hashlib
import logging
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import marshmallow as ma
from flask import Response, g, request
from marshmallow.validate import Length
from sqlalchemy import delete, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.api.services import services
from app.auth import bearer
from app.storage.column_types import DatabaseTime
from app.storage.database import Database
from app.storage.once_tables import IdempotencyKeyRow
from app.web.problems import Problem, invalid
from app.web.strict_api import Blueprint

logger = logging.getLogger(__name__)

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEY = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?")
KEPT_SECONDS = 86_400.0
ANSWER_SECONDS = 5.0
# How much longer than its deadline a request may run. A process that was killed keeps its key in use for as long.
SPARE_SECONDS = 15.0
# More than any answer to a plan of 96 intervals has.
MAX_BODY = 256 * 1024
# Nothing was done, and another time it may be.
PASSING = (401, 403, 409, 429)
NOW = DatabaseTime()
CLAIM = "idempotency_claim"


class IdempotencyHeader(ma.Schema):
    """The header, for the description of an operation; `protect` heeds it."""

    key = ma.fields.String(
        data_key=HEADER,
        validate=Length(1, 255),
        metadata={
            "description": "Any text of up to 255 characters, a new one for each change. A request that is repeated "
            "with it within 24 hours is not made again, and answered as the first time."
        },
    )


@dataclass(frozen=True)
class Claim:
    """A key that the current request has in use."""

    client_id: str
    key_sha256: str
    holder: str


def protect(blueprint: Blueprint, methods: Collection[str]) -> None:
    """Makes the operations of a blueprint that have these methods heed the header."""

    @blueprint.before_request
    def begin() -> Response | None:
        """Claims the request's key, or answers in place of the view."""
        key = request.headers.get(HEADER)
        if key is None or request.method not in methods:
            return None
        if not KEY.fullmatch(key):
            raise invalid(f"{HEADER}: Must have 1 to 255 printable ASCII characters.")
        claim = Claim(bearer.caller().id, _sha256(key.encode()), secrets.token_hex(16))
        store, seconds = IdempotencyKeys(services().database), services().settings.request_deadline + SPARE_SECONDS
        row = store.claim(claim, _fingerprint(), seconds)
        if row is None:
            setattr(g, CLAIM, claim)
            return None
        return _replayed(row)

    @blueprint.after_request
    def end(response: Response) -> Response:
        """Keeps the answer, or gives the key back."""
        claim: Claim | None = g.pop(CLAIM, None)
        if claim is not None:
            IdempotencyKeys(services().database).finish(claim, response)
        return response


class IdempotencyKeys:
    """Keys in the database: each change is one transaction, so that of two processes one has the key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, claim: Claim, fingerprint: str, seconds: float) -> IdempotencyKeyRow | None:
        """None if the key is now the claim's, for so many seconds; else the row with the answer. Raises a Problem: 422
        for another request with the same key, 409 while the first one is under way."""

        def transaction(session: Session) -> IdempotencyKeyRow | None:
            # A write comes first: SQLite refuses a transaction that reads before it writes if another wrote meanwhile.
            session.execute(_expired(claim.client_id))
            if _insert(session, claim, fingerprint, seconds):
                return None
            row = session.get_one(IdempotencyKeyRow, (claim.client_id, claim.key_sha256))
            if row.request_sha256 != fingerprint:
                raise _reused()
            if row.status is not None:
                return row
            if not _taken_over(session, row, claim, seconds):
                raise _in_use()
            return None

        return self._database.run(transaction, ANSWER_SECONDS)

    def finish(self, claim: Claim, response: Response) -> None:
        """Keeps the answer of the claim's request if it was carried out, and gives the key back if not."""
        is_mine = (
            IdempotencyKeyRow.client_id == claim.client_id,
            IdempotencyKeyRow.key_sha256 == claim.key_sha256,
            IdempotencyKeyRow.holder == claim.holder,
        )
        body = response.get_data()
        is_kept = response.status_code < 500 and response.status_code not in PASSING and len(body) <= MAX_BODY
        kept = {"status": response.status_code, "content_type": response.content_type, "body": body}
        statement = (
            update(IdempotencyKeyRow).where(*is_mine).values(**kept)
            if is_kept
            else delete(IdempotencyKeyRow).where(*is_mine)
        )
        try:
            self._database.run(lambda session: session.execute(statement), ANSWER_SECONDS)
        except SQLAlchemyError as error:
            # The answer stands. Once the claim has expired, a repetition is made again, and changes nothing more.
            logger.warning("the answer to a request with a key is not kept: %s", type(error).__name__)


def _expired(client_id: str) -> Any:
    return delete(IdempotencyKeyRow).where(
        IdempotencyKeyRow.client_id == client_id, IdempotencyKeyRow.expires_at <= NOW
    )


def _insert(session: Session, claim: Claim, fingerprint: str, seconds: float) -> bool:
    """Adds the claim's row, unless the key has one."""
    dialect: Any = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    insert = dialect.insert(IdempotencyKeyRow).values(
        client_id=claim.client_id,
        key_sha256=claim.key_sha256,
        request_sha256=fingerprint,
        holder=claim.holder,
        leased_until=NOW + seconds,
        expires_at=NOW + KEPT_SECONDS,
    )
    options = {"preserve_rowcount": True}
    statement = insert.on_conflict_do_nothing()
    return session.connection().execute(statement, execution_options=options).rowcount > 0


def _taken_over(session: Session, row: IdempotencyKeyRow, claim: Claim, seconds: float) -> bool:
    """Takes the key of a request that did not end, such as that of a process which was killed. To make it again is
    safe: it changes only what differs."""
    statement = update(IdempotencyKeyRow).where(
        IdempotencyKeyRow.client_id == row.client_id,
        IdempotencyKeyRow.key_sha256 == row.key_sha256,
        IdempotencyKeyRow.holder == row.holder,
        IdempotencyKeyRow.leased_until <= NOW,
    )
    values = {"holder": claim.holder, "leased_until": NOW + seconds}
    return session.connection().execute(statement.values(**values)).rowcount > 0


def _fingerprint() -> str:
    """A hash of what the request asks for."""
    head = f"{request.method} {request.full_path}".encode()
    return _sha256(_sha256(head).encode() + request.get_data())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _replayed(row: IdempotencyKeyRow) -> Response:
    response = Response(row.body or b"", row.status, content_type=row.content_type)
    response.headers[REPLAYED] = "true"
    return response


def _reused() -> Problem:
    detail = f"This {HEADER} was used for another request within the last 24 hours; nothing was changed."
    return Problem(422, "idempotency_key_reused", detail)


def _in_use() -> Problem:
    detail = f"The first request with this {HEADER} is still under way."
    return Problem(409, "idempotency_key_in_use", detail, headers={"Retry-After": "5"})
