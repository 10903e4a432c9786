"""Consents of owners at Enphase, SMA and SolarEdge: sites, ends of access, and what only one of them has."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.sandbox.callers import Caller
from tests.sandbox.consenting import Application, members
from tests.sandbox.enphase import FIRST, system_id
from tests.sandbox.tesla import claims

DAY = 86_400
SMA_TOKEN = {"grant_type": "client_credentials"}
SITE = "/v2/sites/1000001"


def enphase(caller: Caller) -> Application:
    return Application(caller, "enphase")


def sma(caller: Caller) -> Application:
    return Application(caller, "sma")


def solaredge(caller: Caller) -> Application:
    return Application(caller, "solaredge")


def set_days_later(caller: Caller, days: float) -> None:
    caller.set_clock(datetime.fromtimestamp(caller.clocks.now + days * DAY, UTC).isoformat())


def test_an_owner_of_enphase_sees_the_own_system_and_no_other(caller: Caller):
    application = enphase(caller)
    access = application.tokens(2)["access_token"]
    systems = application.get("/api/v4/systems", access).json["systems"]
    assert [system["system_id"] for system in systems] == [system_id(2)]
    statuses = [application.get(f"/api/v4/systems/{key}/devices", access).status_code for key in (system_id(2), FIRST)]
    assert statuses == [200, 403]


def test_enphase_names_the_account_of_the_owner(caller: Caller):
    application = enphase(caller)
    accounts = [application.tokens(number)["enl_uid"] for number in (0, 0, 1)]
    assert accounts[0] == accounts[1] != accounts[2]


def test_the_parameters_of_enphases_token_endpoint_may_stand_in_the_query(caller: Caller):
    application = enphase(caller)
    query = {"grant_type": "authorization_code", "code": application.callback()["code"]}
    query["redirect_uri"] = application.query()["redirect_uri"]
    auth = (application.id, application.secret)
    assert caller.http.post("/enphase/oauth/token", query_string=query, auth=auth).status_code == 200


@pytest.mark.parametrize(("vendor", "days"), [("enphase", 30), ("solaredge", 30)])
def test_a_refresh_token_ends_after_its_days_by_the_clock_of_the_data(caller: Caller, vendor: str, days: int):
    application = Application(caller, vendor)
    first = application.tokens()["refresh_token"]
    set_days_later(caller, days - 0.01)
    second = application.refresh(first).json["refresh_token"]
    set_days_later(caller, 2 * days)
    assert application.refresh(second).json["error"] == "invalid_grant"


def test_sma_gives_a_refresh_token_without_an_end_for_offline_access_only(caller: Caller):
    application = sma(caller)
    offline, online = application.tokens(), application.tokens(scope="monitoringApi:read")
    assert [issued["refresh_expires_in"] for issued in (offline, online)] == [0, 2 * DAY]
    set_days_later(caller, 400)
    assert application.refresh(offline["refresh_token"]).status_code == 200
    assert application.refresh(online["refresh_token"]).json["error"] == "invalid_grant"


def test_an_owner_of_sma_sees_the_own_plant_and_no_other(caller: Caller):
    application = sma(caller)
    access = application.tokens(1)["access_token"]
    plants = [plant["plantId"] for plant in application.get("/v1/plants", access).json["plants"]]
    views = caller.truth()["views"]["sma"]
    assert plants == [views[1]["site"]]
    assert application.get(f"/v1/plants/{views[0]['site']}", access).status_code == 403


def test_a_token_of_sma_names_its_owner(caller: Caller):
    application = sma(caller)
    subjects = [claims(f"Bearer {application.tokens(number)['access_token']}")["sub"] for number in (0, 0, 1)]
    assert subjects[0] == subjects[1] != subjects[2]


def test_the_logout_of_sma_ends_the_refresh_token(caller: Caller):
    application = sma(caller)
    refresh = application.tokens()["refresh_token"]
    auth = (application.id, application.secret)
    assert caller.http.post("/sma/oauth2/logout", auth=auth, data={"refresh_token": refresh}).status_code == 204
    assert application.refresh(refresh).json["error"] == "invalid_grant"


class Mail:
    """An application of SMA's that asks owners by e-mail, with its own token."""

    def __init__(self, caller: Caller) -> None:
        self.caller, self.application = caller, sma(caller)

    def headers(self) -> dict[str, str]:
        token = self.application.post(**SMA_TOKEN).json["access_token"]  # type: ignore[index]
        return {"Authorization": f"Bearer {token}"}

    def ask(self, owner: str) -> int:
        path = "/sma/oauth2/v2/bc-authorize"
        return self.caller.http.post(path, headers=self.headers(), json={"loginHint": owner}).status_code

    def look(self, owner: str) -> dict[str, Any]:
        answer = self.caller.http.get(f"/sma/oauth2/v2/bc-authorize/{owner}", headers=self.headers())
        return dict(answer.json)  # type: ignore[arg-type]

    def plants(self) -> int:
        return len(self.caller.http.get("/sma/v1/plants", headers=self.headers()).json["plants"])  # type: ignore[index]


