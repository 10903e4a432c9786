"""`make demo`: runs the sandbox and the service, creates a client, and shows the first requests with their responses.

It leaves a user's data alone: the service gets a temporary folder, and of the user's settings only the two ports. Each
server is a separate process group, so that Ctrl-C in the terminal reaches this program only, which then ends both.
"""

import base64
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from app import config, network

MAX_LINES = 24  # of JSON; longer answers are cut in the middle
TIMEOUT_SECONDS = 60.0  # enough for a slow machine to start both servers
FLASK = [sys.executable, "-m", "flask", "--app", "wsgi"]
# Works in a shell without jq as well.
PICK_MEMBER = """grep -o '"access_token": *"[^"]*"' | cut -d'"' -f4"""


@dataclass(frozen=True)
class Call:
    """A request that can be sent, and shown as a curl command with shell variables in place of credentials."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    user: tuple[str, str] | None = None
    form: Mapping[str, str] = field(default_factory=dict)

    def send(self) -> Any:
        """Sends the request; the JSON of the response."""
        with requests.Session() as session:
            session.trust_env = False  # a proxy cannot reach ports of this machine's loopback
            method = "POST" if self.form else "GET"
            answer = session.request(
                method, self.url, headers=self.headers, auth=self.user, data=self.form, timeout=TIMEOUT_SECONDS
            )
        return answer.json()

    def curl(self, variables: Mapping[str, str]) -> str:
        """The request as a command; values in `variables` are written as the shell variable of that name."""
        words = ["curl -s"]
        if self.user:
            words.append(f"-u {shlex.quote(':'.join(self.user))}")
        words += [f"-d {shlex.quote(f'{name}={value}')}" for name, value in self.form.items()]
        for name, value in self.headers.items():
            for variable, text in variables.items():
                value = value.replace(text, f"${variable}")
            words.append(f'-H "{name}: {value}"')
        return " \\\n  ".join([*words, self.url])


def environment(folder: str) -> dict[str, str]:
    """The environment of both servers. An empty value also hides a value in a file .env."""
    present = config.environment()
    by_vendor = (config.VENDOR_URL, config.VENDOR_LIMIT)
    hidden = {name: "" for name in present if name.startswith(by_vendor) or name in config.NAMES}
    ports = {name: present.get(name, "") for name in ("PORT", "SANDBOX_PORT")}
    # The same ids on every machine, so that the README shows what a newcomer sees. gunicorn reads the number of
    # processes itself and fails on an empty one.
    fixed = {"INSTANCE_PATH": folder, "ID_KEY": "a key for the demo only, known to all", "WEB_CONCURRENCY": "2"}
    return {**os.environ, **hidden, **ports, **fixed}


@contextmanager
def server(
    command: Sequence[str], environ: Mapping[str, str], log: Path, url: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a server for the length of the block, which begins once `url` answers."""
    with log.open("w") as output:
        process = subprocess.Popen(  # noqa: S603
            command, env=environ, stdout=output, stderr=output, cwd=config.ROOT, start_new_session=True
        )
    try:
        wait(process, url, log)
        yield process
    finally:
        stop(process)


def wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Returns when the URL answers; ends the program when the server ended or takes too long."""
    end = time.monotonic() + TIMEOUT_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            Call(url).send()
        except requests.RequestException:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"{url} does not answer. The end of its log:\n{log.read_text()[-2000:]}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ends a server and its child processes."""
    for sign, seconds in ((signal.SIGTERM, 5), (signal.SIGKILL, None)):
        try:
            os.killpg(process.pid, sign)
            process.wait(seconds)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def show(title: str, command: str, answer: Any) -> None:
    """Prints a step: its title, the command that does the same by hand, and the response, cut in the middle if long."""
    lines = json.dumps(answer, indent=2).splitlines()
    if len(lines) > MAX_LINES:
        lines[MAX_LINES - 8 : -5] = [f"    ... ({len(lines) - MAX_LINES + 3} more lines)"]
    print(f"\n# {title}\n\n{command}\n")
    print("\n".join(lines))


def show_counts(url: str, headers: Mapping[str, str], vendors: Iterable[str]) -> None:
    """Prints the number of inverters of each vendor, from filtered lists, which are served from cached replies."""
    counts = {name: len(Call(f"{url}?vendor={name}", headers=headers).send()["solar-inverters"]) for name in vendors}
    print(f"\n{sum(counts.values())} inverters: " + ", ".join(f"{name} {count}" for name, count in counts.items()))


