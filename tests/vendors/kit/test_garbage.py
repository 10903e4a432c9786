"""No path of a call leaves a reference cycle, which could hold whole replies until the next, rare, collection."""

import gc
import gzip
import json
import socket
import threading
import types
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import trustme

from tests.pools import wait_for_pools
from tests.vendors.kit import servers
from tests.vendors.kit.servers import OK, serving
from vendors.kit import Credential, NotFound, Site, Vendor
from vendors.kit.calls.breaker import FAULTS, Breaker
from vendors.kit.calls.cloud import open_cloud
from vendors.kit.calls.reply_cache import Mode, ReplyCache
from vendors.kit.calls.sweep import Sweep
from vendors.kit.deadline import Deadline
from vendors.kit.http import response_parser
from vendors.kit.http.transport import Transport

ROWS = json.dumps({"sites": [{"id": "1"}, {"id": "2"}, {"id": "3"}]}).encode()
CLOSE = OK + b"Connection: close\r\n"


class Probe(Vendor):
    """A plugin that makes each kind of call."""

    hosts = {"probe": {"near": "http://probe.test", "far": "http://far.probe.test"}}

    def sites(self):
        yield from self.client.get("/sites").rows("sites", to=_site)

    def devices(self, site=None):
        optional = self.client.optional(lambda: self.client.get("/live").json)
        yield from self.client.each(("1", "2", "3"), self._of)
        optional.result()

    def _of(self, item):
        return self.client.get("/sites/{}", item).rows("sites", to=_site)

    def site(self, key):
        return self.client.get("/sites/{}", *key).record(lambda raw: _site(raw["sites"][0]).record())


def _site(raw):
    return Site.listed(raw["id"], lambda _: {"name": ""}, raw)


def status(code, more=b""):
    return servers.send_and_close(b"HTTP/1.1 %d Odd\r\n%sContent-Length: %d\r\n\r\n" % (code, more, len(ROWS)) + ROWS)


ENDINGS = {
    "success": servers.reply(ROWS),
    "close": servers.send_and_close(CLOSE + b"Content-Length: %d\r\n\r\n" % len(ROWS) + ROWS),
    "reset": servers.reset,
    "cut": servers.send_and_close(OK + b"Content-Length: 100000\r\n\r\n{"),
    "nonsense": servers.send_and_close(b"nonsense\r\n\r\n"),
    "garbled": servers.reply(b"no gzip", OK + b"Content-Encoding: gzip\r\n"),
    "cut gzip": servers.reply(gzip.compress(ROWS)[:-9], OK + b"Content-Encoding: gzip\r\n"),
    "oversized": servers.send_and_close(OK + b"Content-Length: 104857600\r\n\r\n"),
    "oversized in fact": servers.flood(OK + b"\r\n", b"x" * 65536),
    "hangs": servers.hang,
    "no JSON": servers.reply(b"<html>"),
    "another type": servers.reply(b'{"sites": [1, {"id": "2"}]}'),
    "no rows": servers.reply(b"{}"),
    **{str(code): status(code) for code in (302, 401, 403, 404, 410, 429, 500)},
    "429 with a hint": status(429, b"Retry-After: 9\r\n"),
}


@pytest.fixture
def ca(monkeypatch, tmp_path):
    monkeypatch.setattr(response_parser, "MAX_BODY", 2**20)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return authority, str(tmp_path / "ca.pem")


@contextmanager
def no_garbage():
    """Fails if the code in this context leaves an object of the kit, or an error that it raised, in a cycle."""
    gc.disable()
    # Excludes earlier objects, garbage included, from the collection.
    gc.freeze()
    try:
        yield
        # Threads of the pools let go of their work just after they have delivered its result.
        wait_for_pools()
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        garbage = [_shown(item) for item in gc.garbage if _is_of_kit(item)]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.unfreeze()
        gc.enable()
    assert not garbage


def _is_of_kit(item):
    # By type(): a weak proxy has the `__class__` of its object.
    kind = type(item)
    if kind is types.FrameType:
        return "/vendors/kit/" in item.f_code.co_filename and "/tests/" not in item.f_code.co_filename
    return kind.__module__.startswith(("vendors.", "httptools", "ssl", "requests", "urllib3"))


