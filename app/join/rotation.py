"""Encryption of the inline secrets of flows with the newest key. Those of sessions end within ten minutes."""

from dataclasses import asdict

from sqlalchemy import delete, select, update

from app.credentials.cipher import Cipher, Unreadable
from app.join.config import owner_of
from app.join.flows import sealed_in
from app.storage.database import Database
from app.storage.join_tables import JoinAttemptRow, JoinFlowRow


class FlowRotation:
    """Runs while the service does."""

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database, self._cipher = database, cipher

    def run(self) -> tuple[int, list[str]]:
        """Encrypts with the first key; the number of encrypted flows, and the ids of those that cannot be read."""
        is_old = JoinFlowRow.key_id != self._cipher.key_ids[0]
        with self._database.session() as session:
            rows = list(session.scalars(select(JoinFlowRow).where(is_old).order_by(JoinFlowRow.id)))
        unreadable = [row.id for row in rows if not self._encrypt(row)]
        return len(rows) - len(unreadable), unreadable

    def discard(self) -> int:
        """Deletes the flows whose key is missing; their number."""
        is_lost = JoinFlowRow.key_id.not_in(self._cipher.key_ids)
        with self._database.session() as session:
            lost = select(JoinFlowRow.id).where(is_lost)
            session.execute(delete(JoinAttemptRow).where(JoinAttemptRow.flow_id.in_(lost)))
            return session.connection().execute(delete(JoinFlowRow).where(is_lost)).rowcount

    def _encrypt(self, row: JoinFlowRow) -> bool:
        owner, sealed = owner_of(row.client_id, row.id), sealed_in(row)
        try:
            secrets = self._cipher.open(owner, sealed) if sealed else {}
        except Unreadable:
            return False
        values = {"key_id": None, "ciphertext": None} | (asdict(self._cipher.seal(owner, secrets)) if secrets else {})
        statement = update(JoinFlowRow).where(JoinFlowRow.id == row.id, JoinFlowRow.ciphertext == row.ciphertext)
        with self._database.session() as session:
            session.connection().execute(statement.values(**values))
        return True