def fetch_token(title: str, variable: str, call: Call, variables: dict[str, str]) -> None:
    """Gets an access token, shows the command, and stores the token as a shell variable."""
    answer = call.send()
    variables[variable] = answer["access_token"]
    show(title, f"{variable}=$({call.curl({})} | {PICK_MEMBER})", answer)


def vendor_headers(sandbox: str, variables: dict[str, str]) -> dict[str, str]:
    """The headers of all vendors; SMA's token comes from its token endpoint, as it does in production."""
    merged: dict[str, str] = {}
    for vendor, account in Call(f"{sandbox}/").send()["vendors"].items():
        headers = dict(account["headers"])
        token = account.get("token", {})
        if "scope" in token:  # SMA's, as its documentation shows it; the other vendors' tokens are ready
            user = (token["client_id"], token["client_secret"])
            form = {"grant_type": "client_credentials", "scope": token["scope"]}
            variable = f"{vendor.upper()}_TOKEN"
            call = Call(token["url"], user=user, form=form)
            fetch_token(f"A token of {vendor}, from its token endpoint in the sandbox", variable, call, variables)
            headers[f"X-Authorization-{vendor}"] = f"Bearer {variables[variable]}"
        merged |= headers
    return merged


def with_wrong_secret(headers: Mapping[str, str]) -> dict[str, str]:
    """The same headers with a Solis secret that its cloud will refuse."""
    name = "X-Authorization-solis"
    key_id = base64.b64decode(headers[name].removeprefix("Basic ")).decode().partition(":")[0]
    return {**headers, name: "Basic " + base64.b64encode(f"{key_id}:wrong".encode()).decode()}


def tour(service: str, sandbox: str, environ: Mapping[str, str]) -> None:
    """Sends and shows the requests of the README."""
    create = [*FLASK, "clients", "create", "demo"]
    created = subprocess.run(create, env=environ, cwd=config.ROOT, check=True, stdout=subprocess.PIPE)  # noqa: S603
    client = json.loads(created.stdout)
    variables: dict[str, str] = {}
    headers = vendor_headers(sandbox, variables)
    user = (client["client_id"], client["client_secret"])
    call = Call(f"{service}/oauth2/token", user=user, form={"grant_type": "client_credentials"})
    fetch_token("A token of this service", "TOKEN", call, variables)
    headers = {"Authorization": f"Bearer {variables['TOKEN']}", **headers}
    for title, sent in (
        ("The inverters of all vendors, in one list", headers),
        ("The same with a wrong secret for Solis: the other vendors are listed", with_wrong_secret(headers)),
    ):
        call = Call(f"{service}/solar-inverters", headers=sent)
        show(title, call.curl(variables), call.send())
    show_counts(f"{service}/solar-inverters", headers, Call(f"{sandbox}/").send()["vendors"])


def end(number: int, frame: object) -> None:
    """Handles Ctrl-C and SIGTERM. Only the first counts: a second one would leave servers running."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> None:
    # Writes each line at once, also to a pipe.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    with tempfile.TemporaryDirectory(prefix="derapi-demo-") as folder:
        environ = environment(folder)
        settings = config.load(environ)
        if settings.port == settings.sandbox_port:
            raise SystemExit(f"PORT and SANDBOX_PORT are both {settings.port}: set one of them to another.")
        network.refuse_used_port("0.0.0.0", settings.port, "PORT")
        network.refuse_used_port("127.0.0.1", settings.sandbox_port, "SANDBOX_PORT")
        sandbox, service = (f"http://127.0.0.1:{port}" for port in (settings.sandbox_port, settings.port))
        environ["SANDBOX_URL"] = sandbox
        gunicorn = [sys.executable, "-m", "gunicorn", "wsgi:app"]
        with (
            server([*FLASK, "sandbox"], environ, Path(folder) / "sandbox.log", f"{sandbox}/") as sandbox_process,
            server(gunicorn, environ, Path(folder) / "service.log", f"{service}/health") as service_process,
        ):
            tour(service, sandbox, environ)
            print(f"\nThe service is at {service}, the sandbox at {sandbox}, their logs are in {folder}.")
            print("Both serve until Ctrl-C.")
            while sandbox_process.poll() is None and service_process.poll() is None:
                time.sleep(0.2)
            raise SystemExit("One of the servers has ended unexpectedly.")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("\nStopped.")
    except config.SettingsError as error:
        raise SystemExit(str(error)) from None
