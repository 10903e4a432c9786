"""The store of replies: bounded, and no way from one credential to another's."""

import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from vendors.kit import Credential, RawReply, Request
from vendors.kit.calls.reply_cache import OVERHEAD, ReplyCache, _size

URL = "https://vendor.test/"
SIZE = OVERHEAD + len(URL)
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


def key(store, call):
    vendor, parts, method, url, body = call
    return store.key(vendor, owner(parts), Request(method, url, "", body=body))


@given(CALLS, CALLS)
def test_two_calls_share_a_reply_only_if_they_are_equal_in_everything(one, other):
    store = ReplyCache()
    assert (key(store, one) == key(store, other)) == (one == other)


@given(CALLS, st.data())
@pytest.mark.parametrize("place", range(5), ids=["vendor", "credential", "method", "URL", "body"])
def test_a_call_that_differs_in_one_part_alone_has_another_key(place, call, data):
    other = list(call)
    other[place] = data.draw(PARTS[place].filter(lambda part: part != call[place]))
    store = ReplyCache()
    assert key(store, call) != key(store, other)
    assert key(store, call) == key(store, tuple(call)), "and nothing else makes a difference"


@given(st.text("ab:", min_size=4, max_size=8), st.data())
def test_the_same_text_cut_at_other_places_is_another_call(text, data):
    def cut():
        one, two, three, four = sorted(data.draw(st.tuples(*[st.integers(0, len(text))] * 4)))
        parts = {text[one:two]: text[two:three]}
        return text[:one], parts, "GET", text[three:four], text[four:].encode()

    store, one, other = ReplyCache(), cut(), cut()
    assert (key(store, one) == key(store, other)) == (one == other)


def test_a_key_tells_nothing_of_credential_or_url():
    store = ReplyCache()
    found = store.key("sma", owner({"token": "sentinel"}), Request("GET", "https://vendor.test", "/x"))
    assert isinstance(found, bytes)
    assert len(found) == 20
    other_process = ReplyCache().key("sma", owner({"token": "sentinel"}), Request("GET", "https://vendor.test", "/x"))
    assert found != other_process


def test_a_reply_is_fresh_for_as_long_as_is_asked():
    now = [100.0]
    store = ReplyCache(clock=lambda: now[0])
    store.put(b"k", reply())
    now[0] = 160.0
    assert store.get(b"k", max_age=60) is not None
    assert store.get(b"k", max_age=59) is None


def test_memory_is_bounded_and_the_least_used_goes_first():
    store = ReplyCache(max_bytes=3 * (1000 + SIZE))
    for name in (b"a", b"b", b"c"):
        store.put(name, reply(1000))
    store.get(b"a", 60)
    store.put(b"d", reply(1000))
    assert [name for name in (b"a", b"b", b"c", b"d") if store.get(name, 60)] == [b"a", b"c", b"d"]
    assert store.bytes == 3 * (1000 + SIZE)


def fetched(chance, number, bytes_of_body, headers):
    """A reply as the transport makes it: every text of it its own."""
    named = {f"X-Header-{number}-{place}": "v" * chance.randrange(40) for place in range(headers)}
    url = f"https://vendor.test/v1/plants/{number}/devices"
    return RawReply(200, CaseInsensitiveDict(named), chance.randbytes(bytes_of_body), url)


@pytest.mark.parametrize(("body", "headers"), [(0, 0), (0, 12), (100, 12), (2_000, 12), (20_000, 5), (10, 90)], ids=str)
def test_what_is_really_held_is_the_bound_within_a_third_after_ten_times_as_much(body, headers):
    bound, chance, put = 300_000, random.Random(1), 0
    tracemalloc.start()
    try:
        store = ReplyCache(max_bytes=bound)
        while put < 10 * bound:
            sizes = chance.randint(body // 2, body * 2), chance.randint(headers // 2, headers)
            reply = fetched(chance, put, *sizes)
            store.put(chance.randbytes(20), reply)
            put += _size(reply)
        del reply
        with_store = tracemalloc.get_traced_memory()[0]
        # What its end gives back is what it held, whatever else this process has done meanwhile.
        del store
        held = with_store - tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert 0.67 * bound < held < 1.05 * bound


def test_a_reply_larger_than_the_store_is_not_kept_and_does_no_harm():
    store = ReplyCache(max_bytes=5000)
    store.put(b"big", reply(10_000))
    assert store.get(b"big", 60) is None
    assert store.bytes == 0


def test_a_reply_that_is_taken_back_gives_its_place_to_the_one_before():
    store = ReplyCache()
    first, nothing = store.put(b"k", reply(10))
    second, previous = store.put(b"k", reply(20))
    assert (nothing, previous) == (None, first)
    store.take_back(b"k", second, previous)
    assert store.get(b"k", 60) is first
    assert store.bytes == 10 + SIZE
    third, _ = store.put(b"k", reply(30))
    store.take_back(b"k", second, previous)
    assert store.get(b"k", 60) is third, "a newer reply is not undone"
    store.take_back(b"k", third, None)
    store.take_back(b"k", third, None)
    assert (store.get(b"k", 60), store.bytes) == (None, 0)
