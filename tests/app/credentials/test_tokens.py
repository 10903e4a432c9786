"""The token store: leases and tokens in the database, on the database's clock."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import time_machine
from sqlalchemy import select, update

from app.config import ROOT
from app.credentials.tokens import NOW, TokensUnavailable
from app.storage.credential_tables import VendorCredentialRow, VendorTokenRow
from app.storage.database import Unanswered
from tests.app.credentials.support import services
from vendors.kit.errors import Busy
from vendors.kit.tokens.store import Token

pytestmark = pytest.mark.databases

TOKEN = Token("access-sesame", 300.0, "refresh-sesame", "hash", "former-sesame")


@pytest.fixture
def tokens(app):
    return services(app).credentials.tokens


@pytest.fixture
def row(client):
    return client.store()["id"]


def change(app, **values):
    """Changes the only token's row."""
    with services(app).database.session() as session:
        session.execute(update(VendorTokenRow).values(**values))


def test_a_token_comes_back_with_the_seconds_that_it_has_left(tokens, row):
    assert tokens.read(row) is None
    assert tokens.lease(row, "a", 60)
    assert tokens.read(row) is None
    assert tokens.write(row, "a", TOKEN)
    token = tokens.read(row)
    assert replace(token, seconds=300.0) == TOKEN
    assert 240 < token.seconds <= 300
    assert tokens.lease(row, "a", 60)
    assert tokens.write(row, "a", Token("second", 5.0))
    assert replace(tokens.read(row), seconds=5.0) == Token("second", 5.0)


def test_an_expired_token_has_negative_seconds(app, tokens, row):
    tokens.lease(row, "a", 60)
    tokens.write(row, "a", TOKEN)
    change(app, expires_at=NOW - 60)
    assert -120 < tokens.read(row).seconds <= -60


def test_one_holder_at_a_time_has_the_lease(tokens, row):
    assert tokens.lease(row, "a", 60)
    assert not tokens.lease(row, "b", 60)
    assert tokens.lease(row, "a", 60), "its holder may prolong it"
    tokens.release(row, "b")
    assert not tokens.lease(row, "b", 60)
    tokens.release(row, "a")
    assert tokens.lease(row, "b", 60)
    assert not tokens.write(row, "a", TOKEN)
    assert tokens.read(row) is None
    assert tokens.write(row, "b", TOKEN)
    assert tokens.lease(row, "c", 60), "a written token ends the lease"


def test_a_lease_of_a_killed_process_ends_by_itself(app, tokens, row):
    assert tokens.lease(row, "killed", 60)
    change(app, lease_until=NOW - 1)
    assert tokens.lease(row, "b", 60)
    assert not tokens.write(row, "killed", TOKEN)


def test_a_late_token_is_kept_as_long_as_the_lease_was_not_taken(app, tokens, row):
    assert tokens.lease(row, "late", 60)
    change(app, lease_until=NOW - 1)
    assert tokens.write(row, "late", TOKEN)
    assert tokens.read(row).access == TOKEN.access


def test_a_hosts_clock_means_nothing(tokens, row):
    with time_machine.travel("2001-01-01", tick=False):
        assert tokens.lease(row, "a", 60)
        assert tokens.write(row, "a", TOKEN)
        assert tokens.lease(row, "a", 60)
    with time_machine.travel("2101-01-01", tick=False):
        assert not tokens.lease(row, "b", 60)
        assert 240 < tokens.read(row).seconds <= 300


def test_a_lease_of_less_than_a_second_is_exact(app, tokens, row):
    assert tokens.lease(row, "a", 0.25)
    with services(app).database.session() as session:
        (left,) = session.execute(select(VendorTokenRow.lease_until - NOW)).one()
    assert left <= 0.25


def test_nothing_can_be_leased_or_written_for_credentials_that_are_gone(client, tokens, row):
    assert tokens.lease(row, "a", 60)
    assert client.delete(row) == 204
    assert not tokens.write(row, "a", TOKEN)
    assert tokens.read(row) is None
    tokens.release(row, "a")
    for unknown in (row, "cred-0000000000000000", "", "x"):
        # Not False, which means that another renewal is under way: a request would wait for it until its deadline.
        with pytest.raises(Busy, match="deleted"):
            tokens.lease(unknown, "a", 60)
        assert tokens.read(unknown) is None


