"""Requests that the demo sends, and that a reader can paste as curl commands: both with the same shell variables."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from string import Template
from typing import Any

from demo.servers import Client, loopback_session

TIMEOUT_SECONDS = 60.0
# Of the response of a token endpoint, where it is the access token. Works in a shell without jq as well.
FIRST_VALUE = """cut -d'"' -f4"""


@dataclass(frozen=True)
class Variable:
    """A variable of the export block."""

    name: str
    value: str
    source: str | None = None
    """The shell expression that gives a value like it; None: the value itself."""
    seconds: int | None = None
    """How long it is valid; None: as long as the demo runs."""

    @property
    def export(self) -> str:
        return f"export {self.name}={self.source or shlex.quote(self.value)}"


@dataclass(frozen=True)
class Call:
    """A request to the service; its path and headers may contain variables, as `$NAME`."""

    path: str
    token: str = "TOKEN"  # noqa: S105 - the name of a variable
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    method: str = ""
    """"": POST with a body, GET without."""

    @property
    def url(self) -> str:
        return f"$API{self.path}"

    @property
    def all_headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer ${self.token}", **self.headers}

    def uses(self, variable: Variable) -> bool:
        return variable.name in Template(self.curl(0)).get_identifiers()

    def curl(self, width: int) -> str:
        """The request as a command, broken between its arguments into lines that fit."""
        # In quotes, because ? and & mean something to a shell.
        words = ["curl -s " + (f'"{self.url}"' if "?" in self.url else self.url)]
        words += [f'-H "{name}: {value}"' for name, value in self.all_headers.items()]
        if self.method:
            words.append(f"-X {self.method}")
        if self.body is not None:
            body = json.dumps(self.body, separators=(",", ":"))
            words += ["-H Content-Type:application/json", f"-d {shlex.quote(body)}"]
        return broken(words, width)


class Shell:
    """The variables, and one connection to the service."""

    def __init__(self, service_url: str) -> None:
        self.variables = [Variable("API", service_url)]
        # One connection: all requests reach the same process, so that the second finds what the first has cached.
        self._session = loopback_session()

    def send(self, call: Call) -> Any:
        """The JSON of the response."""
        headers = {name: self._expand(value) for name, value in call.all_headers.items()}
        method = call.method or ("GET" if call.body is None else "POST")
        url = self._expand(call.url)
        response = self._session.request(method, url, headers=headers, json=call.body, timeout=TIMEOUT_SECONDS)
        response.raise_for_status()
        return response.json()

    def get(self, url: str) -> Any:
        """The JSON of a page that needs no headers."""
        response = self._session.get(url, timeout=TIMEOUT_SECONDS)
        response.raise_for_status()
        return response.json()

    def fetch_token(self, name: str, url: str, client: Client, **form: str) -> Variable:
        """A variable with an access token of this client, from a token endpoint."""
        form = {"grant_type": "client_credentials", **form}
        user = (client.id, client.secret)
        response = self._session.post(self._expand(url), data=form, auth=user, timeout=TIMEOUT_SECONDS)
        response.raise_for_status()
        members = " ".join(f"-d {shlex.quote(f'{member}={value}')}" for member, value in form.items())
        source = f"$(curl -s -u {':'.join(user)} {members} {url} | {FIRST_VALUE})"
        token = response.json()
        return Variable(name, token["access_token"], source, token["expires_in"])

    def _expand(self, text: str) -> str:
        return Template(text).substitute({variable.name: variable.value for variable in self.variables})


def broken(words: Sequence[str], width: int) -> str:
    """The words of a command on lines that fit into `width`, each but the last continued by a backslash."""
    lines = [words[0]]
    for word in words[1:]:
        line = f"{lines[-1]} {word}"
        # The last line has no " \\" behind it.
        if len(line) <= (width if word is words[-1] else width - 2):
            lines[-1] = line
        else:
            lines.append(f"  {word}")
    return " \\\n".join(lines)
