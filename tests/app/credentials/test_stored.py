"""Stored credentials as the plugins read them: opened, cached, and those that cannot be opened."""

from dataclasses import replace

import pytest
from sqlalchemy import delete, event, update

from app.credentials.cipher import KeyMissing, Tampered
from app.credentials.opening import MemberMissing, VariantUnknown
from app.credentials.stored import CACHE_SECONDS
from app.storage.credential_tables import VendorCredentialRow
from app.storage.database import Unanswered
from tests.app.credentials.support import VARIANTS, Caller, credentials, services

pytestmark = pytest.mark.databases


@pytest.fixture
def stored(app):
    return services(app).credentials.stored


def change(app, id, **values):
    with services(app).database.session() as session:
        session.execute(update(VendorCredentialRow).where(VendorCredentialRow.id == id).values(**values))


def names(stored, client):
    return {vendor: [each.row.name for each in of_vendor] for vendor, of_vendor in stored.of(client.id).items()}


def test_every_variant_becomes_a_credential_with_its_parts_and_its_row(client, stored):
    for variant in VARIANTS:
        client.store(*variant, name="/".join(variant))
    opened = [(vendor, each) for vendor, of_vendor in stored.of(client.id).items() for each in of_vendor]
    assert {each.row.name for _, each in opened} == {"/".join(variant) for variant in VARIANTS}
    for vendor, credential in opened:
        type = credential.variant.type
        assert credential.row.name == f"{vendor}/{type}"
        assert credential.row.client == client.id
        posted = credentials(vendor, type)
        parts = {member: credential[part] for member, part in credential.variant.members.items()}
        assert {"vendor": vendor, "type": type} | parts == posted
        assert "sesame" not in repr(credential)
    assert stored.refused(client.id) == {}


def test_a_client_sees_its_own_in_the_order_in_which_they_were_stored(client, other, stored):
    assert stored.of(client.id) == {}
    for number in range(4):
        client.store(name=str(number))
    client.store("solis", "apikeysecret", name="key")
    other.store(name="of another")
    assert names(stored, client) == {"sma": ["0", "1", "2", "3"], "solis": ["key"]}
    assert names(stored, other) == {"sma": ["of another"]}


def test_a_change_is_seen_at_once_in_this_process_and_soon_in_others(app, client, stored, service_clock):
    id = client.store(name="a")["id"]
    assert names(stored, client) == {"sma": ["a"]}
    client.patch(id, {"name": "b", "credentials": {"clientSecret": "changed"}})
    assert names(stored, client) == {"sma": ["b"]}
    change(app, id, name="c")
    assert names(stored, client) == {"sma": ["b"]}
    service_clock.now += CACHE_SECONDS
    assert names(stored, client) == {"sma": ["c"]}
    assert client.delete(id) == 204
    assert stored.of(client.id) == {}


def test_an_answer_that_was_read_before_a_change_is_not_kept_after_it(app, client, stored):
    id = client.store(name="before")["id"]
    engine, changes = services(app).database.engine, []

    def during(connection, cursor, statement, *others):
        if not changes and "ORDER BY vendor_credentials.created_at" in statement:
            changes.append(client.patch(id, {"name": "after"}).status_code)

    event.listen(engine, "after_cursor_execute", during)
    stored.of(client.id)
    event.remove(engine, "after_cursor_execute", during)
    assert changes == [200]
    assert names(stored, client) == {"sma": ["after"]}


def test_repeated_requests_read_the_database_once(app, client, stored):
    client.store()
    statements = []
    event.listen(services(app).database.engine, "before_cursor_execute", lambda *all: statements.append(all[2]))
    for _ in range(3):
        stored.of(client.id)
        stored.refused(client.id)
    assert len([text for text in statements if "vendor_credentials" in text]) == 1


def test_while_the_database_does_not_answer_the_last_known_are_used(app, client, other, stored, service_clock):
    client.store(name="a")
    stored.of(client.id)

    def unanswered(threads, work, seconds):
        raise Unanswered("test")

    services(app).database._run = unanswered
    service_clock.now += 10 * CACHE_SECONDS
    assert names(stored, client) == {"sma": ["a"]}
    with pytest.raises(Unanswered):
        stored.of(other.id)


def test_a_change_that_the_database_does_not_confirm_leaves_the_last_known_in_use(app, client, stored):
    id = client.store(name="a")["id"]
    stored.of(client.id)
    run = services(app).database._run

    def unanswered(threads, work, seconds):
        raise Unanswered("test")

    services(app).database._run = unanswered
    assert client.patch(id, {"name": "b"}).status_code == 503
    assert names(stored, client) == {"sma": ["a"]}
    services(app).database._run = run
    change(app, id, name="b")
    stored.forget(client.id, is_confirmed=False)
    assert names(stored, client) == {"sma": ["b"]}, "the change may have been made"


