"""Origins (RFC 6454) whose pages may read the sessions of a client."""

from urllib.parse import urlsplit

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from app import network
from app.storage.database import Database
from app.storage.join_tables import JoinOriginRow

ANSWER_SECONDS = 10.0


class Origins:
    """The origins in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, client_id: str, origin: str) -> None:
        """Registers an origin; nothing happens if it is registered already."""
        try:
            self._database.run(
                lambda session: session.add(JoinOriginRow(client_id=client_id, origin=origin)), ANSWER_SECONDS
            )
        except IntegrityError:
            return

    def remove(self, client_id: str, origin: str) -> bool:
        """Ends a registration; False if there was none."""
        statement = delete(JoinOriginRow).where(JoinOriginRow.client_id == client_id, JoinOriginRow.origin == origin)
        return self._database.run(lambda session: session.connection().execute(statement).rowcount > 0, ANSWER_SECONDS)

    def all(self, client_id: str) -> list[str]:
        """The client's origins, sorted."""
        query = select(JoinOriginRow.origin).where(JoinOriginRow.client_id == client_id).order_by(JoinOriginRow.origin)
        return self._database.run(lambda session: list(session.scalars(query)), ANSWER_SECONDS)

    def knows(self, client_id: str, origin: str) -> bool:
        """Whether the client has registered this origin. The whole text is compared."""
        if not origin.isprintable():
            return False
        query = select(JoinOriginRow).where(JoinOriginRow.client_id == client_id, JoinOriginRow.origin == origin)
        return self._database.look_up(lambda session: session.scalars(query).first()) is not None


def is_origin(text: str) -> bool:
    """Whether browsers send this text as the origin of a page: https (http on loopback only), host and port."""
    try:
        url = urlsplit(text)
        host, port = url.hostname or "", url.port
    except ValueError:
        return False
    is_secure = url.scheme == "https" or (url.scheme == "http" and network.is_loopback(host))
    default = {"https": 443, "http": 80}.get(url.scheme)
    shown = f"[{host}]" if ":" in host else host
    exact = f"{url.scheme}://{shown}" + (f":{port}" if port not in (None, default) else "")
    return is_secure and bool(host) and text == exact and text.isascii() and text.isprintable() and "*" not in text
