"""Starts the service from any folder: `python -m app.server`, which takes gunicorn's options.

gunicorn reads WEB_CONCURRENCY before any file of this project, and ends in a traceback when that is no number.
"""

from __future__ import annotations

import os
import sys

from app import config


def main() -> None:
    """Turns this process into gunicorn with the settings of this project, or ends with one line for each fault."""
    environ = config.environment()
    try:
        config.load(environ)
    except config.SettingsError as error:
        raise SystemExit(str(error)) from None
    given = {name: value for name, value in environ.items() if value.strip() or name not in config.NAMES}
    root = str(config.ROOT)
    command = [sys.executable, "-m", "gunicorn", "-c", f"{root}/gunicorn.conf.py", "--chdir", root, *sys.argv[1:]]
    os.execve(sys.executable, [*command, "wsgi:app"], given)  # noqa: S606


if __name__ == "__main__":
    main()
