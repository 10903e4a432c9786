"""Fake vendor clouds that use little CPU: they send prepared answers after a pause, over keep-alive connections.

    python -m benchmarks.clouds --port 9000 --delay 0.05 --inverters 10 --sites 1 [--certificate FILE --key FILE]

Only the last call of a vendor has a pause, so that the pause is the time of the slowest vendor: --delay for the devices
of a site, --site-delay for the list of sites. `PUT /hang/<vendor>` makes a vendor stop answering, `DELETE` undoes that.
"""

import argparse
import asyncio
import ssl
from functools import lru_cache

import orjson

from benchmarks.flows import FLOWS, SITE_FLOWS, device_list, site_list

PROGRAMS = {"total_count": 1, "programs": [{"program_id": "one"}]}


class Clouds:
    """All vendors' answers, by path."""

    def __init__(self, inverters: int, sites: int, delay: float, site_delay: float) -> None:
        self.delay, self.site_delay, self.hanging = delay, site_delay, set[str]()
        self._inverters, self._sites = inverters, sites

    @lru_cache(maxsize=100_000)  # noqa: B019 - one for the process
    def answer(self, path: str) -> tuple[bytes, float]:
        """The whole response to a path, and the pause before it."""
        vendor, _, below = path[1:].partition("/")
        flow, below = FLOWS[vendor], f"/{below}".partition("?")[0]
        if vendor == "enphasevpp" and below == "/api/v1/programs":
            return response(PROGRAMS), 0.0
        if below in (flow.list_path, SITE_FLOWS[vendor].device_path, "/api/v1/systems/search/one"):
            return response(site_list(vendor, self._sites)), self.site_delay
        site = below.removeprefix(flow.device_path.partition("{}")[0]).partition("/")[0] or "1000"
        return response(device_list(vendor, site, self._inverters)), self.delay


def response(data: object, status: str = "200 OK") -> bytes:
    body = orjson.dumps(data)
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Connection(asyncio.Protocol):
    """A client's connection; the client sends a request only after the last one was answered."""

    def __init__(self, clouds: Clouds) -> None:
        self._clouds, self._buffer = clouds, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, body = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        if len(body) < int(length or 0):
            return
        self._buffer = b""
        method, path, _ = head.split(b" ", 2)
        self._answer(method.decode(), path.decode())

    def _answer(self, method: str, path: str) -> None:
        if path.startswith("/hang/"):
            vendor = path.removeprefix("/hang/")
            (self._clouds.hanging.add if method == "PUT" else self._clouds.hanging.discard)(vendor)
            self._write(response({}))
        elif path == "/":
            self._write(response({}))
        elif path[1:].partition("/")[0] not in self._clouds.hanging:
            answer, pause = self._clouds.answer(path)
            if pause:
                asyncio.get_running_loop().call_later(pause, self._write, answer)
            else:
                self._write(answer)

    def _write(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)  # type: ignore[attr-defined]


async def serve(port: int, clouds: Clouds, certificate: str, key: str) -> None:
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(clouds), "127.0.0.1", port, ssl=context, backlog=4096
    )
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--delay", type=float, default=0.05)
    parser.add_argument("--site-delay", type=float, default=0.0)
    parser.add_argument("--inverters", type=int, default=10)
    parser.add_argument("--sites", type=int, default=1)
    parser.add_argument("--certificate", default="")
    parser.add_argument("--key", default="")
    options = parser.parse_args()
    import uvloop  # in requirements-bench.txt only

    clouds = Clouds(options.inverters, options.sites, options.delay, options.site_delay)
    uvloop.run(serve(options.port, clouds, options.certificate, options.key))


if __name__ == "__main__":
    main()
