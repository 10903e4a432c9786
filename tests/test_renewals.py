"""Two processes of eight threads with one stored SMA credential, or with one grant of a Tesla owner whose refresh token
changes with each use, expiry after expiry, and `kill -9` in between: each expiry costs one call of the emulator's token
endpoint, and one more only if a token was lost with its process. No grant is lost."""

import multiprocessing
import random
from contextlib import contextmanager

import pytest
import requests
from sqlalchemy import update

import sandbox
from app.auth.clients import Clients
from app.credentials.cipher import Cipher
from app.credentials.grants import GrantStore
from app.credentials.status import Status
from app.credentials.tokens import NOW
from app.storage.credential_tables import VendorTokenRow
from app.storage.database import Database
from sandbox.server import running
from tests import renewing
from tests.granting import granted
from tests.processes import SECONDS
from tests.renewing import LOSING, MOMENTS, SMA, TESLA, THREADS, Round
from tests.services import Played

pytestmark = pytest.mark.databases

# Children of a fork server have the modules loaded when they start, and no threads of this process.
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["tests.renewing"])


class ReaderProcess:
    """One of the two processes, as the test sees it."""

    def __init__(self, *arguments):
        self._pipe, end = processes.Pipe()
        self._process = processes.Process(target=renewing.serve, args=(end, *arguments), daemon=True)
        self._process.start()
        end.close()

    def begin(self, command):
        self._pipe.send(command)

    def answer(self):
        """The failures of a round, or the moment at which the process has stopped."""
        assert self._pipe.poll(SECONDS), "no answer in time"
        return self._pipe.recv()

    def kill(self):
        self._process.kill()
        self._process.join(SECONDS)
        self._pipe.close()


class Renewals:
    """Two readers with one credential, the emulator of their vendor, and the database.

    short_waits: leases of killed processes end at once, and the readers poll more often.
    """

    def __init__(self, kind, database, database_url, url, *, short_waits):
        self.kind = kind
        self.played, self._database, self._short_waits = Played(url), database, short_waits
        client, _ = Clients(database).create("test", "production", "v1")
        self._credentials = renewing.credentials_in(database)
        self._row = self._granted(client, url) if kind.is_grant else self._stored(client)
        self._arguments = kind, database_url, url, self._row, short_waits
        self.readers = [self._started(), self._started()]
        self._read(Round())

    def _stored(self, client):
        return self._credentials.store.create(client, "roof", self.played.credentials(self.kind.vendor)).id

    def _granted(self, client, url):
        kind, cloud = self.kind, renewing.cloud_of(self.kind, url, self._credentials)
        known = self.played.get("/")["vendors"][kind.vendor]["consent"]
        secrets = {name: known[name] for name in ("clientID", "clientSecret")}
        grants = GrantStore(Cipher(renewing.KEYS), self._credentials, {kind.vendor: cloud}, "i" * 32)
        grant = grants.add(
            client, kind.vendor, kind.type, credentials_id=None, secrets=secrets,
            granted=granted(cloud, kind.type, secrets, 0), name=None, status=Status.ACTIVE,
        )  # fmt: skip
        return grant.id

    def expire(self):
        """Ends the token's lifetime in the database and at the vendor; the processes' clocks move on with the round."""
        self._change(expires_at=NOW - 1)
        self.refuse()

    def refuse(self):
        """Makes the vendor refuse all tokens that it has issued, before their time."""
        requests.delete(f"{self.played.url}/tokens/{self.kind.vendor}", timeout=SECONDS).raise_for_status()
        self.played.calls(self.kind.vendor)

    def read(self, passed=0.0):
        """A call in each thread; returns the calls of the token endpoint and of the data."""
        self._read(Round(passed))
        return self._counted()

    def read_with_a_kill(self, victim, moment, passed=0.0):
        """The same, but the victim is killed at a moment of its renewal, while the other process reads, and is then
        replaced by a new process."""
        dying, other = self.readers[victim], self.readers[1 - victim]
        dying.begin(Round(passed, moment))
        assert dying.answer() == moment
        other.begin(Round(passed))
        dying.kill()
        if self._short_waits:
            self._change(lease_until=NOW - 1)
        self.readers[victim] = self._started()
        self.readers[victim].begin(Round())
        assert [reader.answer() for reader in self.readers] == [[], []]
        return self._counted()

    def stored_token_opens_the_vendor(self):
        token = self._credentials.tokens.read(self._row)
        headers = {"Authorization": f"Bearer {token.access}"}
        url = f"{self.played.url}/{self.kind.vendor}{self.kind.list[0]}"
        answer = requests.get(url, headers=headers, timeout=SECONDS)
        return token.seconds > 0 and answer.status_code == 200

    def _started(self):
        return ReaderProcess(*self._arguments)

    def _read(self, command):
        for reader in self.readers:
            reader.begin(command)
        assert [reader.answer() for reader in self.readers] == [[], []], "failures that the API would show"

    def _counted(self):
        calls = self.played.calls(self.kind.vendor)
        tokens, data = self.kind.token_path, self.kind.list[0]
        assert calls.keys() <= {tokens, data}
        return calls[tokens], calls[data]

    def _change(self, **values):
        with self._database.session() as session:
            session.execute(update(VendorTokenRow).values(**values))


@contextmanager
def renewals(kind, database_url, *, short_waits):
    database = Database(database_url)
    database.upgrade()
    with running(sandbox.create_app(1, 1)) as url:
        world = Renewals(kind, database, database_url, url, short_waits=short_waits)
        try:
            yield world
        finally:
            for reader in world.readers:
                reader.kill()
    database.close()


def expire_and_kill(world, expiries, kills, seed):
    """Ends the token so many times, by its lifetime or by the vendor's refusal, and kills a process during so many of
    the renewals. Checks the calls of each; returns how many tokens were lost with their process."""
    chance = random.Random(seed)  # The moments in turn, at expiries that chance chooses.
    moments = dict(zip(chance.sample(range(expiries), kills), MOMENTS * kills, strict=False))
    extra = 0
    for number in range(expiries):
        moment, is_over = moments.get(number), chance.random() < 0.5
        (world.expire if is_over else world.refuse)()
        passed = world.kind.lifetime if is_over else 0.0
        if moment is None:
            tokens, calls = world.read(passed)
        else:
            tokens, calls = world.read_with_a_kill(chance.randrange(2), moment, passed)
        assert tokens == 1 + (moment in LOSING), (number, moment)
        if is_over:
            assert calls == 2 * THREADS, (number, moment, "a call with an expired token")
        extra += tokens - 1
    assert world.stored_token_opens_the_vendor()
    return extra


KINDS = pytest.mark.parametrize("kind", [SMA, TESLA], ids=["stored credentials", "grant"])


@pytest.mark.exhaustive
@KINDS
def test_fifty_expiries_in_two_processes_cost_one_renewal_each_and_one_more_for_each_lost_token(database_url, kind):
    with renewals(kind, database_url, short_waits=True) as world:
        assert expire_and_kill(world, 50, kills=5, seed=16) == 2


@pytest.mark.soak
@KINDS
def test_two_hundred_expiries_with_kills_cost_one_renewal_each_and_lose_no_token(database_url, report, kind):
    expiries, kills = 200, 20
    with renewals(kind, database_url, short_waits=False) as world:
        extra = expire_and_kill(world, expiries, kills, seed=17)
    report(
        f"token renewals of {kind.vendor}: {expiries} expiries in 2 processes of {THREADS} threads, {kills} times "
        f"kill -9: {expiries + extra} calls of the token endpoint, {extra} for tokens that were lost with their process"
    )
