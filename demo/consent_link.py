"""A link at which an owner gives consent at the played Tesla; the owner's sites then stand in the demo's fleet view."""

from demo.fleet_view import TIMEOUT_SECONDS, checked, client_session
from demo.servers import Servers

VENDOR = "tesla"


def consent_link(servers: Servers) -> str:
    """Makes a flow of the client that the fleet view shows, and returns the link for owners."""
    with client_session(servers) as session:
        index = checked(session.get(f"{servers.sandbox_url}/", timeout=TIMEOUT_SECONDS)).json()
        application = index["vendors"][VENDOR]["consent"]
        credentials = {name: application[name] for name in ("clientID", "clientSecret")}
        flow = {
            "vendors": [{"vendor": VENDOR, "credentials": credentials}],
            "redirectURI": f"{servers.service_url}/fleet",
        }
        url = f"{servers.service_url}/join/flows"
        made = checked(session.post(url, json=flow, timeout=TIMEOUT_SECONDS)).json()
    return f"{servers.service_url}/join/flows/{made['id']}/authorize"
