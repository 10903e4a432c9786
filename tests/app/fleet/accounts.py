"""A vendor with several accounts, and an inventory that reaches it with stored credentials."""

import json
import re
import threading
import time

from app.fleet.ids import Ids
from app.fleet.inventory import Inventory
from app.fleet.list_rows import Filters
from app.fleet.vendor_access import VendorAccess
from tests.vendors.support import BASE, TRANSPORT
from vendors.kit import Credential, Freshness, Limits, Site, SolarInverter, Stage, Vendor
from vendors.kit.calls.cloud import open_cloud
from vendors.kit.calls.reply_cache import Mode, ReplyCache
from vendors.kit.credentials import StoredRow
from vendors.kit.deadline import Deadline
from vendors.kit.variants import OwnersPassword, Variant

NAME = "roofs"
APP = Variant("app", {"clientID": "key"}, consent=OwnersPassword())


class Roofs(Vendor):
    """A vendor whose inverters are those of the account that the key opens. The token may change, the account not."""

    hosts = {NAME: {"main": BASE}}
    stage = Stage.STATE
    limits = Limits(group=("key",))

    def sign(self, request):
        request.headers["X-Key"] = self.credential["key"]

    def sites(self):
        yield from self.client.get("/sites").rows(to=lambda raw: Site.listed(raw["id"], lambda raw: {"name": ""}, raw))

    def devices(self, site=None):
        yield from self.client.get("/inverters").rows(to=_inverter)

    def solar_inverter(self, key):
        return self.client.get("/inverters/{}", *key, freshness=Freshness.LIVE).record(_inverter).record()


def _inverter(raw):
    return SolarInverter.listed((raw["id"],), raw["id"], "1", lambda raw: {"model": raw["of"]}, raw)


class Accounts:
    """The vendor's side. `shown`: the inverters of each account; `statuses`: an account that fails with this status."""

    def __init__(self, network):
        self.shown, self.statuses, self.headers, self.calls = {}, {}, {}, []
        self.hangs, self.go_on = set(), threading.Event()
        network.add_callback("GET", re.compile(f"{BASE}/(sites|inverters.*)"), self._answer)

    def _answer(self, request):
        account, path = request.headers["X-Key"], request.url.removeprefix(BASE)
        self.calls.append((account, path))
        if account in self.hangs:
            self.go_on.wait(20)
        status, headers = self.statuses.get(account, 200), self.headers.get(account, {})
        if status != 200:
            return status, headers, ""
        if path == "/sites":
            return 200, {}, '[{"id": "1"}]'
        if path == "/inverters":
            return 200, {}, json.dumps([self._inverter(account, id) for id in self.shown[account]])
        id = path.removeprefix("/inverters/")
        return (200, {}, json.dumps(self._inverter(account, id))) if id in self.shown[account] else (404, {}, "")

    @staticmethod
    def _inverter(account, id):
        return {"id": id, "of": account}

    def called(self):
        """The accounts that were called since the last time, in order."""
        accounts = [account for account, _ in self.calls]
        self.calls.clear()
        return accounts


def stored(account, *, row=None, client="client"):
    """A stored credential of an account, named after it."""
    return Credential({"key": account}, StoredRow(client, row or f"cred-{account}", f"roof {account}"))


def access_with(*credentials, refused=()):
    return VendorAccess(
        {NAME: list(credentials)} if credentials else {}, {NAME: list(refused)} if refused else {}, {NAME}
    )


class Fleet:
    """An inventory over this vendor."""

    def __init__(self, id_table, clock):
        self.cloud = open_cloud(NAME, Roofs, TRANSPORT, ReplyCache(clock=clock), BASE)
        self.cloud.pause = 0.0
        self.ids = Ids("i" * 32)
        self.inventory = Inventory({NAME: self.cloud}, self.ids, id_table, clock)

    def list(self, access, mode=Mode.REUSE, seconds=20.0):
        return self.inventory.listing(SolarInverter, access, Filters(), Deadline(seconds), mode)

    def read(self, inverter, access, mode=Mode.REUSE, seconds=20.0, deadline=None):
        """The result of reading an inverter by the vendor's id."""
        return self.inventory.read(
            SolarInverter,
            self.id_of(inverter),
            access,
            deadline or Deadline(seconds),
            mode,
            lambda key, vendor: iter([vendor.solar_inverter(key)]),
            expected=SolarInverter,
        )

    def id_of(self, inverter):
        return self.ids.of(SolarInverter, NAME, (inverter,))


def wait_until(is_so, seconds=20.0):
    """Returns once it is so; fails if it is not so in time."""
    deadline = Deadline(seconds)
    while not is_so():
        assert deadline.left() > 0
        time.sleep(0.005)
