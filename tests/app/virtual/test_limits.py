"""Bounds of a client's virtual fleet, and changes that happen at once."""

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import event, func, insert, select

from app.auth.client_lock import lock_client
from app.config import ROOT
from app.storage.database import Base, ClientRow
from app.storage.owned import OWNED, delete_owned
from app.storage.virtual_tables import BATTERY, VirtualDeviceRow, VirtualSiteRow
from app.virtual import fleet
from app.virtual.new import NewBattery, NewSite
from tests.app.support import run
from tests.app.virtual.support import DEVICES, Caller

pytestmark = pytest.mark.databases

FLEET = (VirtualDeviceRow, VirtualSiteRow)


@pytest.fixture
def low_limits(monkeypatch):
    monkeypatch.setattr(fleet, "MAX_SITES", 3)
    monkeypatch.setattr(fleet, "MAX_DEVICES", 5)


def rows(app, table, client_id):
    with app.extensions["services"].database.session() as session:
        return session.scalar(select(func.count()).select_from(table).where(table.client_id == client_id))


def at_once(calls):
    """The results of the calls, which begin together."""
    barrier = threading.Barrier(len(calls))

    def start(call):
        barrier.wait(30)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(start, calls))


def test_the_limits_are_those_of_the_documentation():
    assert (fleet.MAX_SITES, fleet.MAX_DEVICES) == (1_000, 10_000)


@pytest.mark.parametrize("path", ["sites", *DEVICES])
def test_one_more_than_the_limit_is_a_409_and_a_deletion_makes_room(virtual, other, low_limits, path):
    site = virtual.create("sites")["id"]
    body = {} if path == "sites" else {"siteID": site}
    most = 3 if path == "sites" else 5
    made = [virtual.create(path, **body)["id"] for _ in range(most - (path == "sites"))]
    answer = virtual.post(path, body)
    assert (answer.status_code, answer.json["code"], answer.json["limit"]) == (409, "virtual_limit_reached", most)
    other.create(path)
    assert virtual.delete(f"{path}/{made[0]}") == 204
    virtual.create(path, **body)
    assert virtual.post(path, body).status_code == 409


def test_inverters_and_batteries_count_together(virtual, low_limits):
    site = virtual.create("sites")["id"]
    for number in range(5):
        virtual.create(DEVICES[number % 2], siteID=site)
    for path in DEVICES:
        assert virtual.post(path, {"siteID": site}).status_code == 409


def test_a_site_made_for_a_device_counts_as_well(virtual, low_limits, app):
    for _ in range(3):
        virtual.create("batteries")
    answer = virtual.post("batteries", {})
    assert (answer.status_code, answer.json["limit"]) == (409, 3)
    assert rows(app, VirtualDeviceRow, virtual.id) == 3


def test_the_full_limit_of_devices_holds(virtual, app):
    site = virtual.create("sites")
    members = {"client_id": virtual.id, "site_id": site["vendorID"], "kind": BATTERY, "name": "b", "model": "m",
               "serial_number": "s", "created_at": fleet.datetime.now(fleet.UTC), "nameplate_kwh": 5.0,
               "mode": "Backup", "soc_percent": 20.0}  # fmt: skip
    with app.extensions["services"].database.session() as session:
        session.execute(insert(VirtualDeviceRow), [members | {"id": f"{number:024x}"} for number in range(9_999)])
    virtual.create("batteries", siteID=site["id"])
    assert virtual.post("batteries", {"siteID": site["id"]}).status_code == 409


PROCESS = """
import sys
from app.storage.database import Database
from app.virtual import fleet
from app.virtual.new import NewBattery, NewSite
from app.web.problems import Problem

url, client_id, site_id = sys.argv[1:]
fleet.MAX_SITES, fleet.MAX_DEVICES = 30, 30
store = fleet.VirtualFleet(Database(url))
print("ready", flush=True)
sys.stdin.readline()
made = 0
for _ in range(40):
    for create, *arguments in ((store.create_site, NewSite()), (store.create_device, NewBattery(), site_id)):
        try:
            create(client_id, *arguments)
            made += 1
        except Problem as problem:
            assert problem.code == "virtual_limit_reached"
print(made)
store._database.close()
"""


@pytest.mark.exhaustive
def test_two_processes_at_the_bound_never_make_one_more(app, settings, virtual):
    site = virtual.create("sites")["vendorID"]
    command = [sys.executable, "-c", PROCESS, settings.database_url, virtual.id, site]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    with subprocess.Popen(command, **pipes) as first, subprocess.Popen(command, **pipes) as second:
        for process in (first, second):
            assert process.stdout.readline() == "ready\n"
        for process in (first, second):
            process.stdin.write("\n")
            process.stdin.flush()
        made = [int(process.stdout.read()) for process in (first, second)]
    assert sum(made) == 29 + 30
    assert (rows(app, VirtualSiteRow, virtual.id), rows(app, VirtualDeviceRow, virtual.id)) == (30, 30)


