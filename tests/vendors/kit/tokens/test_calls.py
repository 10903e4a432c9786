"""Calls with stored credentials: the token step of the pipeline, for a plugin whose tokens the service gets."""

from base64 import b64encode

import pytest

from tests.vendors.kit.tokens.clocks import Clock
from tests.vendors.support import TRANSPORT
from vendors.kit import (
    OAUTH_CLIENT,
    BackendError,
    ClientCredentials,
    Credential,
    Forbidden,
    Limits,
    OwnersPassword,
    RateLimited,
    Timeout,
    Unauthorized,
    Variant,
    Vendor,
)
from vendors.kit.calls.cloud import open_cloud
from vendors.kit.calls.reply_cache import Mode, ReplyCache
from vendors.kit.calls.sweep import Sweep
from vendors.kit.credentials import StoredRow
from vendors.kit.deadline import Deadline
from vendors.kit.tokens.renewal import MARGIN_SECONDS

BASE, URL = "https://api.tokens.test", "https://auth.tokens.test/oauth2/token"
LIFETIME = 300
SECRET = "sentinel-secret"


class Tokened(Vendor):
    hosts = {"tokened": {"main": BASE}}
    variants = (
        Variant("app", OAUTH_CLIENT, ClientCredentials({"tokened": URL})),
        Variant("owner", OAUTH_CLIENT, consent=OwnersPassword()),
        Variant("key", {"apiKey": "token"}),
    )

    def on_unauthorized(self, reply, request):
        return Forbidden(reply.url) if request.path == "/plan" else None


def stored(row="1", client="house", variant="app", name="made-up-id"):
    form = next(form for form in Tokened.variants if form.type == variant)
    members = dict.fromkeys(form.members, SECRET) | ({"clientID": name} if "clientID" in form.members else {})
    return Credential.stored(form, members, StoredRow(client, row, "roof"))


class Cloud:
    """The vendor's two hosts. A call with a token that is not in `good` is refused; None makes every token good."""

    def __init__(self, network):
        self.clock = Clock()
        self.cloud = open_cloud("tokened", Tokened, TRANSPORT, ReplyCache(clock=self.clock))
        self.cloud.pause = 0.0
        self.cloud.tokens.clock = self.cloud.tokens.store._clock = self.clock
        self.issued, self.calls, self.good = 0, [], None
        self.endpoint_status = 200
        network.add_callback("POST", URL, self._token)
        for path in ("/sites", "/other", "/plan"):
            network.add_callback("GET", BASE + path, self._answer)

    def _token(self, request):
        if self.endpoint_status != 200:
            return self.endpoint_status, {"Retry-After": "3600"}, "{}"
        self.issued += 1
        return 200, {}, f'{{"access_token": "token-{self.issued}", "expires_in": {LIFETIME}}}'

    def _answer(self, request):
        token = request.headers["Authorization"].removeprefix("Bearer ")
        self.calls.append((request.url.removeprefix(BASE), token))
        return (200 if self.good is None or token in self.good else 401), {}, "{}"

    def get(self, path="/sites", credential=None, mode=Mode.REUSE, seconds=5.0):
        vendor = self.cloud.open(credential or stored(), Deadline(seconds), mode)
        return vendor.client.get(path)


@pytest.fixture
def cloud(network):
    return Cloud(network)


def test_a_call_is_signed_with_a_token_that_the_service_has_got(cloud):
    cloud.get()
    assert cloud.calls == [("/sites", "token-1")]


def test_a_cached_reply_needs_no_token_and_outlives_the_renewal_of_the_token(cloud):
    for _ in range(12):
        cloud.get()
        cloud.clock.now += LIFETIME
    assert (len(cloud.calls), cloud.issued) == (1, 1)
    cloud.get("/other")
    assert cloud.issued == 2


def test_two_clients_with_the_same_stored_secrets_get_no_reply_of_each_other(cloud):
    for client in ("house", "other", "house", "other"):
        cloud.get(credential=stored(client=client, row=client))
    assert cloud.calls == [("/sites", "token-1"), ("/sites", "token-2")]


def test_a_hold_of_an_hour_outlives_twelve_renewals_and_holds_every_row_with_that_client_id(cloud, network):
    network.add("GET", f"{BASE}/busy", status=429, headers={"Retry-After": "3600"})
    cloud.cloud.quota._clock = cloud.cloud.quota._ledger._clock = cloud.clock
    with pytest.raises(RateLimited):
        cloud.get("/busy")
    for _ in range(11):
        cloud.clock.now += LIFETIME
        for credential in (stored(), stored(client="other", row="2")):
            with pytest.raises(RateLimited):
                cloud.get(credential=credential)
    assert (cloud.calls, cloud.issued) == ([], 1), "no token is got for a call that is not made"
    cloud.get(credential=stored(name="another-id", row="3"))
    cloud.clock.now += LIFETIME
    cloud.get()
    assert [path for path, _ in cloud.calls] == ["/sites", "/sites"]


def test_a_refused_token_is_replaced_and_the_call_made_once_more(cloud):
    cloud.get("/other")
    cloud.good = {"token-2"}
    cloud.get()
    assert cloud.calls[1:] == [("/sites", "token-1"), ("/sites", "token-2")]


def test_a_client_whose_new_tokens_are_refused_as_well_is_unauthorized_after_one_renewal(cloud):
    cloud.good = set()
    for calls in (2, 3, 4):
        with pytest.raises(Unauthorized) as raised:
            cloud.get()
        assert raised.value.url == f"{BASE}/sites"
        assert (len(cloud.calls), cloud.issued) == (calls, 2)


