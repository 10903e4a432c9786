"""Starting the service from any folder and with empty settings: it runs, or prints how to start it."""

import sys
from pathlib import Path

import pytest
import requests

from app import config
from tests.ports import free_port
from tests.processes import clean, ended, read_until, started

LAUNCHER = [sys.executable, "-m", "app.server"]
GUNICORN = [sys.executable, "-m", "gunicorn"]
ROOT = str(config.ROOT)
OUR_SETTINGS = ["-c", f"{ROOT}/gunicorn.conf.py", "--chdir", ROOT]

pytestmark = pytest.mark.serial


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    "options", [[], ["-k", "app.server.worker.Worker"]], ids=["gunicorn's default worker", "our worker"]
)
def test_gunicorn_without_the_settings_of_the_service_ends_with_the_command_that_works(
    tmp_path: Path, options: list[str]
) -> None:
    command = [*GUNICORN, "--bind", f"127.0.0.1:{free_port()}", "--chdir", ROOT, *options, "wsgi:app"]
    done = ended(command, clean(INSTANCE_PATH=tmp_path, WEB_CONCURRENCY=1, PYTHONPATH=ROOT), cwd=tmp_path)
    assert done.returncode == 4
    (line,) = [line for line in done.stderr.splitlines() if "settings of this service" in line]
    assert line.endswith(f"gunicorn {' '.join(OUR_SETTINGS)} wsgi:app")
    assert "Traceback" not in done.stderr


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("command", "settings"),
    [
        ([*GUNICORN, *OUR_SETTINGS, "wsgi:app"], {"WORKER": "gthread"}),
        ([*LAUNCHER, "--max-requests", "0"], {"WEB_CONCURRENCY": "", "WORKER": ""}),
    ],
    ids=["gunicorn", "launcher"],
)
def test_the_service_starts_from_any_folder(tmp_path: Path, command: list[str], settings: dict[str, str]) -> None:
    port = free_port()
    environ = clean(PORT=port, INSTANCE_PATH=tmp_path) | settings | {"PYTHONPATH": ROOT}
    with started(command, environ, cwd=tmp_path) as process:
        assert '"workers":2' in read_until(process, "listening")
        assert requests.get(f"http://127.0.0.1:{port}/health", timeout=30).status_code == 200


@pytest.mark.exhaustive
def test_the_launcher_ends_with_one_line_for_each_wrong_setting() -> None:
    done = ended(LAUNCHER, clean(PORT="x", WEB_CONCURRENCY="many", WORKER="tornado"))
    assert done.returncode == 1
    names = [line.strip().partition(":")[0] for line in done.stderr.splitlines()[1:]]
    assert names == ["PORT", "WEB_CONCURRENCY", "WORKER"]


def test_other_servers_and_commands_load_the_application(tmp_path: Path) -> None:
    code = "import gunicorn, wsgi; print(wsgi.app.name)"
    done = ended([sys.executable, "-c", code], clean(INSTANCE_PATH=tmp_path))
    assert done.stdout == "app\n"
