"""The benchmark: its clients count incomplete answers separately, its fake clouds answer every plugin in full, and its
rows of virtual devices read complete responses of a large fleet."""

import asyncio
import sys
from contextlib import ExitStack, contextmanager
from itertools import count
from operator import methodcaller

import pytest

from benchmarks import __main__ as bench
from benchmarks import cells, load, virtual_reads
from benchmarks.clouds import Clouds
from benchmarks.flows import VENDORS
from benchmarks.virtual_fleet import DEVICES_PER_SITE, fill
from tests.app.virtual.support import Caller
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


class FleetInProcess:
    """The interface of virtual_reads.FleetServer, without a process of its own and with a small fleet."""

    def __init__(self, settings, start_service, sites):
        self.fleet = fill(settings, sites)
        self.caller = Caller(start_service(settings), "virtual", auth=self.fleet.auth)

    @contextmanager
    def client(self):
        yield self, self

    def get(self, path, headers=()):
        answer = self.caller.get(path, dict(headers))
        assert answer.status_code == 200, answer.text
        return 1.0, answer.json

    def cpu_seconds(self):
        return 0.0


@pytest.fixture
def small_fleet(settings, start_service):
    return FleetInProcess(settings, start_service, sites=10)


def test_the_virtual_fleet_has_five_devices_at_each_site_in_five_zones_and_each_is_found_by_its_id(small_fleet):
    fleet, caller = small_fleet.fleet, small_fleet.caller
    assert (fleet.sites, fleet.inverters + fleet.batteries) == (10, 10 * DEVICES_PER_SITE)
    assert fleet.batteries == 4
    sites = [caller.get(f"/sites/{id}").json for id in caller.ids("sites")]
    assert len({site["location"]["timezone"] for site in sites}) == 5
    assert {len(site["solarInverters"]) + len(site["batteries"]) for site in sites} == {DEVICES_PER_SITE}
    assert not caller.app.extensions["services"].inventory._lost_ids._searches, "every id was in the table"


@pytest.mark.exhaustive
def test_every_row_of_virtual_devices_reads_complete_responses(small_fleet, capsys):
    for read in virtual_reads.reads(small_fleet):
        times = virtual_reads.measured(small_fleet, read)
        virtual_reads.show(read.title, "SQLite", times)
        assert (times.first_ms, times.p50_ms, times.p99_ms, times.cpu_ms) == (1.0, 1.0, 1.0, 0.0)
    assert len(capsys.readouterr().out.splitlines()) == 8


def test_an_incomplete_response_ends_the_measurement_of_virtual_devices(small_fleet):
    read = virtual_reads.Read("sites", ("/sites",), "sites", 11)
    with pytest.raises(RuntimeError, match="/sites: 10 of 11 items"):
        virtual_reads.timed_ms(small_fleet, read, "/sites")


def test_a_machine_without_postgres_skips_its_rows_with_a_word(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tests.databases", None)
    with ExitStack() as stack:
        assert virtual_reads.postgres_url(stack) == {}
    assert "Postgres cannot run here" in capsys.readouterr().out