def test_a_device_made_while_its_site_is_deleted_is_refused_or_deleted(app, settings, start_service, virtual):
    second = Caller(start_service(replace(settings)), "virtual", auth=virtual.auth)
    for _ in range(4):
        site = virtual.create("sites")["id"]
        calls = [lambda: second.delete(f"sites/{site}")]  # noqa: B023 - called in this round
        calls += [lambda: virtual.post("batteries", {"siteID": site}).status_code] * 3  # noqa: B023
        statuses = at_once(calls)
        assert statuses[0] == 204
        assert set(statuses[1:]) <= {201, 400}
        assert rows(app, VirtualDeviceRow, virtual.id) == rows(app, VirtualSiteRow, virtual.id) == 0


def test_a_waiting_device_sees_that_its_site_is_gone(app, settings, start_service, virtual):
    """The order that the race may take, step by step: the site is deleted while the new device waits for its turn."""
    database = app.extensions["services"].database
    services = start_service(replace(settings)).extensions["services"]
    begun = threading.Event()

    def writes(connection, cursor, statement, *others):
        if statement.startswith(("UPDATE clients", "INSERT INTO virtual_devices")):
            begun.set()

    event.listen(services.database.engine, "before_cursor_execute", writes)
    site = app.extensions["services"].virtual_fleet.create_site(virtual.id, NewSite()).row.id
    with ThreadPoolExecutor(1) as pool:
        with database.session() as session:
            lock_client(session, virtual.id)
            fleet._delete(session, VirtualSiteRow, virtual.id, site)
            waiting = pool.submit(services.virtual_fleet.create_device, virtual.id, NewBattery(), site)
            assert begun.wait(30)
            assert not waiting.done()
        with pytest.raises(fleet.Problem, match="siteID"):
            waiting.result(30)
    assert rows(app, VirtualDeviceRow, virtual.id) == 0


def test_revoking_a_client_deletes_what_belongs_to_it_and_prints_the_counts(app, virtual, other):
    site = virtual.create("sites")["id"]
    for path in DEVICES:
        virtual.create(path, siteID=site)
        other.create(path)
    result = run(app, "clients", "revoke", virtual.id)
    assert result.exit_code == 0
    counts = {
        "grants": 0,
        **dict.fromkeys(("join_attempts", "join_flows", "join_origins", "join_sessions"), 0),
        **dict.fromkeys(("control_orders", "idempotency_keys", "vendor_credentials", "virtual_control_events"), 0),
        "virtual_devices": 2,
        "virtual_sites": 1,
        "sign_in_codes": 0,
    }
    assert json.loads(result.stdout)["deleted"] == counts
    assert [rows(app, table, virtual.id) for table in FLEET] == [0, 0]
    assert [rows(app, table, other.id) for table in FLEET] == [2, 2]
    (listed,) = [row for row in app.extensions["services"].clients.all() if row.id == virtual.id]
    assert listed.revoked_at is not None


def test_a_client_is_revoked_before_the_database_has_the_tables_of_this_version(app, virtual):
    database = app.extensions["services"].database
    others = [table for table in Base.metadata.sorted_tables if table is not ClientRow.__table__]
    Base.metadata.drop_all(database.engine, tables=others)
    result = run(app, "clients", "revoke", virtual.id)
    assert result.exit_code == 0, result.stderr
    assert '"deleted": {}' in result.stdout
    (listed,) = [row for row in app.extensions["services"].clients.all() if row.id == virtual.id]
    assert listed.revoked_at is not None


def test_every_table_with_a_client_is_emptied_by_its_revocation(app):
    tables = {name for name, table in ClientRow.metadata.tables.items() if "client_id" in table.c}
    assert tables == {row.__tablename__ for row in OWNED}


def test_a_revocation_that_fails_deletes_nothing(app, virtual, monkeypatch):
    virtual.create("batteries")

    def failing(session, client_id):
        delete_owned(session, client_id)
        raise RuntimeError

    monkeypatch.setattr("app.auth.clients.delete_owned", failing)
    with pytest.raises(RuntimeError):
        app.extensions["services"].clients.revoke(virtual.id)
    assert [rows(app, table, virtual.id) for table in FLEET] == [1, 1]
    assert virtual.ids("batteries")


def test_a_revoked_client_whose_request_was_let_in_makes_nothing(app, virtual):
    services = app.extensions["services"]
    assert virtual.ids("sites") == [], "the process now remembers the client for some seconds"
    services.clients._ledger.hold = lambda *arguments: None
    assert services.clients.revoke(virtual.id) == dict.fromkeys((row.__tablename__ for row in OWNED), 0)
    answer = virtual.post("sites", {})
    assert (answer.status_code, answer.json["code"]) == (401, "invalid_token")
    assert rows(app, VirtualSiteRow, virtual.id) == 0
