"""For servers: `gunicorn wsgi:app`, and for the commands: `flask --app wsgi ...`."""

from app import create_app
from app.config import SettingsError
from app.database_faults import DatabaseFault

try:
    app = create_app()
except (SettingsError, DatabaseFault) as error:
    # For those who start the service: the list of faults, without a traceback.
    raise SystemExit(str(error)) from None
