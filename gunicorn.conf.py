"""gunicorn's settings: `gunicorn wsgi:app` finds this file. What can be set comes from app.config."""

import contextlib
import ctypes
import gc
import os
import resource
import signal
import sys

import structlog

# Also where the project is not installed as a package, as on Heroku.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import app.server
from app import network
from app.config import SettingsError, load
from app.server import cpu_affinity, limits
from app.web import log

try:
    _settings = load()
except SettingsError as error:
    raise SystemExit(str(error)) from None

_HOST = "0.0.0.0"
# glibc would give nearly every thread an arena of its own, and keep what long lists have left free in them. Threads of
# Python take turns anyway. Before the fork, so that all processes have it.
_ARENA_MAX, _MMAP_THRESHOLD, _TRIM_THRESHOLD = -8, -3, -1
with contextlib.suppress(AttributeError, OSError):  # Not there with another C library.
    for _option, _value in ((_ARENA_MAX, 2), (_MMAP_THRESHOLD, 1 << 18), (_TRIM_THRESHOLD, 1 << 18)):
        ctypes.CDLL(None).mallopt(_option, _value)

bind = f"{_HOST}:{_settings.port}"
workers = _settings.web_concurrency
worker_class = "app.server.Worker"
# A request mostly waits for vendors: threads are the scarce resource, not processors.
threads = 64
# Connections that wait to be accepted; in excess of these the client's kernel tries again after a second only.
backlog = 4096
_soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
_files = _hard if _hard != resource.RLIM_INFINITY else max(_soft, 16384)
resource.setrlimit(resource.RLIMIT_NOFILE, (_files, _hard))
# Connections of one process, idle ones included. Each is an open file; as many are left for vendors' connections.
worker_connections = min(2000, _files // 2)
# Loaded once, before the fork: the embedded database upgrades itself here, and a fault ends the start.
preload_app = True
# Heroku's router keeps connections for 90 s; were they closed here first, its next request would be lost.
keepalive = 95
# A worker that says nothing for so long is replaced. Requests have their own deadline.
timeout = 60
# Heroku kills what still runs 30 s after SIGTERM.
graceful_timeout = 25
# By default gunicorn believes such headers from loopback; TRUSTED_PROXIES decides that instead (create_app).
forwarded_allow_ips = ""
limit_request_line = limits.REQUEST_LINE_BYTES
# Above the bounds for vendors' headers, which name the header that is too long.
limit_request_field_size = limits.HEADER_BYTES
# It would pass by what collects an answer.
sendfile = False
control_socket_disable = True
# Every request has a line of ours in the log (app.web.log); gunicorn would prepare one of its own for nothing.
logger_class = "app.server.Log"
logconfig_dict = log.configuration(_settings.log_level)
# wsgi.py refuses to be served without.
app.server.is_configured = True
_STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


def on_starting(server):
    """Before it listens. A new master that takes over from an old one (USR2) is handed the open socket."""
    if not server.master_pid:
        network.refuse_used_port(_HOST, _settings.port, "PORT")


def pre_fork(server, worker):
    """In the master, before each worker."""
    worker.processor = cpu_affinity.choose(server.num_workers, (one.processor for one in server.WORKERS.values()))


def post_fork(server, worker):
    """In each worker, before it has threads."""
    cpu_affinity.keep_to(worker.processor)


def child_exit(server, worker):
    """In the master, when a worker has ended: the others share its connections out among themselves."""
    worker.share.leave()


def post_worker_init(worker):
    """In each worker, once it has its own handlers of signals: takes those that came meanwhile."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)


def pre_exec(server):
    """In a new master (USR2), which inherits what is blocked."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)


def when_ready(server):
    """The start in one line, before the first fork."""
    # A stop that reaches a worker before it has its own handlers would run the master's, and be lost.
    os.register_at_fork(
        before=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS),
        after_in_parent=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS),
    )
    server.app.wsgi().extensions["services"].database.checkpoint()
    # What is loaded stays for good: searching it for garbage would hold all threads for some 20 ms now and then.
    gc.collect()
    gc.freeze()
    # Beyond what the requests under way hold, so that their data are not searched for garbage again and again.
    gc.set_threshold(50_000)
    structlog.stdlib.get_logger("gunicorn").info(
        "listening", address=bind, workers=workers, threads=threads, connections=worker_connections, pid=server.pid
    )


def on_exit(server):
    """In the master, when all workers have ended."""
    server.app.wsgi().extensions["services"].database.checkpoint()
