"""The objects that live as long as the process: made by `create_app`, used by routes and commands."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Flask, current_app

from app.api.paging import Pages
from app.auth.clients import Clients
from app.auth.failed_logins import FailedLogins
from app.auth.last_use import LastUse
from app.auth.sign_in_codes import SignInCodes
from app.auth.tokens import Tokens
from app.config import Settings
from app.control.open_orders import OpenOrders
from app.control.service import BatteryControl
from app.credentials.consent_links import ConsentLinks
from app.credentials.grants import GrantStore
from app.credentials.pending_consents import PendingConsents
from app.credentials.renewals import Renewals
from app.credentials.service import Credentials
from app.fleet.inventory import Inventory
from app.join.service import Join
from app.metrics.service import Metrics
from app.storage.database import Database
from app.storage.id_table import IdTable
from app.storage.readiness import Readiness
from app.storage.redis_ledger import SharedLedger
from app.virtual.fleet import VirtualFleet
from vendors.kit.calls.cloud import Cloud

if TYPE_CHECKING:
    from app.web.traces.spans import Traces

KEY = "services"


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The objects that live as long as the process; `ledger` is None without Redis, `traces` without a collector."""

    settings: Settings
    database: Database
    ledger: SharedLedger | None
    clients: Clients
    tokens: Tokens
    failed_logins: FailedLogins
    last_use: LastUse
    sign_in_codes: SignInCodes
    clouds: Mapping[str, Cloud]
    id_table: IdTable
    inventory: Inventory
    virtual_fleet: VirtualFleet
    control: BatteryControl
    open_orders: OpenOrders
    credentials: Credentials
    grants: GrantStore
    consent_links: ConsentLinks
    join: Join
    pending_consents: PendingConsents
    renewals: Renewals
    pages: Pages
    readiness: Readiness
    metrics: Metrics
    traces: "Traces | None"

    def init_app(self, app: Flask) -> None:
        """Makes these the services of an application, in place of its former ones."""
        app.extensions[KEY] = self

    def close(self) -> None:
        """Ends the threads and connections to the database and to Redis.

        The writer of ids ends first: a connection that is in use when the database closes would stay open.
        """
        self.readiness.close()
        if self.traces is not None:
            self.traces.close()
        self.id_table.close()
        self.database.close()
        if self.ledger is not None:
            self.ledger.close()


def services() -> Services:
    """The services of the current application."""
    current: Services = current_app.extensions[KEY]
    return current
