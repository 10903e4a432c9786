"""`make demo`: the sandbox and the service, a client, and the first requests with their real answers.

It never touches a user's data: the service gets a folder of its own that is removed at the end, and none of
the user's settings but the two ports. Both servers are process groups of their own, so that Ctrl-C in the
terminal reaches this program only, which then ends them in order.
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

LONG = 24  # lines of JSON; longer answers are cut in the middle
PATIENCE = 60.0  # seconds for a slow machine to start both servers
FLASK = [sys.executable, "-m", "flask", "--app", "wsgi"]
# A shell without jq can do this too.
PICK = """grep -o '"access_token": *"[^"]*"' | cut -d'"' -f4"""


@dataclass(frozen=True)
class Call:
    """One request, which can be sent and shown as a curl line. Credentials are shown as shell variables."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    user: tuple[str, str] | None = None
    form: Mapping[str, str] = field(default_factory=dict)

    def send(self) -> Any:
        """The JSON of the answer."""
        with requests.Session() as session:
            session.trust_env = False  # a proxy for the internet knows nothing of this machine's ports
            method = "POST" if self.form else "GET"
            answer = session.request(
                method, self.url, headers=self.headers, auth=self.user, data=self.form, timeout=PATIENCE
            )
        return answer.json()

    def curl(self, variables: Mapping[str, str]) -> str:
        """The same as a command; values in `variables` are written as the variable of that name."""
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
    """What both servers see. An empty value also hides the one in a file .env."""
    given = config.environment()
    by_vendor = (config.VENDOR_URL, config.VENDOR_LIMIT)
    hidden = {name: "" for name in given if name.startswith(by_vendor) or name in config.NAMES}
    ports = {name: given.get(name, "") for name in ("PORT", "SANDBOX_PORT")}
    # The same ids on every machine, so that the README shows what a newcomer sees. gunicorn reads the number of
    # processes itself and fails on an empty one.
    own = {"INSTANCE_PATH": folder, "ID_KEY": "a key for the demo only, known to all", "WEB_CONCURRENCY": "2"}
    return {**os.environ, **hidden, **ports, **own}


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
    end = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < end:
        try:
            Call(url).send()
        except requests.RequestException:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"{url} does not answer. The end of its log:\n{log.read_text()[-2000:]}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ends a server and all that it started."""
    for sign, patience in ((signal.SIGTERM, 5), (signal.SIGKILL, None)):
        try:
            os.killpg(process.pid, sign)
            process.wait(patience)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def show(title: str, command: str, answer: Any) -> None:
    """One step: what it does, how to do it by hand, what came back; of a long list its beginning and its end."""
    lines = json.dumps(answer, indent=2).splitlines()
    if len(lines) > LONG:
        lines[LONG - 8 : -5] = [f"    ... ({len(lines) - LONG + 3} more lines)"]
    print(f"\n# {title}\n\n{command}\n")
    print("\n".join(lines))


def show_counts(url: str, headers: Mapping[str, str], vendors: Iterable[str]) -> None:
    """How much of the list is whose: the same request with a filter, answered from the replies that were kept."""
    counts = {name: len(Call(f"{url}?vendor={name}", headers=headers).send()["solar-inverters"]) for name in vendors}
    print(f"\n{sum(counts.values())} inverters: " + ", ".join(f"{name} {count}" for name, count in counts.items()))


def fetch_token(title: str, variable: str, call: Call, variables: dict[str, str]) -> None:
    """Gets an access token, shows how, and keeps it as a shell variable."""
    answer = call.send()
    variables[variable] = answer["access_token"]
    show(title, f"{variable}=$({call.curl({})} | {PICK})", answer)


def vendor_headers(sandbox: str, variables: dict[str, str]) -> dict[str, str]:
    """The headers of all vendors, merged; bearer tokens come from the vendor's endpoint, as in real life."""
    merged: dict[str, str] = {}
    for vendor, about in Call(f"{sandbox}/").send()["vendors"].items():
        headers = dict(about["headers"])
        token = about.get("token", {})
        if "scope" in token:  # SMA's, as its documentation shows it; the other vendors' tokens are ready
            user = (token["client_id"], token["client_secret"])
            form = {"grant_type": "client_credentials", "scope": token["scope"]}
            variable = f"{vendor.upper()}_TOKEN"
            call = Call(token["url"], user=user, form=form)
            fetch_token(f"A token of {vendor}, from its own endpoint (played)", variable, call, variables)
            headers[f"X-Authorization-{vendor}"] = f"Bearer {variables[variable]}"
        merged |= headers
    return merged


def with_wrong_secret(headers: Mapping[str, str]) -> dict[str, str]:
    """The same headers with a Solis secret that its cloud will refuse."""
    name = "X-Authorization-solis"
    key_id = base64.b64decode(headers[name].removeprefix("Basic ")).decode().partition(":")[0]
    return {**headers, name: "Basic " + base64.b64encode(f"{key_id}:wrong".encode()).decode()}


def tour(service: str, sandbox: str, environ: Mapping[str, str]) -> None:
    """The requests of the README, sent and shown."""
    create = [*FLASK, "clients", "create", "demo"]
    made = subprocess.run(create, env=environ, cwd=config.ROOT, check=True, stdout=subprocess.PIPE)  # noqa: S603
    client = json.loads(made.stdout)
    variables: dict[str, str] = {}
    headers = vendor_headers(sandbox, variables)
    user = (client["client_id"], client["client_secret"])
    call = Call(f"{service}/oauth2/token", user=user, form={"grant_type": "client_credentials"})
    fetch_token("A token of this service", "TOKEN", call, variables)
    headers = {"Authorization": f"Bearer {variables['TOKEN']}", **headers}
    for title, sent in (
        ("The inverters of all vendors, in one list", headers),
        ("The same with a wrong secret for Solis: the others stay", with_wrong_secret(headers)),
    ):
        call = Call(f"{service}/solar-inverters", headers=sent)
        show(title, call.curl(variables), call.send())
    show_counts(f"{service}/solar-inverters", headers, Call(f"{sandbox}/").send()["vendors"])


def end(number: int, frame: object) -> None:
    """For Ctrl-C and SIGTERM. Only the first counts: a second one must not leave servers behind."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> None:
    # Each line at once, also into a pipe.
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
            server([*FLASK, "sandbox"], environ, Path(folder) / "sandbox.log", f"{sandbox}/") as first,
            server(gunicorn, environ, Path(folder) / "service.log", f"{service}/health") as second,
        ):
            tour(service, sandbox, environ)
            print(f"\nThe service is at {service}, the sandbox at {sandbox}, their logs are in {folder}.")
            print("Both serve until Ctrl-C.")
            while first.poll() is None and second.poll() is None:
                time.sleep(0.2)
            raise SystemExit("One of the servers ended by itself.")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("\nStopped.")
    except config.SettingsError as error:
        raise SystemExit(str(error)) from None
