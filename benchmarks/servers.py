"""Servers as child processes: starts, measures and ends them."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

TIMEOUT_SECONDS = 60
ROOT = Path(__file__).parent.parent
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


class Server:
    """A running server and its children."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process, self.port = process, port
        self.url = f"http://127.0.0.1:{port}"
        self.helpers: list[Server] = []
        """Servers that this server calls. Their CPU time does not count as a disturbance."""
        self._helpers_cpu_seconds = 0.0

    def _tree(self) -> list[int]:
        pids, waiting = [], [self.process.pid]
        while waiting:
            pid = waiting.pop()
            pids.append(pid)
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                waiting += map(int, children.read_text().split())
        return pids

    def cpu_seconds(self) -> float:
        """CPU seconds of the process and its children so far."""
        total = 0
        for pid in self._tree():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / TICKS

    def helpers_cpu_seconds(self) -> float:
        """CPU seconds of the helpers since the last call."""
        before, self._helpers_cpu_seconds = self._helpers_cpu_seconds, sum(each.cpu_seconds() for each in self.helpers)
        return self._helpers_cpu_seconds - before

    def memory_mb(self) -> float:
        """Resident memory of its largest process."""
        return max(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self._tree()) * PAGE / 1e6


@contextmanager
def running(command: list[str], port: int, environ: Mapping[str, object], folder: Path = ROOT) -> Iterator[Server]:
    """Runs a server for the length of the block, which begins once the server accepts connections."""
    env = {**os.environ, **{name: str(value) for name, value in environ.items()}}
    process = subprocess.Popen(command, env=env, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(process, port)
        yield Server(process, port)
    finally:
        process.terminate()
        try:
            process.wait(TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    ends = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < ends:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"{process.args!r} does not listen")


def python(*arguments: object) -> list[str]:
    return [sys.executable, *map(str, arguments)]


def busy_seconds() -> float:
    """CPU seconds that all processes of the machine have used."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    user, nice, system, _, _, irq, softirq = map(int, fields[:7])
    return (user + nice + system + irq + softirq) / TICKS
