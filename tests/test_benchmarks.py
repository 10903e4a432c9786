"""The benchmark plays complete answers; it counts those that are not, says how many there were, and goes on."""

import asyncio
from itertools import count
from operator import methodcaller

import pytest

from benchmarks import __main__ as bench
from benchmarks import cells, load
from benchmarks.clouds import Clouds
from benchmarks.flows import VENDORS
from tests.vendors.support import BASE, cloud_of, open_vendor
from vendors.kit import Site, SolarInverter
from vendors.kit.calls.sweep import Sweep
from vendors.kit.messages import RawReply

BODY = b'{"inverters": ["/solar-inverters/solr-1", "/solar-inverters/solr-2"]}'
COUNTS = cells.COUNTS["/solar-inverters"]
RUN = {"headers": {}, "first": 0, "concurrency": 2, "seconds": 0.0, "items": 2, "counts": COUNTS}


def seen(answers):
    """What clients see of a server whose answers are these in turn; None closes the connection."""

    async def serve():
        async def answer(reader, writer):
            while await reader.readuntil(b"\r\n\r\n"):
                body = next(answers)
                if body is None:
                    break
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            writer.close()

        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            return await load.run(RUN | {"url": f"http://127.0.0.1:{port}/solar-inverters"})

    return asyncio.run(serve())


def test_clients_count_the_answers_that_were_not_complete_and_go_on():
    found = seen(iter([b"{}", None, *[BODY] * 9]))
    assert found.incomplete == 2
    assert found.latencies_ms


@pytest.mark.parametrize("answer", [b"{}", None])
def test_clients_of_a_server_that_never_answers_in_full_give_up(answer):
    found = seen(answer for _ in count())
    assert found.latencies_ms == []
    assert load.MANY < found.incomplete <= load.MANY + RUN["concurrency"]


class Peer:
    """A server under load, as far as a cell asks for it."""

    def memory_mb(self):
        return 50.0


@pytest.mark.parametrize(("latencies_ms", "rate"), [([20.0, 30.0], "2"), ([], "0")])
def test_a_row_says_how_many_answers_were_not_complete(monkeypatch, capsys, latencies_ms, rate):
    run = cells.Run(latencies_ms, 1.0, 0.1, 0.0, incomplete=1, example="HTTP/1.1 503 Service Unavailable")
    monkeypatch.setattr(cells, "ask", lambda *asked: run)
    cell = cells.measured(Peer(), 256, 1.0, 2, {}, "/solar-inverters")
    bench.show("6 vendors", 256, "ours", cell, cell)
    (row,) = capsys.readouterr().out.splitlines()
    assert row.split()[4] == rate
    assert row.endswith("3 not complete: 'HTTP/1.1 503 Service Unavailable'")


class Prepared:
    """The played clouds, without their sockets."""

    clouds = Clouds(inverters=10, sites=1, delay=0.0, site_delay=0.0)

    def fetch(self, request, deadline):
        _, _, body = self.clouds.answer(request.url.removeprefix(BASE))[0].partition(b"\r\n\r\n")
        return RawReply(200, {}, body, request.shown_url)


@pytest.mark.parametrize("vendor", VENDORS)
def test_the_plugins_find_every_site_and_inverter_in_the_answers_of_the_played_clouds(vendor):
    cloud = cloud_of(vendor, f"{BASE}/{vendor}")
    cloud.transport = Prepared()
    for find, kind, expected in (("sites", Site, 1), ("devices", SolarInverter, 10)):
        sweep = Sweep(open_vendor(vendor, cloud=cloud))
        sweep.run(methodcaller(find))
        rows = [row for row in sweep.records if row.kind is kind]
        assert (sweep.failure, len(rows)) == (None, expected)
