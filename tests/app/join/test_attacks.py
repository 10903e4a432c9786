"""Attacks on owners and companies, each of which must come to nothing."""

import re
from urllib.parse import quote, urlencode, urlsplit

import pytest

from app.join.attempts import MAX_ATTEMPTS
from app.join.failures import ConsentFailure
from app.join.network_limits import ATTEMPTS
from app.join.source import SourceKind
from tests.app.join.support import BACK, OWNER, Browser, query
from vendors.kit.consent.code_grant import claims_of

FORGED = {"tesla": ("app", "sub"), "sma": ("oauthclient", "sub"), "solaredge": ("oauthclient", "site_id")}
EVIL = "<script>alert(1)</script>"


def test_a_state_is_used_once(company, browser):
    session = company.start("tesla")
    callback = browser.callback(session.endpoint("tesla"), decision="refuse")
    cookies = cookies_of(browser)
    assert browser.open(callback).status_code == 400
    replay = with_cookies(company, cookies).open(f"/join/tesla/auth-granted?state={query(callback)['state']}&code=x")
    assert "has ended" in replay.text


def test_a_code_that_comes_again_is_not_exchanged_again(company, browser):
    flow = company.flow("tesla")
    callback = browser.callback(f"{flow['link']}?vendor=tesla")
    cookies = cookies_of(browser)
    assert browser.open(callback).status_code == 302
    company.played.calls("tesla")
    assert with_cookies(company, cookies).open(callback).status_code == 400
    assert company.played.calls("tesla") == {}
    assert len(company.grants()) == 1


def test_of_two_requests_with_one_state_at_the_same_time_one_goes_on(company, browser):
    session = company.start("tesla")
    state = query(browser.open(session.endpoint("tesla")).location)["state"]
    [cookie] = cookies_of(browser)
    consents = company.services.join.consents
    with company.app.test_request_context():
        first, second = (consents.look("tesla", state, cookie.value) for _ in range(2))
        consents.decline(first)
        with pytest.raises(ConsentFailure, match="ended"):
            consents.decline(second)


def test_login_csrf_a_callback_of_another_browser_is_refused(company, browser, stranger):
    """The attacker's own code in the victim's browser would give the company the attacker's devices."""
    callback = stranger.callback(company.start("tesla").endpoint("tesla"))
    page = browser.open(callback)
    assert (page.status_code, "another browser" in page.text) == (400, True)
    assert company.grants() == []
    assert stranger.open(callback).status_code == 200, "the state was not used up"


def test_session_fixation_a_cookie_that_was_there_before_is_never_used(company, browser):
    session = company.start("tesla")
    browser.http.set_cookie("join-000000000000", "planted")
    answers = [browser.open(session.endpoint("tesla")) for _ in range(2)]
    values = {re.search(r"join-[0-9a-f]{12}=([^;]+);", answer.headers["Set-Cookie"])[1] for answer in answers}
    assert len(values) == 2
    assert "planted" not in values
    assert all(len(value) >= 22 for value in values)


def test_mix_up_a_state_of_one_vendor_is_refused_at_the_callback_of_another(company, browser):
    session = company.start("tesla", "sma")
    callback = browser.callback(session.endpoint("tesla"))
    assert browser.open(callback.replace("/join/tesla/", "/join/sma/")).status_code == 400
    assert company.played.calls("sma").get("/oauth2/token", 0) == 0, "no code goes to another vendor"
    assert browser.open(callback).status_code == 200


def test_a_state_of_one_session_does_not_complete_another(company, rival, browser):
    ours, theirs = company.start("tesla"), rival.start("tesla")
    callback = browser.callback(theirs.endpoint("tesla"))
    assert browser.open(callback).status_code == 200
    assert (len(rival.grants()), company.grants()) == (1, [])
    assert ours.fetch().status_code == 409


@pytest.mark.parametrize("is_renewal", [False, True], ids=["own", "renewal"])
@pytest.mark.parametrize("vendor", FORGED)
def test_a_forged_parameter_of_the_callback_takes_no_grant_of_another_owner(company, browser, vendor, is_renewal):
    """The attacker gives consent for their own account, and names that of the victim in the callback."""
    type, member = FORGED[vendor]
    flow, victim = company.flow(company.stored(vendor, type)), Browser(company)
    callback = victim.callback(f"{flow['link']}?vendor={vendor}", owner=OWNER)
    assert victim.open(callback).status_code == 302
    [grant] = company.grants()
    token = company.services.credentials.tokens.read(grant["id"])
    account = query(callback).get(member) or claims_of(token.access)[member]
    company.played.calls(vendor)
    link = company.call("POST", f"/grants/{grant['id']}/consent-link").json["url"] if is_renewal else flow["link"]
    browser.open(forged(browser.callback(f"{link}?vendor={vendor}", owner="owner-2@example.com"), member, account))
    assert company.services.credentials.tokens.read(grant["id"]).refresh == token.refresh
    if vendor == "solaredge":
        assert [each["id"] for each in company.grants()] == [grant["id"]], "the token does not open the site"
        assert company.played.calls(vendor)["/v2/oauth2/revoke-token"] == 1
    else:
        assert {each["status"] for each in company.grants()} == {"active"}
        assert len(company.grants()) == 2, "the parameter counts for nothing"


