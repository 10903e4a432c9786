"""Grants of owners: kept, opened like stored credentials, renewed by a new consent, and deleted."""

import pytest
from sqlalchemy import select, update

from app.credentials import grant_limits
from app.credentials.cipher import Cipher
from app.credentials.rotation import Rotation
from app.storage.credential_tables import VendorCredentialRow, VendorTokenRow
from app.storage.grant_table import GrantRow
from app.web.problems import Problem
from tests.granting import Owners, ask_by_mail
from tests.services import served


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with served(tmp_path_factory.mktemp("grants"), sites=4) as service_and_clouds:
        yield service_and_clouds


@pytest.fixture
def service(running):
    """A new client of the service."""
    return running[0].another_client()


@pytest.fixture
def played(running):
    return running[1]


@pytest.fixture
def owners(service, played):
    return Owners(service, played)


def listed(service, query=""):
    answer = service.get(f"/grants{query}")
    assert answer.status_code == 200, answer.text
    return answer.json["grants"]


def sites(service):
    answer = service.get("/sites")
    assert answer.status_code == 200, answer.text
    return len(answer.json["sites"]), answer.json["errors"]


@pytest.mark.parametrize("vendor", ["tesla", "enphase", "sma", "solaredge"])
@pytest.mark.parametrize("is_stored", [False, True])
def test_the_sites_of_each_owner_are_in_the_list(service, played, vendor, is_stored):
    owners = Owners(service, played, vendor)
    application = owners.store_application() if is_stored else None
    for owner in (0, 2):
        owners.grant(owner, application)
    assert sites(service) == (2, {}), "the application itself, which opens nothing, is no failure"
    [first, second] = sorted(listed(service, f"?vendor={vendor}"), key=lambda grant: grant["name"])
    assert first.keys() == {
        "id", "name", "vendor", "type", "status", "credentialsID", "region", "consentedAt", "renewBefore",
        "consentLink",
    }  # fmt: skip
    assert (first["name"], second["name"]) == (f"{vendor} owner 1", f"{vendor} owner 2")
    assert (first["status"], first["credentialsID"], first["consentLink"]) == ("active", application, None)


def test_vendor_credentials_neither_show_nor_count_grants(service, owners):
    grant = owners.grant(0)
    assert service.get("/vendor-credentials").json["vendorCredentials"] == []
    for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/check")):
        answer = service.call(method, f"/vendor-credentials/{grant.id}{path}", json={} if method == "PATCH" else None)
        assert answer.status_code == 404, (method, path)
    assert service.get(f"/grants/{grant.id}").status_code == 200


def test_credentials_that_grants_need_are_not_deleted(service, owners):
    application = owners.store_application()
    grant = owners.grant(0, application)
    answer = service.call("DELETE", f"/vendor-credentials/{application}")
    assert (answer.status_code, answer.json["code"], answer.json["grants"]) == (409, "credentials_in_use", 1)
    assert service.call("DELETE", f"/grants/{grant.id}").status_code == 200
    assert service.call("DELETE", f"/vendor-credentials/{application}").status_code == 204


def test_a_grant_opens_with_the_present_secret_of_its_application(service, owners):
    application = owners.store_application()
    owners.grant(0, application)
    assert sites(service)[0] == 1
    opened = owners.services.credentials.stored
    service.call("PATCH", f"/vendor-credentials/{application}", json={"credentials": {"clientSecret": "rotated"}})
    grants = [each for each in opened.of(owners.client_id)["tesla"] if each.row.is_grant]
    assert [each["client_secret"] for each in grants] == ["rotated"]


def test_a_second_consent_of_the_same_account_renews_its_grant(service, owners):
    first = owners.grant(0)
    assert owners.grant(0).id == first.id
    assert owners.grant(0, replaces=first.id).id == first.id
    assert len(listed(service)) == 1
    assert sites(service) == (1, {})


def test_a_consent_of_another_account_makes_a_new_grant_and_replaces_none(service, owners):
    first = owners.grant(0)
    second = owners.grant(1, replaces=first.id)
    assert second.id != first.id
    assert {grant["id"] for grant in listed(service)} == {first.id, second.id}
    assert sites(service) == (2, {})


def test_the_same_account_of_another_client_is_another_grant(running, owners):
    other = running[0].another_client()
    first, second = owners.grant(0), Owners(other, running[1]).grant(0, replaces=None)
    assert first.id != second.id
    assert first.client_id != second.client_id


def test_a_refused_refresh_makes_the_grant_need_consent_until_the_owner_gives_it(service, played, owners):
    lost, kept = owners.grant(0), owners.grant(1)
    owners.end(0)
    count, errors = sites(service)
    assert (count, list(errors)) == (1, ["tesla"])
    assert "(the owner has to give consent again) (incomplete: 1 of 2 grants) (grant" in errors["tesla"]
    played.calls("tesla")
    assert sites(service) == (1, service.get("/sites").json["errors"])
    assert played.calls("tesla") == {}, "a lost grant is not tried again"
    [shown] = listed(service, "?status=needs_consent")
    assert (shown["id"], shown["consentLink"]) == (lost.id, f"POST /grants/{lost.id}/consent-link")
    assert [grant["id"] for grant in listed(service, "?status=active&vendor=tesla")] == [kept.id]
    assert owners.grant(0, replaces=lost.id).id == lost.id
    assert sites(service) == (2, {})


