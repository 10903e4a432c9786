"""gunicorn's hooks, which gunicorn.conf.py passes on by name. They hold for both workers (WORKER)."""

import os
import signal
from typing import Any

import structlog

from app import error_table, network
from app.config import SettingsError
from app.server import connection_share, cpu_affinity, drain, metrics, tuning

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


def on_starting(server: Any) -> None:
    """Refuses a used port, and keys that do not open what is stored, before the start.

    A new master (USR2) inherits the open socket from the old one.
    """
    if not server.master_pid:
        for address in server.cfg.address:
            if isinstance(address, tuple):  # neither a Unix socket nor an inherited socket
                host, port = address
                network.refuse_used_port(host, port, "PORT")

    try:
        services_of(server).credentials.key_check.at_start()
    except SettingsError as error:
        raise SystemExit(str(error)) from None


def when_ready(server: Any) -> None:
    """Prepares the fork of the workers and logs the start in one line."""
    # A stop signal that reaches a worker before it has its own handlers would run the master's handler and be lost.
    os.register_at_fork(before=block_stop_signals, after_in_parent=unblock_stop_signals)
    drain.delay_stop(server, services_of(server).settings.drain_seconds)
    checkpoint_database(server)
    tuning.tune_garbage_collection()
    structlog.stdlib.get_logger("gunicorn").info(
        "listening",
        address=",".join(server.cfg.bind),
        worker="gthread" if server.cfg.worker_class_str == "gthread" else "derapi",
        workers=server.num_workers,
        threads=server.cfg.threads,
        connections=server.cfg.worker_connections,
        pid=server.pid,
    )


def pre_fork(server: Any, worker: Any) -> None:
    """Chooses a worker's CPU, in the master."""
    worker.cpu = cpu_affinity.choose(server.num_workers, [sibling.cpu for sibling in server.WORKERS.values()])


def post_fork(server: Any, worker: Any) -> None:
    """Pins a worker to its CPU, before it has threads."""
    cpu_affinity.pin(worker.cpu)


def post_worker_init(worker: Any) -> None:
    """Makes the errors of the worker name the same pages as those of the application and count in its metrics, and
    delivers the signals that arrived before the worker had its handlers."""
    services = worker.wsgi.extensions["services"]
    worker.error_types = error_table.types(services.settings.public_url)
    drain.delay_exit(services.settings.drain_seconds)
    metrics.share(worker, services)
    unblock_stop_signals()


def pre_request(worker: Any, request: Any) -> None:
    """Lets the connection close after the response while the service ends."""
    drain.close_after_response(worker)


def worker_exit(server: Any, worker: Any) -> None:
    """Writes the last counts of a worker that ends, and sends its last traces."""
    service = getattr(worker, "wsgi", None)
    if service is None:
        return
    services = service.extensions["services"]
    services.metrics.calls.write()
    if services.traces:
        services.traces.close()


def child_exit(server: Any, worker: Any) -> None:
    """Releases the share of connections of a worker that has ended, and keeps its counts, in the master."""
    connection_share.withdraw(worker.age)
    metrics.worker_ended(server, worker, services_of(server))


def pre_exec(server: Any) -> None:
    """Unblocks the signals that a new master (USR2) inherits as blocked."""
    unblock_stop_signals()


def on_exit(server: Any) -> None:
    """Completes the database file, in the master, when all workers have ended."""
    checkpoint_database(server)


def checkpoint_database(server: Any) -> None:
    """Moves SQLite's write-ahead log into the database file."""
    services_of(server).database.checkpoint()


def services_of(server: Any) -> Any:
    """The services of the application, which is loaded before the hooks run."""
    return server.app.wsgi().extensions["services"]


def block_stop_signals() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)


def unblock_stop_signals() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
