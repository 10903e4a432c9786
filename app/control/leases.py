"""The lease of a site: over all processes, one request at a time reads and writes its control."""

import math
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.storage.column_types import DatabaseTime
from app.storage.database import Database
from app.storage.once_tables import ControlLeaseRow
from app.web.problems import Problem
from vendors.kit.deadline import Deadline

NOW = DatabaseTime()
ANSWER_SECONDS = 5.0
# The lease outlives its request's deadline by this, so that a call which ends late is still under it. A process that
# was killed keeps others out for as long.
SPARE_SECONDS = 15.0
# How long a plan waits for a look at the site, which is short, and how often it tries.
WAIT_SECONDS, STEP_SECONDS = 5.0, 0.1


class Purpose(StrEnum):
    """The purpose of a lease."""

    PLAN = "plan"
    LOOK = "look"


class SiteLeases:
    """Leases in the database, by the public id of the site."""

    def __init__(self, database: Database, sleep: Callable[[float], object] = time.sleep) -> None:
        self._database, self._sleep = database, sleep

    @contextmanager
    def plan(self, site_id: str, deadline: Deadline) -> Iterator[None]:
        """The lease for a new plan. Raises a 409 Problem while another plan is being written; a look is waited for."""
        holder = secrets.token_hex(16)
        tries = int(min(WAIT_SECONDS, deadline.left()) / STEP_SECONDS)
        for left in range(tries, -1, -1):
            if self.take(site_id, holder, Purpose.PLAN, deadline.left() + SPARE_SECONDS):
                break
            purpose, seconds = self._present(site_id)
            if purpose is Purpose.PLAN or not left:
                raise _busy(seconds)
            self._sleep(STEP_SECONDS)
        try:
            yield
        finally:
            self.release(site_id, holder)

    @contextmanager
    def look(self, site_id: str, deadline: Deadline) -> Iterator[bool]:
        """The lease for a look at a site; False if another request has it, whose look serves as well."""
        holder = secrets.token_hex(16)
        is_taken = self.take(site_id, holder, Purpose.LOOK, deadline.left() + SPARE_SECONDS)
        try:
            yield is_taken
        finally:
            if is_taken:
                self.release(site_id, holder)

    def take(self, site_id: str, holder: str, purpose: Purpose, seconds: float) -> bool:
        """Takes a lease for so many seconds; False while another holder has it."""

        def take(session: Session) -> bool:
            dialect: Any = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
            insert = dialect.insert(ControlLeaseRow).values(
                site_id=site_id, holder=holder, purpose=purpose.value, expires_at=NOW + seconds
            )
            changed = {name: insert.excluded[name] for name in ("holder", "purpose", "expires_at")}
            statement = insert.on_conflict_do_update(
                index_elements=[ControlLeaseRow.site_id], set_=changed, where=ControlLeaseRow.expires_at <= NOW
            )
            # Otherwise the number of rows is not known of an INSERT.
            options = {"preserve_rowcount": True}
            return session.connection().execute(statement, execution_options=options).rowcount > 0

        return self._database.run(take, ANSWER_SECONDS)

    def release(self, site_id: str, holder: str) -> None:
        """Ends a lease, if the holder still has it."""
        mine = (ControlLeaseRow.site_id == site_id, ControlLeaseRow.holder == holder)
        self._database.run(lambda session: session.execute(delete(ControlLeaseRow).where(*mine)), ANSWER_SECONDS)

    def _present(self, site_id: str) -> tuple[Purpose | None, float]:
        """The purpose of the present lease, and the seconds that are left of it."""
        query = select(ControlLeaseRow.purpose, ControlLeaseRow.expires_at - NOW).where(
            ControlLeaseRow.site_id == site_id, ControlLeaseRow.expires_at > NOW
        )
        row: Any = self._database.look_up(lambda session: session.execute(query).first())
        return (Purpose(row[0]), row[1]) if row else (None, 0.0)


def _busy(seconds: float) -> Problem:
    """409: another request writes to this site."""
    detail = "Another request is changing the battery control of this site; nothing was changed."
    return Problem(409, "control_busy", detail, headers={"Retry-After": str(max(1, math.ceil(seconds)))})
