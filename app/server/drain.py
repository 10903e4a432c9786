"""Serves on for DRAIN_SECONDS after SIGTERM, with /ready 503, so that load balancers turn away before the stop.

The master waits, and then stops its workers as it does without a drain. Heroku and systemd send SIGTERM to every
process at once, so a worker that gets the signal without the master's order serves on as well. Heroku may also repeat
the signal, so only SIGINT and SIGQUIT end the drain early.
"""

import signal
from types import FrameType
from typing import Any

import structlog

from app import lifecycle
from app.lifecycle import Phase

logger = structlog.stdlib.get_logger("gunicorn")


def delay_stop(server: Any, seconds: float) -> None:
    """Makes a master drain before it stops. gunicorn looks its handlers up by name, in its main loop."""
    stop = server.handle_term

    def handle_term() -> None:
        # After USR2, another master accepts from the same listening socket: nothing would be lost without a drain.
        is_alone = not (server.reexec_pid or server.master_pid)
        if lifecycle.phase() is Phase.SERVING and seconds and is_alone:
            lifecycle.enter(Phase.DRAINING)
            logger.info("draining", seconds=seconds)
            _set_alarm(seconds, on_alarm)
        elif lifecycle.phase() is not Phase.DRAINING:
            lifecycle.enter(Phase.STOPPING)
            stop()

    def on_alarm(sig: int, frame: FrameType | None) -> None:
        lifecycle.enter(Phase.STOPPING)
        server.signal(signal.SIGTERM, frame)  # to the main loop

    server.handle_term = handle_term


def delay_exit(seconds: float) -> None:
    """Makes a worker drain before it ends, unless its master orders the end. Called once it has its handlers."""
    end: Any = signal.getsignal(signal.SIGTERM)

    def on_term(sig: int, frame: FrameType | None) -> None:
        if not seconds or lifecycle.phase() is Phase.STOPPING:
            end(sig, frame)
        elif not signal.getitimer(signal.ITIMER_REAL)[0]:  # gunicorn repeats the signal to workers that it replaces.
            _set_alarm(seconds, on_alarm)

    def on_alarm(sig: int, frame: FrameType | None) -> None:
        # A master that drains is about to order the end; before that it would replace this worker.
        if lifecycle.phase() is not Phase.DRAINING:
            end(sig, frame)

    _handle(signal.SIGTERM, on_term)


def close_after_response(worker: Any) -> None:
    """Makes responses say `Connection: close` once the drain has begun, so that clients turn to other servers."""
    if lifecycle.phase() is not Phase.SERVING:
        worker.max_keepalived = 0


def _set_alarm(seconds: float, handler: Any) -> None:
    _handle(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _handle(sig: signal.Signals, handler: Any) -> None:
    signal.signal(sig, handler)
    # Threads go on with their system calls, also in libraries that would take the interruption for a failure.
    signal.siginterrupt(sig, False)