def test_a_loss_that_a_new_consent_has_overtaken_is_not_noted(service, owners):
    grant = owners.grant(0)
    tokens = owners.services.credentials.tokens
    assert tokens.lease(grant.id, "a renewal", 60)
    owners.grant(0)
    tokens.lost(grant.id)
    assert listed(service)[0]["status"] == "active"
    assert not tokens.write(grant.id, "a renewal", tokens.read(grant.id))


@pytest.mark.parametrize(("vendor", "revocation"), [("sma", "done"), ("tesla", "not_offered")])
def test_deletion_ends_the_grant_at_vendors_that_offer_it(service, played, vendor, revocation):
    owners = Owners(service, played, vendor)
    grant = owners.grant(0)
    answer = service.call("DELETE", f"/grants/{grant.id}")
    assert answer.json == {"id": grant.id, "vendorRevocation": revocation}
    assert service.get(f"/grants/{grant.id}").status_code == 404
    with owners.services.database.session() as session:
        assert session.get(VendorTokenRow, grant.id) is session.get(VendorCredentialRow, grant.id) is None


def test_a_grant_is_deleted_even_if_its_vendor_fails_and_the_answer_says_so(service, played):
    grant = Owners(service, played, "sma").grant(0)
    played.put("/faults/sma", {"status": 500, "path": "/oauth2/logout"})
    try:
        answer = service.call("DELETE", f"/grants/{grant.id}")
    finally:
        played.put("/faults/sma", {})
    assert (answer.status_code, answer.json["vendorRevocation"]) == (200, "failed")
    assert listed(service) == []


def test_a_client_has_no_more_grants_than_it_may(owners, monkeypatch):
    monkeypatch.setattr(grant_limits, "MAX_GRANTS", 1)
    owners.grant(0)
    owners.grant(0)
    with pytest.raises(Problem) as caught:
        owners.grant(1)
    assert (caught.value.status, caught.value.code) == (409, "grants_limit_reached")


def test_rotation_covers_the_secrets_and_tokens_of_grants(service, owners):
    owners.grant(0)
    services = owners.services
    cipher = Cipher(("n" * 32, *services.settings.credential_keys))
    for batch in Rotation(services.database, cipher).run():
        assert batch.unreadable == []
    try:
        with services.database.session() as session:
            keys = [{*session.scalars(select(row.key_id))} for row in (VendorCredentialRow, VendorTokenRow)]
        assert keys == [{cipher.key_ids[0]}] * 2
    finally:
        old = Cipher((*services.settings.credential_keys, "n" * 32))
        list(Rotation(services.database, old).run())


@pytest.mark.parametrize("is_listed", [True, False], ids=["list", "one"])
def test_what_an_owner_decides_by_mail_is_shown_by_each_read_also_a_revocation(service, played, is_listed):
    database, grant = service.app.extensions["services"].database, ask_by_mail(service, played, 2)
    for word, status in (("accepted", "active"), ("revoked", "revoked")):
        played.put("/consents/sma", {"owner": "owner-2@example.com", "state": word})
        with database.session() as session:
            session.execute(update(GrantRow).where(GrantRow.id == grant.id).values(poll_at=0))
        shown = listed(service)[0] if is_listed else service.get(f"/grants/{grant.id}").json
        assert shown["status"] == status


def test_reading_one_grant_asks_for_no_other(service, played):
    grant, other = ask_by_mail(service, played, 1), ask_by_mail(service, played, 2)
    with service.app.extensions["services"].database.session() as session:
        session.execute(update(GrantRow).where(GrantRow.id.in_((grant.id, other.id))).values(poll_at=0))
    played.calls("sma")
    assert service.get(f"/grants/{grant.id}").status_code == 200
    assert sum(count for path, count in played.calls("sma").items() if "bc-authorize" in path) == 1


def test_a_consent_by_mail_is_asked_for_once_per_interval_and_shows_what_the_owner_decided(service, played):
    services = service.app.extensions["services"]
    grant = ask_by_mail(service, played, 3)
    played.put("/consents/sma", {"owner": "owner-3@example.com", "state": "accepted"})
    played.calls("sma")
    assert listed(service)[0]["status"] == "pending", "it was asked for just now"
    assert played.calls("sma") == {}
    with services.database.session() as session:
        session.execute(update(GrantRow).where(GrantRow.id == grant.id).values(poll_at=0))
    assert listed(service)[0]["status"] == "active"
    calls = played.calls("sma")
    assert sum(count for path, count in calls.items() if "bc-authorize" in path) == 1
    listed(service)
    assert played.calls("sma") == {}
    assert [each for each in services.credentials.stored.of(grant.client_id)["sma"] if each.row.is_grant] == []
