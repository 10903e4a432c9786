"""JSON bodies: what the parser refuses itself, and what it leaves to the schema."""

import math

import pytest

from app.web import json_body
from app.web.problems import Problem


def refusal(body: bytes) -> str:
    with pytest.raises(Problem) as raised:
        json_body.parse(body)
    assert (raised.value.status, raised.value.code) == (400, "validation_error")
    return raised.value.detail


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"{]", b"{} {}", b"{'a': 1}", b'{"a": 01}', b'{"a": 1,}', b"\xff",
     "{}".encode("utf-16"), b"\xef\xbb\xbf{}", b'"a\nb"'],
)  # fmt: skip
def test_what_is_no_json_is_refused(body: bytes) -> None:
    assert refusal(body) == "The body is not valid JSON."


@pytest.mark.parametrize("body", [b'"\\ud800"', b'{"\\udfff": 1}', b'["\\ude00\\ud83d"]'])
def test_half_characters_are_refused_and_whole_pairs_are_not(body: bytes) -> None:
    assert refusal(body) == "The body has a text with half a character: one of the two \\u escapes of a pair."
    assert json_body.parse(b'"\\ud83d\\ude00"') == "\N{GRINNING FACE}"


@pytest.mark.parametrize("depth", [300, 2_000, 60_000])
@pytest.mark.parametrize(("start", "end"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_a_body_that_is_nested_deeply_is_refused(depth: int, start: bytes, end: bytes) -> None:
    assert refusal(start * depth + b"1" + end * depth) == "The body is nested too deeply."
    assert refusal(start * depth)


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_constants_that_json_lacks_are_refused_by_name(constant: str) -> None:
    for body in (constant, f"[{constant}]", f'{{"a": {{"b": {constant}}}}}'):
        assert refusal(body.encode()) == f"The body is not valid JSON: {constant} is no JSON value."


@pytest.mark.parametrize(
    ("body", "name"),
    [(b'{"a": 1, "a": 1}', "a"), (b'{"b": {"siteID": "x", "siteID": null}}', "siteID"), (b'[{"": 1, "": 2}]', '""'),
     (b'{"a": 1, "\\u0061": 2}', "a"), (b'{"a b": 1, "a b": 2}', '"a b"'),
     (b'{"%b": 1, "%b": 2}' % (b"n" * 90, b"n" * 90), f'"{"n" * 50}"')],
)  # fmt: skip
def test_a_member_that_stands_twice_is_refused_by_name(body: bytes, name: str) -> None:
    assert refusal(body) == f"The body has the member {name} twice."


def test_the_same_member_of_two_objects_is_no_duplicate() -> None:
    assert json_body.parse(b'[{"a": 1}, {"a": {"a": 2}}]') == [{"a": 1}, {"a": {"a": 2}}]


def test_integers_stay_exact_up_to_18_digits_and_longer_ones_become_floats() -> None:
    values = json_body.parse(b"[0, -7, 999999999999999999, 1000000000000000000000, -" + b"9" * 5_000 + b"]")
    assert values == [0, -7, 999_999_999_999_999_999, 1e21, -math.inf]
    assert [type(value) for value in values] == [int, int, int, float, float]


def test_numbers_beyond_a_float_are_infinite_for_the_schema_to_refuse() -> None:
    assert json_body.parse(b'{"a": 1e400, "b": -1e999, "c": 1e-400}') == {"a": math.inf, "b": -math.inf, "c": 0.0}
