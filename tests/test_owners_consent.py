"""Every plugin whose vendor asks the owner, with the sandbox: an owner agrees, the sites are read, the consent ends."""

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

import sandbox
from sandbox.server import running
from tests.services import Account, Played
from vendors.kit import CodeGrant, Credential, VendorError
from vendors.kit.calls.reply_cache import Mode
from vendors.kit.calls.sweep import Sweep
from vendors.kit.credentials import StoredRow
from vendors.kit.deadline import Deadline
from vendors.kit.registry import discover
from vendors.kit.tokens.refusals import CodeRefused, ConsentLost

pytestmark = pytest.mark.exhaustive

REDIRECT = "https://derapi.example.com/join/back"
VERIFIER = "made-up-verifier-of-43-characters-or-more-than-that"
IN_BROWSER = [
    (name, variant.type)
    for name, plugin in discover().items()
    for variant in plugin.variants
    if isinstance(variant.consent, CodeGrant)
]
BY_MAIL = ["sma", "smasbox"]


class WallClock:
    """The time of day, moved on by tests and otherwise standing still."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@dataclass
class Owners:
    """The owners of a vendor's sites, and an application that asks them; `granted` is what an owner has granted."""

    played: Played
    account: Account
    clock: WallClock
    type: str
    granted: Any = None

    @property
    def cloud(self):
        return self.account.cloud

    def application(self, **options):
        known = self.played.get("/")["vendors"][self.account.name]["consent"]
        variant = next(form for form in self.cloud.vendor.variants if form.type == self.type)
        return Credential.stored(variant, {member: known[member] for member in variant.members}, **options)

    def come_back(self, owner, decision="allow"):
        """The callback with which the owner comes back from the vendor's page."""
        client_id = self.application()["client_id"]
        url = self.cloud.consents[self.type].authorize_url(client_id, REDIRECT, "made-up-state", VERIFIER)
        assert requests.get(url, timeout=60).ok
        answer = requests.post(url, {"owner": owner, "decision": decision}, timeout=60, allow_redirects=False)
        assert answer.headers["Location"].startswith(REDIRECT + "?"), answer.text
        return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))

    def exchange(self, callback):
        endpoint = self.cloud.consents[self.type]
        return endpoint.exchange(self.application(), callback["code"], REDIRECT, VERIFIER, callback, Deadline(60))

    def agree(self, owner):
        """The owner agrees, and the grant is kept."""
        self.granted = self.exchange(self.come_back(owner))
        tokens, grant = self.cloud.tokens, self.grant()
        assert tokens.store.lease("grnt-1", "test", 60)
        assert tokens.store.write("grnt-1", "test", tokens.stamped(grant, self.granted.token))

    def grant(self):
        row = StoredRow("house", "grnt-1", "roof")
        return self.application(row=row, granted=self.granted.parts, region=self.granted.region)

    def sites(self, credential=None):
        """The ids of the sites that a grant or another credential opens. Raises the failure."""
        sweep = Sweep(self.cloud.open(credential or self.grant(), Deadline(60), Mode.REFRESH))
        sweep.run(lambda plugin: plugin.sites())
        if sweep.failure:
            raise sweep.failure
        return {row.vendor_id for row in sweep.records}

    def sites_of(self, number):
        """The ids of the site of the fleet with that number, as the vendor sees it."""
        views = self.played.get("/truth")["views"][self.account.name]
        return {view["site"] for view in views if view["number"] == number}


@contextmanager
def owners_of(name, type_, sites=3):
    clock = WallClock()
    with running(sandbox.create_app(sites, 1, real_time=clock)) as url:
        played = Played(url)
        account = Account(played, name)
        account.cloud.tokens.clock = account.cloud.tokens.store._clock = clock
        account.cloud.tokens.wait = lambda seconds: setattr(clock, "now", clock.now + seconds)
        yield Owners(played, account, clock, type_)


@pytest.fixture
def owners(consent):
    with owners_of(*consent) as owners:
        yield owners


