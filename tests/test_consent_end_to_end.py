"""The contract of consent: what every plugin declares, held against its vendor's emulator over real sockets.

Nothing here knows a vendor by name.
"""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

import sandbox
from sandbox.server import running
from tests.services import PLAYED_VENDORS, Account, Played
from tests.stored_accounts import WallClock, variant_of
from tests.vendors.support import records_of
from vendors.kit import BackChannel, CodeGrant, Credential, VendorError
from vendors.kit.calls.reply_cache import Mode
from vendors.kit.calls.sweep import Sweep
from vendors.kit.credentials import StoredRow
from vendors.kit.deadline import Deadline
from vendors.kit.registry import discover
from vendors.kit.tokens.renewal import LEASE_SECONDS

pytestmark = pytest.mark.exhaustive

BACK = "https://derapi.example.com/join/back"
DAY = 86_400
GRANTED = [
    (name, variant.type)
    for name in PLAYED_VENDORS
    for variant in discover()[name].variants
    if isinstance(variant.consent, CodeGrant)
]
each_grant = pytest.mark.parametrize("form", GRANTED, ids="-".join)


class Grants(Account):
    """An application at an emulator, and the grants of its owners."""

    def __init__(self, played, name, type_, clock):
        super().__init__(played, name)
        self.variant, self.clock = variant_of(name, type_), clock
        known = played.get("/")["vendors"][name]["consent"]
        assert known["type"] == type_
        self.members = {member: known[member] for member in self.variant.members}
        self.endpoint = self.cloud.consents[type_]
        self.cloud.tokens.clock = self.cloud.tokens.store._clock = clock

    def callback(self, owner, decision="allow"):
        url = self.endpoint.authorize_url(self.members["clientID"], BACK, "s 1", None)
        form = {"owner": f"owner-{owner}@example.com", "decision": decision}
        answer = requests.post(url, form, allow_redirects=False, timeout=60)
        assert answer.status_code == 302, answer.text
        callback = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
        assert callback["state"] == "s 1"
        return callback

    def exchange(self, callback):
        client = Credential.stored(self.variant, self.members)
        return self.endpoint.exchange(client, callback["code"], BACK, None, callback, Deadline(60))

    def grant(self, owner):
        """The credential of a new grant, whose tokens are stored."""
        granted, row = self.exchange(self.callback(owner)), StoredRow("house", f"grnt-{owner}", "roof")
        grant = Credential.stored(self.variant, self.members, row, granted=granted.parts, region=granted.region)
        store = self.cloud.tokens.store
        assert store.lease(row.id, "test", 10)
        assert store.write(row.id, "test", self.cloud.tokens.stamped(grant, granted.token))
        return grant

    def seen(self, grant):
        """The sites that the grant opens, as vendor ids, and the failure."""
        sweep = Sweep(self.cloud.open(grant, Deadline(60), Mode.REFRESH))
        sweep.run(lambda plugin: records_of(plugin.sites()))
        return {record.vendor_id for record in sweep.records}, sweep.failure

    def expire(self):
        """Lets all access tokens expire, here and there."""
        requests.delete(f"{self.played.url}/tokens/{self.name}", timeout=60).raise_for_status()
        self.clock.now += DAY

    def site_of(self, owner):
        return self.played.get("/truth")["views"][self.name][owner]["site"]

    def refreshes(self):
        return self.played.get(f"/tokens/{self.name}")["refreshes"]


@pytest.fixture
def grants(form):
    clock = WallClock()
    with running(sandbox.create_app(2, 1, real_time=clock)) as url:
        yield Grants(Played(url), *form, clock)


@each_grant
def test_each_owner_s_grant_opens_the_own_site_and_no_other(grants):
    for owner in (0, 1):
        assert grants.seen(grants.grant(owner)) == ({grants.site_of(owner)}, None)


@each_grant
def test_grants_of_one_owner_have_one_account_and_those_of_two_have_two(grants):
    accounts = [grants.exchange(grants.callback(owner)).account for owner in (0, 0, 1)]
    assert accounts[0] == accounts[1] != accounts[2]
    assert accounts[0]


@each_grant
def test_an_expired_token_is_renewed_again_and_again(grants):
    grant, before = grants.grant(1), grants.refreshes()
    for _ in range(3):
        grants.expire()
        assert grants.seen(grant) == ({grants.site_of(1)}, None)
    assert grants.refreshes() == before + 3


