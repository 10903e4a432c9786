"""The vendors of a session or flow, as clients post them."""

import pytest

from tests.app.join.support import BACK

INLINE = {"clientID": "made-up", "clientSecret": "sesame"}


def refused(company, *vendors, **members):
    body = {"storeCredentials": True, "vendors": list(vendors), **members}
    answer = company.call("POST", "/join/session/start", json=body)
    assert answer.status_code == 400, answer.text
    return answer.json["detail"]


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({}, "vendors.0.vendor: Must be the name of a vendor."),
        ({"vendor": 7}, "vendors.0.vendor: Must be the name of a vendor."),
        ({"vendor": "nowhere"}, "vendors.0.vendor: Owners can give consent for enphase, sma,"),
        ({"vendor": "franklinwh"}, "vendors.0.vendor: Owners can give consent for"),
        ({"vendor": "virtual"}, "vendors.0.vendor: Owners can give consent for"),
        ({"vendor": "tesla"}, "vendors.0.credentials: Missing data for required field."),
        ({"vendor": "solis", "credentials": None}, "vendors.0.credentials: Must be a JSON object."),
        ({"vendor": "tesla", "credentials": None}, "vendors.0.credentials: Must be a JSON object."),
        ({"vendor": "tesla", "credentials": "x"}, "vendors.0.credentials: Must be a JSON object."),
        ({"vendor": "tesla", "credentials": {}}, "vendors.0.credentials.clientID: Missing data"),
        ({"vendor": "tesla", "credentials": {"clientID": "x"}}, "vendors.0.credentials.clientSecret: Missing data"),
        ({"vendor": "tesla", "credentials": {**INLINE, "more": 1}}, "vendors.0.credentials.more: There is no such"),
        ({"vendor": "tesla", "credentials": {**INLINE, "clientID": 1}}, "clientID: Not a valid string."),
        ({"vendor": "tesla", "credentials": {"credentialsID": 5}}, "credentialsID: This client has stored no"),
        ({"vendor": "tesla", "credentials": {"credentialsID": "cred-0000000000000000"}}, "has stored no credentials"),
        ({"vendor": "tesla", "credentials": {"credentialsID": "%00", **INLINE}}, "credentialsID: Stands alone"),
        ({"vendor": "solis", "credentials": INLINE}, "owners type their keys in; leave the member out."),
        ({"vendor": "solis", "programID": "x"}, "vendors.0.programID: There is no such member."),
    ],
)
def test_a_wrong_entry_is_refused_by_the_name_of_what_is_wrong(company, entry, says):
    assert says in refused(company, entry)


def test_enrolment_in_a_program_is_refused_with_its_reason(company):
    entry = {
        "vendor": "enphasevpp",
        "credentials": INLINE | {"apiKey": "x"},
        "partnerAppCredentials": INLINE | {"apiKey": "x"},
        "programID": "p",
    }
    reason = "vendors.0.vendor: Owners enrol in programs of Enphase VPP, which this server does not offer."
    assert refused(company, entry) == reason
    answer = company.call("POST", "/join/flows", json={"vendors": [entry], "redirectURI": BACK})
    assert (answer.status_code, answer.json["detail"]) == (400, reason)


def test_a_vendor_stands_once(company):
    assert "vendors.1.vendor: solis stands here twice." in refused(company, {"vendor": "solis"}, {"vendor": "solis"})


@pytest.mark.parametrize("value", [None, "true", 1, "yes"])
def test_whether_the_grant_is_kept_is_true_or_false(company, value):
    assert "storeCredentials" in refused(company, {"vendor": "solis"}, storeCredentials=value)


@pytest.mark.parametrize("vendors", [[], [{"vendor": "solis"}] * 21, "solis", [7]])
def test_the_number_of_vendors_has_bounds(company, vendors):
    answer = company.call("POST", "/join/session/start", json={"storeCredentials": True, "vendors": vendors})
    assert (answer.status_code, "vendors" in answer.json["detail"]) == (400, True)


def test_stored_credentials_of_another_client_are_like_unknown_ones(company, rival):
    entry = rival.stored("tesla", "app")
    unknown = {"vendor": "tesla", "credentials": {"credentialsID": "cred-0000000000000000"}}
    assert refused(company, entry) == refused(company, unknown)


def test_only_credentials_to_which_owners_agree_can_be_referred_to(company):
    body = {"credentials": {"vendor": "enphase", "type": "partnerapp", **INLINE, "apiKey": "x"}}
    id = company.call("POST", "/vendor-credentials", json=body).json["id"]
    entry = {"vendor": "enphase", "credentials": {"credentialsID": id}}
    assert "Owners of enphase give consent to credentials of type developerapp." in refused(company, entry)


def test_a_grant_is_no_application(company, browser):
    browser.consent(company.start("tesla").endpoint("tesla"))
    [grant] = company.grants()
    entry = {"vendor": "tesla", "credentials": {"credentialsID": grant["id"]}}
    assert "has stored no credentials" in refused(company, entry)
