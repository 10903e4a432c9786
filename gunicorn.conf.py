"""gunicorn's settings as a table: `gunicorn wsgi:app` finds this file. app.config reads what users can set."""

import os
import sys

# Also where the project is not installed as a package, as on Heroku.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import app.server
from app.server import limits, metrics, tuning
from app.server.hooks import (  # noqa: F401 - gunicorn finds its hooks by name
    child_exit,
    on_exit,
    on_starting,
    post_fork,
    post_worker_init,
    pre_exec,
    pre_fork,
    pre_request,
    when_ready,
    worker_exit,
)
from app.web import log

settings = tuning.load_settings()
# All processes keep the values of their metrics in this folder; prometheus_client looks for its name here.
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(metrics.folder())
metrics.keep_values_in_files()
tuning.tune_malloc()
# wsgi.py refuses a gunicorn that has not read this file.
app.server.is_configured = True

bind = f"0.0.0.0:{settings.port}"
workers = settings.web_concurrency
worker_class = tuning.worker_class(settings.worker)
# A request mostly waits for vendors: threads are the scarce resource, not CPUs.
threads = 64
# Connections that wait to be accepted. Beyond this number, the client's kernel tries again only after a second.
backlog = 4096
# Connections of one process, idle ones included. Each is an open file; as many are left for connections to vendors.
worker_connections = min(2000, tuning.raise_open_files_limit() // 2)
# Loaded once, before the fork: the embedded database upgrades itself then, and a fault ends the start.
preload_app = True
# Heroku's router keeps connections for 90 s; if they were closed here first, its next request would be lost.
keepalive = 95
# A worker whose main loop hangs this long is replaced. Requests have a separate deadline.
timeout = 60
# After the drain. Heroku kills what still runs 30 s after SIGTERM.
graceful_timeout = tuning.graceful_seconds(settings)
# By default gunicorn trusts such headers from loopback; TRUSTED_PROXIES decides that instead (create_app).
forwarded_allow_ips = ""
limit_request_line = limits.REQUEST_LINE_BYTES
# Above the limits on vendors' headers, whose errors name the header that is too long.
limit_request_field_size = limits.HEADER_BYTES
# It would bypass the buffer that collects a response.
sendfile = False
control_socket_disable = True
logger_class = "app.server.access_log.NoAccessLog"
logconfig_dict = log.configuration(settings.log_level, has_colors=not settings.no_color)