@pytest.mark.parametrize("state", ["", "x", "%00", "a" * 4000, "%ff", quote(EVIL)])
def test_a_made_up_state_is_refused(company, browser, state):
    page = browser.open(f"/join/tesla/auth-granted?state={state}&code=x")
    assert (page.status_code, page.mimetype) == (400, "text/html")
    assert "<script" not in page.text


def test_a_parameter_that_stands_twice_is_refused(company, browser):
    callback = browser.callback(company.start("tesla").endpoint("tesla"))
    assert browser.open(f"{callback}&state={query(callback)['state']}").status_code == 400
    assert company.grants() == []


def test_no_text_of_a_url_stands_on_a_page(company, browser):
    flow, session = company.flow("tesla", "solis"), company.start("tesla", "solis")
    state = query(browser.open(session.endpoint("tesla")).location)["state"]
    failure = f"error={quote(EVIL)}&error_description={quote(EVIL)}"
    pages = [
        browser.open(f"/join/tesla/auth-granted?state={state}&{failure}"),
        browser.open(f"/join/tesla/auth-granted?state=x&{failure}"),
        browser.open(f"/join/{quote(EVIL)}/auth-granted?state=x"),
        browser.open(f"{flow['link']}?state={quote(EVIL)}&lang={quote(EVIL)}"),
        browser.open(f"{flow['link']}?vendor=solis&state={quote(EVIL)}"),
        browser.open(f"/join/session/{session.id}/authorize?vendor={quote(EVIL)}"),
        browser.open(f"/join/session/{quote(EVIL)}/authorize?vendor=tesla"),
        browser.open(f"/join/flows/{quote(EVIL)}/authorize"),
        browser.open(f"/join/grants/{quote(EVIL)}"),
    ]
    for page in pages:
        assert "alert(1)" not in re.sub(r'href="[^"]*"', "", page.text), page.request.path
        assert "<script" not in page.text


def test_a_vendors_error_reaches_the_company_as_a_word_of_ours(company, browser):
    answer = browser.open(f"{company.flow('tesla')['link']}?vendor=tesla&state=s")
    state = query(answer.location)["state"]
    back = browser.open(f"/join/tesla/auth-granted?state={state}&error={quote(EVIL)}&error_description=x%0d%0aX-Y:z")
    assert query(back.location)["error"] == "server_error"
    assert "X-Y" not in str(back.headers)
    assert EVIL not in str(query(back.location))


def test_open_redirect_only_the_registered_uri_is_a_destination(company, browser):
    flow = company.flow("tesla")
    for name in ("redirect_uri", "redirectURI", "next", "url"):
        assert browser.open(f"{flow['link']}?vendor=tesla&{name}=https://evil.example").status_code == 400
    back = browser.consent(f"{flow['link']}?vendor=tesla&state=%26redirect_uri=https://evil.example%23")
    assert urlsplit(back.location)._replace(query="") == urlsplit(BACK)._replace(query="")
    assert query(back.location)["state"] == "&redirect_uri=https://evil.example#"


def test_clickjacking_and_script_every_page_refuses_both(company, browser):
    flow, session = company.flow("solis", "tesla"), company.start("tesla")
    pages = [
        browser.open(flow["link"]),
        browser.open(f"{flow['link']}?vendor=solis"),
        browser.open("/join/tesla/auth-granted?state=x"),
        browser.consent(session.endpoint("tesla")),
        browser.open("/join/grants/x"),
    ]
    for page in pages:
        policy = page.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert page.headers["X-Frame-Options"] == "DENY"
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert "no-store" in page.headers["Cache-Control"]
        # The page that has opened the window watches whether it is closed.
        assert "Cross-Origin-Opener-Policy" not in page.headers
        assert "<script" not in page.text
    redirect = browser.open(company.start("tesla").endpoint("tesla"))
    assert redirect.headers["Referrer-Policy"] == "no-referrer"
    assert "Cross-Origin-Opener-Policy" not in redirect.headers


