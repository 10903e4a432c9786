"""For servers: `gunicorn wsgi:app`, and for the commands: `flask --app wsgi ...`."""

import sys

from app import create_app
from app.config import ROOT, SettingsError
from app.storage.database_faults import DatabaseFault

# gunicorn looks for gunicorn.conf.py in the folder where it was started, and without it would serve with one thread, no
# limits and no deadline. Other servers never load app.server, which needs gunicorn.
if "gunicorn.arbiter" in sys.modules and not getattr(sys.modules.get("app.server"), "is_configured", False):
    print(
        f"gunicorn has not read the settings of this service; start it with: "
        f"gunicorn -c {ROOT}/gunicorn.conf.py --chdir {ROOT} wsgi:app",
        file=sys.stderr,
    )
    # gunicorn's status for an application that cannot be loaded: it ends. After any other it would try for ever.
    raise SystemExit(4)

try:
    app = create_app()
except (SettingsError, DatabaseFault) as error:
    # For those who start the service: the list of faults, without a traceback.
    raise SystemExit(str(error)) from None