@pytest.fixture
def mail(caller: Caller) -> Mail:
    return Mail(caller)


@pytest.mark.parametrize(("answer", "state", "plants"), [("accepted", "Accepted", 1), ("rejected", "Rejected", 0)])
def test_an_owner_answers_an_e_mail_of_sma_hours_later(
    caller: Caller, mail: Mail, answer: str, state: str, plants: int
):
    assert mail.ask("owner-3@example.com") == 201
    assert mail.application.decides_later("owner-3@example.com", answer, 5 * 3600).status_code == 200
    caller.set_clock("2026-06-21T16:59:59Z")
    assert (mail.look("Owner-3@example.com")["state"], mail.plants()) == ("Pending", 0)
    caller.set_clock("2026-06-21T17:00:00Z")
    assert (mail.look("owner-3@example.com")["state"], mail.plants()) == (state, plants)


def test_the_client_of_sma_sees_the_plants_of_all_owners_who_accepted(mail: Mail):
    for number in (1, 4):
        mail.ask(f"owner-{number}@example.com")
        mail.application.decides_later(f"owner-{number}@example.com", "accepted")
    assert mail.plants() == 2
    mail.application.decides_later("owner-1@example.com", "revoked")
    assert (mail.plants(), mail.look("owner-1@example.com")["state"]) == (1, "Revoked")


def test_an_answer_of_sma_that_comes_too_late_changes_nothing(caller: Caller, mail: Mail):
    mail.ask("owner-3@example.com")
    mail.application.decides_later("owner-3@example.com", "accepted", 7 * DAY)
    set_days_later(caller, 8)
    assert (mail.look("owner-3@example.com")["state"], mail.plants()) == ("Expired", 0)
    assert mail.ask("owner-3@example.com") == 201, "a request that is over can be made again"
    assert mail.look("owner-3@example.com")["state"] == "Pending"


def test_sma_treats_an_unknown_address_like_an_owner_who_does_not_answer(caller: Caller, mail: Mail):
    assert mail.ask("stranger@example.com") == 201
    looked, known = (
        mail.look("stranger@example.com"),
        (mail.ask("owner-0@example.com"), mail.look("owner-0@example.com")),
    )
    assert {**looked, "loginHint": ""} == {**known[1], "loginHint": ""}
    set_days_later(caller, 7)
    assert mail.look("stranger@example.com")["state"] == "Expired"


def test_solaredge_grants_one_site_and_names_it_in_the_callback(caller: Caller):
    application = solaredge(caller)
    callback = application.callback(1)
    assert callback["site_id"] == "1000014"
    access = application.redeem(callback["code"]).json["access_token"]
    statuses = [
        application.get(path, access).status_code for path in ("/v2/sites/1000014", SITE, "/v2/sites", "/v2/alerts")
    ]
    assert statuses == [200, 403, 403, 403]


def test_solaredges_token_endpoint_needs_no_redirect_uri_and_takes_json_only(caller: Caller):
    application = solaredge(caller)
    assert application.redeem(application.callback()["code"], redirect_uri="").status_code == 200
    form = {"grant_type": "refresh_token", "client_id": application.id, "client_secret": application.secret}
    answer = caller.http.post("/solaredge/v2/oauth2/token", data=form)
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


def test_access_to_a_site_of_solaredge_ends_after_the_months_that_were_asked_for(caller: Caller):
    application = solaredge(caller)
    issued = application.tokens(access_duration="1")
    caller.set_clock("2026-07-21T11:59:59Z")
    assert application.works(issued["access_token"])
    caller.set_clock("2026-07-21T12:00:00Z")
    assert not application.works(issued["access_token"])
    assert application.refresh(issued["refresh_token"]).json["error"] == "invalid_grant"


@pytest.mark.parametrize("months", ["0", "25", "-1", "many"])
def test_solaredge_refuses_a_duration_that_is_no_number_of_months_up_to_24(caller: Caller, months: str):
    assert members(solaredge(caller).show(access_duration=months))["error"] == "invalid_request"


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_solaredge_ends_the_consent_behind_a_token_that_is_revoked(caller: Caller, kind: str):
    application = solaredge(caller)
    issued = application.tokens()
    revoked = caller.http.post("/solaredge/v2/oauth2/revoke-token", json={"token": issued[kind]})
    assert revoked.status_code == 200
    assert not application.works(issued["access_token"])
    assert application.refresh(issued["refresh_token"]).json["error"] == "invalid_grant"
    unknown = caller.http.post("/solaredge/v2/oauth2/revoke-token", json={"token": "unknown"})
    assert unknown.status_code == 200
