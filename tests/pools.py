"""Waits for calls that the thread pools of vendor clouds still make when a test has its answer."""

import sys
import threading


def wait_for_pools() -> None:
    """Returns once no thread of a pool is at work, or after two seconds."""
    for _ in range(200):
        if not any(calls_in_flight()):
            return
        threading.Event().wait(0.01)


def calls_in_flight():
    """Stack frames of calls in threads of the pools."""
    pools = {thread.ident for thread in threading.enumerate() if thread.name.startswith(("call-", "sweep-"))}
    for ident, frame in sys._current_frames().items():
        while ident in pools and frame:
            if frame.f_code.co_name in {"_settle", "run"} and "vendors" in frame.f_code.co_filename:
                yield frame
            frame = frame.f_back
