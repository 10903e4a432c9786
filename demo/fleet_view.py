"""The fleet view of the demo: a client with stored credentials at the sandbox, and a link that signs in to it."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import requests

from app import config
from demo.servers import FLASK, Servers, loopback_session

TIMEOUT_SECONDS = 60
CLIENT = "fleet"


def prepared_link(servers: Servers) -> str:
    """Stores the credentials that the sandbox offers, and returns a new link, which works once."""
    with client_session(servers, CLIENT) as session:
        accounts = checked(session.get(f"{servers.sandbox_url}/", timeout=TIMEOUT_SECONDS)).json()["vendors"]
        for vendor, account in accounts.items():
            for credentials in account["credentials"]:
                body = {"name": f"{vendor}, sandbox", "credentials": {"vendor": vendor, **credentials}}
                url = f"{servers.service_url}/vendor-credentials"
                checked(session.post(url, json=body, timeout=TIMEOUT_SECONDS))
    command = [*FLASK, "clients", "sign-in-link", servers.clients[CLIENT].id]
    made = subprocess.run(command, env=servers.environ, cwd=config.ROOT, check=True, stdout=subprocess.PIPE)  # noqa: S603
    return str(json.loads(made.stdout)["link"])


@contextmanager
def client_session(servers: Servers, name: str) -> Iterator[requests.Session]:
    """A session with an access token of a client of the demo."""
    client = servers.clients[name]
    with loopback_session() as session:
        form = {"grant_type": "client_credentials"}
        url = f"{servers.service_url}/oauth2/token"
        token = checked(session.post(url, form, auth=(client.id, client.secret), timeout=TIMEOUT_SECONDS))
        session.headers["Authorization"] = f"Bearer {token.json()['access_token']}"
        yield session


def checked(response: requests.Response) -> requests.Response:
    """The response, unless it is a refusal, which raises requests.HTTPError."""
    response.raise_for_status()
    return response
