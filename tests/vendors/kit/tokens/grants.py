"""A vendor whose refresh tokens rotate, and processes that use one grant, on a clock that only tests move on."""

from urllib.parse import parse_qsl

import requests

from tests.vendors.kit.tokens.clocks import Clock
from tests.vendors.support import TRANSPORT
from vendors.kit import OAUTH_CLIENT, CodeGrant, Credential, Variant, Vendor
from vendors.kit.calls.cloud import open_cloud
from vendors.kit.calls.reply_cache import Mode, ReplyCache
from vendors.kit.credentials import StoredRow
from vendors.kit.deadline import Deadline
from vendors.kit.tokens.memory import MemoryTokenStore
from vendors.kit.tokens.store import Token

BASE, URL = "https://api.owned.test", "https://auth.owned.test/token"
LIFETIME = 300
ROW = "grnt-1"


def vendor_of(**options):
    grant = CodeGrant({"owned": "https://auth.owned.test/authorize"}, {"owned": URL}, **options)
    members = {"hosts": {"owned": {"main": BASE}}, "variants": (Variant("app", OAUTH_CLIENT, consent=grant),)}
    return type("Owned", (Vendor,), members)


class World:
    """The vendor's token endpoint, which takes a refresh token once, and the one before as well where it is reusable.

    after: called when the vendor has rotated, before its answer is sent.
    """

    def __init__(self, network, **options):
        self.network, self.clock = network, Clock()
        self.plugin = vendor_of(**options)
        self.reuses = options.get("is_refresh_reusable", False)
        self.store = MemoryTokenStore(self.clock)
        self.valid = ["refresh-0"]
        self.sent, self.secrets, self.number = [], [], 0
        self.after = lambda: None
        self.rotates = True
        network.add_callback("POST", URL, self._token)
        self.first = self.process()
        self.write(Token("access-0", LIFETIME, "refresh-0"))

    def grant(self, secret="made-up-secret"):
        (variant,) = self.plugin.variants
        members = {"clientID": "made-up-id", "clientSecret": secret}
        return Credential.stored(variant, members, StoredRow("house", ROW, "roof"), granted={})

    def write(self, token):
        assert self.store.lease(ROW, "test", 1)
        assert self.store.write(ROW, "test", self.first.tokens.stamped(self.grant(), token))

    def process(self, store=None):
        cloud = open_cloud("owned", self.plugin, TRANSPORT, ReplyCache(clock=self.clock), secret=b"k" * 32)
        cloud.pause = 0.0
        cloud.tokens.store, cloud.tokens.clock, cloud.tokens.wait = store or self.store, self.clock, self.clock.wait
        return cloud

    def get(self, cloud=None, seconds=20.0, secret="made-up-secret"):
        """The access token that a process uses."""
        return (cloud or self.first).tokens.get(self.grant(secret), Deadline(seconds))

    def call(self, cloud=None, path="/sites"):
        """A call of the plugin."""
        return (cloud or self.first).open(self.grant(), Deadline(20), Mode.REFRESH).client.get(path)

    def expire(self):
        self.clock.now += LIFETIME

    def _token(self, request):
        form = dict(parse_qsl(request.body.decode()))
        refresh = form["refresh_token"]
        self.sent.append(refresh)
        self.secrets.append(form["client_secret"])
        if refresh not in self.valid:
            return 400, {}, '{"error": "invalid_grant"}'
        self.number += 1
        text = f'"access_token": "access-{self.number}", "expires_in": {LIFETIME}'
        if self.rotates:
            self.valid = [f"refresh-{self.number}", *([refresh] if self.reuses else [])]
            text += f', "refresh_token": "refresh-{self.number}"'
        after, self.after = self.after, lambda: None
        after()
        return 200, {}, f"{{{text}}}"


def hangs():
    raise requests.ReadTimeout("made up")


class Dead(MemoryTokenStore):
    """The store as a process sees it that is killed before it can store the answer: nothing comes of its work."""

    def __init__(self, store):
        self._store = store
        self.read, self.lease = store.read, store.lease

    def write(self, row, holder, token):
        raise KeyboardInterrupt

    def release(self, row, holder):
        pass
