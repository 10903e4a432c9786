"""The application for servers (`gunicorn wsgi:app`) and for the commands (`flask --app wsgi ...`)."""

import sys

from app import cli_doctor, create_app
from app.config import ROOT, SettingsError
from app.storage.database_faults import DatabaseFault

# gunicorn looks for gunicorn.conf.py in the folder where it was started. Without that file it would serve with one
# thread, no limits and no deadline. Other servers do not load app.server, which needs gunicorn.
if "gunicorn.arbiter" in sys.modules and not getattr(sys.modules.get("app.server"), "is_configured", False):
    print(
        f"gunicorn has not read the settings of this service; start it with: "
        f"gunicorn -c {ROOT}/gunicorn.conf.py --chdir {ROOT} wsgi:app",
        file=sys.stderr,
    )
    # gunicorn's status for an application that cannot be loaded, after which it ends; after any other it would retry.
    raise SystemExit(4)

try:
    app = cli_doctor.app_with_doctor_only() if cli_doctor.is_asked() else create_app()
except (SettingsError, DatabaseFault) as error:
    # The operator gets the list of faults without a traceback.
    raise SystemExit(str(error)) from None
