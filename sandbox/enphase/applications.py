"""The applications that this cloud knows. Keys, secrets and names are made up."""

from dataclasses import dataclass

from flask import request

from sandbox.enphase.constants import KILOWATT, MEGAWATT, PARTNER, WATT

USERNAME, PASSWORD = "installer@example.com", "sandbox-password"
ALL_SYSTEMS, FIRST_SYSTEM, NO_SYSTEMS = "all", "first", "none"


@dataclass(frozen=True)
class Application:
    """An application with its API key and plan, and the systems that its token covers."""

    name: str
    plan: str
    systems: str = ALL_SYSTEMS

    @property
    def key(self) -> str:
        """The API key, to which quotas belong."""
        return f"sandbox-enphase-key-{self.name}"

    @property
    def client_id(self) -> str:
        """The name at the token endpoint."""
        return f"sandbox-enphase-{self.name}"

    @property
    def client_secret(self) -> str:
        """The secret at the token endpoint."""
        return f"sandbox-enphase-secret-{self.name}"


APPLICATIONS = (
    Application("partner", PARTNER),
    Application("watt", WATT),
    Application("kilowatt", KILOWATT),
    Application("megawatt", MEGAWATT),
    Application("second", PARTNER),
    Application("homeowner", KILOWATT, FIRST_SYSTEM),
    Application("empty", PARTNER, NO_SYSTEMS),
)
TOP = APPLICATIONS[0]
# What a company uses that asks owners for consent.
DEVELOPER = APPLICATIONS[2]
BY_KEY = {application.key: application for application in APPLICATIONS}
BY_CLIENT = {application.client_id: application for application in APPLICATIONS}


def of_key() -> Application | None:
    """The application whose key the request carries, in a header or in the query."""
    return BY_KEY.get(request.headers.get("key") or request.args.get("key", ""))
