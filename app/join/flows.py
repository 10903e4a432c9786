"""Flows: links that any number of owners may open, each made once and never changed."""

import re
import secrets
import string
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, Select, delete, func, select
from sqlalchemy.orm import Session

from app import network
from app.auth.client_lock import in_turn
from app.credentials.cipher import Cipher, Sealed
from app.join.config import Configs, limit_reached
from app.storage.database import Database
from app.storage.join_tables import JoinAttemptRow, JoinFlowRow
from app.web.problems import invalid

MAX_FLOWS = 100
MAX_URI = 2000  # characters
ID = re.compile("flow-[0-9a-z]{16}")
LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# Host and port: of other characters some end a directive of the Content-Security-Policy, in which they stand as well.
AUTHORITY = re.compile(rf"(?:(?=[^:]{{1,253}}(?::|\Z)){LABEL}(?:\.{LABEL})*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{{1,5}})?")
ANSWER_SECONDS = 10.0


class Flows:
    """The flows in the database."""

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database, self._cipher = database, cipher

    def create(self, client_id: str, configs: Configs, redirect_uri: str) -> JoinFlowRow:
        """A new flow. Raises a Problem: 400 for a URI that may not be redirected to, 409 at the limit."""
        id = "flow-" + "".join(secrets.choice(string.digits + string.ascii_lowercase) for _ in range(16))
        row = JoinFlowRow(
            id=id,
            client_id=client_id,
            vendors=configs.as_json(),
            redirect_uri=checked_uri(redirect_uri),
            created_at=datetime.now(UTC),
            **configs.sealed(self._cipher, client_id, id),
        )

        def insert(session: Session) -> JoinFlowRow:
            if (session.scalar(select(func.count()).where(JoinFlowRow.client_id == client_id)) or 0) >= MAX_FLOWS:
                detail = f"A client may have {MAX_FLOWS} flows; delete some that you no longer need."
                raise limit_reached("join_flows_limit_reached", detail, MAX_FLOWS)
            session.add(row)
            return row

        return self._database.run(in_turn(client_id, insert), ANSWER_SECONDS)

    def rows_after(self, client_id: str, after: str, count: int) -> Sequence[JoinFlowRow]:
        """The client's first flows whose ids follow `after`."""
        query = select(JoinFlowRow).where(JoinFlowRow.client_id == client_id, JoinFlowRow.id > after)
        query = query.order_by(JoinFlowRow.id).limit(count)
        return self._database.run(lambda session: list(session.scalars(query)), ANSWER_SECONDS)

    def find(self, client_id: str, id: str) -> JoinFlowRow | None:
        """The flow; None if the client has none with this id."""
        return self._database.run(lambda session: session.scalars(_one(client_id, id)).first(), ANSWER_SECONDS)

    def of_any_client(self, id: str) -> JoinFlowRow | None:
        """The flow with this id, for an owner's browser."""
        return self._database.get(JoinFlowRow, id) if ID.fullmatch(id) else None

    def delete(self, client_id: str, id: str) -> bool:
        """Deletes a flow and its attempts; False if the client has none with this id."""

        def delete_row(session: Session) -> bool:
            attempts = _one(client_id, id).with_only_columns(JoinFlowRow.id)
            session.execute(delete(JoinAttemptRow).where(JoinAttemptRow.flow_id.in_(attempts)))
            statement = delete(JoinFlowRow).where(*_is(client_id, id))
            return session.connection().execute(statement).rowcount > 0

        return self._database.run(in_turn(client_id, delete_row), ANSWER_SECONDS)


def sealed_in(row: JoinFlowRow) -> Sealed | None:
    """The inline secrets of a flow."""
    return Sealed(row.key_id, row.ciphertext) if row.key_id and row.ciphertext else None


def checked_uri(text: str) -> str:
    """The redirect URI of a flow; raises a 400 Problem if owners may not be sent there."""
    try:
        url = urlsplit(text)
        host, _ = url.hostname or "", url.port
    except ValueError:
        url, host = urlsplit(""), ""
    is_plain = text.isascii() and text.isprintable() and " " not in text and "\\" not in text and len(text) <= MAX_URI
    is_secure = url.scheme == "https" or (url.scheme == "http" and network.is_loopback(host))
    if not (is_plain and is_secure and AUTHORITY.fullmatch(url.netloc)) or "#" in text:
        raise invalid(
            "redirectURI: Must be an https URL (http on loopback only), without user and fragment, of at most "
            f"{MAX_URI} ASCII characters."
        )
    return text


def _is(client_id: str, id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return JoinFlowRow.client_id == client_id, JoinFlowRow.id == (id if ID.fullmatch(id) else "")


def _one(client_id: str, id: str) -> Select[JoinFlowRow]:
    return select(JoinFlowRow).where(*_is(client_id, id))
