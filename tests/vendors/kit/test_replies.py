"""The store of replies: bounded, and no way from one credential to another's."""

from hypothesis import given
from hypothesis import strategies as st

from vendors.kit import Credential, RawReply, Replies, Request
from vendors.kit.replies import OVERHEAD

TEXT = st.text(max_size=12)
CALLS = st.tuples(
    TEXT, st.dictionaries(TEXT, TEXT, max_size=3), st.sampled_from(["GET", "POST"]), TEXT, st.binary(max_size=8)
)


def reply(size=10, body=b"x"):
    return RawReply(200, {}, body * size, "https://vendor.test/")


def key(store, call):
    vendor, parts, method, url, body = call
    return store.key(vendor, Credential(parts), Request(method, url, url, body))


@given(CALLS, CALLS)
def test_two_calls_share_a_reply_only_if_they_are_equal_in_everything(one, other):
    store = Replies()
    assert (key(store, one) == key(store, other)) == (one == other)


def test_a_key_tells_nothing_of_credential_or_url():
    store = Replies()
    found = store.key("sma", Credential({"token": "sentinel"}), Request("GET", "https://vendor.test/x", "/x"))
    assert isinstance(found, bytes)
    assert len(found) == 20
    other_process = Replies().key(
        "sma", Credential({"token": "sentinel"}), Request("GET", "https://vendor.test/x", "/x")
    )
    assert found != other_process


def test_a_reply_is_fresh_for_as_long_as_is_asked():
    now = [100.0]
    store = Replies(clock=lambda: now[0])
    store.put(b"k", reply())
    now[0] = 160.0
    assert store.get(b"k", max_age=60) is not None
    assert store.get(b"k", max_age=59) is None


def test_memory_is_bounded_and_the_least_used_goes_first():
    store = Replies(max_bytes=3 * (1000 + OVERHEAD))
    for name in (b"a", b"b", b"c"):
        store.put(name, reply(1000))
    store.get(b"a", 60)
    store.put(b"d", reply(1000))
    assert [name for name in (b"a", b"b", b"c", b"d") if store.get(name, 60)] == [b"a", b"c", b"d"]
    assert store.bytes == 3 * (1000 + OVERHEAD)


def test_a_reply_larger_than_the_store_is_not_kept_and_does_no_harm():
    store = Replies(max_bytes=5000)
    store.put(b"big", reply(10_000))
    assert store.get(b"big", 60) is None
    assert store.bytes == 0


def test_a_reply_that_is_taken_back_gives_its_place_to_the_one_before():
    store = Replies()
    first, second, third = reply(10), reply(20), reply(30)
    assert store.put(b"k", first) is None
    previous = store.put(b"k", second)
    store.take_back(b"k", second, previous)
    assert store.get(b"k", 60).reply is first
    assert store.bytes == 10 + OVERHEAD
    store.put(b"k", third)
    store.take_back(b"k", second, previous)
    assert store.get(b"k", 60).reply is third, "a newer reply is not undone"
    store.take_back(b"k", third, None)
    store.take_back(b"k", third, None)
    assert (store.get(b"k", 60), store.bytes) == (None, 0)
