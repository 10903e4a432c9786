"""The X-Authorization-<vendor> headers."""

import json

import pytest

from tests.app.support import ALL, SMA, ids_of
from tests.vendors.support import HEADERS
from vendors.kit.registry import discover


def test_a_wrong_scheme_is_told_without_a_call(get, clouds):
    answer = get(headers={"X-Authorization-sma": "Basic c2VudGluZWw6eA=="})
    assert answer.json == {
        "solar-inverters": [],
        "errors": {"sma": "Unauthorized: X-Authorization-sma must be: Bearer <token>"},
    }
    assert len(clouds.calls) == 0


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("solarege", "Unknown vendor: did you mean solaredge?"),
        ("xyz", f"Unknown vendor: this server knows {', '.join(discover())}"),
    ],
)
def test_an_unknown_vendor_is_an_entry_of_its_own(get, clouds, name, says):
    answer = get(headers=HEADERS["solis"] | {f"X-Authorization-{name}": "Bearer x"})
    assert answer.json["errors"] == {name: says}
    assert len(ids_of(answer)) == 3


def test_no_vendor_header_at_all_is_a_403_that_names_them(get):
    answer = get(headers={"X-enphase-api-key": "companion"})
    assert (answer.status_code, answer.json["code"]) == (403, "vendor_access_missing")
    assert answer.json["expectedHeaders"] == [f"X-Authorization-{name}" for name in discover()]


def test_a_virtual_client_has_an_empty_list_and_calls_nobody(http, new_client, network):
    token = http.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=new_client(mode="virtual"))
    headers = ALL | {"Authorization": f"Bearer {token.json['access_token']}"}
    assert http.get("/solar-inverters", headers=headers).json == {"solar-inverters": [], "errors": {}}
    assert http.get("/solar-inverters/solr-0000000000000000", headers=headers).status_code == 404
    assert len(network.calls) == 0


@pytest.mark.parametrize("name", ["X-Authorization-SMA", "x-authorization-sma", "X-AUTHORIZATION-Sma"])
def test_the_case_of_a_header_does_not_matter(get, clouds, name):
    assert len(ids_of(get(headers={name: HEADERS["sma"]["X-Authorization-sma"]}))) == 2


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("Bearer one, Bearer two", "was sent twice"),
        ("Bearer " + "x" * 9000, "longer than 8192"),
        ("Bearer  two-blanks", "visible ASCII"),
        ("Bearer t\u00e4st", "visible ASCII"),
        ("Bearer a\tb", "visible ASCII"),
    ],
)
def test_a_value_that_cannot_be_a_credential_is_a_400_with_the_header_s_name_alone(get, network, value, says):
    answer = get(headers={"X-Authorization-sma": value})
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_header")
    assert answer.json["header"] == "X-Authorization-sma"
    assert says in answer.json["detail"]
    assert value not in answer.text


def test_no_secret_is_logged(get, clouds, capfd, settings):
    from app import log

    log.configure("DEBUG")
    clouds.replace("GET", f"{SMA}/v1/plants", status=500)
    get()
    logged = capfd.readouterr().err
    log.configure(settings.log_level)
    assert "/solar-inverters" in logged
    for headers in HEADERS.values():
        for value in headers.values():
            assert value.split()[-1] not in logged
    assert "0123456789abcdef0123456789abcdef" not in logged
    for line in logged.splitlines():
        json.loads(line)
