"""Every number of a body, with every value that a number can have in JSON."""

import json

import pytest

# Path, body around the number, and the bounds of what is taken.
NUMBERS = {
    "location.lat": ("sites", {"location": {"lat": None}}, -90, 90),
    "location.lon": ("sites", {"location": {"lon": None}}, -180, 180),
    "location.currentUTCOffset": ("sites", {"location": {"currentUTCOffset": None}}, -12, 14),
    "locationUTCOffset": ("sites", {"locationUTCOffset": None}, -12, 14),
    "nameplateKwh": ("batteries", {"nameplateKwh": None}, 0.1, 1_000_000),
    "stateOfChargePercent": ("batteries", {"stateOfChargePercent": None}, 0, 100),
    "recentProduction.kwh": (
        "solar-inverters",
        {"recentProduction": {"kwh": None, "start": "2024-05-01T00:00:00Z"}},
        0,
        1_000_000_000,
    ),
    "lifetimeProduction.kwh": (
        "solar-inverters",
        {"lifetimeProduction": {"kwh": None, "start": "2024-05-01T00:00:00Z"}},
        0,
        1_000_000_000,
    ),
}
HUGE = ["1e300", "-1e300", "1.7976931348623157e308", "1e400", "-1e400", "1" + "0" * 400, "-" + "9" * 5_000]
TINY = ["1e-12", "-1e-300", "5e-324", "1e-400"]


def send(caller, member, number):
    """The response to a body whose member is this JSON."""
    path, body, _, _ = NUMBERS[member]
    data = json.dumps(body).replace("null", number)
    return caller.call("POST", f"/virtual/{path}", data=data, content_type="application/json")


def shown(members, member):
    for name in member.split("."):
        members = members[name]
    return members


def test_the_numbers_of_this_module_are_all_that_a_body_may_have(virtual):
    document = virtual.get("/openapi.json").json
    schemas = document["components"]["schemas"]

    def numbers(schema):
        for name, member in schema["properties"].items():
            inner = schemas[member["$ref"].rsplit("/", 1)[1]] if "$ref" in member else member
            if "properties" in inner:
                yield from (f"{name}.{inner_name}" for inner_name in numbers(inner))
            elif "number" in inner["type"]:
                assert "minimum" in inner, name
                assert "maximum" in inner, name
                yield name

    bodies = [schema for name, schema in schemas.items() if name.startswith("CreateVirtual")]
    assert len(bodies) == 3
    assert {name for body in bodies for name in numbers(body)} == set(NUMBERS)


@pytest.mark.parametrize("member", NUMBERS)
def test_numbers_outside_the_bounds_are_a_400_that_names_the_member(virtual, member):
    _, _, least, most = NUMBERS[member]
    for number in [*HUGE, str(least - 0.01), str(most + 0.01), "true", '"1"', "[1]", "{}", "null"]:
        answer = send(virtual, member, number)
        assert (answer.status_code, answer.json["code"]) == (400, "validation_error"), number
        assert answer.json["detail"].startswith(f"{member}: "), answer.json["detail"]
    assert virtual.virtual_ids("sites") == []


@pytest.mark.parametrize("member", NUMBERS)
def test_what_json_calls_no_number_is_a_400(virtual, member):
    for number in ("NaN", "Infinity", "-Infinity", "01", "1.", ".5", "+1", "0x10", "1e", "- 1"):
        answer = send(virtual, member, number)
        assert (answer.status_code, answer.json["code"]) == (400, "validation_error"), number
        assert "not valid JSON" in answer.json["detail"]


@pytest.mark.parametrize("member", NUMBERS)
def test_the_bounds_themselves_are_taken_and_shown(virtual, member):
    for bound in NUMBERS[member][2:]:
        answer = send(virtual, member, str(bound))
        assert answer.status_code == 201, answer.text
        value = shown(answer.json, member)
        assert value == bound or member.endswith("UTCOffset"), "a zone's offset is that of today"


@pytest.mark.parametrize("member", NUMBERS)
def test_tiny_numbers_are_taken_as_nearly_0_or_refused_by_name(virtual, member):
    for number in TINY:
        answer = send(virtual, member, number)
        if answer.status_code == 400:
            assert answer.json["detail"].startswith(f"{member}: "), answer.json["detail"]
        else:
            assert answer.status_code == 201
            assert shown(answer.json, member) == pytest.approx(0, abs=1e-11)


@pytest.mark.parametrize("member", [name for name in NUMBERS if name != "nameplateKwh"])
def test_negative_zero_is_zero(virtual, member):
    for number in ("-0.0", "-0", "-0e5", "-1e-400"):
        answer = send(virtual, member, number)
        assert answer.status_code == 201, answer.text
        assert str(shown(answer.json, member)) == "0.0"


def test_an_offset_next_to_that_of_a_zone_is_refused(virtual):
    for hours in (1e-300, 1e-9, -1e-9, 0.0001):
        place = {"timezone": "Etc/UTC", "currentUTCOffset": hours}
        for body in ({"location": place}, {"location": {"timezone": "Etc/UTC"}, "locationUTCOffset": hours}):
            answer = virtual.post("sites", body)
            assert answer.status_code == 400
            assert "UTCOffset: The clock of Etc/UTC has no such offset." in answer.json["detail"]
