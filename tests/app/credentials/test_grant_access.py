"""Grants belong to one client, links to their owners work once, and `flask grants renew` renews what ends soon."""

import json
import re

import pytest
from sqlalchemy import update

from app.credentials import consent_links
from app.credentials.consent_links import LIFETIME, LinkEnded
from app.credentials.tokens import NOW
from app.storage.grant_table import ConsentLinkRow, GrantRow
from tests.app.credentials.test_access import stated
from tests.app.virtual.operations import GRANTS, requests_with_an_id
from tests.granting import Owners
from tests.services import served

UNKNOWN = ("grnt-0000000000000000", "cred-0000000000000000", "x", "%00", "grnt-0000000000000000%00", "GRNT")
OPERATIONS = (("GET", ""), ("DELETE", ""), ("POST", "/consent-link"))


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with served(tmp_path_factory.mktemp("grants"), sites=4) as service_and_clouds:
        yield service_and_clouds


@pytest.fixture
def owners(running):
    """The owners of Tesla devices, and a new client."""
    return Owners(running[0].another_client(), running[1])


def change(owners, row, **values):
    with owners.services.database.session() as session:
        session.execute(update(row).values(**values))


def use(owners, token):
    with owners.services.database.session() as session:
        consent_links.use(session, token)


def renew(owners, *arguments):
    result = owners.service.app.test_cli_runner().invoke(args=["grants", "renew", *arguments])
    return result.exit_code, json.loads(result.stdout)


def test_another_clients_grant_gives_the_answer_of_an_unknown_one_byte_for_byte(running, owners):
    other, grant = running[0].another_client(), owners.grant(0)
    for unknown in UNKNOWN:
        for method, rest in OPERATIONS:
            for query in ("", "?nonsense=1"):
                answer = other.call(method, f"/grants/{grant.id}{rest}{query}")
                assert stated(answer) == stated(other.call(method, f"/grants/{unknown}{rest}{query}")), (method, rest)
                assert answer.status_code == (400 if query else 404)
    assert other.get("/grants").json == {"grants": []}
    assert owners.service.get(f"/grants/{grant.id}").status_code == 200


def test_every_documented_operation_on_a_grant_answers_another_client_as_for_an_unknown_one(running, owners):
    other, grant = running[0].another_client(), owners.grant(0)
    requests = requests_with_an_id(other.get("/openapi.json").json, [GRANTS])
    assert {request.method for request in requests} == {"GET", "POST", "DELETE"}
    for request in requests:
        answer = request.send(other, {GRANTS: grant.id})
        assert stated(answer) == stated(request.send(other, {GRANTS: UNKNOWN[0]})), request
        assert answer.status_code == 404, request


def test_pages_of_grants_follow_each_other_and_filters_are_bound_to_their_token(owners):
    ids = sorted(owners.grant(owner).id for owner in range(3))
    first = owners.service.get("/grants?pageSize=2&vendor=tesla").json
    token = first["nextPageToken"]
    second = owners.service.get(f"/grants?pageSize=2&vendor=tesla&pageToken={token}").json
    assert [grant["id"] for page in (first, second) for grant in page["grants"]] == ids
    assert "nextPageToken" not in second
    answer = owners.service.get(f"/grants?pageSize=2&status=active&pageToken={token}")
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_page_token")
    assert owners.service.get("/grants?status=nonsense").status_code == 400


def test_no_answer_has_a_secret(owners):
    grant = owners.grant(0)
    token = owners.services.credentials.tokens.read(grant.id)
    secrets = (token.access, token.refresh, owners.application["clientSecret"])
    for method, path in (("GET", ""), ("GET", f"/{grant.id}"), ("POST", f"/{grant.id}/consent-link"),
                         ("DELETE", f"/{grant.id}")):  # fmt: skip
        text = owners.service.call(method, f"/grants{path}").text
        assert not [secret for secret in secrets if secret in text], path


def test_a_link_is_shown_once_works_once_and_ends(owners):
    grant, links = owners.grant(0), owners.services.consent_links

    def made():
        answer = owners.service.call("POST", f"/grants/{grant.id}/consent-link")
        assert answer.status_code == 201, answer.text
        return re.fullmatch(r"http://.+/join/grants/([\w-]{43})", answer.json["url"])[1]

    first, second = made(), made()
    assert links.find(first) is None, "a new link ends the one before"
    assert links.find(second).id == grant.id
    use(owners, second)
    assert links.find(second) is None
    third = made()
    change(owners, ConsentLinkRow, expires_at=NOW + LIFETIME.total_seconds() - 7 * 86_400)
    assert links.find(third) is None
    fourth = made()
    owners.grant(0)
    for ended in (first, second, third, fourth, "\x00"):
        assert links.find(ended) is None
        with pytest.raises(LinkEnded):
            use(owners, ended)


def test_renew_renews_what_ends_soon_and_nothing_else(running, owners):
    near, far = owners.grant(0), owners.grant(1)
    tokens = owners.services.credentials.tokens
    before = {grant.id: tokens.read(grant.id).refresh for grant in (near, far)}
    change(owners, GrantRow, refresh_until=NOW + 60 * 86_400)
    with owners.services.database.session() as session:
        session.execute(update(GrantRow).where(GrantRow.id == near.id).values(refresh_until=NOW + 6 * 86_400))
    assert renew(owners) == (0, {"renewed": 1, "failed": {}, "consentsByMail": {}})
    assert tokens.read(near.id).refresh != before[near.id]
    assert tokens.read(far.id).refresh == before[far.id]
    assert renew(owners) == (0, {"renewed": 0, "failed": {}, "consentsByMail": {}}), "it ends later now"
    renew(owners, "--within", "61")
    assert tokens.read(far.id).refresh != before[far.id]


def test_renew_names_what_failed(owners):
    grant = owners.grant(2)
    change(owners, GrantRow, refresh_until=NOW + 60 * 86_400)
    with owners.services.database.session() as session:
        session.execute(update(GrantRow).where(GrantRow.id == grant.id).values(refresh_until=NOW))
    owners.end(2)
    assert renew(owners) == (1, {"renewed": 0, "failed": {grant.id: "needs_consent"}, "consentsByMail": {}})
    assert owners.service.get(f"/grants/{grant.id}").json["status"] == "needs_consent"
