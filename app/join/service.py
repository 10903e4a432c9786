"""The parts of Join, as `create_app` puts them together."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.credentials.cipher import Cipher
from app.credentials.consent_links import ConsentLinks
from app.credentials.grants import GrantStore
from app.credentials.service import Credentials
from app.join.applications import Applications
from app.join.attempts import Attempts
from app.join.config import Parser
from app.join.consent import Consents
from app.join.flows import Flows
from app.join.network_limits import NetworkLimits
from app.join.origins import Origins
from app.join.rotation import FlowRotation
from app.join.sessions import Sessions
from app.join.source import Sources
from app.storage.database import Database
from app.storage.redis_ledger import SharedLedger
from vendors.kit.calls.cloud import Cloud


@dataclass(frozen=True, slots=True)
class Join:
    """What clients start (`sessions`, `flows`), what owners do (`consents`), and which pages may look (`origins`)."""

    parser: Parser
    sessions: Sessions
    flows: Flows
    origins: Origins
    consents: Consents
    rotation: FlowRotation
    networks: NetworkLimits


def open_join(
    database: Database,
    cipher: Cipher,
    credentials: Credentials,
    grants: GrantStore,
    links: ConsentLinks,
    clouds: Mapping[str, Cloud],
    ledger: SharedLedger | None,
) -> Join:
    """Join with these vendors."""
    sessions, flows, attempts = Sessions(database, cipher), Flows(database, cipher), Attempts(database, cipher)
    rules, applications = credentials.rules, Applications(cipher, credentials)
    sources = Sources(database, sessions, flows)
    reasons = {name: cloud.vendor.no_consent for name, cloud in clouds.items() if cloud.vendor.no_consent}
    return Join(
        parser=Parser(rules, reasons),
        sessions=sessions,
        flows=flows,
        origins=Origins(database),
        consents=Consents(sessions, sources, attempts, applications, grants, links, clouds),
        rotation=FlowRotation(database, cipher),
        networks=NetworkLimits(ledger),
    )
