"""The benchmark: its clients count incomplete answers separately, and its fake clouds answer every plugin in full."""

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


def load_result(answers):
    """The result of clients of a server that gives these answers in turn; None closes the connection."""

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


def test_clients_count_incomplete_answers_and_go_on():
    result = load_result(iter([b"{}", None, *[BODY] * 9]))
    assert result.incomplete == 2
    assert result.latencies_ms


@pytest.mark.parametrize("answer", [b"{}", None])
def test_clients_give_up_on_a_server_whose_answers_are_never_complete(answer):
    result = load_result(answer for _ in count())
    assert result.latencies_ms == []
    assert load.MAX_INCOMPLETE < result.incomplete <= load.MAX_INCOMPLETE + RUN["concurrency"]


class Peer:
    """The part of a server that a cell uses."""

    def memory_mb(self):
        return 50.0


@pytest.mark.parametrize(("latencies_ms", "rate"), [([20.0, 30.0], "2"), ([], "0")])
def test_a_row_of_the_table_shows_the_number_of_incomplete_answers(monkeypatch, capsys, latencies_ms, rate):
    run = cells.Run(latencies_ms, 1.0, 0.1, 0.0, incomplete=1, example="HTTP/1.1 503 Service Unavailable")
    monkeypatch.setattr(cells, "run_once", lambda *arguments: run)
    cell = cells.measured(Peer(), 256, 1.0, 2, {}, "/solar-inverters")
    bench.show("6 vendors", 256, "ours", cell, cell)
    (row,) = capsys.readouterr().out.splitlines()
    assert row.split()[4] == rate
    assert row.endswith("3 not complete: 'HTTP/1.1 503 Service Unavailable'")


class FakeTransport:
    """The fake clouds, without sockets."""

    clouds = Clouds(inverters=10, sites=1, delay=0.0, site_delay=0.0)

    def fetch(self, request, deadline):
        _, _, body = self.clouds.answer(request.url.removeprefix(BASE))[0].partition(b"\r\n\r\n")
        return RawReply(200, {}, body, request.shown_url)


@pytest.mark.parametrize("vendor", VENDORS)
def test_the_plugins_find_every_site_and_inverter_in_the_answers_of_the_fake_clouds(vendor):
    cloud = cloud_of(vendor, f"{BASE}/{vendor}")
    cloud.transport = FakeTransport()
    for find, kind, expected in (("sites", Site, 1), ("devices", SolarInverter, 10)):
        sweep = Sweep(open_vendor(vendor, cloud=cloud))
        sweep.run(methodcaller(find))
        rows = [row for row in sweep.records if row.kind is kind]
        assert (sweep.failure, len(rows)) == (None, expected)
