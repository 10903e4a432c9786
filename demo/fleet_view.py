"""The fleet view of the demo: a client with stored credentials at the sandbox, and a link that signs in to it."""

import json
import subprocess

import requests

from app import config
from demo.servers import FLASK, Servers, loopback_session

TIMEOUT_SECONDS = 60
CLIENT = "fleet"


def prepared_link(servers: Servers) -> str:
    """Stores the credentials that the sandbox offers, and returns a new link, which works once."""
    client = servers.clients[CLIENT]
    with loopback_session() as session:
        form = {"grant_type": "client_credentials"}
        token = checked(session.post(f"{servers.service_url}/oauth2/token", form, auth=(client.id, client.secret)))
        session.headers["Authorization"] = f"Bearer {token.json()['access_token']}"
        accounts = checked(session.get(f"{servers.sandbox_url}/", timeout=TIMEOUT_SECONDS)).json()["vendors"]
        for vendor, account in accounts.items():
            for credentials in account["credentials"]:
                body = {"name": f"{vendor}, sandbox", "credentials": {"vendor": vendor, **credentials}}
                url = f"{servers.service_url}/vendor-credentials"
                checked(session.post(url, json=body, timeout=TIMEOUT_SECONDS))
    command = [*FLASK, "clients", "sign-in-link", client.id]
    made = subprocess.run(command, env=servers.environ, cwd=config.ROOT, check=True, stdout=subprocess.PIPE)  # noqa: S603
    return str(json.loads(made.stdout)["link"])


def checked(response: requests.Response) -> requests.Response:
    """The response, unless it is a refusal, which raises requests.HTTPError."""
    response.raise_for_status()
    return response
