"""Times in the database: a type of columns, and the database's own clock, which all processes and hosts share."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Float, TypeDecorator
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """A timezone-aware time as microseconds since the epoch, because SQLite has no type for it."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> int | None:
        return None if value is None else (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: int | None, dialect: Any) -> datetime | None:
        return None if value is None else EPOCH + value * MICROSECOND


class DatabaseTime(FunctionElement[float]):
    """The time on the database's clock when the row is looked at, in epoch seconds."""

    type = Float(53)
    inherit_cache = True


@compiles(DatabaseTime, "sqlite")
def _sqlite(element: DatabaseTime, compiler: Any, **options: Any) -> str:
    # Not unixepoch('subsec'), which SQLite has since 3.42 only.
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(DatabaseTime, "postgresql")
def _postgres(element: DatabaseTime, compiler: Any, **options: Any) -> str:
    # Not now(), the begin of the transaction: a statement may have waited for another one since.
    return "CAST(extract(epoch FROM clock_timestamp()) AS double precision)"
