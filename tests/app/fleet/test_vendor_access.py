"""Vendor credentials in X-Authorization-<vendor> headers."""

import base64
import hmac
import json

import pytest

from app.web import log
from tests.app.support import ALL, SMA, V2, ids_of
from tests.vendors.support import HEADERS
from vendors.kit.registry import discover


def test_a_wrong_scheme_is_reported_without_a_call(get, clouds):
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
def test_an_unknown_vendor_is_reported_and_the_others_are_listed(get, clouds, name, says):
    answer = get(headers=HEADERS["solis"] | {f"X-Authorization-{name}": "Bearer x"})
    assert answer.json["errors"] == {name: says}
    assert len(ids_of(answer)) == 3


def test_a_request_without_vendor_headers_is_a_403_that_names_the_headers(get):
    answer = get(headers={"X-enphase-api-key": "companion"})
    assert (answer.status_code, answer.json["code"]) == (403, "vendor_access_missing")
    assert answer.json["expectedHeaders"] == [f"X-Authorization-{name}" for name in discover()]
    assert "POST /vendor-credentials" in answer.json["detail"]


def test_a_virtual_client_without_devices_has_an_empty_list_and_causes_no_call(http, new_client, network):
    token = http.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=new_client(mode="virtual"))
    headers = {"Authorization": f"Bearer {token.json['access_token']}"}
    assert http.get("/solar-inverters", headers=headers).json == {"solar-inverters": [], "errors": {}}
    assert http.get("/solar-inverters/solr-0000000000000000", headers=headers).status_code == 404
    assert http.get("/solar-inverters", headers=headers | ALL).status_code == 400
    assert len(network.calls) == 0


@pytest.mark.parametrize("name", ["X-Authorization-SMA", "x-authorization-sma", "X-AUTHORIZATION-Sma"])
def test_the_case_of_a_header_does_not_matter(get, clouds, name):
    assert len(ids_of(get(headers={name: HEADERS["sma"]["X-Authorization-sma"]}))) == 2


every_header = pytest.mark.parametrize(
    ("vendor", "header"), [(vendor, header) for vendor in discover() for header in HEADERS[vendor]]
)


@pytest.mark.one_in(13)
@every_header
@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("{}, {}", "was sent twice"),
        ("{}" + "x" * 9000, "longer than 8192"),
        ("{} {}  two-blanks", "visible ASCII"),
        ("{}t\u00e4st", "visible ASCII"),
        ("{}\tb", "visible ASCII"),
        ("{}\r\nX-Other: b", "visible ASCII"),
        ("{}\x00", "visible ASCII"),
    ],
    ids=["twice", "long", "blanks", "non-ascii", "tab", "line-break", "nul"],
)
def test_a_value_that_cannot_be_a_credential_is_a_400_with_the_name_of_the_header_only(
    http, bearer, network, vendor, header, value, says
):
    sent = HEADERS[vendor] | {header: value.format(*[HEADERS[vendor][header]] * 2)}
    # Set in the WSGI environment, since a client library refuses to send some of these.
    environ = {f"HTTP_{name.upper().replace('-', '_')}": sent[name].encode().decode("latin-1") for name in sent}
    answer = http.get("/solar-inverters", headers=bearer, environ_overrides=environ)
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_header")
    assert answer.json["header"] == header
    assert says in answer.json["detail"]
    assert "sentinel" not in answer.text
    assert HEADERS[vendor][header].split()[-1] not in answer.text


@pytest.mark.one_in(11)
@pytest.mark.parametrize("vendor", list(discover()))
@pytest.mark.parametrize(
    "value",
    [
        "",
        "Bearer",
        "Digest sentinel",
        "Basic %%%",
        "Basic c2VudGluZWw=",
        "Basic OnNlbnRpbmVs",
        "Basic c2VudGluZWw6",
    ],
    ids=["empty", "bearer-alone", "digest", "no-base64", "no-colon", "no-id", "no-secret"],
)
def test_an_unusable_credential_is_an_error_of_that_vendor_and_causes_no_call(get, network, vendor, value):
    headers = HEADERS[vendor] | {f"X-Authorization-{vendor}": value}
    answer = get(headers=headers | {"X-Authorization-nobody": "x"})
    assert answer.status_code == 200
    assert answer.json["errors"][vendor].startswith(f"Unauthorized: X-Authorization-{vendor} must be")
    assert "sentinel" not in answer.json["errors"][vendor]
    assert len(network.calls) == 0


