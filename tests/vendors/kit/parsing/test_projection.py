"""A shape selects the members of a reply; a reply of an unexpected form is read whole."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vendors.support import BASE, cloud_of, open_vendor
from vendors.kit import ANY, Shape
from vendors.kit.calls.sweep import Sweep

LIST = Shape({"code": ANY, "data": {"rows": [("id", "name")]}})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "name", "x"]), inner),
    max_leaves=8,
)  # fmt: skip


def test_members_that_are_not_named_are_left_out_and_missing_members_stay_missing():
    document = {"code": 0, "more": 1, "data": {"rows": [{"id": 1, "x": [{}]}, {"name": None, "id": "2"}], "x": 1}}
    assert LIST.read(json.dumps(document).encode()) == {
        "code": 0, "data": {"rows": [{"id": 1}, {"name": None, "id": "2"}]},
    }  # fmt: skip


@pytest.mark.parametrize(
    "body", ["[]", "7", "null", '{"data": null}', '{"data": {"rows": {}}}', '{"data": {"rows": [7, {"x": 1}]}}']
)
def test_a_reply_of_another_form_is_read_whole(body):
    assert LIST.read(body.encode()) == json.loads(body)


@pytest.mark.parametrize("body", ["", "<html>", '{"data": {"rows": [', "{}x", "[" * 100_000, '{"data": NaN}', "\xff"])
def test_invalid_json_is_refused_as_without_a_shape(body):
    with pytest.raises(orjson.JSONDecodeError):
        LIST.read(body.encode("latin-1"))


@given(st.lists(st.dictionaries(st.sampled_from(["id", "name", "x"]), JSON), max_size=4))
def test_the_named_members_are_the_same_as_in_a_whole_read(rows):
    body = orjson.dumps({"data": {"rows": rows}})
    expected = [{name: row[name] for name in row if name != "x"} for row in orjson.loads(body)["data"]["rows"]]
    assert LIST.read(body)["data"]["rows"] == expected


def test_an_error_is_read_whole_whatever_the_shape(network):
    network.post(BASE + "/v1/api/inverterList", status=200, json={"code": "R0000", "msg": "too many request", "x": 1})
    sweep = Sweep(open_vendor("solis"))
    sweep.run(lambda vendor: vendor.devices())
    assert sweep.failure.code == "rate_limited"


def test_two_reads_of_one_reply_get_the_members_of_their_own_shapes(network):
    network.get(BASE + "/v1/plants", json={"plants": [{"plantId": "1", "name": "Roof"}]})
    cloud = cloud_of("sma")
    for _ in range(2):  # new, and from the cache
        vendor = open_vendor("sma", cloud=cloud)
        part = vendor.client.get("/v1/plants", only=Shape({"plants": [("plantId",)]}))
        whole = vendor.client.get("/v1/plants")
        assert part.json == {"plants": [{"plantId": "1"}]}
        assert whole.json == {"plants": [{"plantId": "1", "name": "Roof"}]}
    assert len(network.calls) == 1
