"""For servers: `gunicorn wsgi:app`, and for the commands: `flask --app wsgi ...`."""

from app import create_app
from app.config import SettingsError

try:
    app = create_app()
except SettingsError as error:
    # For whoever starts the service: the list of faults, without a traceback.
    raise SystemExit(str(error)) from None
