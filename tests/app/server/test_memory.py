"""Free memory between blocks in use is returned to the system, at most once a minute."""

import ctypes

import psutil
import pytest
from gunicorn.config import Config
from gunicorn.workers.gthread import ThreadWorker

from app.server import limits, memory
from app.server.worker import Worker

MEBIBYTE = 2**20


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="only glibc keeps free pages")
def test_free_pages_between_blocks_in_use_are_returned_to_the_system() -> None:
    process = psutil.Process()
    blocks = [b"x" * 65_000 for _ in range(1_000)]
    blocks_in_use = blocks[::50]
    del blocks
    bytes_before = process.memory_info().rss
    memory.MemoryTrimmer().trim_if_due(1.0)
    freed_bytes = bytes_before - process.memory_info().rss
    assert freed_bytes > 40 * MEBIBYTE, f"the neighbours of {len(blocks_in_use)} blocks are free"


def test_the_main_loop_returns_memory_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    trimmed_at: list[float] = []
    clock = [1000.0]
    monkeypatch.setattr(memory, "malloc_trim", lambda pad: trimmed_at.append(clock[0]))
    monkeypatch.setattr(ThreadWorker, "wait_for_and_dispatch_events", lambda self, timeout: None)
    monkeypatch.setattr("app.server.worker.time.monotonic", lambda: clock[0])
    worker = Worker(0, 0, [], None, 10, Config(), None)
    worker.tmp.close()
    worker.alive = False
    for _ in range(1 + 2 * int(limits.TRIM_SECONDS)):
        worker.wait_for_and_dispatch_events(1.0)
        clock[0] += 1
    assert trimmed_at == [1000.0, 1000.0 + limits.TRIM_SECONDS, 1000.0 + 2 * limits.TRIM_SECONDS]
