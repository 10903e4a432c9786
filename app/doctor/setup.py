"""Input of the checks: the settings as far as they are correct, and objects made of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sqlalchemy.orm import Session

from app import config
from app.config import Settings, SettingsError
from app.fleet.clouds import clouds
from app.storage.database import Database
from app.storage.database_faults import DatabaseFault, in_one_line
from vendors.kit.calls.cloud import Cloud
from vendors.kit.calls.ledger import Ledger

T = TypeVar("T")

# Stand for required settings that are missing or wrong, so that the rest can still be checked.
UNKNOWN = {"id_key": "", "database_url": ""}


@dataclass(frozen=True, slots=True)
class Setup:
    """The set-up of the service on this machine.

    faults: a line for each setting that is missing or wrong. database: None if DATABASE_URL is wrong. clouds: empty if
    they cannot be made.
    """

    settings: Settings
    faults: Sequence[str]
    database: Database | None
    clouds: Mapping[str, Cloud]

    @property
    def is_before_first_start(self) -> bool:
        """Whether the service will make its database when it starts."""
        return self.settings.embedded and self.database is not None and not _has_file(self.database)

    def is_refused(self, *names: str) -> bool:
        """Whether one of these settings is missing or wrong."""
        return any(fault.partition(":")[0] in names for fault in self.faults)

    def look_up(self, query: Callable[[Session], T]) -> T:
        """The result of a query. Raises DatabaseFault."""
        if self.database is None:
            raise DatabaseFault("There is no database.")
        if not _has_file(self.database):
            raise DatabaseFault("The file does not exist.")
        with in_one_line():
            return self.database.look_up(query)


def _has_file(database: Database) -> bool:
    """False for an SQLite file that is not there, which a connection would create."""
    url = database.engine.url
    return url.get_backend_name() != "sqlite" or Path(url.database or "").exists()


def examine(environ: Mapping[str, str] | None = None) -> Setup:
    """The set-up that the environment describes. Creates nothing."""
    values, faults = config.read(environ, creates=False)
    vendor_clouds: Mapping[str, Cloud] = {}
    settings = Settings(**(UNKNOWN | values))
    try:
        vendor_clouds = clouds(settings, Ledger())
    except SettingsError as error:
        faults += error.faults
    database = Database(settings.database_url) if settings.database_url else None
    return Setup(settings, faults, database, vendor_clouds)
