"""/openapi.json holds enough for a generator to make a client that works."""

import re
from dataclasses import replace
from itertools import chain

import pytest

from app.api.api_version import HEADER
from app.auth.bearer import PAGES
from app.server.refusals import TITLES, Refusal
from app.web.problems import MEDIA_TYPE
from vendors.kit.registry import discover

NAMES = [*discover(), "virtual"]
# As in the public documentation; the last two have no name there.
OPERATIONS = {
    ("get", "/sites"): "listSites",
    ("get", "/sites/{id}"): "getSite",
    ("get", "/sites/{id}/solar-intervals"): "getSiteSolarInverterIntervals",
    ("get", "/sites/{id}/battery-intervals"): "getSiteBatteryIntervals",
    ("get", "/solar-inverters"): "listSolarInverters",
    ("get", "/solar-inverters/{id}"): "getSolarInverter",
    ("get", "/solar-inverters/{id}/intervals"): "getSolarInverterIntervals",
    ("get", "/batteries"): "listBatteries",
    ("get", "/batteries/{id}"): "getBattery",
    ("get", "/batteries/{id}/intervals"): "getBatteryIntervals",
    ("get", "/virtual/sites"): "listVirtualSites",
    ("post", "/virtual/sites"): "createVirtualSite",
    ("get", "/virtual/sites/{id}"): "getVirtualSite",
    ("delete", "/virtual/sites/{id}"): "deleteVirtualSite",
    ("get", "/virtual/solar-inverters"): "listVirtualSolarInverters",
    ("post", "/virtual/solar-inverters"): "createVirtualSolarInverter",
    ("get", "/virtual/solar-inverters/{id}"): "getVirtualSolarInverter",
    ("delete", "/virtual/solar-inverters/{id}"): "deleteVirtualSolarInverter",
    ("get", "/virtual/batteries"): "listVirtualBatteries",
    ("post", "/virtual/batteries"): "createVirtualBattery",
    ("get", "/virtual/batteries/{id}"): "getVirtualBattery",
    ("delete", "/virtual/batteries/{id}"): "deleteVirtualBattery",
    ("get", "/vendor-credentials"): "listVendorCredentials",
    ("post", "/vendor-credentials"): "createVendorCredentials",
    ("get", "/vendor-credentials/{id}"): "getVendorCredentials",
    ("patch", "/vendor-credentials/{id}"): "updateVendorCredentials",
    ("delete", "/vendor-credentials/{id}"): "deleteVendorCredentials",
    ("post", "/vendor-credentials/{id}/check"): "checkVendorCredentials",
    ("get", "/grants"): "listGrants",
    ("get", "/grants/{id}"): "getGrant",
    ("delete", "/grants/{id}"): "deleteGrant",
    ("post", "/grants/{id}/consent-link"): "createConsentLink",
    ("post", "/join/session/start"): "createJoinSession",
    ("get", "/join/session/{sessionID}/vendors"): "listJoinSessionVendors",
    ("get", "/join/session/{sessionID}/fetch-token"): "getJoinSessionToken",
    ("get", "/join/{vendor}/auth-granted"): "joinAuthGranted",
    ("post", "/join/flows"): "createJoinFlow",
    ("get", "/join/flows"): "listJoinFlows",
    ("get", "/join/flows/{id}"): "getJoinFlow",
    ("delete", "/join/flows/{id}"): "deleteJoinFlow",
    ("get", "/join/flows/{flowID}/authorize"): "getJoinFlowAuthorize",
    ("post", "/oauth2/token"): "getToken",
    ("get", "/quota"): "getQuota",
    ("get", "/health"): "getHealth",
    ("get", "/ready"): "getReadiness",
}
# The endpoint's own errors have the form of RFC 6749; a request that is none of HTTP is refused before.
TOKEN_ERRORS = {"400": ["application/json", MEDIA_TYPE], "401": ["application/json"]}


@pytest.fixture
def document(http):
    return http.get("/openapi.json").json


@pytest.fixture
def look(document):
    """Follows references within the document."""

    def follow(node):
        while "$ref" in node:
            target = document
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            node = target
        return node

    return follow


def operations(document):
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                yield (method, path), operation, [*item.get("parameters", []), *operation.get("parameters", [])]


def test_every_route_is_described_under_the_name_that_the_public_documentation_gives_it(app, document):
    assert {which: operation.get("operationId") for which, operation, _ in operations(document)} == OPERATIONS
    of_api = [rule for rule in app.url_map.iter_rules() if rule.endpoint not in PAGES]
    served = {re.sub("<(.*?)>", r"{\1}", rule.rule) for rule in of_api}
    assert served - {"/openapi.json", "/metrics"} == set(document["paths"])


def test_every_reference_leads_somewhere(document, look):
    def walk(node):
        if isinstance(node, dict):
            look(node)
            for inner in node.values():
                walk(inner)
        elif isinstance(node, list):
            for inner in node:
                walk(inner)

    walk(document)


@pytest.mark.exhaustive
def test_the_document_is_valid(document):
    # Imported here: it compiles grammars for seconds, which each process of a test run would do to collect the tests.
    from openapi_spec_validator import OpenAPIV31SpecValidator

    assert document["openapi"] == "3.1.0"
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


# Owners' browsers get pages.
PAGES_FOR_OWNERS = {"getJoinFlowAuthorize", "joinAuthGranted"}
PAGE_ERRORS = {"400", "404", "429", "502", "503"}