each_consent = pytest.mark.parametrize("consent", IN_BROWSER, ids="-".join)


@each_consent
def test_an_owner_agrees_and_their_site_alone_is_read_over_many_expiries(owners):
    owners.agree("owner-1@example.com")
    site = owners.sites_of(1)
    assert owners.granted.account
    for _ in range(3):
        assert owners.sites() == site
        owners.clock.now += owners.granted.token.seconds
    counts = owners.played.get(f"/consents/{owners.account.name}")
    assert [consent["refreshes"] for consent in counts["consents"] if consent["refreshes"]] == [2], counts


@each_consent
def test_two_owners_have_two_accounts_and_one_owner_has_one(owners):
    accounts = []
    for number in (0, 1, 0):
        owners.agree(f"owner-{number}@example.com")
        accounts.append(owners.granted.account)
    assert accounts[0] == accounts[2] != accounts[1]


@each_consent
def test_an_owner_who_refuses_comes_back_without_a_code(owners):
    callback = owners.come_back("owner-0@example.com", "refuse")
    assert "code" not in callback
    assert callback["error"]


@each_consent
def test_a_code_is_worth_nothing_the_second_time(owners):
    callback = owners.come_back("owner-0@example.com")
    owners.exchange(callback)
    with pytest.raises(CodeRefused):
        owners.exchange(callback)


@each_consent
def test_the_owner_ends_the_consent_at_the_vendor(owners):
    owners.agree("owner-0@example.com")
    assert owners.sites()
    owners.played.put(f"/consents/{owners.account.name}", {"owner": "owner-0@example.com", "state": "revoked"})
    with pytest.raises(ConsentLost):
        owners.sites()
    assert owners.cloud.tokens.store.lost_rows == {"grnt-1"}


@each_consent
def test_a_revoked_grant_gives_no_further_token(owners):
    owners.agree("owner-0@example.com")
    endpoint = owners.cloud.consents[owners.type]
    has_endpoint = endpoint.revoke(owners.grant(), owners.granted.token, Deadline(60))
    assert has_endpoint is bool(endpoint.grant.revoke_urls)
    owners.clock.now += owners.granted.token.seconds
    if has_endpoint:
        with pytest.raises(ConsentLost):
            owners.sites()
    else:
        assert owners.sites()


def test_an_owner_of_another_region_is_asked_there_at_once():
    with owners_of("tesla", "app") as owners:
        owners.agree("european@example.com")
        assert owners.granted.region == "eu"
        owners.account.played.calls("tesla")
        assert len(owners.sites()) == 3
        assert set(owners.account.played.calls("tesla")) == {"/eu/api/1/products"}


def test_an_application_is_registered_before_owners_tokens_are_good():
    with owners_of("tesla", "app") as owners:
        owners.played.put("/options/tesla", {"demand_registration": True})
        owners.agree("owner-0@example.com")
        with pytest.raises(VendorError):
            owners.sites()
        owners.cloud.registrar.register(owners.application(), "na", "derapi.example.com", Deadline(60))
        assert owners.sites()


@pytest.mark.parametrize("name", BY_MAIL)
def test_an_owner_answers_an_e_mail_hours_later(name):
    with owners_of(name, "customgrant") as owners:
        client = owners.application(row=StoredRow("house", "cred-1", "roof"))
        endpoint = owners.cloud.back_channels["customgrant"]
        asked = endpoint.ask(client, "owner-1@example.com", Deadline(60))
        assert (asked.state, asked.poll_seconds) == ("pending", 1800.0)
        assert asked.expires_at is not None
        assert endpoint.ask(client, "owner-1@example.com", Deadline(60)) == asked, "asked twice, the state comes"
        assert owners.sites(client) == set()
        owners.played.put(f"/consents/{name}", {"owner": "owner-1@example.com", "state": "accepted"})
        assert endpoint.look(client, "owner-1@example.com", Deadline(60)).state == "accepted"
        assert owners.sites(client) == owners.sites_of(1)