@each_grant
def test_a_lost_answer_to_a_refresh_costs_the_grant_only_where_the_vendor_demands_it(grants):
    grant = grants.grant(0)
    grants.expire()
    path = urlsplit(grants.cloud.tokens.endpoints[grants.variant.type].url).path.removeprefix(f"/{grants.name}")
    with grants.fault(path=path, reset=True, after=True, times=1):
        assert grants.seen(grant)[1] is not None
    grants.clock.now += LEASE_SECONDS + 1
    sites, failure = grants.seen(grant)
    if grants.variant.consent.is_refresh_reusable:
        assert (sites, failure) == ({grants.site_of(0)}, None)
    else:
        assert failure.code == "needs_consent"


@each_grant
def test_a_token_endpoint_that_is_down_costs_no_grant(grants):
    grant = grants.grant(0)
    grants.expire()
    path = urlsplit(grants.cloud.tokens.endpoints[grants.variant.type].url).path.removeprefix(f"/{grants.name}")
    with grants.fault(path=path, status=503):
        assert grants.seen(grant)[1] is not None
    grants.clock.now += LEASE_SECONDS + 1
    assert grants.seen(grant) == ({grants.site_of(0)}, None)


@each_grant
def test_a_refusal_of_the_owner_comes_back(grants):
    callback = grants.callback(0, "refuse")
    assert callback["error"] == "access_denied"
    assert "code" not in callback


@each_grant
def test_a_code_works_once(grants):
    callback = grants.callback(0)
    grants.exchange(callback)
    with pytest.raises(VendorError):
        grants.exchange(callback)


@each_grant
def test_a_grant_that_its_owner_took_back_at_the_vendor_needs_consent(grants):
    grant = grants.grant(0)
    grants.played.put(f"/consents/{grants.name}", {"owner": "owner-0@example.com", "state": "revoked"})
    _, failure = grants.seen(grant)
    assert failure.code == "needs_consent"
    assert grants.cloud.tokens.store.lost_rows == {"grnt-0"}


@each_grant
def test_a_grant_is_ended_where_the_vendor_has_an_endpoint_for_it(grants):
    grant = grants.grant(0)
    token = grants.cloud.tokens.store.read(grant.row.id)
    if grants.endpoint.revoke(grant, token, Deadline(60)):
        grants.expire()
        assert grants.seen(grant)[1].code == "needs_consent"


BY_MAIL = [
    (name, variant.type)
    for name in PLAYED_VENDORS
    for variant in discover()[name].variants
    if isinstance(variant.consent, BackChannel)
]
REGISTERED = [name for name in PLAYED_VENDORS if discover()[name].registration]


@pytest.mark.parametrize("form", BY_MAIL, ids="-".join)
@pytest.mark.parametrize("answer", ["accepted", "rejected"])
def test_an_owner_who_was_asked_by_e_mail_answers_hours_later(form, answer):
    name, type_ = form
    with running(sandbox.create_app(2, 1)) as url:
        account = Account(Played(url), name)
        known = account.played.get("/")["vendors"][name]["token_without_consent"]
        members = {"clientID": known["client_id"], "clientSecret": known["client_secret"]}
        client = Credential.stored(variant_of(name, type_), members, StoredRow("house", "1", "roof"))
        endpoint, owner = account.cloud.back_channels[type_], "owner-1@example.com"
        assert endpoint.ask(client, owner, Deadline(60)).state == "pending"
        assert endpoint.ask(client, owner, Deadline(60)).state == "pending"
        account.played.put(f"/consents/{name}", {"owner": owner, "state": answer, "after_seconds": 5 * 3600})
        for hours, state, sites in ((4, "pending", set()), (6, answer, {account.views[1]["site"]})):
            later = datetime.now(UTC) + timedelta(hours=hours)
            account.played.put("/clock", {"now": later.isoformat()})
            assert endpoint.look(client, owner, Deadline(60)).state == state
            sweep = Sweep(account.cloud.open(client, Deadline(60), Mode.REFRESH))
            sweep.run(lambda plugin: records_of(plugin.sites()))
            assert {record.vendor_id for record in sweep.records} == (sites if state != "rejected" else set())
            assert sweep.failure is None


@pytest.mark.parametrize("name", REGISTERED)
def test_an_application_is_registered_in_every_region(name):
    with running(sandbox.create_app(1, 1)) as url:
        account = Account(Played(url), name)
        account.played.put(f"/options/{name}", {"demand_registration": True})
        assert account.sweep("sites").failure is not None
        registrar = account.cloud.registrar
        variant = variant_of(name, registrar.registration.type)
        known = account.played.get("/")["vendors"][name]["consent"]
        client = Credential.stored(variant, {member: known[member] for member in variant.members})
        for region in registrar.regions:
            registrar.register(client, region, "solar.example.com", Deadline(60))
        assert account.sweep("sites", refresh=True).failure is None
