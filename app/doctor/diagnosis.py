"""The table of checks, run concurrently."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from app.doctor import checks, reachability
from app.doctor.findings import Finding
from app.doctor.setup import Setup, examine

# In the order of their rows.
CHECKS: Sequence[Callable[[Setup], Iterator[Finding]]] = (
    checks.check_settings,
    checks.check_database,
    checks.check_migrations,
    checks.check_redis,
    checks.check_keys,
    reachability.check_servers,
)


def diagnose(environ: Mapping[str, str] | None = None) -> list[Finding]:
    """The rows of all checks. Works with settings that the service would refuse."""
    setup = examine(environ)
    try:
        with ThreadPoolExecutor(len(CHECKS)) as threads:
            return [finding for rows in threads.map(lambda check: list(check(setup)), CHECKS) for finding in rows]
    finally:
        if setup.database is not None:
            setup.database.close()
