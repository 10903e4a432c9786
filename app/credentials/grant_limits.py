"""Bounds on the grants of a client."""

from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.credentials.status import UNGIVEN
from app.credentials.tokens import NOW
from app.storage.grant_table import GrantRow
from app.storage.retention import UNGIVEN_SECONDS
from app.web.problems import Problem

MAX_GRANTS = 5_000
# Of these, consents by e-mail that no owner has given: anyone who has the link of a flow can make them.
MAX_UNGIVEN = 500


def count(session: Session, query: Select[Any]) -> int:
    """The number of rows of a query."""
    return session.scalar(select(func.count()).select_from(query.options().subquery())) or 0


def refuse_beyond(session: Session, client_id: str) -> None:
    """Raises a 409 Problem if the client may have no further grant."""
    if count(session, select(GrantRow).where(GrantRow.client_id == client_id)) >= MAX_GRANTS:
        raise _limit_reached(MAX_GRANTS, "grants")


def refuse_beyond_ungiven(session: Session, client_id: str) -> None:
    """Raises a 409 Problem if the client may have no further grant that no owner has given."""
    is_kept = GrantRow.ends_at > NOW - UNGIVEN_SECONDS
    query = select(GrantRow).where(GrantRow.client_id == client_id, GrantRow.status.in_(UNGIVEN), is_kept)
    if count(session, query) >= MAX_UNGIVEN:
        raise _limit_reached(MAX_UNGIVEN, "grants that no owner has given")


def _limit_reached(limit: int, what: str) -> Problem:
    detail = f"A client may have {limit} {what} at most; delete some that you no longer need."
    return Problem(409, "grants_limit_reached", detail, limit=limit)
