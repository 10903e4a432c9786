"""Programs of this project as real processes."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from app import config

GUNICORN = [sys.executable, "-m", "gunicorn", "wsgi:app"]
FLASK = [sys.executable, "-m", "flask", "--app", "wsgi"]
DEMO = [sys.executable, "-m", "demo"]
# The values of the setting WORKER.
WORKERS = ["derapi", "gthread"]
# Limits on callers that a test or benchmark with many requests does not meet.
BEYOND_REACH = {"CLIENT_LIMIT": "1000000000/60", "ADDRESS_LIMIT": "1000000000/60"}
# Far more than any wait needs on a busy machine.
SECONDS = 120


def clean(**settings: object) -> dict[str, str]:
    """Returns the environment of this process without its settings, plus the given ones."""
    # gunicorn itself reads WEB_CONCURRENCY. No client needs a drain, which would make each stop slower.
    hidden = dict.fromkeys(config.NAMES, "") | {"WEB_CONCURRENCY": "2", "DRAIN_SECONDS": "0"}
    return {**os.environ, **hidden, **{name: str(value) for name, value in settings.items()}}


@contextmanager
def started(command: list[str], environ: Mapping[str, str], cwd: Path = config.ROOT) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command, env=environ, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=SECONDS)


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """Returns the output up to and including the line with this text."""
    assert process.stdout is not None
    output = ""
    for line in process.stdout:
        output += line
        if text in line:
            return output
    raise AssertionError(f"ended without {text!r}:\n{output}")


def ended(command: list[str], environ: Mapping[str, str], cwd: Path = config.ROOT) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end."""
    return subprocess.run(command, env=environ, cwd=cwd, capture_output=True, text=True, check=False, timeout=SECONDS)


def wait_until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.05)
