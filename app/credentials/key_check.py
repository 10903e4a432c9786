"""Checks that the keys in CREDENTIAL_KEYS open all stored credentials: at the start, or when the database answers."""

from collections.abc import Mapping

import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.config import SettingsError
from app.credentials.cipher import Cipher, KeyMissing
from app.storage.credential_tables import VendorCredentialRow
from app.storage.database import Database
from app.web.problems import Problem

logger = structlog.stdlib.get_logger(__name__)


def without_key(session: Session, cipher: Cipher) -> Mapping[str, int]:
    """The number of stored credentials by the id of their key, for the keys that are missing."""
    query = select(VendorCredentialRow.key_id, func.count()).group_by(VendorCredentialRow.key_id)
    query = query.where(VendorCredentialRow.key_id.not_in(cipher.key_ids))
    return {key_id: count for key_id, count in session.execute(query)}  # noqa: C416 - rows are no pairs to mypy


class KeyCheck:
    """Compares the keys of the rows with those of this process, until all were there once."""

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database, self._cipher = database, cipher
        self._passed = False

    def require_keys(self) -> None:
        """Raises a 503 Problem if there is no key at all."""
        if not self._cipher.key_ids:
            detail = "This server stores no vendor credentials: its operator has to set CREDENTIAL_KEYS."
            raise Problem(503, "credentials_not_configured", detail)

    def require(self, session: Session) -> None:
        """Raises a 503 Problem if a key is missing."""
        if self._passed:
            return
        missing = without_key(session, self._cipher)
        if missing:
            logger.error("keys of stored secrets are missing", missing=missing, keys=self._cipher.key_ids)
            raise KeyMissing().problem
        self._passed = True

    def at_start(self) -> None:
        """Raises SettingsError if a key is missing. A database that does not answer is checked when it does.

        In the calling thread, without a pool: gunicorn's master forks afterwards.
        """
        try:
            with self._database.session() as session:
                missing = without_key(session, self._cipher)
        except SQLAlchemyError as error:
            logger.warning("the keys of stored secrets are not checked yet: %s", type(error).__name__)
            return
        finally:
            self._database.end_connections()
        if missing:
            raise SettingsError(_refusal(missing))


def _refusal(missing: Mapping[str, int]) -> str:
    counts = ", ".join(f"{count} with the key {key_id}" for key_id, count in sorted(missing.items()))
    return (
        f"CREDENTIAL_KEYS: it lacks the key of some stored vendor credentials ({counts}). Add the former key behind "
        "the new one (CREDENTIAL_KEYS=new,former). If it is lost, `flask --app wsgi credentials discard` deletes them."
    )
