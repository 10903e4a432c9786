"""Starts the service from any folder: `python -m app.server`, with gunicorn's options.

gunicorn itself reads WEB_CONCURRENCY before any file of this project, and ends in a traceback if it is not a number.
"""

import os
import sys

from app import config


def main() -> None:
    """Replaces this process with gunicorn on this project's settings, or ends it with one line for each fault."""
    environ = config.environment()
    try:
        config.load(environ)
    except config.SettingsError as error:
        raise SystemExit(str(error)) from None
    # An empty setting counts as unset, also for gunicorn.
    environ = {name: value for name, value in environ.items() if value.strip() or name not in config.NAMES}
    root = str(config.ROOT)
    command = [sys.executable, "-m", "gunicorn", "-c", f"{root}/gunicorn.conf.py", "--chdir", root, *sys.argv[1:]]
    os.execve(sys.executable, [*command, "wsgi:app"], environ)  # noqa: S606 - gunicorn, with the operator's arguments


if __name__ == "__main__":
    main()
