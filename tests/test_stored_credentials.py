"""The contract of stored credentials: what every plugin declares, held against its vendor's emulator.

Nothing here knows a vendor by name, but the list of all forms that the public API has.
"""

import pytest

from sandbox import registry as dialects
from sandbox.application import create_app
from tests.services import PLAYED_VENDORS
from tests.stored_accounts import stored_account, variant_of
from vendors.kit.registry import discover
from vendors.kit.tokens.renewal import MARGIN_SECONDS

# Vendor, type and members, as the public API documents them.
FORMS = {
    ("enphase", "developerapp"): {"clientID", "clientSecret", "apiKey"},
    ("enphase", "partnerapp"): {"clientID", "clientSecret", "apiKey"},
    ("enphasevpp", "vpp"): {"clientID", "clientSecret", "apiKey"},
    ("franklinwh", "partner"): {"clientID", "clientSecret"},
    ("sma", "customgrant"): {"clientID", "clientSecret"},
    ("sma", "oauthclient"): {"clientID", "clientSecret"},
    ("smasbox", "customgrant"): {"clientID", "clientSecret"},
    ("smasbox", "oauthclient"): {"clientID", "clientSecret"},
    ("solaredge", "apikey"): {"apiKey"},
    ("solis", "apikeysecret"): {"keyID", "keySecret"},
    ("tesla", "app"): {"clientID", "clientSecret"},
    # An extension of this service.
    ("solaredge", "oauthclient"): {"clientID", "clientSecret"},
}


def shown_forms():
    """Vendor and type of the credentials that the emulators show."""
    shown = create_app(0).extensions["dialects"]
    return [(name, form["type"]) for name in PLAYED_VENDORS for form in shown[name].credentials()]


PLAYED = shown_forms()
WITH_TOKENS = [(name, type_) for name, type_ in PLAYED if variant_of(name, type_).tokens]

each_form = pytest.mark.parametrize("form", PLAYED, ids="-".join)
each_form_with_tokens = pytest.mark.parametrize("form", WITH_TOKENS, ids="-".join)


@pytest.fixture
def account(form):
    with stored_account(*form) as account:
        yield account


def test_the_plugins_declare_all_forms_of_the_public_api_and_no_other_than_the_extension():
    declared = {
        (name, variant.type): set(variant.members) for name, plugin in discover().items() for variant in plugin.variants
    }
    assert declared == FORMS


def test_each_form_that_opens_its_vendor_by_itself_is_played():
    needed = {
        (name, variant.type)
        for name, plugin in discover().items()
        for variant in plugin.variants
        if not variant.needs_consent and name in dialects.discover()
    }
    assert set(PLAYED) == needed


def test_each_token_endpoint_has_a_public_address_for_every_name_of_its_vendor():
    for name, plugin in discover().items():
        for variant in plugin.variants:
            if variant.token_grant:
                assert variant.token_grant.token_urls[name].startswith("https://")


@each_form
def test_a_stored_credential_opens_what_the_header_opens(account):
    by_header, by_row = account.sweep(), account.stored_sweep()
    assert (by_row.failure, by_row.incomplete) == (None, "")
    assert {record.key for record in by_row.records} == {record.key for record in by_header.records} != set()


@each_form
def test_a_stored_credential_shares_the_quota_group_of_an_equal_one_of_another_client(account):
    key, parts = account.cloud.secret, account.cloud.vendor.limits.group
    groups = {account.credential(client=client, row=client).group(key, parts) for client in ("house", "other")}
    assert len(groups) == 1


@each_form
def test_a_wrong_secret_is_unauthorized_and_appears_nowhere(account, caplog):
    caplog.set_level("DEBUG")
    secret = next((name for name in account.members if name.endswith("Secret")), "apiKey")
    wrong = {secret: "sentinel-wrong-0123456789"}
    sweep = account.stored_sweep(credential=account.credential(**wrong))
    assert (sweep.failure.code, sweep.records) == ("unauthorized", [])
    assert "sentinel-wrong" not in "".join([caplog.text, str(sweep.failure), sweep.failure.detail, repr(sweep.vendor)])
    if account.variant.tokens:
        assert str(sweep.failure).startswith(f"Unauthorized: {account.token_url} (the stored client id or secret")
        assert account.counted() == (1, 0)


