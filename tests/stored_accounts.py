"""Stored credentials of a vendor's emulator, with a clock that tests move on."""

import time
from contextlib import contextmanager

import requests

import sandbox
from sandbox.server import running
from tests.services import Account, Played
from tests.vendors.support import records_of
from vendors.kit import Credential
from vendors.kit.calls.reply_cache import Mode
from vendors.kit.calls.sweep import Sweep
from vendors.kit.credentials import StoredRow
from vendors.kit.deadline import Deadline
from vendors.kit.registry import discover


def variant_of(vendor, type_):
    """The vendor's variant of this type."""
    return next(variant for variant in discover()[vendor].variants if variant.type == type_)


class StoredAccount(Account):
    """An account at an emulator that is opened with stored credentials of one type.

    now: by which tokens expire, here and at the emulator; it stands still until a test moves it on.
    """

    def __init__(self, played, name, type_, clock):
        super().__init__(played, name)
        self.variant = variant_of(name, type_)
        (form,) = (form for form in played.get("/")["vendors"][name]["credentials"] if form["type"] == type_)
        self.members = {member: value for member, value in form.items() if member != "type"}
        self.clock = clock
        if self.cloud.tokens is not None:
            self.cloud.tokens.clock = self.cloud.tokens.store._clock = clock
        self.calls()

    def credential(self, row="1", client="house", **changes):
        return Credential.stored(self.variant, self.members | changes, StoredRow(client, row, "roof"))

    def stored_sweep(self, read="devices", *, refresh=False, seconds=60.0, credential=None):
        mode = Mode.REFRESH if refresh else Mode.REUSE
        sweep = Sweep(self.cloud.open(credential or self.credential(), Deadline(seconds), mode))
        sweep.run(lambda plugin: records_of(getattr(plugin, read)()))
        return sweep

    @property
    def token_path(self):
        """The path of the token endpoint below the emulator's base URL."""
        return self.token_url.removeprefix(self.base)

    @property
    def token_url(self):
        return self.cloud.tokens.endpoints[self.variant.type].url

    def counted(self):
        """Calls of the token endpoint, and of the data, since the last count."""
        calls = self.calls()
        return calls.pop(self.token_path, 0), sum(calls.values())

    def revoke_tokens(self):
        requests.delete(f"{self.played.url}/tokens/{self.name}", timeout=60).raise_for_status()


class WallClock:
    """The time of day, moved on by tests and otherwise standing still."""

    def __init__(self):
        self.now = time.time()

    def __call__(self):
        return self.now


@contextmanager
def stored_account(name, type_, sites=2):
    clock = WallClock()
    with running(sandbox.create_app(sites, 1, real_time=clock)) as url:
        yield StoredAccount(Played(url), name, type_, clock)
