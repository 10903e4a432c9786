"""The cache of replies: bounded, and no way from one credential to another's."""

import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from vendors.kit import Credential, RawReply, Request
from vendors.kit.calls.reply_cache import OVERHEAD_BYTES, ReplyCache, _size

URL = "https://vendor.test/"
SIZE = OVERHEAD_BYTES + len(URL)
TEXT = st.text(max_size=12)
PARTS = (
    TEXT,
    st.dictionaries(TEXT, TEXT, max_size=3),
    st.sampled_from(["GET", "POST"]),
    TEXT,
    st.none() | st.binary(min_size=1, max_size=8),
)
CALLS = st.tuples(*PARTS)


def reply(size=10, body=b"x"):
    return RawReply(200, {}, body * size, URL)


def owner(parts):
    return Credential(parts).fingerprint(b"k" * 32)


def key(cache, call):
    vendor, parts, method, url, body = call
    return cache.key(vendor, owner(parts), Request(method, url, "", body=body))


@given(CALLS, CALLS)
def test_two_calls_share_a_reply_only_if_they_are_equal_in_everything(call, other):
    cache = ReplyCache()
    assert (key(cache, call) == key(cache, other)) == (call == other)


@given(CALLS, st.data())
@pytest.mark.parametrize("place", range(5), ids=["vendor", "credential", "method", "URL", "body"])
def test_a_call_that_differs_in_one_part_alone_has_another_key(place, call, data):
    other = list(call)
    other[place] = data.draw(PARTS[place].filter(lambda part: part != call[place]))
    cache = ReplyCache()
    assert key(cache, call) != key(cache, other)
    assert key(cache, call) == key(cache, tuple(call)), "equal calls have equal keys"


@given(st.text("ab:", min_size=4, max_size=8), st.data())
def test_the_same_text_divided_differently_is_a_different_call(text, data):
    def cut():
        a, b, c, d = sorted(data.draw(st.tuples(*[st.integers(0, len(text))] * 4)))
        parts = {text[a:b]: text[b:c]}
        return text[:a], parts, "GET", text[c:d], text[d:].encode()

    cache, call, other = ReplyCache(), cut(), cut()
    assert (key(cache, call) == key(cache, other)) == (call == other)


def test_a_key_reveals_neither_credential_nor_url():
    cache = ReplyCache()
    call_key = cache.key("sma", owner({"token": "sentinel"}), Request("GET", "https://vendor.test", "/x"))
    assert isinstance(call_key, bytes)
    assert len(call_key) == 20
    other_process = ReplyCache().key("sma", owner({"token": "sentinel"}), Request("GET", "https://vendor.test", "/x"))
    assert call_key != other_process


def test_a_reply_is_fresh_up_to_the_requested_age():
    now = [100.0]
    cache = ReplyCache(clock=lambda: now[0])
    cache.put(b"k", reply())
    now[0] = 160.0
    assert cache.get(b"k", max_age=60) is not None
    assert cache.get(b"k", max_age=59) is None


def test_memory_is_bounded_and_the_least_recently_used_reply_is_evicted_first():
    cache = ReplyCache(max_bytes=3 * (1000 + SIZE))
    for name in (b"a", b"b", b"c"):
        cache.put(name, reply(1000))
    cache.get(b"a", 60)
    cache.put(b"d", reply(1000))
    assert [name for name in (b"a", b"b", b"c", b"d") if cache.get(name, 60)] == [b"a", b"c", b"d"]
    assert cache.bytes == 3 * (1000 + SIZE)


def fetched(chance, number, bytes_of_body, headers):
    """A reply as the transport makes it: it shares no text with another reply."""
    named = {f"X-Header-{number}-{place}": "v" * chance.randrange(40) for place in range(headers)}
    url = f"https://vendor.test/v1/plants/{number}/devices"
    return RawReply(200, CaseInsensitiveDict(named), chance.randbytes(bytes_of_body), url)


@pytest.mark.parametrize(("body", "headers"), [(0, 0), (0, 12), (100, 12), (2_000, 12), (20_000, 5), (10, 90)], ids=str)
def test_the_memory_in_use_is_within_a_third_of_the_bound(body, headers):
    bound, chance, put = 300_000, random.Random(1), 0
    tracemalloc.start()
    try:
        cache = ReplyCache(max_bytes=bound)
        while put < 10 * bound:
            sizes = chance.randint(body // 2, body * 2), chance.randint(headers // 2, headers)
            reply = fetched(chance, put, *sizes)
            cache.put(chance.randbytes(20), reply)
            put += _size(reply)
        del reply
        with_cache = tracemalloc.get_traced_memory()[0]
        # The memory that is freed with the cache is the cache's, whatever else this process has allocated since.
        del cache
        held = with_cache - tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert 0.67 * bound < held < 1.05 * bound


def test_a_reply_larger_than_the_cache_is_not_cached_and_evicts_no_other():
    cache = ReplyCache(max_bytes=5000)
    cache.put(b"big", reply(10_000))
    assert cache.get(b"big", 60) is None
    assert cache.bytes == 0


def test_taking_a_reply_back_restores_the_previous_reply():
    cache = ReplyCache()
    first, nothing = cache.put(b"k", reply(10))
    second, previous = cache.put(b"k", reply(20))
    assert (nothing, previous) == (None, first)
    cache.take_back(b"k", second, previous)
    assert cache.get(b"k", 60) is first
    assert cache.bytes == 10 + SIZE
    third, _ = cache.put(b"k", reply(30))
    cache.take_back(b"k", second, previous)
    assert cache.get(b"k", 60) is third, "a newer reply is not undone"
    cache.take_back(b"k", third, None)
    cache.take_back(b"k", third, None)
    assert (cache.get(b"k", 60), cache.bytes) == (None, 0)
