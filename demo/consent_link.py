"""A link at which an owner gives consent at the played Tesla; the client of the first screen then lists the sites."""

from demo.company_page import CLIENT
from demo.fleet_view import TIMEOUT_SECONDS, checked, client_session
from demo.servers import Servers

VENDOR = "tesla"


def consent_link(servers: Servers, redirect_uri: str) -> str:
    """Makes a flow, and returns its link for owners."""
    with client_session(servers, CLIENT) as session:
        index = checked(session.get(f"{servers.sandbox_url}/", timeout=TIMEOUT_SECONDS)).json()
        application = index["vendors"][VENDOR]["consent"]
        credentials = {name: application[name] for name in ("clientID", "clientSecret")}
        flow = {"vendors": [{"vendor": VENDOR, "credentials": credentials}], "redirectURI": redirect_uri}
        url = f"{servers.service_url}/join/flows"
        return str(checked(session.post(url, json=flow, timeout=TIMEOUT_SECONDS)).json()["link"])
