"""A compressed body of 200 MB: refused, and never unpacked further than the limit."""

import subprocess
import sys

import pytest

from app.config import ROOT

# In a process of its own, whose memory nothing else has raised before. Prints the growth of the peak, and what is left.
CODE = """
import re, resource, zlib
from pathlib import Path
from tests.vendors.kit import servers
from vendors.kit import BadReply, Request
from vendors.kit.deadline import Deadline
from vendors.kit.http.response_parser import MAX_BODY
from vendors.kit.http.transport import Transport

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

def peak():
    # Not ru_maxrss, which the process that started this one leaves behind.
    return int(re.search(r"VmHWM:\\s+([0-9]+) kB", Path("/proc/self/status").read_text())[1]) * 1024

packer = zlib.compressobj(9, wbits=31)
bomb = b"".join(packer.compress(b"0" * 1_000_000) for _ in range(200)) + packer.flush()
head = servers.OK + b"Content-Encoding: gzip\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(bomb)
transport = Transport()
first = resident()
with servers.serving(servers.send_and_close(head + bomb)) as server:
    for _ in range(3):
        before, peak_before = resident(), peak()
        try:
            transport.fetch(Request("GET", f"http://127.0.0.1:{server.port}", "/x"), Deadline(60))
        except BadReply:
            pass
        else:
            raise AssertionError("accepted")
print(len(bomb), peak() - first, peak() - peak_before, resident() - before, MAX_BODY)
"""


@pytest.mark.exhaustive
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_bomb_of_200_mb_costs_no_more_memory_than_the_largest_reply_and_leaves_none():
    """Promise 7."""
    done = subprocess.run(
        [sys.executable, "-c", CODE], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    size, highest, peak, left, limit = map(int, done.stdout.split())
    assert size < 1_000_000
    assert peak < 20_000_000, "a further bomb needs no more than those before it"
    assert left < 20_000_000
    # The part that was unpacked, in pieces and as a whole.
    assert highest < 2 * limit + 20_000_000
