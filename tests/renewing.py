"""A process whose threads call a vendor with one stored credential or grant, on a test's command; at a named moment of
a renewal it stops, so that the test can kill it there."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from app.credentials.cipher import Cipher
from app.credentials.rows import CREDENTIALS_ID, GRANT_ID
from app.credentials.service import open_credentials
from app.credentials.tokens import DatabaseTokens
from app.storage.database import Database
from tests.processes import SECONDS
from vendors.kit.calls.cloud import open_cloud
from vendors.kit.calls.reply_cache import Mode, ReplyCache
from vendors.kit.calls.sweep import Sweep
from vendors.kit.deadline import Deadline
from vendors.kit.http.transport import Transport
from vendors.kit.registry import discover

THREADS = 8
# The moments of a renewal at which a process can be stopped.
LEASING, LEASED, ISSUED, STORING, STORED = MOMENTS = (
    "the lease is written, but not committed",
    "the lease is committed",
    "the vendor has issued the token",
    "the token is written, but not committed",
    "the token is committed",
)
# At these moments the vendor has issued a token that no other process can know.
LOSING = {ISSUED, STORING}
KEYS, SECRET = ("c" * 32,), b"s" * 32


@dataclass(frozen=True)
class Kind:
    """What the process opens: credentials of this vendor and type, or a grant of an owner, if `is_grant`.

    list: the path of a list there, and the member of the answer. lifetime: of an access token, in seconds.
    """

    vendor: str
    type: str
    list: tuple[str, str]
    token_path: str
    lifetime: float
    is_grant: bool = False


SMA = Kind("sma", "customgrant", ("/v1/plants", "plants"), "/oauth2/token", 300.0)
TESLA = Kind("tesla", "app", ("/api/1/products", "response"), "/oauth2/v3/token", 28_800.0, is_grant=True)
# Between two looks at a renewal of the other process, in place of a quarter of a second.
SHORT_POLL_SECONDS = 0.01


def credentials_in(database):
    """The stored credentials of this database."""
    cipher = Cipher(KEYS)
    return open_credentials(database, cipher, DatabaseTokens(database, cipher), discover(), time.monotonic)


def cloud_of(kind, sandbox_url, credentials):
    """The vendor's cloud as the sandbox plays it."""
    url = f"{sandbox_url}/{kind.vendor}"
    plugin, tokens = discover()[kind.vendor], credentials.tokens
    return open_cloud(kind.vendor, plugin, Transport(), ReplyCache(), url, secret=SECRET, token_store=tokens)


@dataclass(frozen=True)
class Round:
    """The command to call the vendor once in each thread. passed: seconds by which the process's clock moves on before.
    stop_at: the moment of its renewal at which the process stops; "" for none."""

    passed: float = 0.0
    stop_at: str = ""


class StoppingDatabase(Database):
    """A database that reports when a change is about to be committed, and when it has been. step: both moments."""

    def __init__(self, url, reached):
        super().__init__(url)
        self._reached = reached
        self.step = (LEASING, LEASED)

    def look_up(self, query):
        # A slow machine is no fault of the database.
        return self._run(self._look_ups, query, SECONDS)

    def run(self, work, seconds):
        before, after = self.step

        def reported(session):
            result = work(session)
            self._reached(before)
            return result

        result = super().run(reported, seconds)
        self._reached(after)
        return result


class Reader:
    """The process."""

    def __init__(self, pipe, kind, database_url, sandbox_url, row, short_polls):
        self._pipe, self._kind = pipe, kind
        self._passed, self._stop_at = 0.0, ""
        self._database = StoppingDatabase(database_url, self._reached)
        credentials = credentials_in(self._database)
        _, self._credential = credentials.stored.find(row, prefix=GRANT_ID if kind.is_grant else CREDENTIALS_ID)
        self._cloud = cloud_of(kind, sandbox_url, credentials)
        tokens = self._cloud.tokens
        tokens.clock = lambda: time.monotonic() + self._passed
        if short_polls:
            tokens.wait = lambda seconds: threading.Event().wait(SHORT_POLL_SECONDS)
        self._report_tokens_of(tokens.endpoints[kind.type])
        self._start = threading.Barrier(THREADS)

    def serve(self):
        """Does round after round; answers each with the failures of its threads."""
        with ThreadPoolExecutor(THREADS) as pool:
            while True:
                command = self._pipe.recv()
                self._passed += command.passed
                self._stop_at, self._database.step = command.stop_at, (LEASING, LEASED)
                failures = list(pool.map(self._call, range(THREADS)))
                self._pipe.send([failure for failure in failures if failure])

    def _call(self, number):
        """Makes a call that differs from those of the other threads, so that they share no flight. Returns its failure
        as the API would show it, or None."""
        self._start.wait(SECONDS)
        sweep = Sweep(self._cloud.open(self._credential, Deadline(SECONDS), Mode.REFRESH))
        path, member = self._kind.list
        sweep.run(lambda plugin: plugin.client.get(path, params={"thread": number}).rows(member, to=ignored))
        return sweep.failure and str(sweep.failure)

    def _report_tokens_of(self, endpoint):
        get = endpoint.token

        def token(*arguments):
            token = get(*arguments)
            self._database.step = (STORING, STORED)
            self._reached(ISSUED)
            return token

        endpoint.token = token

    def _reached(self, moment):
        if moment == self._stop_at:
            self._pipe.send(moment)
            threading.Event().wait(SECONDS)
            raise AssertionError("not killed")


def ignored(row):
    """Nothing: what matters is whether the vendor answers."""


def serve(*arguments):
    """Does rounds until the process is killed."""
    Reader(*arguments).serve()
