"""Clients that send the next request as soon as the last is answered. Only complete answers count.

Runs as a separate process, so that its CPU time is not counted as the server's:

    echo '{"url": ..., "headers": {...}, "first": 0, "concurrency": 16, "seconds": 2, "items": 60, "counts": ...}' \\
      | python -m benchmarks.load
"""

import asyncio
import json
import resource
import sys
import time
from base64 import b64encode
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 30.0
# Number of incomplete answers after which the clients give up.
MAX_INCOMPLETE = 100


@dataclass
class LoadResult:
    """Latencies of the complete answers, the duration of the run, and the number of incomplete answers."""

    latencies_ms: list[float] = field(default_factory=list)
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    incomplete: int = 0
    example: str = ""


class Client(asyncio.Protocol):
    """A keep-alive connection, with one request in flight at a time."""

    def __init__(self) -> None:
        self._buffer, self._answer = bytearray(), asyncio.get_running_loop().create_future()
        self._length = -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def connection_lost(self, error: Exception | None) -> None:
        if not self._answer.done():
            self._answer.set_exception(error or ConnectionResetError())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._length < 0:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self._buffer[:end]).lower()
            length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
            if not length:
                # Chunked, as Node sometimes answers: the last chunk ends the body.
                if self._buffer.endswith(b"0\r\n\r\n"):
                    self._length = len(self._buffer)
                return
            self._length = end + 4 + int(length)
        if len(self._buffer) >= self._length and not self._answer.done():
            self._answer.set_result(bytes(self._buffer))

    async def send(self, request: bytes) -> bytes:
        self._buffer.clear()
        self._length = -1
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await asyncio.wait_for(self._answer, TIMEOUT_SECONDS)

    def close(self) -> None:
        self._transport.close()


async def one_client(job: dict[str, Any], number: int, ends: float, result: LoadResult) -> None:
    parts = urlsplit(job["url"])
    client = None
    turn = job["first"] + number
    while (time.perf_counter() < ends or not result.latencies_ms) and result.incomplete <= MAX_INCOMPLETE:
        started = time.perf_counter()
        try:
            if client is None:
                loop = asyncio.get_running_loop()
                _, client = await loop.create_connection(Client, parts.hostname, parts.port)
            answer = await client.send(_request(parts.path, parts.netloc, job["headers"], turn))
        except (OSError, TimeoutError) as error:
            client = None
            result.incomplete += 1
            result.example = type(error).__name__
            continue
        turn += job["concurrency"]
        if answer.startswith(b"HTTP/1.1 200") and answer.count(job["counts"].encode()) == job["items"]:
            result.latencies_ms.append(1000 * (time.perf_counter() - started))
        else:
            result.incomplete += 1
            result.example = answer[:300].decode(errors="replace")
    if client:
        client.close()


def _request(path: str, host: str, headers: dict[str, str], turn: int) -> bytes:
    """A request. In its headers `{n}` becomes the number of the request, and `{basic}` a user of that name, encoded."""
    basic = b64encode(f"{turn}:made-up-secret".encode()).decode()
    sent = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    sent = sent.replace("{n}", str(turn)).replace("{basic}", basic)
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{sent}\r\n".encode()


async def run(job: dict[str, Any]) -> LoadResult:
    result, started = LoadResult(), time.perf_counter()
    ends = started + job["seconds"]
    await asyncio.gather(*(one_client(job, number, ends, result) for number in range(job["concurrency"])))
    result.seconds = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    result.cpu_seconds = used.ru_utime + used.ru_stime
    return result


if __name__ == "__main__":
    import uvloop  # in requirements-bench.txt only

    json.dump(asdict(uvloop.run(run(json.load(sys.stdin)))), sys.stdout)