def test_a_401_after_the_renewal_has_the_meaning_that_the_plugin_gives_it(cloud):
    cloud.good = set()
    with pytest.raises(Forbidden):
        cloud.get("/plan")
    assert (len(cloud.calls), cloud.issued) == (2, 2)


def test_concurrent_calls_of_a_sweep_share_one_renewal(cloud):
    cloud.get("/other")
    cloud.good = {"token-2"}
    client = cloud.cloud.open(stored(), Deadline(20)).client
    paths = ["/sites", "/plan", "/other"]
    assert len(list(client.each(paths, lambda path: [client.get(path).json]))) == 3
    assert cloud.issued == 2
    assert {token for _, token in cloud.calls[-2:]} == {"token-2"}


def test_an_endpoint_that_is_down_is_this_vendors_error_and_a_valid_token_goes_on_being_used(cloud):
    cloud.get("/other")
    cloud.endpoint_status = 503
    cloud.clock.now += LIFETIME - MARGIN_SECONDS
    cloud.get()
    assert cloud.calls[-1] == ("/sites", "token-1")
    cloud.clock.now += MARGIN_SECONDS
    with pytest.raises(BackendError) as raised:
        cloud.get(mode=Mode.REFRESH)
    assert raised.value.url == URL


def test_an_endpoint_that_fails_once_costs_one_retry(cloud, network):
    network.replace("POST", URL, status=503)
    network.add_callback("POST", URL, cloud._token)
    cloud.get()
    assert cloud.calls == [("/sites", "token-1")]


def test_a_stale_reply_replaces_a_call_for_which_there_is_no_token(cloud):
    cloud.get()
    cloud.endpoint_status = 503
    cloud.clock.now += 4000
    vendor = cloud.cloud.open(stored(), Deadline(5))
    assert vendor.client.get("/sites").json == {}
    assert [failure.url for failure in vendor.client.progress.failures] == [URL]


def test_a_quota_of_the_endpoint_is_not_that_of_the_data(cloud):
    cloud.endpoint_status = 429
    with pytest.raises(RateLimited) as raised:
        cloud.get()
    assert (raised.value.url, raised.value.retry_after) == (URL, 3600)
    by_header = Credential({"token": "token-of-header"})
    cloud.get(credential=by_header)
    assert cloud.calls == [("/sites", "token-of-header")]


def test_a_refused_secret_is_reported_with_what_to_do(cloud):
    cloud.endpoint_status = 401
    with pytest.raises(Unauthorized, match="the stored client id or secret is refused"):
        cloud.get()
    assert cloud.calls == []


def test_a_form_that_needs_the_owners_consent_makes_no_call(cloud):
    with pytest.raises(Unauthorized) as raised:
        cloud.get(credential=stored(variant="owner"))
    assert str(raised.value).startswith("Unauthorized: ")
    assert "needs the owner's authorization" in str(raised.value)
    assert (cloud.calls, cloud.issued) == ([], 0)


def test_a_form_that_opens_the_vendor_directly_needs_no_token(cloud):
    cloud.get(credential=stored(variant="key"))
    assert (cloud.calls, cloud.issued) == ([("/sites", SECRET)], 0)


def test_a_refused_token_of_a_header_is_not_renewed(cloud):
    cloud.good = set()
    with pytest.raises(Unauthorized):
        cloud.get(credential=Credential({"token": "token-of-header"}))
    assert (cloud.calls, cloud.issued) == ([("/sites", "token-of-header")], 0)


def test_a_named_part_is_the_quota_group_of_a_credential_with_tokens_too():
    class Keyed(Tokened):
        limits = Limits(group=("client_secret",))

    key = b"k" * 32
    assert stored().group(key, Keyed.limits.group) == stored(name="another").group(key, Keyed.limits.group)


@pytest.mark.parametrize("status", [200, 401, 500])
def test_neither_secret_nor_token_appears_in_logs_errors_or_reprs(cloud, caplog, status):
    caplog.set_level("DEBUG")
    cloud.endpoint_status = status
    cloud.good = set()
    vendor = cloud.cloud.open(stored(), Deadline(5))
    with pytest.raises((Unauthorized, BackendError)) as raised:
        vendor.client.get("/sites")
    shown = [caplog.text, repr(vendor), repr(vendor.credential), repr(cloud.cloud), str(raised.value)]
    shown += [repr(cloud.cloud.tokens), repr(raised.value), raised.value.detail, raised.value.url]
    shown += [str(record.__dict__) for record in caplog.records]
    secrets = (SECRET, "token-1", "token-2", b64encode(SECRET.encode()).decode())
    assert not [text for text in shown for secret in secrets if secret in text]


def test_a_name_without_a_declared_endpoint_is_a_fault_of_the_plugin_and_stops_no_server(network):
    plugin = type("Further", (Tokened,), {"hosts": {"further": {"main": BASE}}})
    cloud = open_cloud("further", plugin, TRANSPORT, ReplyCache())
    sweep = Sweep(cloud.open(stored(), Deadline(5)))
    sweep.run(lambda vendor: iter(vendor.client.get("/sites").rows("sites", to=dict)))
    assert sweep.failure.code == "plugin_fault"


def test_a_deadline_that_passes_while_a_token_is_awaited_is_a_timeout(cloud):
    cloud.cloud.tokens.store.lease("1", "other", 60)
    with pytest.raises(Timeout):
        cloud.get(seconds=0.2)
    assert cloud.calls == []