def test_the_forms_of_a_page_go_to_this_server_and_its_flows_page_only(company, browser):
    page = browser.open(f"{company.flow('solis')['link']}?vendor=solis")
    assert "form-action 'self' https://www.example.org;" in page.headers["Content-Security-Policy"]
    page = browser.open(f"/join/session/{company.start('solis').id}/authorize?vendor=solis")
    assert "form-action 'self';" in page.headers["Content-Security-Policy"]


def test_a_forged_form_is_refused(company, browser, stranger):
    form = browser.open(f"{company.flow('solis')['link']}?vendor=solis")
    keys = company.keys("solis")
    assert stranger.answer(form, **keys).status_code == 400, "without the cookie"
    assert browser.http.post("/join/solis/answer", data=keys).status_code == 400, "without the state"
    state = re.search(r'name="state" value="([^"]*)"', form.text)[1]
    assert browser.http.get(f"/join/solis/answer?state={state}").status_code == 405, "not by GET"
    assert browser.http.post("/join/solaredge/answer", data={"state": state, "apiKey": "x"}).status_code == 400
    assert company.grants() == []


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(company, browser):
    [cookie] = browser.open(company.start("tesla").endpoint("tesla")).headers.getlist("Set-Cookie")
    assert {"HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=600"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


def test_head_begins_completes_and_fetches_nothing(company, browser):
    """Flask would run the view of GET for it, and programs that look at links send it."""
    session, flow = company.start("tesla"), company.flow("tesla")
    callback = browser.callback(session.endpoint("tesla"))
    renewal = f"/join/grants/{'x' * 43}?vendor=tesla"
    for url in (callback, session.endpoint("tesla"), f"{flow['link']}?vendor=tesla", flow["link"], renewal):
        answer = browser.http.head(url)
        assert (answer.status_code, "HEAD" in answer.headers["Allow"]) == (405, False), url
        assert "Set-Cookie" not in answer.headers
    assert browser.open(callback).status_code == 200
    bearer = {"Authorization": f"Bearer {session.token}"}
    assert browser.http.head(f"/join/session/{session.id}/fetch-token", headers=bearer).status_code == 405
    assert session.fetch().status_code == 200


def test_attempts_of_one_session_have_a_bound(company, browser):
    endpoint = company.start("tesla").endpoint("tesla")
    statuses = [browser.open(endpoint).status_code for _ in range(MAX_ATTEMPTS[SourceKind.SESSION] + 1)]
    assert statuses == [302] * MAX_ATTEMPTS[SourceKind.SESSION] + [429]


def test_a_stranger_does_not_use_up_the_attempts_of_a_flow(company):
    link = f"{company.flow('solis')['link']}?vendor=solis"

    def status(address):
        return Browser(company).open(link, environ_overrides={"REMOTE_ADDR": address}).status_code

    assert [status("198.51.100.7") for _ in range(ATTEMPTS[0] + 1)] == [200] * ATTEMPTS[0] + [302]
    assert status("198.51.100.8") == 200
    of_one_network = {status(f"2001:db8::{number:x}") for number in range(ATTEMPTS[0])}
    assert (of_one_network, status("2001:db8::ffff"), status("2001:db8:0:1::1")) == ({200}, 302, 200)
    assert 20 * ATTEMPTS[0] <= MAX_ATTEMPTS[SourceKind.FLOW]


def test_a_revoked_client_asks_no_owner(company, browser):
    flow = company.flow("tesla")
    callback = browser.callback(f"{flow['link']}?vendor=tesla")
    company.services.clients.revoke(company.id)
    assert browser.open(callback).status_code == 400
    assert browser.open(flow["link"]).status_code == 400


def forged(callback, member, value):
    """The callback with another value of a member."""
    return f"{callback.partition('?')[0]}?{urlencode({**query(callback), member: value})}"


def cookies_of(browser):
    return list(browser.http._cookies.values())


def with_cookies(company, cookies):
    """A browser with cookies that another one had."""
    browser = Browser(company)
    for cookie in cookies:
        browser.http.set_cookie(cookie.key, cookie.value)
    return browser


def test_a_form_that_no_page_has_shown_completes_no_attempt_at_a_vendor(company, browser):
    """Its state comes from the redirect to the vendor, and its cookie is there as well."""
    callback = browser.callback(company.start("tesla").endpoint("tesla"))
    fields = {"state": query(callback)["state"], "address": OWNER}
    page = browser.http.post("/join/tesla/answer", data=fields)
    assert (page.status_code, "has ended" in page.text) == (400, True)
    assert browser.open(callback).status_code == 200, "the state was not used up"


def test_a_state_that_no_database_takes_is_a_wrong_link(company, browser):
    """Postgres refuses texts with NUL: the owner would be asked to try again later."""
    page = browser.open(f"{company.flow('solis')['link']}?vendor=solis&state=%00")
    assert (page.status_code, "was changed" in page.text) == (400, True)