def test_changed_secrets_end_the_token_and_the_lease_but_a_new_name_does_not(client, tokens, row):
    tokens.lease(row, "a", 60)
    tokens.write(row, "a", TOKEN)
    assert tokens.lease(row, "a", 60)
    client.patch(row, {"name": "x", "credentials": client.secrets(row)})
    assert tokens.read(row).access == TOKEN.access
    assert not tokens.lease(row, "b", 60)
    client.patch(row, {"credentials": {"clientSecret": "new"}})
    assert tokens.read(row) is None
    assert not tokens.write(row, "a", TOKEN)
    assert tokens.lease(row, "b", 60)


def test_a_token_that_was_moved_to_another_row_is_not_used(app, client, other, tokens, row):
    tokens.lease(row, "a", 60)
    tokens.write(row, "a", TOKEN)
    for victim in (client.store()["id"], other.store()["id"], client.store("sma", "oauthclient")["id"]):
        tokens.lease(victim, "b", 60)
        with services(app).database.session() as session:
            stolen = session.get_one(VendorTokenRow, row)
            moved = {"ciphertext": stolen.ciphertext, "key_id": stolen.key_id, "expires_at": stolen.expires_at}
            session.execute(update(VendorTokenRow).where(VendorTokenRow.id == victim).values(**moved))
        assert tokens.read(victim) is None
    with services(app).database.session() as session:
        secrets = session.get_one(VendorCredentialRow, row)
        session.execute(update(VendorTokenRow).where(VendorTokenRow.id == row).values(ciphertext=secrets.ciphertext))
    assert tokens.read(row) is None


def test_a_database_that_does_not_answer_is_a_vendor_error(app, tokens, row):
    services(app).database._run = unanswered
    for call in (lambda: tokens.read(row), lambda: tokens.lease(row, "a", 60), lambda: tokens.write(row, "a", TOKEN),
                 lambda: tokens.release(row, "a")):  # fmt: skip
        with pytest.raises(TokensUnavailable) as raised:
            call()
        assert (raised.value.code, raised.value.status, raised.value.fault) == ("database_unavailable", 503, "server")


def unanswered(threads, work, seconds):
    raise Unanswered("test")


PROCESS = """
import sys, threading
from app.credentials.cipher import Cipher
from app.credentials.tokens import DatabaseTokens
from app.storage.database import Database
from vendors.kit.errors import Busy
from vendors.kit.tokens.store import Token

url, row, name = sys.argv[1:]
database = Database(url)
tokens = DatabaseTokens(database, Cipher(["c" * 32]))
print("ready", flush=True)
sys.stdin.readline()
lock, held = threading.Lock(), []

def renew(number):
    for round in range(6):
        holder = f"{name}-{number}-{round}"
        if tokens.lease(row, holder, 60):
            current = tokens.read(row)
            count = int(current.access) if current else 0
            assert tokens.write(row, holder, Token(str(count + 1), 300.0))
            with lock:
                held.append(holder)

threads = [threading.Thread(target=renew, args=(number,)) for number in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(len(held))
database.close()
"""


@pytest.mark.exhaustive
def test_no_two_renewals_of_several_threads_and_processes_happen_at_once(settings, tokens, row):
    command = [sys.executable, "-c", PROCESS, settings.database_url, row]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    with subprocess.Popen([*command, "x"], **pipes) as first, subprocess.Popen([*command, "y"], **pipes) as second:
        for process in (first, second):
            assert process.stdout.readline() == "ready\n"
        for process in (first, second):
            process.stdin.write("\n")
            process.stdin.flush()
        renewals = [int(process.stdout.read()) for process in (first, second)]
    # Each holder has counted one on: two at once would have lost a count.
    assert int(tokens.read(row).access) == sum(renewals) >= 2


def test_of_many_threads_exactly_one_gets_the_lease(tokens, row):
    barrier = threading.Barrier(8)

    def lease(number):
        barrier.wait(30)
        return tokens.lease(row, str(number), 60)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lease, range(8))) == 1
