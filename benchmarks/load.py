"""Clients that ask as fast as they are answered, and what they saw. Only complete answers count.

Runs as a process of its own, so that its work is not taken for the server's:

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

PATIENCE_SECONDS = 30.0
# Answers that are not complete, after which a client gives up.
MANY = 100


@dataclass
class Seen:
    """Latencies in ms of the complete answers, how long it took in all, and how many were not complete."""

    latencies_ms: list[float] = field(default_factory=list)
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    incomplete: int = 0
    example: str = ""


class Client(asyncio.Protocol):
    """A keep-alive connection, over which one request is under way at a time."""

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
                # Chunked, as Node answers at times: the last chunk ends it.
                if self._buffer.endswith(b"0\r\n\r\n"):
                    self._length = len(self._buffer)
                return
            self._length = end + 4 + int(length)
        if len(self._buffer) >= self._length and not self._answer.done():
            self._answer.set_result(bytes(self._buffer))

    async def ask(self, request: bytes) -> bytes:
        self._buffer.clear()
        self._length = -1
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await asyncio.wait_for(self._answer, PATIENCE_SECONDS)

    def close(self) -> None:
        self._transport.close()


async def one_client(asked: dict[str, Any], number: int, ends: float, seen: Seen) -> None:
    parts = urlsplit(asked["url"])
    client = None
    turn = asked["first"] + number
    while (time.perf_counter() < ends or not seen.latencies_ms) and seen.incomplete <= MANY:
        started = time.perf_counter()
        try:
            if client is None:
                loop = asyncio.get_running_loop()
                _, client = await loop.create_connection(Client, parts.hostname, parts.port)
            answer = await client.ask(_request(parts.path, parts.netloc, asked["headers"], turn))
        except (OSError, TimeoutError) as error:
            client = None
            seen.incomplete += 1
            seen.example = type(error).__name__
            continue
        turn += asked["concurrency"]
        if answer.startswith(b"HTTP/1.1 200") and answer.count(asked["counts"].encode()) == asked["items"]:
            seen.latencies_ms.append(1000 * (time.perf_counter() - started))
        else:
            seen.incomplete += 1
            seen.example = answer[:300].decode(errors="replace")
    if client:
        client.close()


def _request(path: str, host: str, headers: dict[str, str], turn: int) -> bytes:
    """A request; in its headers `{n}` is a number of its own, and `{basic}` a user of that name, encoded."""
    basic = b64encode(f"{turn}:made-up-secret".encode()).decode()
    sent = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    sent = sent.replace("{n}", str(turn)).replace("{basic}", basic)
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{sent}\r\n".encode()


async def run(asked: dict[str, Any]) -> Seen:
    seen, started = Seen(), time.perf_counter()
    ends = started + asked["seconds"]
    await asyncio.gather(*(one_client(asked, number, ends, seen) for number in range(asked["concurrency"])))
    seen.seconds = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    seen.cpu_seconds = used.ru_utime + used.ru_stime
    return seen


if __name__ == "__main__":
    import uvloop  # of the benchmark's own requirements

    json.dump(asdict(uvloop.run(run(json.load(sys.stdin)))), sys.stdout)
