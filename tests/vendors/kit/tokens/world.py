"""A vendor's token endpoint and several processes with one store, on a clock that only tests move on."""

from tests.vendors.kit.tokens.clocks import Clock
from vendors.kit import ClientCredentials, Credential, Variant
from vendors.kit.credentials import StoredRow
from vendors.kit.deadline import Deadline
from vendors.kit.tokens.memory import MemoryTokenStore
from vendors.kit.tokens.source import TokenSource
from vendors.kit.tokens.store import Token
from vendors.kit.variants import OAUTH_CLIENT

LIFETIME = 300.0
URL = "https://auth.example.test/oauth2/token"
APP = Variant("app", OAUTH_CLIENT, ClientCredentials({"example": URL}))
SECRET = b"k" * 32


def credential(row="1", secret="made-up-secret", name="made-up-id"):
    return Credential.stored(APP, {"clientID": name, "clientSecret": secret}, StoredRow("house", row, "roof"))


ROOF = credential()


class Endpoint:
    """A token endpoint that counts; tests make it fail, or do something during its call."""

    url, threads = URL, None

    def __init__(self):
        self.calls = 0
        self.failure = None
        self.lifetime = LIFETIME
        self.during = lambda: None
        self.bounds = []

    def token(self, credential, deadline, previous=None):
        self.calls += 1
        self.bounds.append(deadline.left())
        number = self.calls
        self.during()
        if self.failure:
            raise self.failure
        return Token(f"token-{number}", self.lifetime)


class World:
    """Several processes with one store; a process is a token source."""

    def __init__(self):
        self.clock, self.endpoint = Clock(), Endpoint()
        self.store = MemoryTokenStore(self.clock)
        self.source = self.process()

    def process(self, store=None, wait=None, **options):
        return TokenSource(
            {"app": self.endpoint},
            store or self.store,
            SECRET,
            clock=self.clock,
            wait=wait or self.clock.wait,
            **options,
        )

    def get(self, source=None, credential=ROOF, seconds=20.0):
        return (source or self.source).get(credential, Deadline(seconds))

    def replace(self, refused, source=None, credential=ROOF, seconds=20.0):
        return (source or self.source).replace(credential, refused, Deadline(seconds))