@every_header
def test_a_missing_companion_header_is_named_without_a_call(get, network, vendor, header):
    headers = {name: value for name, value in HEADERS[vendor].items() if name != header}
    answer = get(headers=headers | {"X-Authorization-nobody": "x"})
    if header.lower() == f"x-authorization-{vendor}":
        assert vendor not in answer.json["errors"], "companion headers alone name no vendor"
    else:
        assert answer.json["errors"][vendor] == f"Unauthorized: {header} is missing"
    assert len(network.calls) == 0


@pytest.mark.parametrize("vendor", list(discover()))
def test_a_filter_for_a_vendor_without_its_header_is_an_error_of_that_vendor(get, network, vendor):
    headers = HEADERS["sma" if vendor != "sma" else "solis"] | {"X-enphase-api-key": "a companion alone"}
    missing = {vendor: f"Unauthorized: X-Authorization-{vendor} is missing"}
    for query in ("sites?", "solar-inverters?", "batteries?", "sites?vendorID=1&", "batteries?vendorSiteID=1&"):
        answer = get(f"/{query}vendor={vendor}", headers=headers)
        assert (answer.status_code, answer.json) == (200, {query.partition("?")[0]: [], "errors": missing})
        answer = get(f"/{query}vendor={vendor}", headers=headers | V2)
        assert answer.json["errors"] == missing
        assert answer.json["errorDetails"] == {
            vendor: {
                "code": "unauthorized",
                "status": 403,
                "detail": f"The request brings no credential of this vendor: X-Authorization-{vendor} is missing.",
                "fault": "caller",
                "action": "Send the vendor's credential in its X-Authorization header, store them with POST "
                "/vendor-credentials, or leave out the filter.",
            }
        }
    assert len(network.calls) == 0


def test_a_filter_for_a_vendor_with_an_unusable_header_reports_the_fault(get, network):
    headers = HEADERS["sma"] | {"X-Authorization-solis": "Bearer x"}
    says = "Unauthorized: X-Authorization-solis must be: Basic base64(<id>:<secret>)"
    assert get("/solar-inverters?vendor=solis", headers=headers).json["errors"] == {"solis": says}


def test_a_filter_without_any_vendor_header_is_a_403(get):
    assert get("/solar-inverters?vendor=solis", headers={}).json["code"] == "vendor_access_missing"


def test_a_virtual_client_needs_no_header_for_a_filter(http, new_client):
    token = http.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=new_client(mode="virtual"))
    headers = {"Authorization": f"Bearer {token.json['access_token']}"}
    for vendor in ("solis", "virtual"):
        answer = http.get(f"/solar-inverters?vendor={vendor}", headers=headers)
        assert answer.json == {"solar-inverters": [], "errors": {}}


@pytest.mark.parametrize("secret", ["pässwörd-0123", "0123456789abcdef"])
def test_a_solis_secret_of_any_characters_signs_its_calls(get, clouds, secret, capfd, settings):
    log.configure("DEBUG")
    pair = base64.b64encode(f"1300:{secret}".encode()).decode()
    answer = get(headers={"X-Authorization-solis": f"Basic  {pair.rstrip('=')}"})
    log.configure(settings.log_level)
    assert (len(ids_of(answer)), answer.json["errors"]) == (3, {})
    (call,) = [call.request for call in clouds.calls if "soliscloud" in call.request.url]
    signed = "\n".join(["POST", *(call.headers[name] for name in ("Content-MD5", "Content-Type", "Date")),
                        "/v1/api/inverterList"])  # fmt: skip
    mark = base64.b64encode(hmac.digest(secret.encode("utf-8"), signed.encode(), "sha1")).decode()
    assert call.headers["Authorization"] == f"API 1300:{mark}"
    assert pair.rstrip("=") not in capfd.readouterr().err


def test_no_secret_is_logged(get, clouds, capfd, settings):
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