@each_form_with_tokens
def test_a_token_is_got_once_for_many_calls_and_renewed_shortly_before_it_expires(account):
    account.stored_sweep()
    account.stored_sweep(refresh=True)
    tokens, calls = account.counted()
    assert (tokens, calls > 2) == (1, True)
    lifetime = account.cloud.tokens.store.read("1").seconds
    account.clock.now += lifetime - MARGIN_SECONDS - 1
    assert account.stored_sweep(refresh=True).failure is None
    assert account.counted()[0] == 0
    account.clock.now += 1
    assert account.stored_sweep(refresh=True).failure is None
    assert account.counted()[0] == 1
    account.clock.now += lifetime + 1
    assert account.stored_sweep(refresh=True).failure is None
    assert account.counted()[0] == 1


@each_form_with_tokens
def test_a_renewed_token_fetches_nothing_again_that_is_fresh(account):
    account.stored_sweep()
    account.counted()
    account.revoke_tokens()
    sweep = account.stored_sweep()
    assert (sweep.failure, account.counted()) == (None, (0, 0))


@each_form_with_tokens
def test_a_revoked_token_is_replaced_by_one_renewal_in_the_middle_of_a_sweep(account):
    before = account.stored_sweep()
    calls = account.counted()[1]
    for _ in range(3):
        account.revoke_tokens()
        sweep = account.stored_sweep(refresh=True)
        assert (sweep.failure, len(sweep.records)) == (None, len(before.records))
        tokens, repeated = account.counted()
        assert (tokens, repeated > calls) == (1, True)


@each_form_with_tokens
def test_tokens_that_are_refused_at_once_are_renewed_once_and_never_in_a_loop(account):
    with account.fault(status=401):
        sweeps = [account.stored_sweep() for _ in range(3)]
    assert {sweep.failure.code for sweep in sweeps} == {"unauthorized"}
    tokens, calls = account.counted()
    assert (tokens, calls) == (2, 4)


@each_form_with_tokens
def test_while_the_endpoint_is_down_a_valid_token_goes_on_and_an_expired_one_is_the_vendors_error(account):
    account.stored_sweep()
    lifetime = account.cloud.tokens.store.read("1").seconds
    with account.fault(status=503, path=account.token_path):
        account.clock.now += lifetime - 1
        assert account.stored_sweep(refresh=True).failure is None
        account.clock.now += 2
        failure = account.stored_sweep(refresh=True).failure
        assert (failure.code, failure.url) == ("backend_error", account.token_url)
    assert account.stored_sweep(refresh=True).failure is None


@each_form_with_tokens
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"status": 429, "headers": {"Retry-After": "17"}}, "rate_limited"),
        ({"reset": True}, "backend_error"),
        ({"body": "<html>"}, "bad_reply"),
        ({"body": "{}"}, "bad_reply"),
        ({"redirect": "http://127.0.0.1:9/"}, "backend_error"),
    ],
    ids=str,
)
def test_a_fault_of_the_endpoint_is_the_vendors_error_with_the_endpoints_url(account, fault, code):
    with account.fault(**fault, path=account.token_path):
        failure = account.stored_sweep().failure
    assert (failure.code, failure.url, account.counted()[1]) == (code, account.token_url, 0)


@each_form_with_tokens
@pytest.mark.parametrize("fault", [{"hang": True}, {"drip": {"part": "headers", "every": 0.05}}], ids=str)
def test_an_endpoint_that_hangs_costs_no_more_than_the_deadline(account, fault):
    with account.fault(**fault, path=account.token_path):
        failure = account.stored_sweep(seconds=0.3).failure
    assert (failure.code, failure.url) == ("timeout", account.token_url)
