"""Whether the tables are those of this version of the program, by the revisions of alembic's migrations."""

from functools import lru_cache

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.orm import Session

from app.storage.database import MIGRATIONS


@lru_cache(maxsize=1)
def known() -> tuple[str, ...]:
    """The revisions of this program, the newest first."""
    return tuple(script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions())


def current(session: Session) -> str | None:
    """The revision of the tables; None for an empty database."""
    return MigrationContext.configure(session.connection()).get_current_revision()


def is_behind(revision: str | None) -> bool:
    """Whether migrations are missing. A revision that is not known is newer, as on a host whose turn to be updated has
    not come: migrations keep the tables fit for the version before."""
    return revision is None or revision in known()[1:]
