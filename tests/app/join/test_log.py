"""The log has no secret of a consent: no code, key, id or token, from whichever part of a request it comes."""

import pytest

from app.web import log
from tests.app.join.support import ORIGIN, OWNER, query


def test_neither_code_nor_keys_nor_session_stand_in_the_log(company, browser, capsys):
    log.configure("DEBUG")
    try:
        session = company.start("tesla", "solis")
        callback = browser.callback(session.endpoint("tesla"))
        browser.open(callback)
        company.register()
        keys, typed = company.keys("solis"), company.start("solis")
        code = f"{keys['keyID']}:{keys['keySecret']}"
        origin = {"Origin": "https://shop.example.org"}
        assert browser.open(f"/join/solis/auth-granted?state={typed.id}&code={code}", headers=origin).status_code == 200
        form = browser.open(f"{company.flow('solis')['link']}?vendor=solis&state=companys-state")
        browser.answer(form, **keys)
        lines = "".join(line for line in capsys.readouterr().err.splitlines(True) if '"logger":"sandbox"' not in line)
    finally:
        log.configure("ERROR")
    assert "auth-granted" in lines
    secret = company.accounts["tesla"]["consent"]["clientSecret"]
    members = query(callback)
    for text in (members["code"], members["state"], session.id, typed.id, session.token, keys["keySecret"], secret):
        assert text not in lines
    assert "companys-state" not in lines
    assert OWNER not in lines


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("OPTIONS", "/join/session/{}/vendors", {"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}, 204),
        ("OPTIONS", "/join/session/{}/fetch-token", {"Origin": ORIGIN}, 204),
        ("GET", "/join/session/{}/vendors", {}, 401),
        ("GET", "/join/session/{}/vendors", {"Host": "evil.example"}, 400),
        ("GET", "/join/session/{}/vendors?x=1", {}, 401),
        ("GET", "/join/session/{}", {}, 404),
        ("GET", "/join/session/{}/other", {}, 404),
        ("GET", "/join//session/{}/vendors", {}, 404),
        ("GET", "/JOIN/Session/{}/vendors", {}, 404),
        ("POST", "/join/session/{}/fetch-token", {}, 405),
        ("GET", "/join/session/{}/authorize", {}, 400),
        ("GET", "/join/grants/{}", {}, 400),
        ("GET", "/join/grants/{}", {"Host": "evil.example"}, 400),
        ("GET", "/join/grants/{}/more", {}, 404),
        ("POST", "/join/grants/{}", {}, 405),
    ],
)
def test_what_a_path_opens_never_stands_in_the_log(company, capsys, method, path, headers, status):
    """Also of requests that no view answers."""
    opener = "Kq3-" + "x7_Z" * 7
    log.configure("DEBUG")
    try:
        answer = company.app.test_client().open(path.format(opener), method=method, headers=headers)
        lines = capsys.readouterr().err
    finally:
        log.configure("ERROR")
    assert answer.status_code == status
    assert '"path":"' + path.partition("?")[0].format("[hidden]") in lines
    assert opener not in lines


def test_the_path_of_a_route_without_a_secret_stands_in_the_log(company, capsys):
    log.configure("DEBUG")
    try:
        company.start("solis")
        lines = capsys.readouterr().err
    finally:
        log.configure("ERROR")
    assert '"path":"/join/session/start"' in lines
