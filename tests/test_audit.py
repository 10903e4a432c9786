"""`make audit` and `make lock`: with a made-up advisory, a made-up secret, a source that cannot be reached."""

import json
import secrets
import shutil
import string
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from app.config import ROOT
from tests.ports import free_port

pytest.importorskip("pip_audit", reason="`make audit` installs what it needs")

from audit import __main__ as audit
from audit import lock, secret_scan

pytestmark = pytest.mark.exhaustive

PINS = "# pinned\nJinja2==3.1.6\npsycopg[binary]==3.3.9\n"
HOLE = {
    "id": "MADE-UP-1",
    "summary": "made up",
    "details": "made up",
    "aliases": [],
    "affected": [
        {
            "package": {"name": "jinja2", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "9.9"}]}],
        }
    ],
}


@pytest.fixture
def osv(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A database of holes in which only the listed packages have one."""
    holed: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps({"vulns": [HOLE]} if query["package"]["name"] in holed else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        monkeypatch.setenv("AUDIT_OSV_URL", f"http://127.0.0.1:{server.server_port}/v1/query")
        yield holed
        server.shutdown()


@pytest.fixture
def repository(tmp_path: Path) -> Callable[..., Path]:
    """Makes a repository with these files."""

    def make(**files: str) -> Path:
        subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True, timeout=60)
        for name, text in {"requirements.txt": PINS, **files}.items():
            (tmp_path / name).write_text(text)
        subprocess.run(["git", "add", "."], cwd=tmp_path, check=True, timeout=60)
        return tmp_path

    return make


def test_nothing_known_and_nothing_secret_is_green(osv, repository, capsys):
    assert audit.main(repository(), known={}) == 0
    printed = capsys.readouterr()
    assert "No hole is known of 2 pinned dependencies" in printed.out
    assert printed.err == ""


def test_a_known_hole_fails_with_its_package_advisory_and_the_release_without_it(osv, repository, capsys):
    osv.append("jinja2")
    assert audit.main(repository(), known={}) == 1
    assert "requirements.txt: jinja2 3.1.6 has MADE-UP-1, mended in 9.9" in capsys.readouterr().err


def test_a_source_that_cannot_be_reached_is_one_line_and_a_status_of_its_own(repository, capsys, monkeypatch):
    monkeypatch.setenv("AUDIT_OSV_URL", f"http://127.0.0.1:{free_port()}/v1/query")
    assert audit.main(repository(), known={}) == 3
    printed = capsys.readouterr()
    (line,) = printed.err.splitlines()
    assert line.startswith("The known holes were NOT checked: ")
    assert "No hole" not in printed.out


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("settings.env", "SECRET_KEY={hex}\n"),
        ("module.py", "KEY = '{hex}'\n"),
        ("cloud.txt", "key: AKIA{capitals}\n"),
        ("key.pem", "-----BEGIN RSA PRIVATE KEY-----\n"),  # pragma: allowlist secret
        ("compose.yaml", "url: postgresql://derapi:{hex}@db/derapi\n"),
    ],
)
def test_a_secret_in_a_file_of_the_repository_fails_and_is_not_printed(repository, name, text):
    secret = secrets.token_hex(24)
    capitals = "".join(secrets.choice(string.ascii_uppercase + "234567") for _ in range(16))
    (fault,) = {line.rpartition(": remove")[0].split(":")[0] for line in scan(repository, name, text, secret, capitals)}
    assert fault == name


def scan(repository: Callable[..., Path], name: str, text: str, secret: str, capitals: str) -> Sequence[str]:
    root = repository(**{name: text.format(hex=secret, capitals=capitals)})
    faults = secret_scan.scan(root, known={})
    assert secret not in str(faults)
    assert capitals not in str(faults)
    return faults


def test_a_secret_ends_the_audit_with_1_although_the_source_cannot_be_reached(repository, capsys, monkeypatch):
    monkeypatch.setenv("AUDIT_OSV_URL", f"http://127.0.0.1:{free_port()}/v1/query")
    assert audit.main(repository(**{"a.env": f"SECRET_KEY={secrets.token_hex(32)}\n"}), known={}) == 1
    assert "a.env:1" in capsys.readouterr().err


def test_values_that_show_that_they_are_made_up_are_no_secrets_and_generated_ones_are():
    for value in (
        "sentinel-sma-token-0123456789",
        "made-up-secret",
        "sesame" * 6,
        "stolen",
        "s" * 32,
        "2027-01-15T10:00:00Z",
    ):
        assert secret_scan.is_made_up(value), value
    generated = [make(16) for make in (secrets.token_hex, secrets.token_urlsafe) for _ in range(50)]
    assert not [value for value in generated if secret_scan.is_made_up(value)]


def test_a_reason_for_a_value_that_no_file_has_is_a_fault(repository):
    (fault,) = secret_scan.scan(repository(), known={"0badcafe": "gone"})
    assert "0badcafe" in fault


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize(("status", "unreached", "expected"), [(3, "", 2), (3, "allowed", 0), (1, "allowed", 2)])
def test_make_accepts_an_unreached_source_only_where_it_is_allowed(tmp_path, status, unreached, expected):
    program = tmp_path / ".venv/bin/python"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\nexit {status}\n")
    program.chmod(0o755)
    for name in (".venv/complete", "requirements-audit.txt", ".venv/audit"):
        (tmp_path / name).touch()
    command = ["make", "-f", str(ROOT / "Makefile"), "-o", ".venv/complete", "audit", f"UNREACHED={unreached}"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=60).returncode == expected


def test_a_lock_has_layers_that_share_no_package_and_keeps_comments_and_spelling(tmp_path):
    former = {
        "requirements.txt": "# The service.\nJinja2==3.1.0\npsycopg[binary]==3.2\n",
        "requirements-otel.txt": "# Traces.\n",
        "requirements-dev.txt": "# Tools.\npydantic_core==2.1\n",
        "requirements-audit.txt": "# The audit.\n",
    }
    for name, text in former.items():
        (tmp_path / name).write_text(text)
    resolved = ["jinja2==3.1.6", "psycopg[binary]==3.3.9"]
    layers = {
        0: [],
        1: ["opentelemetry-sdk==1.45.2"],
        6: ["pydantic-core==2.50.4"],
        7: ["tomli==2.5.0", "cachecontrol[filecache]==0.14.4"],
    }
    seen: list[str] = []

    def compile(root: Path, extras: Sequence[str], pins: str) -> str:
        seen.append(pins)
        resolved.extend(layers[len(extras)])
        return "\n".join(resolved)

    lock.lock(tmp_path, keep=False, compile=compile)
    assert {name: (tmp_path / name).read_text() for name in former} == {
        "requirements.txt": "# The service.\nJinja2==3.1.6\npsycopg[binary]==3.3.9\n",
        "requirements-otel.txt": "# Traces.\nopentelemetry-sdk==1.45.2\n",
        "requirements-dev.txt": "# Tools.\npydantic_core==2.50.4\n",
        "requirements-audit.txt": "# The audit.\ncachecontrol==0.14.4\ntomli==2.5.0\n",
    }
    assert seen[0] == "", "renewed"
    assert "jinja2==3.1.6" in seen[1], "the pins of the service hold for the tools"


def test_the_bill_of_materials_names_every_pinned_package(tmp_path):
    output = tmp_path / "sbom.json"
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", "--output-file", str(output), "requirements.txt"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    bill = json.loads(output.read_text())
    assert bill["bomFormat"] == "CycloneDX"
    pins = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    assert {lock.key(component["name"]) for component in bill["components"]} == {lock.key(pin) for pin in pins}