def test_while_the_database_is_down_a_request_with_headers_goes_on_without_what_was_never_read(app, client):
    assert client.get("/sites", headers={"X-Authorization-foo": "x"}).status_code == 200
    services(app).credentials.stored.forget(client.id)

    def unanswered(threads, work, seconds):
        raise Unanswered("test")

    services(app).database._run = unanswered
    assert client.get("/sites", headers={"X-Authorization-foo": "x"}).status_code == 200
    assert client.get("/sites").status_code == 503


def test_rows_that_cannot_be_read_are_apart_with_the_reason(app, client, stored, settings, start_service):
    good, damaged, gone = client.store(name="good"), client.store(name="damaged"), client.store(name="gone")
    change(app, damaged["id"], ciphertext="x")
    change(app, gone["id"], type="formertype")
    stored.forget(client.id)
    assert names(stored, client) == {"sma": ["good"]}
    refused = {row.name: failure for row, failure in stored.refused(client.id)["sma"]}
    assert {name: type(failure) for name, failure in refused.items()} == {"damaged": Tampered, "gone": VariantUnknown}
    for failure in refused.values():
        assert (failure.status, failure.fault) == (503, "server")
    elsewhere = services(start_service(replace(settings, credential_keys=("n" * 32,)))).credentials.stored
    assert elsewhere.of(client.id) == {}
    assert {type(failure) for _, failure in elsewhere.refused(client.id)["sma"]} == {KeyMissing, VariantUnknown}
    with pytest.raises(Tampered):
        stored.find(damaged["id"])
    assert stored.find(good["id"])[1].row.name == "good"


def test_a_member_that_a_plugin_adds_or_drops_later_harms_no_other_credentials(app, client, stored):
    """After an upgrade the rows have the members of the former plugin."""
    client.store(name="whole")
    old = client.store("solaredge", "apikey", name="old")["id"]
    variants = services(app).credentials.rules.variants["solaredge"]
    variants["apikey"] = replace(variants["apikey"], members={"apiKey": "key", "region": "region"})
    assert names(stored, client) == {"sma": ["whole"]}
    [(row, failure)] = stored.refused(client.id)["solaredge"]
    assert (row.id, type(failure), failure.status) == (old, MemberMissing, 503)
    assert "region" in failure.detail
    checked = client.call("POST", f"/vendor-credentials/{old}/check")
    assert (checked.status_code, checked.json["code"]) == (200, "credentials_incomplete")
    assert client.patch(old, {"credentials": {"region": "eu"}}).status_code == 200
    assert stored.of(client.id)["solaredge"][0]["region"] == "eu"
    variants["apikey"] = replace(variants["apikey"], members={"apiKey": "key"})
    stored.forget(client.id)
    assert names(stored, client) == {"sma": ["whole"], "solaredge": ["old"]}
    assert client.patch(old, {"credentials": {"apiKey": "another"}}).status_code == 200


def test_the_bound_of_the_cache_counts_unreadable_credentials_too(app, client, stored):
    for _ in range(3):
        change(app, client.store()["id"], ciphertext="x")
    client.store()
    stored.forget(client.id)
    stored.of(client.id)
    assert stored._cached.currsize == 5


def test_one_row_is_found_by_its_id_for_its_client_only(client, other, stored):
    id = client.store("solis", "apikeysecret", name="key")["id"]
    for owner in (client.id, None):
        vendor, credential = stored.find(id, owner)
        assert (vendor, credential.row.id, credential.row.name) == ("solis", id, "key")
    assert stored.find(id, other.id) is None
    for unknown in ("cred-0000000000000000", "x", "\0"):
        assert stored.find(unknown) is None


def test_a_cached_client_that_was_emptied_in_the_database_is_empty_soon(app, client, stored, service_clock):
    client.store()
    assert stored.of(client.id)
    with services(app).database.session() as session:
        session.execute(delete(VendorCredentialRow))
    service_clock.now += CACHE_SECONDS
    assert stored.of(client.id) == {}


def test_another_client_of_the_same_name_in_another_service_shares_nothing(app, client, settings, start_service):
    second = Caller(start_service(replace(settings)), "production", auth=client.auth)
    second.store(name="elsewhere")
    assert names(services(app).credentials.stored, client) == {"sma": ["elsewhere"]}