def _shown(item):
    return f"frame of {item.f_code.co_qualname}" if type(item) is types.FrameType else type(item).__name__


def cloud_at(url, ca_file):
    cloud = open_cloud("probe", Probe, Transport(ca_file=ca_file), ReplyCache(), url)
    cloud.pause = 0.0
    return cloud


def swept(cloud, read, seconds=5.0, mode=Mode.REUSE, token="made-up"):
    sweep = Sweep(cloud.open(Credential({"token": token}), Deadline(seconds), mode))
    sweep.run(read)
    return sweep.failure


READS = {
    "list": lambda plugin: plugin.sites(),
    "each": lambda plugin: plugin.devices(),
    "one": lambda plugin: [plugin.site(("1",))],
}


@pytest.mark.parametrize(("scheme", "read"), [("https", "each"), ("http", "list"), ("http", "one")])
@pytest.mark.parametrize("ending", ENDINGS)
def test_an_exchange_leaves_no_cycle(ca, ending, scheme, read):
    authority, ca_file = ca
    with serving(ENDINGS[ending], authority if scheme == "https" else None) as server, no_garbage():
        cloud = cloud_at(f"{scheme}://127.0.0.1:{server.port}", ca_file)
        for mode in (Mode.REUSE, Mode.REUSE, Mode.REFRESH):
            swept(cloud, READS[read], 0.1 if ending == "hangs" else 5.0, mode)
        del cloud


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_connection_that_fails_leaves_no_cycle(ca, scheme):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with no_garbage():
        swept(cloud_at(f"{scheme}://127.0.0.1:{port}", ca[1]), READS["each"])


def test_a_certificate_that_is_not_trusted_leaves_no_cycle(ca):
    with serving(servers.reply(ROWS), trustme.CA()) as server, no_garbage():
        swept(cloud_at(f"https://127.0.0.1:{server.port}", ca[1]), READS["each"])


def test_a_breaker_that_opens_leaves_no_cycle(ca):
    with serving(servers.reset) as server, no_garbage():
        cloud = cloud_at(f"http://127.0.0.1:{server.port}", "")
        kinds = {swept(cloud, READS["list"], token=str(number)).code for number in range(FAULTS + 2)}
        assert kinds == {"backend_error", "vendor_down"}


@pytest.mark.parametrize("ending", ["success", "reset", "404", "no JSON", "oversized"])
def test_calls_that_share_one_flight_leave_no_cycle(ca, ending):
    go_on = threading.Event()

    def behave(*exchange):
        go_on.wait(10)
        ENDINGS[ending](*exchange)

    with serving(behave) as server, ThreadPoolExecutor(2) as pool, no_garbage():
        cloud = cloud_at(f"http://127.0.0.1:{server.port}", "")
        sweeps = [pool.submit(swept, cloud, READS["list"]) for _ in range(2)]
        # The future is created when the second call begins to wait for the first.
        while not any(cloud.flights._in_flight.values()):
            threading.Event().wait(0.005)
        go_on.set()
        assert len({failure and failure.code for failure in (sweep.result(10) for sweep in sweeps)}) == 1
        del sweeps


def test_a_region_that_fails_before_another_answers_leaves_no_cycle(ca):
    misdirected = b"HTTP/1.1 421 Misdirected\r\nContent-Length: 0\r\n\r\n"
    with (
        serving(servers.send(misdirected)) as first,
        serving(servers.reset) as down,
        serving(servers.reply(ROWS)) as right,
        no_garbage(),
    ):
        bases = [f"http://127.0.0.1:{server.port}" for server in (first, down, right)]
        cloud = cloud_at(bases[0], "")
        cloud.urls = dict(zip("abc", bases, strict=True))
        cloud.breakers = {base: Breaker() for base in bases}
        assert swept(cloud, READS["list"]) is None


def test_a_not_found_that_the_caller_expects_leaves_no_cycle(ca):
    def read(plugin):
        try:
            return [plugin.site(("1",))]
        except NotFound:
            return []

    with serving(ENDINGS["404"]) as server, no_garbage():
        assert swept(cloud_at(f"http://127.0.0.1:{server.port}", ""), read) is None
