"""Rows of grants, on both databases, without a vendor."""

import time

import pytest
from sqlalchemy import func, select, update

from app.credentials import grant_limits
from app.credentials.consent_links import LinkEnded
from app.credentials.grants import ADDRESS, GrantFilters
from app.credentials.rows import GRANT_ID
from app.credentials.status import Status
from app.storage.credential_tables import VendorTokenRow
from app.storage.grant_table import ConsentLinkRow, GrantRow
from app.web.problems import Problem
from tests.app.credentials.support import services
from vendors.kit.consent.code_grant import Granted
from vendors.kit.tokens.refusals import ConsentLost
from vendors.kit.tokens.store import Token

pytestmark = pytest.mark.databases

SECRETS = {"clientID": "an id", "clientSecret": "a secret"}
DAY = 86_400.0


def granted(account="a", refresh="first"):
    return Granted(Token("access", 300.0, refresh), region="eu", account=account, refresh_seconds=30 * DAY)


def add(app, client, granted, replaces=None, vendor="tesla", type="app", **changes):
    options = {"credentials_id": None, "secrets": SECRETS, "name": None, "status": Status.ACTIVE, **changes}
    return services(app).grants.add(client.id, vendor, type, granted=granted, replaces=replaces, **options)


def test_a_grant_is_stored_with_its_token_region_and_end(app, client):
    grant = add(app, client, granted())
    credentials = services(app).credentials
    vendor, opened = credentials.stored.find(grant.id, client.id, GRANT_ID)
    assert (vendor, opened.region, opened.row.is_grant, opened["client_secret"]) == ("tesla", "eu", True, "a secret")
    token = credentials.tokens.read(grant.id)
    assert (token.access, token.refresh, 290 < token.seconds <= 300) == ("access", "first", True)
    assert abs(grant.refresh_until - time.time() - 30 * DAY) < 60
    assert "a secret" not in grant.stored.ciphertext
    assert credentials.stored.find(grant.id, client.id) is None


def test_only_a_new_refresh_token_moves_the_end(app, client):
    grant, store = add(app, client, granted()), services(app).credentials.tokens

    def written(refresh):
        with services(app).database.session() as session:
            session.execute(update(GrantRow).values(refresh_until=5.0))
        assert store.lease(grant.id, "x", 60)
        assert store.write(grant.id, "x", Token("next", 300.0, refresh))
        return services(app).grants.find(client.id, grant.id).refresh_until

    assert written("first") == 5.0
    assert written("second") > time.time() + 29 * DAY


def test_another_account_never_takes_the_place_of_a_grant(app, client, other):
    grant = add(app, client, granted())
    assert add(app, client, granted("b"), replaces=grant.id).id != grant.id
    assert add(app, client, granted(None), replaces=grant.id).id != grant.id, "the vendor names no account"
    assert add(app, other, granted(), replaces=grant.id).id != grant.id
    assert add(app, client, granted(refresh="second")).id == grant.id
    assert services(app).credentials.tokens.read(grant.id).refresh == "second"
    assert len(services(app).grants.rows_after(client.id, GrantFilters(), "", 10)) == 3


def test_one_account_has_a_grant_for_each_application_that_came_inline(app, client):
    first = add(app, client, granted())
    other = add(app, client, granted(refresh="other"), secrets=SECRETS | {"clientID": "another id"})
    assert other.id != first.id
    assert services(app).credentials.tokens.read(first.id).refresh == "first"
    assert add(app, client, granted(), secrets=SECRETS | {"clientSecret": "a newer secret"}).id == first.id
    assert add(app, client, granted(), replaces=first.id).id == first.id


def test_a_loss_is_noted_only_under_a_lease_and_ends_the_use_of_the_grant(app, client):
    grant, credentials = add(app, client, granted()), services(app).credentials
    credentials.tokens.lost(grant.id)
    assert [each.row.id for each in credentials.stored.of(client.id)["tesla"]] == [grant.id]
    assert credentials.tokens.lease(grant.id, "x", 60)
    credentials.tokens.lost(grant.id)
    assert credentials.stored.of(client.id) == {}
    [(row, failure)] = credentials.stored.refused(client.id)["tesla"]
    assert (row.id, type(failure)) == (grant.id, ConsentLost)
    [lost] = services(app).grants.rows_after(client.id, GrantFilters("tesla", Status.NEEDS_CONSENT), "", 10)
    assert lost.id == grant.id
    assert services(app).grants.rows_after(client.id, GrantFilters("sma"), "", 10) == []


def test_the_end_of_a_grant_ends_its_token_and_link(app, client):
    grant = add(app, client, granted())
    services(app).consent_links.make(grant)
    assert services(app).grants.delete(client.id, grant.id).revoked is None
    assert services(app).grants.delete(client.id, grant.id) is None
    with services(app).database.session() as session:
        for row in (VendorTokenRow, ConsentLinkRow, GrantRow):
            assert session.scalar(select(func.count()).select_from(row)) == 0


def test_a_link_is_used_if_and_only_if_its_grant_is_kept(app, client, monkeypatch):
    grant, links = add(app, client, granted()), services(app).consent_links
    link = links.make(grant).token
    monkeypatch.setattr(grant_limits, "MAX_GRANTS", 1)
    with pytest.raises(Problem):
        add(app, client, granted("b"), replaces=grant.id, link=link)
    assert links.find(link).id == grant.id
    monkeypatch.undo()
    assert add(app, client, granted("b"), replaces=grant.id, link=link).id != grant.id
    for account in ("a", "c"):
        with pytest.raises(LinkEnded):
            add(app, client, granted(account, "late"), replaces=grant.id, link=link)
    assert services(app).credentials.tokens.read(grant.id).refresh == "first"
    assert len(services(app).grants.rows_after(client.id, GrantFilters(), "", 10)) == 2


def test_what_is_due_is_found(app, client):
    near, far = add(app, client, granted("a")), add(app, client, granted("b"))
    with services(app).database.session() as session:
        session.execute(update(GrantRow).where(GrantRow.id == near.id).values(refresh_until=time.time() + DAY))
    assert [grant.id for grant in services(app).renewals.due(7)] == [near.id]
    assert {grant.id for grant in services(app).renewals.due(31)} == {near.id, far.id}
    assert services(app).renewals.count(7) == 1
    asked = add(app, client, None, vendor="sma", type="customgrant", secrets={ADDRESS: "x"}, status=Status.PENDING)
    pending = services(app).pending_consents
    assert list(pending.due()) == [], "it was asked for just now"
    with services(app).database.session() as session:
        session.execute(update(GrantRow).values(poll_at=0.0))
    assert [grant.id for grant in pending.due(client.id)] == [asked.id]