def test_every_error_is_a_problem_but_those_of_the_token_endpoint_and_of_owners_pages(document, look):
    for which, operation, _ in operations(document):
        assert "default" not in operation["responses"], which
        for status, response in operation["responses"].items():
            if operation["operationId"] in PAGES_FOR_OWNERS and status in PAGE_ERRORS:
                assert set(response["content"]) <= {"text/html", MEDIA_TYPE}, (which, status)
            elif not status.startswith(("2", "3")):
                own = TOKEN_ERRORS.get(status) if "/oauth2" in which[1] else None
                assert list(look(response)["content"]) == (own or [MEDIA_TYPE]), (which, status)


def test_every_error_that_the_worker_answers_with_is_one_of_each_operation(document, look):
    for which, operation, _ in operations(document):
        for refused in map(Refusal, TITLES):
            content = look(operation["responses"][str(refused.status)])["content"][MEDIA_TYPE]
            assert refused.code in content["schema"]["allOf"][1]["properties"]["code"]["enum"], (which, refused)


def test_each_operation_has_the_errors_of_what_it_does(document, look):
    def codes(path, status, method="get"):
        response = look(document["paths"][path][method]["responses"][str(status)])
        return response["content"][MEDIA_TYPE]["schema"]["allOf"][1]["properties"]["code"]["enum"]

    assert codes("/sites/{id}", 404) == ["not_found", "not_offered"]
    assert codes("/sites/{id}", 403) == ["insufficient_scope", "vendor_access_missing", "unauthorized", "forbidden"]
    assert codes("/sites", 403) == ["insufficient_scope", "vendor_access_missing"]
    assert codes("/virtual/sites", 409, "post") == ["virtual_limit_reached"]
    assert "409" not in document["paths"]["/virtual/sites"]["get"]["responses"]
    assert "404" not in document["paths"]["/batteries"]["get"]["responses"]
    assert "invalid_page_token" in codes("/batteries", 400)
    assert "invalid_page_token" not in codes("/batteries/{id}", 400)
    assert {"401", "403", "404"}.isdisjoint(document["paths"]["/health"]["get"]["responses"])


def test_an_error_with_a_challenge_or_a_wait_describes_the_header(document, look):
    responses = document["paths"]["/sites/{id}"]["get"]["responses"]
    assert look(responses["401"])["headers"]["WWW-Authenticate"]["required"]
    assert set(look(responses["429"])["headers"]) == {"Retry-After"}
    assert set(responses["200"]["headers"]) == {"Age", "X-Vendor-Calls"}


@pytest.mark.parametrize("path", ["/sites", "/solar-inverters", "/batteries"])
def test_a_list_is_documented_with_both_representations_and_its_cost(document, path):
    schema = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    # Not one of them: an empty list of batteries is both.
    assert list(schema) == ["anyOf"]
    assert len(schema["anyOf"]) == 3


def test_the_documented_names_of_vendors_are_those_that_a_list_can_be_filtered_by(get, document):
    filters = [
        parameter
        for (_, path), _, parameters in operations(document)
        for parameter in parameters
        if parameter["name"] == "vendor" and not path.startswith("/join")
    ]
    assert [parameter["schema"]["enum"] for parameter in filters] == [NAMES] * 6
    for name in filters[0]["schema"]["enum"]:
        assert get(f"/sites?vendor={name}", headers={"X-Authorization-nobody": "x"}).status_code == 200
    for schema in ("Site", "SolarInverter", "Battery"):
        assert document["components"]["schemas"][schema]["properties"]["vendor"]["enum"] == NAMES


def test_every_route_but_health_and_token_has_the_version_as_a_parameter(document):
    for (_, path), _, parameters in operations(document):
        has_none = path in ("/health", "/ready", "/oauth2/token", "/join/{vendor}/auth-granted")
        assert (HEADER in [parameter["name"] for parameter in parameters]) != has_none


def test_every_header_of_a_vendors_credential_is_required_together(document):
    schemes = document["components"]["securitySchemes"]
    assert all(scheme["in"] == "header" for name, scheme in schemes.items() if name != "derapi")
    sets = [frozenset(schemes[name]["name"] for name in needed if name != "derapi") for needed in document["security"]]
    for name, plugin in discover().items():
        for header in chain.from_iterable(plugin.credential_headers.companions.values()):
            assert {f"X-Authorization-{name}", header} in sets
        if not plugin.credential_headers.companions:
            assert {f"X-Authorization-{name}"} in sets
    assert {"X-Authorization-enphase"} not in sets


def test_the_token_alone_is_enough_for_a_virtual_client_and_no_alternative_asks_for_two_vendors(document):
    assert {"derapi": ["read"]} in document["security"]
    for needed in document["security"]:
        assert len([name for name in needed if name.startswith("vendor-")]) <= 1


def test_the_document_is_made_once_and_names_the_public_url(settings, start_service):
    public = "https://derapi.example.org/solar"
    service = start_service(replace(settings, public_url=public))
    document = service.test_client().get("/openapi.json").json
    assert document["servers"] == [{"url": public}]
    (flow,) = document["components"]["securitySchemes"]["derapi"]["flows"].values()
    assert flow["tokenUrl"] == f"{public}/oauth2/token"
    answers = [service.view_functions["openapi_json"]() for _ in range(2)]
    assert answers[0].response[0] is answers[1].response[0]
