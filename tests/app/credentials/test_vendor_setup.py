"""`flask vendors setup`: the key pair that a vendor reads on this server, and the registration in its regions."""

import json
from dataclasses import replace
from urllib.parse import parse_qsl

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from app.credentials.cipher import Cipher, Sealed, Tampered
from app.credentials.vendor_keys import PRIVATE_KEY, VendorKeys, owner_of_key
from app.storage.vendor_key_table import VendorKeyRow
from tests.app.credentials.support import Caller, services
from tests.app.support import run
from vendors.kit.registry import discover

TESLA = discover()["tesla"]
PATH = TESLA.registration.key_path
TOKENS = TESLA.registration.tokens.urls["tesla"]
ACCOUNTS = {region: base + TESLA.registration.path for region, base in TESLA.hosts["tesla"].items()}
OLD, NEW = "c" * 32, "n" * 32


@pytest.fixture
def public(settings):
    return replace(settings, public_url="https://derapi.example.com", sandbox_url=None, credential_keys=(OLD,))


@pytest.fixture
def app(public, start_service):
    return start_service(public)


@pytest.fixture
def tesla(network):
    network.post(TOKENS, json={"access_token": "partners-token", "expires_in": 28800})
    for url in ACCOUNTS.values():
        network.post(url, json={"response": {}})
    return network


@pytest.fixture
def application(app):
    return Caller(app, "production").store("tesla", "app")["id"]


def set_up(app, id, *words):
    return run(app, "vendors", "setup", "tesla", "--credentials", id, *words)


def served(app, path=PATH):
    return app.test_client().get(path, base_url="https://derapi.example.com")


def row_of(app):
    with services(app).database.session() as session:
        return session.get(VendorKeyRow, "tesla")


def test_the_application_is_registered_in_the_usual_regions_and_the_key_is_served_without_a_token(
    app, application, tesla
):
    assert served(app).status_code == 404
    result = set_up(app, application)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {
        "vendor": "tesla",
        "domain": "derapi.example.com",
        "publicKey": f"https://derapi.example.com{PATH}",
        "regions": {"na": {"result": "registered"}, "eu": {"result": "registered"}},
    }
    posted = [call.request for call in tesla.calls if call.request.url != TOKENS]
    assert [request.url for request in posted] == [ACCOUNTS["na"], ACCOUNTS["eu"]]
    assert {request.body for request in posted} == {b'{"domain":"derapi.example.com"}'}
    answer = served(app)
    assert (answer.status_code, answer.mimetype) == (200, "application/x-pem-file")
    assert isinstance(load_pem_public_key(answer.data).curve, SECP256R1)


def test_the_private_key_is_stored_encrypted_and_belongs_to_the_public_one(app, application, tesla):
    set_up(app, application)
    row = row_of(app)
    assert "PRIVATE" not in row.ciphertext
    private = Cipher((OLD,)).open(owner_of_key(row), Sealed(row.key_id, row.ciphertext))[PRIVATE_KEY]
    public = load_pem_private_key(private.encode(), None).public_key()
    assert public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode() == row.public_key
    moved = VendorKeyRow(id="other")
    with pytest.raises(Tampered):
        Cipher((OLD,)).open(owner_of_key(moved), Sealed(row.key_id, row.ciphertext))


def test_a_second_run_keeps_the_key_that_the_vendor_knows(app, application, tesla):
    set_up(app, application)
    key = served(app).data
    assert set_up(app, application, "--region", "cn").exit_code == 0
    assert served(app).data == key
    assert tesla.calls[-1].request.url == ACCOUNTS["cn"]
    assert dict(parse_qsl(tesla.calls[-2].request.body.decode()))["audience"] == TESLA.hosts["tesla"]["cn"]


@pytest.mark.databases
def test_two_processes_that_make_a_key_at_once_agree(app):
    keys = services(app).credentials.vendor_keys
    late = VendorKeys(services(app).database, Cipher((OLD,)))
    first_look = late.public_key
    # It has seen no key, and another process makes one before it does.
    late.public_key = lambda vendor: setattr(late, "public_key", first_look) or (keys.ensure(vendor) and None)
    assert late.ensure("tesla") == keys.public_key("tesla")


def test_a_region_that_refuses_is_printed_and_the_command_ends_with_1(app, application, network):
    network.post(TOKENS, json={"access_token": "partners-token", "expires_in": 28800})
    network.post(ACCOUNTS["na"], json={"response": {}})
    network.post(ACCOUNTS["eu"], status=422, json={"error": "public key is not there"})
    result = set_up(app, application)
    assert result.exit_code == 1
    regions = json.loads(result.stdout)["regions"]
    assert regions["na"] == {"result": "registered"}
    assert regions["eu"].keys() == {"result", "detail", "action"}
    assert "sesame" not in result.output
    assert "partners-token" not in result.output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["tesla", "--credentials", "cred-0000000000000000"], "There are no stored credentials"),
        (["sma", "--credentials", "cred-0000000000000000"], "sma needs no set-up"),
        (["nobody", "--credentials", "cred-0000000000000000"], "There is no vendor 'nobody'"),
        (["tesla", "--credentials", "x", "--region", "mars"], "tesla has no region 'mars', only na, eu, cn"),
        (["tesla", "--credentials", "x", "--domain", "https://derapi.example.com"], "must be a bare domain"),
        (["tesla", "--credentials", "x", "--domain", "derapi.example.com:8000"], "must be a bare domain"),
    ],
)
def test_a_mistake_is_one_line_and_makes_no_call(app, words, says, network):
    result = run(app, "vendors", "setup", *words)
    assert (result.exit_code, result.stdout) == (1, "")
    assert says in result.stderr
    assert result.stderr.count("\n") == 1
    assert not network.calls


def test_credentials_of_another_vendor_are_refused(app, network):
    other = Caller(app, "production").store("sma", "oauthclient")["id"]
    result = set_up(app, other)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "are not of the vendor tesla" in result.stderr


def test_without_a_domain_the_setting_is_named(public, start_service):
    app = start_service(replace(public, public_url=None))
    result = set_up(app, "cred-0000000000000000")
    assert (result.exit_code, "set PUBLIC_URL" in result.stderr) == (1, True)


@pytest.mark.databases
def test_rotation_encrypts_the_private_key_with_the_first_key(app, application, tesla, public, start_service):
    set_up(app, application)
    before = row_of(app)
    rotated = start_service(replace(public, credential_keys=(NEW, OLD)))
    result = run(rotated, "credentials", "rotate")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["encrypted"]["vendor_keys"] == 1
    row = row_of(rotated)
    assert row.public_key == before.public_key
    assert PRIVATE_KEY in Cipher((NEW,)).open(owner_of_key(row), Sealed(row.key_id, row.ciphertext))


def test_a_lost_key_is_discarded_so_that_the_next_set_up_makes_a_new_pair(
    app, application, tesla, public, start_service
):
    set_up(app, application)
    other = start_service(replace(public, credential_keys=(NEW,)))
    result = run(other, "credentials", "discard", "--yes")
    assert json.loads(result.stdout)["deleted"]["vendor_keys"] == 1
    assert row_of(other) is None


@pytest.mark.parametrize("path", ["/.well-known/other", "/.well-known/appspecific/", PATH + "x"])
def test_any_other_well_known_path_is_not_found(app, path):
    assert served(app, path).status_code == 404
